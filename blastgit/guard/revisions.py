"""Check the state in a pushed marker: document, pointers, files in git, dot files, Science-Digest."""

from __future__ import annotations

from collections.abc import Mapping

import pygit2

from blastgit.checks.outdated import outdated_faults
from blastgit.checks.state import kept_fault, state_faults
from blastgit.checks.trailers import Stated, revision_faults
from blastgit.errors import BlastgitError, DamagedData, Denied
from blastgit.guard.deny import deny
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.trees import files_of
from blastgit.naming.names import document_of, is_personal, is_reference
from blastgit.naming.paths import check_new_paths
from blastgit.naming.trailers import Trailer
from blastgit.repository.commits import Marker, Revision, Snapshot
from blastgit.repository.entries import LIMIT
from blastgit.repository.format import CONFIG
from blastgit.repository.simulated import kind_of
from blastgit.repository.skeleton import dot_files
from blastgit.revision.document import SIZE_LIMIT
from blastgit.revision.dr import DatasetRevision
from blastgit.store.pointer import SUFFIX, Pointer
from blastgit.workflow.publish import Publish, because

_LIMIT_OF_POINTERS, _LIMIT_OF_DOT_FILES = 4096, 64 * 1024  # bytes

Pointers = dict[str, Pointer]


def check_revision(repo: Quarantine, line: str, marker: Marker, number: int, *, has_stages: bool) -> Pointers:
    """Check the commit of a revision, except for contents in stores, and return its pointers by path.

    Args:
        repo: The data repo.
        line: The line that it belongs to.
        marker: The commit.
        number: The number that its trailer states.
        has_stages: Whether markers of stages lead to it.

    Raises:
        Denied: It is faulty; the error says why.
    """
    pointers, state = check_state(repo, line, marker, number)
    document = state.document
    if repo.settings.simulated and not kind_of(document.export):
        raise Denied(f"{document_of(line)} does not say that its data are simulated, as all data in this repo are")
    deny(revision_faults(state, repo.rules, has_stages=has_stages))
    check_digest(repo, state)
    _check_complete(repo, line, marker)
    _check_currency(repo, line, marker, number)
    return pointers


def _check_currency(repo: Quarantine, line: str, marker: Marker, number: int) -> None:
    """Check that a revision is up to date that says so. A first push takes in a whole history as it is."""
    if repo.is_new or is_reference(line):
        return
    try:
        faults = list(outdated_faults(repo, Revision(repo.git, line, marker.commit, number)))
    except DamagedData:
        return  # a revision before it is damaged, which `verify` tells
    deny(faults)


def check_digest(repo: Quarantine, state: Stated) -> None:
    """Check the Science-Digest of a state, if it was made by the present rules of this repo.

    Raises:
        Denied: It does not match the document.
    """
    trailers = state.marker.trailers
    if trailers[Trailer.RULES] == repo.rules.digest and trailers[Trailer.SCIENCE_DIGEST] != _science_digest(
        repo, state.document
    ):
        raise Denied("its trailer Science-Digest is not that of its document: later runs would be compared wrongly")


def _check_complete(repo: Quarantine, line: str, marker: Marker) -> None:
    """Check that a state is complete enough for a number. A first push accepts a whole history as it is."""
    status = marker.trailers[Trailer.STATUS]
    if is_personal(line) or repo.is_new or Publish.of(repo.settings).allows(status):
        return
    raise Denied(
        f"it is not complete ({because(status)}), and this repo gives numbers to complete states only (`publish: "
        "complete`): record with blastgit, which keeps it as a draft"
    )


def check_state(repo: Quarantine, line: str, marker: Marker, number: int) -> tuple[Pointers, Stated]:
    """Check the state in a commit, except for contents in stores, and return its pointers by path, and the state.

    Args:
        repo: The data repo.
        line: The line that it belongs to.
        marker: The commit: a revision, or a marker on the way to one.
        number: The number of that revision.

    Raises:
        Denied: It is faulty; the error says why.
    """
    state = Snapshot(repo.git, line, marker.commit)
    files = files_of(repo, marker.commit.tree_id)
    _check_sizes(repo, files, state.document_name)
    try:
        check_new_paths(sorted(state.held))
    except BlastgitError as error:
        raise Denied(str(error)) from None
    deny(map(str, state_faults(state, number, simulated=repo.settings.simulated)))
    if not _was_on_main(repo, files[CONFIG]):
        raise Denied(".dvc/config is not the one that main has: fetch main, then record again")
    pointers = state.stored
    for path in sorted(state.held.keys() - pointers.keys()):
        deny(f"{path!r}: {text}" for text in [kept_fault(state, path)] if text)
    sizes = {path: pointer.size for path, pointer in state.pointers.items()}
    return pointers, Stated(line, marker, state.dr, sizes)


def _check_sizes(repo: Quarantine, files: Mapping[str, pygit2.Oid], document: str) -> None:
    """Check how large each file of a tree is, before any is read."""
    for path, oid in files.items():
        limit, where = _LIMIT_OF_DOT_FILES, repr(path)
        if path == document:
            limit = SIZE_LIMIT
        elif path.endswith(SUFFIX):
            limit = _LIMIT_OF_POINTERS
        elif path not in dot_files(b""):
            limit, where = LIMIT, f"{path!r} is stored in git itself, which is for small files only"
        try:
            repo.check_size(oid, limit)
        except Denied as error:
            raise Denied(f"{where}: {error}") from None


def _was_on_main(repo: Quarantine, config: pygit2.Oid) -> bool:
    """Whether main ever had this `.dvc/config`: a store may have moved since a revision was recorded."""
    return any(CONFIG in each.tree and each.tree[CONFIG].id == config for each in repo.git.walk(repo.main.id))


def _science_digest(repo: Quarantine, document: DatasetRevision) -> str:
    from blastgit.revision.digest import science_digest
    from blastgit.revision.normalise import normalise

    sha256 = {path: digest.removeprefix("sha256:") for path, digest in document.files.items()}
    try:
        return science_digest(normalise(document.export, repo.rules), sha256, repo.rules)
    except BlastgitError as error:
        raise Denied(str(error)) from None
