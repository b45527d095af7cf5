"""Import from another data repo: the revisions that are not here, with their tags and contents, unchanged.

Everything is checked before anything changes: the kind of the repo, the history and soundness of each transient, its
definitions of filters and surveys. Then contents are copied, then git objects; then the refs move, transient by
transient and revision by revision. An import that dies in between leaves whole revisions, and the next call continues.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from blastgit.errors import Busy, DamagedData, InvalidInput, NotFound, Withdrawn
from blastgit.exchange.definitions import check_definitions, definitions, gather
from blastgit.maintenance.verify.lines import LineCheck
from blastgit.maintenance.verify.report import Report
from blastgit.naming.names import is_personal, is_reference
from blastgit.naming.refs import branch_ref, tag_ref
from blastgit.plumbing.durable import DURABLY
from blastgit.plumbing.git_locks import OF_FETCHING
from blastgit.plumbing.locks import Journal, hold
from blastgit.plumbing.opening import open_repository
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.ref_update import RefMoved, RefUpdate
from blastgit.plumbing.trees import read_blob
from blastgit.plumbing.turnstile import publishing
from blastgit.plumbing.user_settings import Keep
from blastgit.progress import Progress, silent
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.casefold import refuse_case_collision
from blastgit.repository.commits import Revision
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.history import History
from blastgit.repository.lines import origin, own_lines, reference_lines
from blastgit.repository.location import local_path, shown
from blastgit.repository.recovery import clean_up_dead_writer, roll_forward
from blastgit.repository.remote import RemoteRepository
from blastgit.repository.simulated import WORDS
from blastgit.repository.tombstones import Withdrawals, check_returning, file_of
from blastgit.repository.transfer import Contents, copy_contents, staging
from blastgit.store.pointer import Pointer

_LOCK = ".import"  # no transient's name has a full stop


@dataclass(frozen=True)
class TakenIn:
    """The result of importing from another data repo.

    Attributes:
        source: The other repo.
        revisions: The imported revisions, `2026dgt@1`.
        present: How many transients were already here with all their revisions.
        contents: How many contents the imported revisions have.
        size: Their size in bytes.
        staying: The personal lines there that were not asked for and differ from those here.
    """

    source: str
    revisions: list[str]
    present: int
    contents: int
    size: int
    staying: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the report under its stable keys."""
        return {
            "source": self.source, "revisions": self.revisions, "present": self.present, "contents": self.contents,
            "bytes": self.size, "staying": self.staying,
        }  # fmt: skip


@dataclass(frozen=True)
class Coming:
    """What is to be imported of one line, official or personal.

    Attributes:
        name: The transient, or `u/USER/TRANSIENT`.
        before: The tip of its branch here; None if it is new.
        revisions: Its new revisions, oldest first.
        tip: The tip of its branch there.
    """

    name: str
    before: str | None
    revisions: list[Revision]
    tip: str


def is_data_repo(source: str | Path) -> bool:
    """Whether a source is a git repository, or a URL that could be one."""
    if isinstance(source, str) and source.startswith("s3://"):
        return False
    folder = source if isinstance(source, Path) else local_path(source)
    return folder is None or any((place / "HEAD").is_file() for place in (folder, folder / ".git"))


def import_repo(
    repository: Repository, source: str | Path, only: str = "*", *, dry_run: bool = False, progress: Progress = silent
) -> TakenIn:
    """Import the revisions of another data repo that are not here: official ones, or those of personal lines.

    Args:
        repository: The data repo here.
        source: The other one: a folder, or a URL.
        only: A pattern that the names of transients must match; with the prefix `u/USER/`, of that user's lines; with
            `r/`, of references. The default, `*`, includes references that are not here.
        dry_run: Check everything, but change nothing.
        progress: Called with bytes copied.

    Raises:
        RepoError: The other repo cannot be read.
        InvalidInput: One repo has simulated data and the other real data, a filter or survey is defined differently,
            the histories of a transient have diverged, or a personal line forks from a revision that is not here.
            Nothing was imported.
        InvalidName: The name of a transient differs only in case from one that is here.
        DamagedData: A revision to be imported is not sound.
        Denied: This user may not record one of the transients, or a line belongs to somebody else.
        NotFound: No transient there matches.
    """
    other = RemoteRepository(_url(source))
    _check_kind(repository, other)
    lines = [line for line in own_lines(other) if History(other).latest(line) is not None]
    names = [name for name in _offered(other, only, lines) if fnmatchcase(name, only)]
    if not names:
        raise NotFound(f"no transient of {other.location} is called {only}")
    if only == "*":
        history = History(repository)
        names += [line for line in reference_lines(other) if history.tip(line) is None]
    found = [_coming(repository, other, name) for name in names]
    coming = [each for each in found if each is not None]
    contents = _check_sound(other, coming)
    _check_withdrawn(repository, coming)
    latest = [each.revisions[-1] for each in coming if each.revisions]
    _check_definitions(repository, [each for each in latest if not is_reference(each.name)])
    revisions = [str(revision) for each in coming for revision in each.revisions]
    size = sum(pointer.size for pointer, _ in contents.values())
    if coming and not dry_run:
        _bring(repository, other, coming, contents, progress)
    staying = [line for line in lines if line not in names and not _is_here(repository, other, line)]
    return TakenIn(shown(str(source)), revisions, len(names) - len(coming), len(contents), size, staying)


