"""Check that contents exist, have the right size, and are what was published."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path

from blastgit.checks.state import kept_fault
from blastgit.errors import BlastgitError, StoreError
from blastgit.maintenance.verify.memory import Memory
from blastgit.maintenance.verify.report import Problem, Report
from blastgit.progress import Progress
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.repository.contents import fate_of, of_whom
from blastgit.store.base import Store
from blastgit.store.borrowed import as_borrowed
from blastgit.store.hashing import Checksums, drain
from blastgit.store.local import LocalStore

_AHEAD = 1000  # contents handed to the threads at once


def look_up(repository: Repository, contents: Mapping[Checksums, str], *, fast: bool = False) -> list[Problem]:
    """Return a problem for each content that the store lacks, or holds in another size.

    Args:
        repository: The data repo.
        contents: The expected contents, and where each is used.
        fast: Whether contents will not be read: then a file in place that was touched is a problem, too.
    """
    store = repository.store
    sizes = store.sizes({sums.md5 for sums in contents})
    is_complete = all(sums.md5 in sizes for sums in contents)
    aside = set() if is_complete else {item.md5 for item in store.quarantined() if not item.is_damaged}
    problems = []
    borrowed = store.borrowed({sums.md5 for sums in contents})
    for sums, where in contents.items():
        source = fate_of(borrowed.get(sums.md5, ()))
        if sums.md5 not in sizes:
            hint = "; it is in the quarantine, so `blastgit verify --repair` helps" if sums.md5 in aside else ""
            text = f"the store {store.url} lacks its content {sums.md5}{hint}{source}"
            problems.append(Problem("missing", where, text, sums))
        elif sizes[sums.md5] not in (sums.size, None):
            which = "its content" if source else f"its content in the store {store.url}"
            text = f"{which} has {sizes[sums.md5]:,} bytes, not {sums.size:,}{source}"
            problems.append(Problem("damaged", where, text, sums))
        elif fast and source and _is_in_place(store, sums.md5):
            text = f"whether its content is still what was published shows only by reading it, without --fast{source}"
            problems.append(Problem("damaged", where, text, sums))
    return problems


def _is_in_place(store: Store, md5: str) -> bool:
    """Whether a content is only a symbolic link to a file elsewhere."""
    path = store.local_path(md5)
    return path is not None and path.is_symlink()


def fault_in_git(state: Snapshot, path: str) -> Problem | None:
    """Return the fault of a file kept in git itself, if any; it is small, so it is always read."""
    text = kept_fault(state, path)
    return Problem("damaged", f"{state}:{path}", text) if text else None


class Reading:
    """Reads contents in a few threads, and remembers which were sound."""

    def __init__(self, repository: Repository, report: Report, progress: Progress, *, remember: bool = True) -> None:
        """Prepare to read from a repo's store.

        Args:
            repository: The data repo.
            report: Where to note damaged contents.
            progress: Called with bytes read.
            remember: Whether to save which contents were sound, so that an interrupted run can be resumed.
        """
        self._store = repository.store
        self._report = report
        self._progress = progress
        self._memory = Memory(repository.work_folder if repository.is_here and remember else None)

    def read(self, contents: Mapping[Checksums, str], *, resume: bool) -> None:
        """Read contents; with `resume`, skip those that an interrupted run found sound."""
        report = self._report
        known = self._memory.recall() if resume else set()
        left = [(sums, where) for sums, where in contents.items() if sums not in known]
        report.resumed = len(contents) - len(left)
        total = sum(sums.size for sums, _ in left)
        borrowed = self._store.borrowed({sums.md5 for sums, _ in left})
        touched = {md5 for md5, files in borrowed.items() if any(each.change() for each in files)}
        with self._memory.open(fresh=not resume) as memory:
            for sums, problem in self._read_all(left):
                report.contents += 1
                report.size += sums.size
                if problem is None:
                    memory.add(sums)
                    if sums.md5 in touched:
                        self._note_again(sums.md5)
                else:
                    report.problems.append(problem)
                self._progress("verifying", report.size, total)

    def _note_again(self, md5: str) -> None:
        """Note the present size and time of a sound file in place, so that the next fast check trusts it."""
        for part in self._store.parts:
            path = part.local_path(md5)
            if isinstance(part, LocalStore) and path is not None and path.is_symlink():
                with suppress(StoreError, OSError):
                    part.note_borrowed([as_borrowed(md5, Path(os.path.realpath(path)))])

    def _read_all(self, items: Iterable[tuple[Checksums, str]]) -> Iterator[tuple[Checksums, Problem | None]]:
        left = iter(items)
        pool = ThreadPoolExecutor(min(8, 2 * (os.cpu_count() or 1)))
        try:
            while some := list(islice(left, _AHEAD)):
                yield from zip((sums for sums, _ in some), pool.map(self._read, some), strict=True)
        finally:
            pool.shutdown(cancel_futures=True)  # if interrupted, do not read the rest

    def _read(self, item: tuple[Checksums, str]) -> Problem | None:
        sums, where = item
        try:
            found = drain(self._store.read(sums.md5), len)
        except BlastgitError as error:
            return Problem("damaged", where, str(error), sums)
        if found == sums:
            return None
        differing = ", ".join(what for what in ("size", "md5", "sha256") if getattr(found, what) != getattr(sums, what))
        source = of_whom(self._store, sums.md5)
        which = "its content" if source else f"its content in the store {self._store.url}"
        text = f"{which} has another {differing}{source}"
        return Problem("damaged", where, text, sums)
