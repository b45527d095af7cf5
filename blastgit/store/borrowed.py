"""Contents that are borrowed files: hard or symbolic links in a store that is a folder.

The store notes each borrowed file, so that a change of it can be reported: `sources/ab.jsonl` has a line for each
content whose MD5 begins with `ab`, a JSON array of MD5, path, inode, size in bytes and modification time of the file
(nanoseconds since 1970). Lines are only added; of several for one file the last counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

FOLDER, TREE = "sources", "sources/tree"
"""Where a store notes its borrowed files, and the tree that it was imported from in place."""


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A file of somebody else that is a content of a store.

    Attributes:
        md5: The name of the content.
        path: The file.
        inode: Its inode.
        size: Its size in bytes.
        time: Its modification time (nanoseconds since 1970).
    """

    md5: str
    path: str
    inode: int
    size: int
    time: int

    def change(self) -> str:
        """Return how the file has changed since it was read, in words; "" if it has not."""
        try:
            now = Path(self.path).stat()
        except FileNotFoundError:
            return f"{self.path} is gone"
        except OSError as error:
            return f"{self.path} cannot be read: {error.strerror}"
        if now.st_size != self.size:
            return f"{self.path} has {now.st_size:,} bytes, but had {self.size:,}"
        if now.st_ino != self.inode:
            return f"{self.path} was replaced by another file"
        return f"{self.path} has been modified" if now.st_mtime_ns != self.time else ""


def as_borrowed(md5: str, path: Path) -> Borrowed:
    """Return the current state of a file.

    Raises:
        OSError: It cannot be read.
    """
    now = path.stat()
    return Borrowed(md5, str(path), now.st_ino, now.st_size, now.st_mtime_ns)


def note_borrowed(store: Path, files: Iterable[Borrowed]) -> None:
    """Note borrowed files in a store; durable once the store's folder is synchronised.

    Raises:
        OSError: It cannot be written.
    """
    lines: dict[str, list[str]] = {}
    for each in files:
        lines.setdefault(each.md5[:2], []).append(json.dumps(astuple(each)) + "\n")
    folder = store / FOLDER
    if lines:
        folder.mkdir(parents=True, exist_ok=True)
    for shard, added in lines.items():
        descriptor = os.open(folder / f"{shard}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            os.write(
                descriptor, "".join(added).encode()
            )  # one write, so that lines of concurrent processes are not mixed
        finally:
            os.close(descriptor)


def borrowed_contents(store: Path, md5s: Iterable[str]) -> dict[str, list[Borrowed]]:
    """Return the borrowed files behind contents of a store, by MD5; other contents are left out."""
    wanted = set(md5s)
    found: dict[str, dict[str, Borrowed]] = {}
    for shard in sorted({md5[:2] for md5 in wanted}):
        for each in _read(store / FOLDER / f"{shard}.jsonl"):
            if each.md5 in wanted:
                found.setdefault(each.md5, {})[each.path] = each
    return {md5: list(files.values()) for md5, files in found.items()}


def _read(path: Path) -> Iterable[Borrowed]:
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return
    for line in lines:
        try:
            match json.loads(line):
                case [str(md5), str(file), int(inode), int(size), int(time)]:
                    yield Borrowed(md5, file, inode, size, time)
        except ValueError:  # a line truncated by a power cut
            continue


def tree_in_place(store: Path) -> Path | None:
    """Return the tree that a store was imported from in place; None for other stores."""
    try:
        return Path((store / TREE).read_text("utf-8", "surrogateescape").rstrip("\n"))
    except OSError:
        return None
