"""The lines besides the official ones of transients, and where users' own lines fork."""

from __future__ import annotations

from blastgit.errors import InvalidInput, NotFound
from blastgit.naming.names import is_personal, transient_of
from blastgit.naming.refs import BRANCHES, PERSONAL_BRANCHES, REFERENCE_BRANCHES
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker, Revision
from blastgit.repository.history import History


def own_lines(repository: Repository, user: str = "") -> list[str]:
    """Return the sorted names of users' own lines, `u/alice/2026dgt`, of one user or of all. Reads every ref."""
    refs = repository.references(f"{PERSONAL_BRANCHES}{user}{'/' if user else ''}")
    return sorted(ref.removeprefix(BRANCHES) for ref in refs)


def reference_lines(repository: Repository, type_: str = "") -> list[str]:
    """Return the sorted names of reference lines, `r/filter/DES_z`, of one type or of all. Reads every ref."""
    refs = repository.references(f"{REFERENCE_BRANCHES}{type_}{'/' if type_ else ''}")
    return sorted(ref.removeprefix(BRANCHES) for ref in refs)


def origin(repository: Repository, line: str) -> Revision | None:
    """Return the revision that a user's own line forks from; None if it is missing, or the line is official."""
    if not is_personal(line):
        return None
    found = (
        marker for marker in History(repository).way_back(line) if marker.line != line and marker.number is not None
    )
    first = next(found, None)
    return None if first is None else _revision(repository, line, first)


def ancestry(repository: Repository, line: str) -> list[Revision]:
    """Return all revisions in the history of a line, oldest first: those up to its fork, then its own.

    Raises:
        NotFound: The line does not exist, or it has no revision.
    """
    _ = History(repository).revisions(line)
    markers = [marker for marker in map(Marker, repository.commits(line)) if marker.number is not None]
    return [_revision(repository, line, marker) for marker in reversed(markers)]


def _revision(repository: Repository, line: str, marker: Marker) -> Revision:
    assert marker.number is not None
    return Revision(repository.git, marker.line or transient_of(line), marker.commit, marker.number)


def before_of(repository: Repository, line: str, latest: Revision | None, wanted: Revision | None) -> Revision:
    """Return the revision that the next one of a user's own line is compared with.

    Args:
        repository: The data repo.
        line: The line.
        latest: Its latest revision; None if it has none, in which case the next one forks.
        wanted: The revision to fork from; None for the latest official one, or the present fork.

    Raises:
        NotFound: No revision exists to fork from.
        InvalidInput: The line forks from another revision, or `wanted` belongs to another transient.
    """
    history, name = History(repository), transient_of(line)
    if wanted is not None and wanted.transient != name:
        raise InvalidInput(f"{line} cannot fork from {wanted}, which belongs to another transient")
    if history.tip(line) is not None:
        begin = origin(repository, line) if latest is None or wanted is not None else None
        if wanted is not None and (begin is None or begin.id != wanted.id):
            raise InvalidInput(f"{line} exists and forks from {begin}: leave out --from to record its next revision")
        found = latest or begin
    else:
        found = wanted or history.latest(name)
    if found is None:
        raise NotFound(
            f"there is no {name} in {repository.location} that {line} could fork from: record it officially first"
        )
    return found
