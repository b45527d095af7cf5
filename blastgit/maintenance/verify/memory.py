"""Remember the contents that an interrupted verification found sound. The file can be deleted at any time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Literal

from blastgit.store.hashing import Checksums

FILE = "verify.jsonl"
"""In the data repo's folder `blastgit`: a line for each content found sound, with the time."""


class Memory:
    """The contents found sound so far. A run that completes forgets them: the next one reads all again."""

    def __init__(self, folder: Path | None) -> None:
        """Use the file in `folder`; None to remember nothing."""
        self._path = None if folder is None else folder / FILE
        self._file: IO[bytes] | None = None

    def recall(self) -> set[Checksums]:
        """Return the contents that an interrupted run found sound; a truncated line is ignored."""
        found: set[Checksums] = set()
        if self._path is not None:
            with suppress(OSError, UnicodeDecodeError):
                for line in self._path.read_text("utf-8").splitlines():
                    with suppress(ValueError, TypeError, KeyError):
                        entry = json.loads(line)
                        found.add(Checksums(str(entry["md5"]), str(entry["sha256"]), int(entry["size"])))
        return found

    @contextmanager
    def open(self, *, fresh: bool) -> Iterator[Memory]:
        """Open the file for `add`, and delete it at the end; after an exception it stays for another run.

        Args:
            fresh: Whether to discard first what an earlier run left.
        """
        mode: Literal["wb", "ab"] = "wb" if fresh else "ab"
        with suppress(OSError):  # this user may only read the repo
            self._file = None if self._path is None else self._path.open(mode, buffering=0)
        if self._path is None or self._file is None:
            yield self
            return
        with self._file:
            yield self
        self._path.unlink(missing_ok=True)

    def add(self, sums: Checksums) -> None:
        """Remember a sound content. If the disk is full it is forgotten, and read again by the next run."""
        if self._file is not None:
            entry = {"md5": sums.md5, "sha256": sums.sha256, "size": sums.size, "at": int(time.time())}
            with suppress(OSError):
                self._file.write(json.dumps(entry).encode() + b"\n")