def _offered(other: Repository, only: str, lines: list[str]) -> list[str]:
    if is_reference(only):
        return reference_lines(other)
    return lines if is_personal(only) else History(other).transients()


def _url(source: str | Path) -> str:
    folder = source if isinstance(source, Path) else local_path(source)
    return str(source) if folder is None else str(folder.absolute())


def _check_kind(repository: Repository, other: Repository) -> None:
    here, there = repository.settings.simulated, other.settings.simulated
    if here != there:
        raise InvalidInput(
            f"{other.location} holds {WORDS[there]} data, and {repository.location} {WORDS[here]} ones: "
            "the two never mix"
        )


def _is_here(repository: Repository, other: Repository, line: str) -> bool:
    here, there = History(repository).tip(line), History(other).tip(line)
    return here is not None and there is not None and here.id == there.id


def _check_fork(repository: Repository, other: Repository, line: str) -> None:
    """Check that the revision that a personal line forks from is here, too."""
    fork = origin(other, line)
    here = None if fork is None else History(repository).tagged(fork.name, fork.number)
    if fork is not None and (here is None or here.id != fork.id):
        raise InvalidInput(
            f"{line} forks from {fork}, which is not here: take that in first (--only {fork.name}); nothing was "
            "taken in"
        )


def _coming(repository: Repository, other: Repository, name: str) -> Coming | None:
    """Return what is to be imported of a line; None if all of it is here."""
    repository.require_line(name)
    tip, there = History(repository).tip(name), History(other).tip(name)
    assert there is not None
    if tip is None:
        refuse_case_collision(repository, name)
        _check_fork(repository, other, name)
        return Coming(name, None, History(other).revisions(name), str(there.id))
    if tip.id == there.id:
        return None
    ours = {marker.id for marker in History(repository).markers(name)}
    if str(there.id) in ours:
        return None
    theirs = [marker.id for marker in History(other).all_markers(name)]
    if str(tip.id) not in theirs:
        latest, last = History(other).revisions(name)[-1], History(repository).latest(name)
        if latest.id in ours:
            return None  # all its revisions are here; only reproductions differ
        raise InvalidInput(
            f"both repos have recorded {name} since they diverged, to {latest} there and {last} here: one of the two "
            f"must be recorded again. Others can be taken in without it (--only); nothing was taken in"
        )
    known = set(theirs[theirs.index(str(tip.id)) :])
    new = [revision for revision in History(other).revisions(name) if revision.id not in known]
    return Coming(name, str(tip.id), new, str(there.id))


def _check_sound(other: Repository, coming: Iterable[Coming]) -> dict[str, tuple[Pointer, str]]:
    """Check the history of what is to be imported, and return the contents that it needs."""
    report, withdrawals = Report(transients=0), Withdrawals(other)
    contents: dict[str, tuple[Pointer, str]] = {}
    for each in coming:
        for _ in LineCheck(other, each.name, report).run():
            pass
        if report.problems:
            problem = report.problems[0]
            raise DamagedData(f"{problem.where} of {other.location} is not sound: {problem.text}; nothing was taken in")
        for revision in each.revisions:
            gone = withdrawals.of(each.name, revision.number)
            for path, pointer in revision.stored.items():
                if path not in gone:
                    contents[pointer.md5] = pointer, revision.sha256(path)
    return contents


def _check_withdrawn(repository: Repository, coming: Iterable[Coming]) -> None:
    """Check that nothing is imported that was withdrawn here."""
    for revision in (revision for each in coming for revision in each.revisions):
        sha256 = {path: revision.sha256(path) for path in revision.held}
        found = check_returning(repository, revision.transient, sha256)
        if found:
            raise Withdrawn(f"{revision}: {next(iter(found.values()))}; nothing was taken in")


def _readable(repository: Repository) -> Iterator[Revision]:
    """Yield the latest revision of each transient here, except damaged ones, which do not prevent an import."""
    history = History(repository)
    for name in history.transients():
        with suppress(DamagedData):
            found = history.latest(name)
            if found is not None:
                yield found


def _check_definitions(repository: Repository, theirs: Sequence[Revision]) -> None:
    """Check that filters and surveys are defined alike there and here, by the newest definitions here."""
    latest = list(_readable(repository))
    latest.sort(key=lambda revision: revision.time, reverse=True)
    wanted = {each for revision in theirs for each in definitions(revision.dr.export)}
    check_definitions(theirs, gather([*latest, *theirs], wanted))


