"""Git objects that are made together and written at once, as one pack.

They are first written into a quarantine (`quarantine.py`), from which they are moved once they are on disk.

Writing a file per object takes several times longer, and git's clean-up may delete a loose object before a ref reaches
it, while a pack can be protected (`keeps.py`). Packs and indexes (version 2) have the formats of gitformat-pack(5).
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pygit2

from blastgit.errors import RepoError
from blastgit.plumbing.objects import FILE_MODE, FOLDER_MODE
from blastgit.plumbing.quarantine import Quarantine, quarantine

_COMMIT, _TREE, _BLOB, _TAG = 1, 2, 3, 4
_KINDS = {_COMMIT: b"commit", _TREE: b"tree", _BLOB: b"blob", _TAG: b"tag"}
_WINDOW = 1 << 9  # bytes in zlib's smallest window
_LARGE = 1 << 31  # offsets from here on are in a separate table


class Batch:
    """Objects on their way into a repository; they are only added when the refs that need them move (`update_refs`)."""

    def __init__(self, git: pygit2.Repository) -> None:
        """Collect objects for `git`."""
        self._git = git
        self._objects: dict[bytes, tuple[int, bytes]] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def blob(self, data: bytes) -> pygit2.Oid:
        """Add a file's bytes."""
        return self._add(_BLOB, data)

    def tree(self, files: Mapping[str, pygit2.Oid]) -> pygit2.Oid:
        """Add the trees for `files`, blobs by path, and return the root."""
        entries: dict[bytes, tuple[bytes, bytes]] = {}
        below: dict[str, dict[str, pygit2.Oid]] = {}
        for path, blob in files.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = blob
            else:
                entries[name.encode()] = FILE_MODE, blob.raw
        for name, inner in below.items():
            entries[name.encode()] = FOLDER_MODE, self.tree(inner).raw
        return self.folder(entries)

    def folder(self, entries: Mapping[bytes, tuple[bytes, bytes]]) -> pygit2.Oid:
        """Add one tree, given the mode and the raw object id of each entry by name."""
        ordered = sorted(entries.items(), key=_as_git_sorts)
        return self._add(_TREE, b"".join([b"%s %s\0%s" % (mode, name, raw) for name, (mode, raw) in ordered]))

    def commit(
        self,
        signatures: tuple[pygit2.Signature, pygit2.Signature],
        message: str,
        tree: pygit2.Oid,
        parents: Sequence[pygit2.Oid],
    ) -> pygit2.Oid:
        """Add a commit by an author and a committer."""
        author, committer = signatures
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {_signed(author)}", f"committer {_signed(committer)}"]
        return self._add(_COMMIT, "\n".join([*lines, "", message]).encode())

    def commit_object(self, data: bytes) -> pygit2.Oid:
        """Add a commit as raw bytes, such as a signed one."""
        return self._add(_COMMIT, data)

    def tag(self, name: str, commit: pygit2.Oid, tagger: pygit2.Signature, message: str) -> pygit2.Oid:
        """Add an annotated tag of a commit; `name` is its short name."""
        lines = [f"object {commit}", "type commit", f"tag {name}", f"tagger {_signed(tagger)}", "", message]
        return self.tag_object("\n".join(lines).encode() + b"\n")

    def tag_object(self, data: bytes) -> pygit2.Oid:
        """Add an annotated tag as raw bytes, such as a signed one."""
        return self._add(_TAG, data)

    def write(self) -> None:
        """Write all objects without making them durable, for a temporary repository.

        Raises:
            RepoError: The disk is full, or the repository cannot be written.
        """
        with self.written() as place:
            place.admit()
        self.clear()

    def clear(self) -> None:
        """Forget the objects, which are now in the repository."""
        self._objects.clear()

    @contextmanager
    def written(self) -> Iterator[Quarantine]:
        """Write all objects, and yield their quarantine; if they are not admitted, they are removed.

        Raises:
            RepoError: The disk is full, or the repository cannot be written.
        """
        try:
            with quarantine(Path(self._git.path) / "objects") as place:
                if self._objects:
                    _write_pack(place.path / "pack", self._objects)
                yield place
        except OSError as error:
            raise RepoError(f"{self._git.path} cannot be written: {error.strerror}") from None

    def _add(self, kind: int, data: bytes) -> pygit2.Oid:
        header = b"%s %d\0" % (_KINDS[kind], len(data))
        raw = hashlib.sha1(header + data, usedforsecurity=False).digest()
        self._objects[raw] = kind, data
        return pygit2.Oid(raw=raw)


