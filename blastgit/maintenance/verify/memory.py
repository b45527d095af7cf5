"""What an interrupted verification had found sound already: derived, and safe to delete at any time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Literal

from blastgit.store.hashing import Checksums

FILE = "verify.jsonl"
"""In the data repo's folder `blastgit`: a line for each content that was found sound, and when."""


class Memory:
    """The contents that were found sound. A run that comes to its end forgets them: the next one reads all again."""

    def __init__(self, folder: Path | None) -> None:
        """Use the file in `folder`; None where nothing can be kept."""
        self._path = None if folder is None else folder / FILE
        self._file: IO[bytes] | None = None

    def recall(self) -> set[Checksums]:
        """Return the contents that an interrupted run found sound; a line that was cut off counts for nothing."""
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
        """Remember what is added until the end of the context; an exception leaves it for another run.

        Args:
            fresh: Whether to forget first what an earlier run left.
        """
        mode: Literal["wb", "ab"] = "wb" if fresh else "ab"
        with suppress(OSError):  # a repo that this user may only read
            self._file = None if self._path is None else self._path.open(mode, buffering=0)
        if self._path is None or self._file is None:
            yield self
            return
        with self._file:
            yield self
        self._path.unlink(missing_ok=True)

    def add(self, sums: Checksums) -> None:
        """Remember a content that was found sound. Without room for that it is forgotten, and read again."""
        if self._file is not None:
            entry = {"md5": sums.md5, "sha256": sums.sha256, "size": sums.size, "at": int(time.time())}
            with suppress(OSError):
                self._file.write(json.dumps(entry).encode() + b"\n")
