"""Contents whose bytes are files of somebody else: hard or symbolic links in a store that is a folder.

For each one the store notes which file it was, so that a change of it can be named: `sources/ab.jsonl` has a line for
each content whose MD5 begins with `ab`, a JSON array of MD5, path, inode, bytes and time of the file (nanoseconds since
1970). Lines are only added; of several about one file the last counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

FOLDER, TREE = "sources", "sources/tree"
"""Where a store notes whose its contents are; and of a whole tree in place, which one it is."""


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A file of somebody else that is a content of a store.

    Attributes:
        md5: The name of the content.
        path: The file.
        inode: Its number on its file system.
        size: Bytes.
        time: When it was last written (nanoseconds since 1970).
    """

    md5: str
    path: str
    inode: int
    size: int
    time: int

    def change(self) -> str:
        """Return what has become of the file since it was read, in words; "" if nothing."""
        try:
            now = Path(self.path).stat()
        except FileNotFoundError:
            return f"{self.path} is gone"
        except OSError as error:
            return f"{self.path} cannot be looked at: {error.strerror}"
        if now.st_size != self.size:
            return f"{self.path} has {now.st_size:,} bytes, and had {self.size:,}"
        if now.st_ino != self.inode:
            return f"{self.path} was replaced by another file"
        return f"{self.path} was written to since" if now.st_mtime_ns != self.time else ""


def as_borrowed(md5: str, path: Path) -> Borrowed:
    """Return a file as it is now.

    Raises:
        OSError: It cannot be looked at.
    """
    now = path.stat()
    return Borrowed(md5, str(path), now.st_ino, now.st_size, now.st_mtime_ns)


def note_borrowed(store: Path, files: Iterable[Borrowed]) -> None:
    """Note of contents of a store whose files they are; durable once the store's folder is synchronised.

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
            os.write(descriptor, "".join(added).encode())  # at once, so that lines of several processes stay whole
        finally:
            os.close(descriptor)


def borrowed_contents(store: Path, md5s: Iterable[str]) -> dict[str, list[Borrowed]]:
    """Return which files some contents of a store are, by MD5; those that are nobody else's are left out."""
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
        except ValueError:  # a line that a power cut broke off
            continue


def tree_in_place(store: Path) -> Path | None:
    """Return the tree that a store stands for; None for a store of another kind."""
    try:
        return Path((store / TREE).read_text("utf-8", "surrogateescape").rstrip("\n"))
    except OSError:
        return None
