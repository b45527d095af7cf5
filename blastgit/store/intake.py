"""Files on their way into the store: hashed, staged, and stored once they are known to be needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from blastgit.errors import InvalidFiles
from blastgit.progress import Progress, silent
from blastgit.store.base import Store
from blastgit.store.borrowed import Borrowed
from blastgit.store.hashing import Checksums, sha256_of, write_hashing
from blastgit.store.local import LocalStore, store_failure
from blastgit.store.source import AnySource, as_source
from blastgit.store.taking import Taking, take

_AT_ONCE = 1 << 20  # bytes; for fewer, starting threads takes longer than the work
_DOWNLOADS = 8  # at once, since most of the time is the server's latency


class Intake:
    """The files of one recording. Use it as a context manager; files staged but not stored are removed at the end.

    A local file is hashed in place, and copied only if it is needed. A remote file is read at most once, so it is
    staged while it is hashed; if its source states the published MD5, it is not read at all.
    """

    def __init__(
        self,
        store: Store,
        sources: Mapping[str, AnySource],
        progress: Progress = silent,
        *,
        taking: Taking = Taking.COPY,
    ) -> None:
        """Prepare to store `sources` in `store`.

        Args:
            store: The store.
            sources: The source of each file, by path in the dataset.
            progress: Called with bytes.
            taking: How to store local files: by copying or linking; see `Taking`.
        """
        self._taking = taking
        self._borrowed: dict[str, Borrowed] = {}
        self._store = store
        self._sources = {path: as_source(source) for path, source in sources.items()}
        self._numbers = {path: number for number, path in enumerate(sources)}
        self._progress = progress
        self._sha256: dict[str, str] = {}
        self._staged: dict[str, tuple[Path, Checksums]] = {}
        self._stored: set[str] = set()
        self._begun: list[tuple[Future[None], int]] = []
        self._pool = ThreadPoolExecutor(1)
        self.folder = store.staging_root / os.urandom(16).hex()

    def __enter__(self) -> Intake:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        try:
            self.folder.rmdir()  # staged files have usually moved into the store
        except OSError:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def paths(self) -> list[str]:
        """The paths of all files."""
        return list(self._sources)

    def source(self, path: str) -> Path:
        """Return the local path of a file, fetching it if needed; it may be gone once the file is stored.

        Raises:
            InvalidFiles: It cannot be read.
            StoreError: Its bucket fails.
        """
        there = self._sources[path].path
        if there is not None:
            return there
        self.stage([path])
        return self._staged[path][0]

    def begin(self, *, staging: bool) -> None:
        """Start reading files in the background while the comparison goes on.

        Args:
            staging: Whether to stage all files right away, since all will be needed. Otherwise remote files are left
                alone: perhaps they need not be read.
        """
        if staging:
            self._start(self._copy, self.paths)
        else:
            self._start(self._hash, [path for path, source in self._sources.items() if source.path is not None])

    def recognise(self, published: Callable[[], Mapping[str, Checksums]]) -> None:
        """Reuse the published SHA-256 for files whose source states the published MD5 and size, without reading them.

        Args:
            published: Returns the published checksums, by path; called only if a source states an MD5.
        """
        stating = {path: source for path, source in self._sources.items() if source.md5 and path not in self._sha256}
        if not stating:
            return
        known = published()
        for path, source in stating.items():
            if path in known and (source.md5, source.size) == (known[path].md5, known[path].size):
                self._sha256.setdefault(path, known[path].sha256)

    def hash_all(self) -> dict[str, str]:
        """Return the SHA-256 of every file, by path, reading each at most once.

        Raises:
            InvalidFiles: One cannot be read, is empty, or changes meanwhile.
            StoreError: The disk is full, or the place that one is in fails.
        """
        self._finish()
        unknown = [path for path in self._sources if path not in self._sha256]
        elsewhere = [path for path in unknown if self._sources[path].path is None]
        self._start(self._copy, elsewhere)
        self._finish()
        self._start(self._hash, [path for path in unknown if path not in self._sha256])
        self._finish()
        return {path: self._sha256[path] for path in self._sources}  # in the original order

    def stage(self, paths: Iterable[str]) -> None:
        """Stage files and compute their checksums, in one pass over each.

        Raises:
            InvalidFiles: One cannot be read, is empty, or is not what it was when it was first read.
            StoreError: The disk is full, or the place that one is in fails.
        """
        self._finish()
        self._start(self._copy, [path for path in paths if path not in self._staged])
        self._finish()

    def sums(self, paths: Iterable[str]) -> dict[str, Checksums]:
        """Return all checksums of files, staging those that are not staged yet; see `stage`."""
        wanted = list(paths)
        self.stage(wanted)
        return {path: self._staged[path][1] for path in wanted}

    def content(self, path: str) -> bytes:
        """Return the bytes of a staged file that is not stored: a small one for git itself.

        Raises:
            StoreError: It can no longer be read.
        """
        try:
            return self._staged[path][0].read_bytes()
        except OSError as error:
            raise store_failure(self._store.url, error) from None

    def probe(self, paths: Iterable[str]) -> list[str]:
        """Return a note for every file whose structure is broken: it is recorded as plain bytes."""
        from blastgit.content import probe

        problems = ((path, probe(path, self.source(path))) for path in sorted(paths))
        return [f"{path} is recorded as plain bytes: {problem}" for path, problem in problems if problem]

    def store(self, paths: Iterable[str], place: Callable[[str], str] = lambda _: "") -> dict[str, Checksums]:
        """Move staged files into the store and return their checksums; durable only after the store is synchronised.

        Args:
            paths: The files.
            place: Returns the name of the store for each; see `Store.named`.

        Raises:
            StoreError: The store fails.
        """
        found = self.sums(paths)
        left = [path for path in found if path not in self._stored]
        groups: dict[str, list[str]] = {}
        for path in left:
            groups.setdefault(place(path), []).append(path)
        for name, group in groups.items():
            items = dict(self._staged[path] for path in group)
            origins = {self._staged[path][1].md5: origin for path in group if (origin := self._sources[path].origin)}
            target = self._store.named(name)
            target.put_all(items, self._progress, origins)
            if self._borrowed and isinstance(target, LocalStore):
                target.note_borrowed(self._borrowed[path] for path in group)
        self._stored.update(left)
        return found

    def _hash(self, path: str) -> None:
        there = self._sources[path].path
        assert there is not None
        self._sha256[path] = sha256_of(there)

    def _copy(self, path: str) -> None:
        target = self.folder / str(self._numbers[path])  # the path itself may be too long for one name
        there = self._sources[path].path
        try:
            if there is None:
                found = write_hashing(self._sources[path].read(), target)
            else:
                found, borrowed = take(there, target, self._taking)
                if borrowed is not None:
                    self._borrowed[path] = borrowed
        except OSError as error:
            raise store_failure(self._store.url, error) from None
        if self._sha256.setdefault(path, found.sha256) != found.sha256:
            raise InvalidFiles(
                f"{self._sources[path]} changed while it was recorded: wait until its writer has finished"
            )
        self._staged[path] = target, found

    def _start(self, work: Callable[[str], None], paths: list[str]) -> None:
        """Do `work` for every path in threads: hashing releases the interpreter lock."""
        if not paths:
            return
        if work == self._copy:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise store_failure(self._store.url, error) from None
        sizes = {path: self._sources[path].size for path in paths}
        order = sorted(paths, key=sizes.__getitem__, reverse=True)  # large ones first, so that no thread ends late
        here = all(self._sources[path].path is not None for path in paths)
        if here and sum(sizes.values()) < _AT_ONCE:
            for path in order:
                work(path)
            return
        self._pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1) if here else _DOWNLOADS)
        self._begun = [(self._pool.submit(work, path), sizes[path]) for path in order]

    def _finish(self) -> None:
        """Wait for the work that was started, and report its progress."""
        done, total = 0, sum(size for _, size in self._begun)
        for future, size in self._begun:
            future.result()
            done += size
            self._progress("reading", done, total)
        self._begun = []
        self._pool.shutdown()
