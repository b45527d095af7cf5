"""Import existing transients: in batches, in several processes, and resumed after an interruption.

Once a batch is published, it is noted in a file of the repo's folder, and later imports of the same source skip it.
Without the note nothing is lost: a transient that is already here is compared, and so is one whose export, archive or
data files have changed since (`seen.py`).
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from hashlib import sha256
from itertools import islice
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blastgit.collections.runs import check_run_name
from blastgit.errors import BlastgitError, Busy, Denied, RepoError, UsageError
from blastgit.exchange.bulk import ADOPTED, PRESENT, SKIPPED, BulkOptions, Outcome, adopt
from blastgit.exchange.in_place import check_taking, store_in_place
from blastgit.exchange.seen import Look, Seen, stamp
from blastgit.exchange.sources import Found, find, strays_in
from blastgit.naming.refs import branch_ref
from blastgit.plumbing.extras import not_installed
from blastgit.progress import Progress, silent
from blastgit.repository.base import Repository
from blastgit.repository.local import LocalRepository
from blastgit.repository.packing import maintain_after_bulk
from blastgit.store.taking import Taking

if TYPE_CHECKING:
    from blastgit.store.bucket import Bucket
    from blastgit.store.bucket_url import Place

BATCH = 50
"""How many transients are published together."""

_DIED = (
    "a process of the import died or could not start; what it had published stays, so repeat the call. With --jobs 1 "
    "(jobs=1) there is just one; a script of one's own that wants several calls this under `if __name__ == '__main__':`"
)
_PACKED_AFTER = 1000  # transients, after which refs (and, if due, objects) are packed, so that speed does not drop


@dataclass
class Import:
    """The result of an import.

    Attributes:
        run: The RUN collection that the new revisions were born into.
        adopted: How many transients became revision 0.
        present: How many were already here, and equal.
        untouched: How many of these were not read again, since their export and their files have the same times and
            sizes, or in a bucket the same ETags, as when they were imported or last compared.
        ignored: How many leftovers of other programs were skipped.
        files: How many files the adopted ones have.
        size: Their size in bytes.
        skipped: Each transient that was left out, with the reason.
        mode: How the files were taken, a value of `Taking`.
        store: For files in place, the store of links to them; "" otherwise.
        rewritable: How many of these could still be rewritten, which would damage published data.
        strays: What else the source contains besides the folders that were read.
    """

    run: str
    adopted: int = 0
    present: int = 0
    untouched: int = 0
    ignored: int = 0
    files: int = 0
    size: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    mode: str = Taking.COPY
    store: str = ""
    rewritable: int = 0
    strays: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one transient."""
        self.ignored += outcome.ignored
        self.rewritable += outcome.rewritable
        if outcome.status == SKIPPED:
            self.skipped[outcome.name] = outcome.reason
        elif outcome.status == PRESENT:
            self.present += 1
        else:
            self.adopted += 1
            self.files += outcome.files
            self.size += outcome.size

    def to_json(self) -> dict[str, Any]:
        """Return the report under its stable keys."""
        value = asdict(self)
        value["bytes"] = value.pop("size")
        return value


@dataclass(frozen=True)
class ImportOptions:
    """How to import.

    Attributes:
        exports: The folder of the exports of a tree; None for `exports/` inside it.
        run: The RUN collection; None for `legacy/DATE`.
        jobs: How many processes; None for one per processor.
        broker: The URL of the Celery broker whose workers do it; None to do it here.
        taking: How to take the files of a tree.
        only: A pattern that the names of transients, or of archives, must match.
        without: A pattern that they must not match; "" for none.
        dry_run: Check everything, but write nothing.
    """

    exports: Path | None = None
    run: str | None = None
    jobs: int | None = None
    broker: str | None = None
    taking: Taking = Taking.COPY
    only: str = "*"
    without: str = ""
    dry_run: bool = False


def place_of(source: str | Path, options: Mapping[str, str]) -> Path | Place:
    """Return a source as a folder or a place in a bucket.

    Raises:
        UsageError: It is neither, or options are given for a folder.
    """
    if isinstance(source, str) and "://" in source:
        from blastgit.store.bucket_url import place_of_url

        return place_of_url(source, options)
    if options:
        raise UsageError(f"{source} is a folder, and takes no option {min(options)!r}")
    return Path(source)


def import_all(
    repository: Repository, source: Path | Place, options: ImportOptions, progress: Progress = silent
) -> Import:
    """Record revision 0 of every transient of a source that is not in the repo yet.

    Args:
        repository: The data repo, on this machine.
        source: A `/data` tree or a folder of archives; see `exchange.sources.find`.
        options: How.
        progress: Called with transients done and their total.

    Raises:
        UsageError: The source is not valid.
        Denied: The policy does not let this user record.
        StoreError: The store fails; what was adopted before stays, and the next import continues.
        RepoError: The repo cannot be written; likewise.
    """
    repository.require("writer")
    if not options.dry_run:
        repository.prepare_to_write()
    check_taking(repository, source, options.taking)
    report = Import(options.run or f"legacy/{datetime.now(UTC):%Y-%m-%d}", mode=options.taking)
    check_run_name(repository, report.run)
    note = _Note(repository, source, options.only)
    left = list(_left(repository, find(source, options.exports), options, note, report))
    report.strays = strays_in(source, options.exports)
    total, packed = len(left), 0
    store = ""
    if left and options.taking is Taking.INPLACE and not options.dry_run:
        assert isinstance(source, Path)
        store = store_in_place(repository, source)
        report.store = repository.store.named(store).url
    how = BulkOptions(report.run, options.taking, store, options.dry_run)
    for done, outcomes in enumerate(_all(repository, left, how, options), 1):
        for outcome in outcomes:
            report.add(outcome)
        progress("importing transients", min(total, done * BATCH), total)
        if options.dry_run:
            continue
        note.add(outcomes)
        if report.adopted - packed >= _PACKED_AFTER or (done * BATCH >= total and report.adopted > packed):
            packed = report.adopted
            with suppress(Busy, RepoError):  # somebody else is packing; or it fails, and what was adopted is there
                maintain_after_bulk(repository)
    return report


