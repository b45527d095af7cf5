"""Files on their way into the store: hashed, copied aside, and taken in when it is clear that they are needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from blastgit.errors import InvalidFiles
from blastgit.progress import Progress, silent
from blastgit.store.base import Store
from blastgit.store.hashing import Checksums, copy_hashing, sha256_of
from blastgit.store.local import store_failure

T = TypeVar("T")

_ONE_THREAD = 32 * 1024 * 1024
"""Bytes up to which one thread hashes sooner than several, which keep handing the interpreter to each other."""


class Intake:
    """The files of one recording. Use it as a context; what was staged and not stored is removed at the end."""

    def __init__(self, store: Store, sources: Mapping[str, Path], progress: Progress = silent) -> None:
        """Prepare to take `sources`, by path in the dataset, into `store`."""
        self._store = store
        self._sources = sources
        self._numbers = {path: number for number, path in enumerate(sources)}
        self._progress = progress
        self._sha256: dict[str, str] = {}
        self._staged: dict[str, tuple[Path, Checksums]] = {}
        self._stored: set[str] = set()
        self.folder = store.staging_root / os.urandom(16).hex()

    def __enter__(self) -> Intake:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def paths(self) -> list[str]:
        """The paths of all files."""
        return list(self._sources)

    def source(self, path: str) -> Path:
        """Return where a file lies."""
        return self._sources[path]

    def hash_all(self) -> dict[str, str]:
        """Return the SHA-256 of every file, by path, reading each at most once.

        Raises:
            InvalidFiles: One cannot be read, is empty, or changes meanwhile.
        """
        left = [path for path in self._sources if path not in self._sha256]
        self._sha256 |= self._each("hashing", left, lambda path: sha256_of(self._sources[path]), _ONE_THREAD)
        return dict(self._sha256)

    def stage(self, paths: Iterable[str]) -> None:
        """Copy files aside, checksums and all, in one pass over each.

        Raises:
            InvalidFiles: One cannot be read, is empty, or is not what it was when it was first read.
            StoreError: There is no room.
        """
        left = [path for path in paths if path not in self._staged]
        if not left:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            sums = self._each("copying", left, lambda path: copy_hashing(self._sources[path], self._target(path)))
        except OSError as error:
            raise store_failure(self._store.url, error) from None
        for path, found in sums.items():
            if self._sha256.setdefault(path, found.sha256) != found.sha256:
                raise InvalidFiles(
                    f"{self._sources[path]} changed while it was recorded: wait until its writer is done"
                )
            self._staged[path] = self._target(path), found

    def _target(self, path: str) -> Path:
        return self.folder / str(self._numbers[path])  # the path itself may be too long for one name

    def store(self, paths: Iterable[str]) -> dict[str, Checksums]:
        """Take staged files into the store and return their checksums; durable only after the store is synchronised.

        Raises:
            StoreError: The store fails.
        """
        wanted = list(paths)
        self.stage(wanted)
        left = [path for path in wanted if path not in self._stored]
        self._store.put_all(dict(self._staged[path] for path in left), self._progress)
        self._stored.update(left)
        return {path: self._staged[path][1] for path in wanted}

    def _each(self, what: str, paths: list[str], work: Callable[[str], T], one_thread: int = 0) -> dict[str, T]:
        """Do `work` for every path, in a few threads if there are more than `one_thread` bytes to read."""
        sizes = {path: _size(self._sources[path]) for path in paths}
        order = sorted(paths, key=sizes.__getitem__, reverse=True)  # large ones first, so that no thread ends late
        total, done, results = sum(sizes.values()), 0, {}
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            do_all = map if total <= one_thread else pool.map
            for path, result in zip(order, do_all(work, order), strict=True):
                results[path] = result
                done += sizes[path]
                self._progress(what, done, total)
        return results


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
