"""Restore missing or damaged contents from any place that still has them.

A copy is used only if its size, MD5 and SHA-256 are those that were published. The damaged content goes into the
store's quarantine, where it can still be examined.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from blastgit.errors import BlastgitError, DamagedData, UsageError
from blastgit.maintenance.verify.report import Problem, Repaired, Report
from blastgit.plumbing.broken import broken_refs
from blastgit.plumbing.durable import sync_file_systems
from blastgit.plumbing.locks import BRIEFLY, Journal, hold
from blastgit.plumbing.ref_update import RefUpdate
from blastgit.progress import Progress, silent
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.ledger.book import Entry, chains_of
from blastgit.repository.ledger.lost import put_back, put_back_tag
from blastgit.repository.recovery import clean_up_dead_writer, latest_number
from blastgit.store.base import SetAside, Store
from blastgit.store.config import Remote, absolute
from blastgit.store.hashing import Checksums, drain
from blastgit.store.local import store_failure
from blastgit.store.open import open_store

_LOCK = ".repair"  # no transient's name has a full stop
_PLACES = ("", ".dvc/cache", "dvc", "cache")
"""Where below a folder contents may lie, if it is a store or cache itself, a clone, a data repo, or DVC's folder."""


def put_back_refs(repository: Repository, name: str | None = None) -> list[Repaired]:
    """Restore the lost refs of published revisions whose objects still exist: of one line, or of all and releases.

    `verify` reports what cannot be restored.

    Raises:
        Denied: The user is not an admin.
        Busy: A writer took too long.
    """
    repository.require("admin")
    repository.prepare_to_edit()
    repaired: list[Repaired] = []
    for ref in broken_refs(repository.path):
        _move_away(repository, ref)
    for chain, entries in chains_of(
        repository.ledger.entries() if name is None else repository.ledger.chain(name)
    ).items():
        with suppress(DamagedData):
            if _lost(repository, chain, entries):
                lock = repository.lock_path("release" if chain.startswith("release/") else chain)
                repaired += _put_back(repository, chain, lock)
    return repaired


def _move_away(repository: Repository, ref: str) -> None:
    """Move a ref's file without an object id out of the way: git does not replace refs that it cannot read."""
    folder = repository.work_folder / "broken"
    folder.mkdir(exist_ok=True)
    with suppress(FileNotFoundError):
        (repository.path / ref).rename(folder / ref.replace("/", "_"))


def _put_back(repository: Repository, chain: str, path: Path) -> list[Repaired]:
    with hold(path, LOCK_TIMEOUT) as lock:
        clean_up_dead_writer(repository, lock)
        updates = _lost(repository, chain, repository.ledger.chain(chain))
        if updates:
            lock.announce_moves(updates)
            repository.update_refs(updates, "blastgit verify --repair: put back what was published", lock.descriptor)
        return [Repaired(update.ref, "the ledger") for update in updates]


def _lost(repository: Repository, chain: str, entries: Sequence[Entry]) -> list[RefUpdate]:
    if chain.startswith("release/"):
        return [update for entry in entries for update in put_back_tag(repository.git, [entry], entry.ref)]
    return put_back(repository.git, chain, entries, latest_number(repository, chain), whole=True)


def repair(repository: Repository, report: Report, sources: Sequence[str] = (), progress: Progress = silent) -> None:
    """Repair the contents that a verification found missing or damaged, and update its report.

    Args:
        repository: The data repo.
        report: The result of the verification; what is repaired moves from its problems to its repairs.
        sources: Stores that may have the contents; the quarantine of the repo's own store is tried first.
        progress: Called with bytes restored.

    Raises:
        UsageError: A source is not a store.
        Denied: The user is not an admin.
        Busy: Another repair is running.
        StoreError: The store cannot be written.
    """
    repository.require("admin")
    stores = [open_source(source, repository.work_folder) for source in sources]
    broken = [problem for problem in report.problems if problem.sums is not None]
    if not broken:
        return
    repository.prepare_to_write()
    folder = repository.store.staging_root / os.urandom(16).hex()
    with hold(repository.lock_path(_LOCK), timeout=BRIEFLY) as lock:
        clean_up_dead_writer(repository, lock)
        lock.announce(Journal.own([folder]))
        try:
            folder.mkdir(parents=True)
            _Repair(repository.store, stores, folder).run(broken, report, progress)
        except OSError as error:
            raise store_failure(repository.store.url, error) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    sync_file_systems(repository.store.synced_folders())


def open_source(source: str, work_folder: Path) -> Store:
    """Open a store to repair from: the URL of a DVC remote, or a folder that is or contains a store or DVC cache.

    Raises:
        UsageError: There is no store.
    """
    remote = Remote("source", absolute(source))
    if remote.folder is None:
        return open_store(remote, work_folder)
    for place in _PLACES:
        folder = remote.folder / place
        if (folder / "files" / "md5").is_dir():
            return open_store(Remote("source", str(folder)), work_folder)
    raise UsageError(f"{source} is not a store: it should be the URL of a DVC remote, or a folder that has files/md5/")


class _Repair:
    def __init__(self, store: Store, sources: Sequence[Store], folder: Path) -> None:
        self._store = store
        self._sources = sources
        self._folder = folder
        self._aside = {item.md5: item for item in store.quarantined() if not item.is_damaged}

    def run(self, broken: Sequence[Problem], report: Report, progress: Progress) -> None:
        total, done = sum(problem.sums.size for problem in broken if problem.sums), 0
        for problem in broken:
            assert problem.sums is not None
            source = self._mend(problem.sums, is_damaged=problem.kind == "damaged")
            if source is not None:
                report.problems.remove(problem)
                report.repaired.append(Repaired(problem.where, source))
            done += problem.sums.size
            progress("repairing", done, total)

    def _mend(self, sums: Checksums, *, is_damaged: bool) -> str | None:
        """Restore one content, and return where it came from; None if no place has it."""
        for name, copy in self._copies(sums):
            if copy == sums:
                if is_damaged:
                    self._store.set_aside(sums.md5, damaged=True)
                self._store.put(self._folder / sums.md5, sums)
                return name
        return None

    def _copies(self, sums: Checksums) -> Iterator[tuple[str, Checksums]]:
        """Copy the content aside from one place after the other, and yield the place and the checksums of the copy."""
        item = self._aside.get(sums.md5)
        if item is not None and self._take_back(item):
            found = self._fetch(self._store, sums)
            if found != sums:  # to be moved away again, since a clone would trust it
                self._store.set_aside(sums.md5, damaged=True)
            yield "the quarantine", found
        for source in self._sources:
            try:
                found = self._fetch(source, sums)
            except BlastgitError:
                continue  # it lacks the content, or cannot be reached: try the next one
            yield source.url, found

    def _take_back(self, item: SetAside) -> bool:
        if not self._store.missing([item.md5]):
            return False  # the store has a damaged content of that name, which would be read instead
        self._store.restore(item)
        return True

    def _fetch(self, source: Store, sums: Checksums) -> Checksums:
        with (self._folder / sums.md5).open("wb") as copy:
            return drain(source.read(sums.md5), copy.write)