def make_folders(place: Path) -> None:
    """Make the 256 folders, `00` to `ff`, that git and DVC use, so that writers need not make each of them."""
    place.mkdir(parents=True, exist_ok=True)
    mode = place.stat().st_mode & 0o7777
    for number in range(256):
        folder = place / f"{number:02x}"
        if not folder.exists():
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)  # group-writable in a shared repo


def _signed(who: pygit2.Signature) -> str:
    sign, minutes = "-" if who.offset < 0 else "+", abs(who.offset)
    return f"{who.name} <{who.email}> {who.time} {sign}{minutes // 60:02}{minutes % 60:02}"


def _as_git_sorts(entry: tuple[bytes, tuple[bytes, bytes]]) -> bytes:
    """Git sorts a folder as if its name ended with a slash."""
    name, (mode, _) = entry
    return name + b"/" if mode == FOLDER_MODE else name


def _write_pack(folder: Path, objects: Mapping[bytes, tuple[int, bytes]]) -> None:
    """Write a pack and its index, by which git finds it."""
    folder.mkdir()
    pieces = [b"PACK" + struct.pack(">II", 2, len(objects))]
    offset = len(pieces[0])
    places: dict[bytes, tuple[int, int]] = {}
    for oid, (kind, data) in objects.items():
        piece = _entry_header(kind, len(data)) + _deflated(data)
        places[oid] = offset, zlib.crc32(piece)
        pieces.append(piece)
        offset += len(piece)
    content = b"".join(pieces)
    check = hashlib.sha1(content, usedforsecurity=False).digest()
    base = folder / f"pack-{check.hex()}"
    for suffix, data in ((".pack", content + check), (".idx", _index(places, check))):
        _write_file(base.with_suffix(suffix), data)


def _write_file(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _deflated(data: bytes) -> bytes:
    """Compress data, with a small window if possible: most objects are tiny, and setting up 32 KiB takes longer."""
    if len(data) > _WINDOW:
        return zlib.compress(data, 1)
    small = zlib.compressobj(1, zlib.DEFLATED, wbits=9, memLevel=1)
    return small.compress(data) + small.flush()


def _entry_header(kind: int, size: int) -> bytes:
    """Return the kind and size of a packed object: four bits of the size, then seven per byte."""
    first, size = (kind << 4) | (size & 15), size >> 4
    header = bytearray()
    while size:
        header.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    header.append(first)
    return bytes(header)


def _index(places: Mapping[bytes, tuple[int, int]], check: bytes) -> bytes:
    """Return an index (version 2): the number of ids up to each first byte, ids, checksums, offsets."""
    ids = sorted(places)
    counts = [0] * 256
    for oid in ids:
        counts[oid[0]] += 1
    fanout = [sum(counts[: first + 1]) for first in range(256)]
    offsets = [places[oid][0] for oid in ids]
    large = [offset for offset in offsets if offset >= _LARGE]
    short = [offset if offset < _LARGE else _LARGE | large.index(offset) for offset in offsets]
    content = b"".join(
        (
            b"\xfftOc",
            struct.pack(">I256I", 2, *fanout),
            *ids,
            struct.pack(f">{len(ids)}I", *(places[oid][1] for oid in ids)),
            struct.pack(f">{len(short)}I", *short),
            struct.pack(f">{len(large)}Q", *large),
            check,
        )
    )
    return content + hashlib.sha1(content, usedforsecurity=False).digest()