def _left(
    repository: Repository,
    every: Iterable[Found | tuple[str, str | None]],
    options: ImportOptions,
    note: _Note,
    report: Import,
) -> Iterator[Found]:
    """Yield the transients to import; note in the report those that are done or cannot be imported."""
    for each in every:
        name = each[0] if isinstance(each, tuple) else each.name
        if not fnmatchcase(name, options.only) or fnmatchcase(name, options.without):
            continue
        if isinstance(each, tuple):
            if each[1] is None:
                report.ignored += 1
            else:
                report.skipped[each[0]] = each[1]
        elif not _may(repository, each.name):
            report.skipped[each.name] = "the policy does not let you record it"
        elif note.has(each):
            report.present += 1
            report.untouched += 1
        else:
            yield each


def _may(repository: Repository, name: str) -> bool:
    try:
        repository.require("writer", name)
    except Denied:
        return False
    return True


def _all(
    repository: Repository, found: Sequence[Found], how: BulkOptions, options: ImportOptions
) -> Iterator[list[Outcome]]:
    """Yield the outcomes of each batch, as they end; few run at once, to limit memory."""
    batches = iter([list(found[start : start + BATCH]) for start in range(0, len(found), BATCH)])
    if options.broker is not None:
        try:
            from blastgit.exchange.workers import adopt_by_workers
        except ImportError as error:
            raise not_installed("workers need", error.name, "celery") from None
        yield from adopt_by_workers(options.broker, repository.path, batches, how)
    elif options.jobs == 1 or len(found) <= BATCH:
        for batch in batches:
            yield adopt(repository, batch, how)
    else:
        try:
            yield from _in_processes(repository.path, batches, how, options.jobs or cpu_count() or 1)
        except BrokenProcessPool:
            raise BlastgitError(_DIED) from None


def _in_processes(repo: Path, batches: Iterator[list[Found]], how: BulkOptions, jobs: int) -> Iterator[list[Outcome]]:
    context = multiprocessing.get_context("spawn")  # a fork would share the state of libgit2 and of threads
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        begun: set[Future[list[Outcome]]] = set()
        for batch in islice(batches, 2 * jobs):
            begun.add(pool.submit(adopt_batch, repo, batch, how))
        while begun:
            ended, begun = wait(begun, return_when=FIRST_COMPLETED)
            for future in ended:
                yield future.result()
            for batch in islice(batches, len(ended)):
                begun.add(pool.submit(adopt_batch, repo, batch, how))


def adopt_batch(repo: Path, found: list[Found], how: BulkOptions) -> list[Outcome]:
    """Adopt one batch in a new process."""
    return adopt(LocalRepository(repo), found, how)


@dataclass(frozen=True, slots=True)
class _Done:
    """An imported transient, with the stamp and look of its source at that time."""

    source: str
    stamp: list[int]
    name: str
    look: Look


class _Note:
    """The transients of a source that are done, so that a resumed import can skip them."""

    def __init__(self, repository: Repository, source: Path | Place, only: str) -> None:
        whole = source.resolve() if isinstance(source, Path) else source
        name = sha256(str(whole).encode()).hexdigest()[:16]
        self._path = repository.work_folder / "imports" / f"{name}.jsonl"
        self._repository = repository
        self._done = {done.source: done for done in self._read()}
        beginning = only[: min((only.find(each) for each in "*?[" if each in only), default=len(only))]
        self._seen = Seen(_opened_place(source), beginning)

    def has(self, found: Found) -> bool:
        """Whether a transient is done, and its source unchanged since."""
        done = self._done.get(found.source)
        if done is None or not done.stamp or done.stamp != stamp(Path(found.source)):
            return False
        if self._repository.reference(branch_ref(done.name)) is None:
            return False
        return found.export is None or self._seen.look(done.name, done.look) == done.look

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Note the transients done in a batch. If writing fails, the next import compares them again."""
        done = [each for each in outcomes if each.status in (ADOPTED, PRESENT)]
        lines = [json.dumps([each.source, each.stamp, each.name, each.look]) for each in done]
        with suppress(OSError):
            self._path.parent.mkdir(exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))

    def _read(self) -> Iterator[_Done]:
        try:
            lines = self._path.read_text("utf-8", "replace").split("\n")
        except FileNotFoundError:
            return
        for line in lines:
            with suppress(ValueError):  # a line truncated by a dying writer does not count
                match json.loads(line):
                    case [str(source), list(stamp), str(name), dict(look)]:
                        yield _Done(source, stamp, name, look)


def _opened_place(source: Path | Place) -> Path | Bucket:
    if isinstance(source, Path):
        return source
    from blastgit.store.bucket import Bucket

    return Bucket(source)