def _bring(
    repository: Repository, other: Repository, coming: Sequence[Coming], contents: Contents, progress: Progress
) -> None:
    repository.prepare_to_write()
    with hold(repository.lock_path(_LOCK), LOCK_TIMEOUT) as lock:
        clean_up_dead_writer(repository, lock)
        folder = staging(repository.store)
        lock.announce(Journal.own([folder], locks=OF_FETCHING))
        copy_contents(other.store, repository.store, contents, progress, folder)
        _fetch(repository, other, coming)
        _bring_tombstones(repository, other, coming)
        for done, each in enumerate(coming, 1):
            _publish(repository, other, each, contents)
            progress("taking in", done, len(coming))


def _fetch(repository: Repository, other: Repository, coming: Iterable[Coming]) -> None:
    """Fetch the git objects; no ref moves yet."""
    refs = [ref for each in coming for ref in (branch_ref(each.name), *map(_tag, each.revisions))]
    words = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--stdin")
    source = str(other.path.absolute())
    text = "".join(f"{ref}\n" for ref in refs).encode()
    checked = (*DURABLY, "-c", "fetch.fsckObjects=true")
    try:
        run_git(repository.path, *checked, "fetch", *words, source, stdin=text, keep=Keep.TRUST)
    except GitError as error:
        if "bad object" not in error.stderr:
            raise
        # To find out what is here already, git reads all refs here, and stops at a damaged one: copy everything.
        pack = run_git(other.path, "pack-objects", "--quiet", "--revs", "--stdout", stdin=text)
        run_git(repository.path, *DURABLY, "index-pack", "--stdin", "--strict", stdin=pack)
    repository.git = open_repository(repository.git.path)  # libgit2 looks for new packs when it is opened


def _bring_tombstones(repository: Repository, other: Repository, coming: Iterable[Coming]) -> None:
    """Copy the tombstones to main first, so that withdrawn files are not reported as missing."""
    files: dict[str, bytes | None] = {}
    for revision in (revision for each in coming for revision in each.revisions):
        path = file_of(revision.name, revision.number)
        data = read_blob(other.main.tree, path)
        if data is not None:
            files[path] = data
    if files:
        commit_to_branch(repository, "main", lambda _: BranchEdit(files, f"What {other.location} says was taken down"))


def _publish(repository: Repository, other: Repository, coming: Coming, contents: Contents) -> None:
    """Move the refs of one transient: tag and branch for each revision, then the branch to the tip."""
    name, branch = coming.name, branch_ref(coming.name)
    with hold(repository.lock_path(name), LOCK_TIMEOUT) as lock:
        clean_up_dead_writer(repository, lock)
        roll_forward(repository, name, lock)
        steps, tip = list(_steps(other, coming)), History(repository).tip(name)
        at = None if tip is None else str(tip.id)
        ends = [coming.before, *(updates[-1].new for updates in steps)]  # the ledger may have put back some of them
        if at not in ends:
            raise Busy(f"{name} was changed by somebody else meanwhile: repeat the call")
        with publishing(repository.guarded_folders):
            _bring_again(repository, other, coming, contents)
            for updates in steps[ends.index(at) :]:
                moved = [RefUpdate(each.ref, each.new, at if each.ref == branch else None) for each in updates]
                lock.announce(Journal.own(refs={each.ref: each.new for each in moved}))
                try:
                    repository.update_refs(moved, f"blastgit import: {other.location}", lock.descriptor)
                except RefMoved:
                    raise Busy(f"{name} was changed by somebody else meanwhile: repeat the call") from None
                at = moved[-1].new


def _bring_again(repository: Repository, other: Repository, coming: Coming, contents: Contents) -> None:
    """Copy again the contents that somebody has removed meanwhile because no ref needed them yet."""
    wanted = {pointer.md5 for revision in coming.revisions for pointer in revision.stored.values()} & contents.keys()
    gone = {md5: contents[md5] for md5 in repository.store.missing(wanted)}
    if gone:
        copy_contents(other.store, repository.store, gone, silent, staging(repository.store))


def _steps(other: Repository, coming: Coming) -> Iterable[Sequence[RefUpdate]]:
    branch = branch_ref(coming.name)
    for revision in coming.revisions:
        tag = _tag_object(other, revision)
        yield RefUpdate(_tag(revision), tag), RefUpdate(branch, revision.id)
    if not coming.revisions or coming.revisions[-1].id != coming.tip:
        yield (RefUpdate(branch, coming.tip),)


def _tag_object(other: Repository, revision: Revision) -> str:
    reference = other.reference(_tag(revision))
    assert reference is not None
    return str(reference.target)


def _tag(revision: Revision) -> str:
    return tag_ref(revision.name, revision.number)
