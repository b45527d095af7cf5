"""Comparison of numpy archives, member by member, without ever unpickling."""

from __future__ import annotations

import ast
import math
import struct
import zipfile
from copy import copy
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from blastgit.content import budget, glance
from blastgit.content.model import Difference, Layout, Numbers, Part, Search
from blastgit.content.streams import LARGEST_ITEM, Reader, arrays, identical

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from blastgit.content.model import Bounds, Tolerance

    Pair = tuple[NDArray[Any], NDArray[Any]]

LARGEST_MEMBER = 4 << 30
LARGEST_DIRECTORY = 4 << 20
LARGEST_HEADER = 10_000
LARGEST_WHOLE = 256 << 20
"""Bytes of a member above which it is not taken into memory as a whole."""
_END = struct.Struct("<4s4H2LH")
_LOCATOR, _END64 = struct.Struct("<4sLQL"), struct.Struct("<4sQ2H2L4Q")  # of zip64
_MAGIC = b"\x93NUMPY"


class Npz:
    """Archives of ``.npy`` members; their order and compression are no content, nor is the order of memory."""

    suffixes: frozenset[str] = frozenset({".npz"})

    def probe(self, path: Path) -> str | None:
        """Check that the central directory is where the end of the file says."""
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - _END.size))
            tail = file.read()
            if len(tail) < _END.size or not tail.startswith(b"PK\5\6"):
                # The end record is further up if the archive has a comment of up to 64 KiB.
                file.seek(max(0, size - _END.size - 0xFFFF))
                tail = file.read()
                tail = tail[max(0, tail.rfind(b"PK\5\6")) :]
            return _fault(file, size, tail)

    def remark(self, path: Path) -> str | None:
        """Say which arrays of records have gaps between their fields, as C's compilers lay them out."""
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name, each in _members(archive, path).items() if _has_gaps(each)]
        return f"gaps between the fields of {', '.join(names)}" if names else None

    def same(self, old: Path, new: Path, tolerance: Tolerance) -> bool:
        """Whether both archives hold the same arrays."""
        return next(_parts(old, new, Search(tolerance, thorough=False)), None) is None

    def describe(self, old: Path, new: Path, tolerance: Tolerance) -> Difference:
        """All arrays that differ."""
        return Difference("arrays", parts=tuple(_parts(old, new, Search(tolerance, thorough=True))))


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an open archive; every `open` starts an independent stream."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    def open(self) -> Reader:
        # zipfile cuts a stream off at the declared size; one byte more lets an overlong one show.
        generous = copy(self.info)
        generous.file_size += 1
        return _Stream(self.archive.open(generous), self.info)


class _Stream:
    """A member's bytes, which must be exactly as many as it declares; otherwise reading raises `ValueError`."""

    def __init__(self, stream: IO[bytes], info: zipfile.ZipInfo) -> None:
        self._stream = stream
        self._name = info.filename
        self._left = info.file_size

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0 or (self._left > 0 and len(data) < size):
            raise ValueError(f"member {self._name} is not of its declared size")
        return data


@dataclass(frozen=True, slots=True)
class _Array:
    """A member's layout, how numpy describes its elements, and where they start; plain bytes start at once."""

    member: _Member
    layout: Layout
    descr: Any = glance.BYTES
    start: int = 0
    fortran: bool = False
    pickled: bool = False
    itemsize: int = 1

    def elements(self) -> Reader:
        stream = self.member.open()
        stream.read(self.start)
        return stream

    def whole(self) -> bytes:
        """All its bytes behind the header.

        Raises:
            ValueError: they are too many.
        """
        size = self.member.info.file_size - self.start
        if size > LARGEST_WHOLE:
            raise ValueError(f"member {self.member.info.filename} of {size} bytes is too large to compare")
        stream = self.elements()
        data = stream.read(size)
        stream.read(1)  # at its end a damaged one is found out
        return data


def _fault(file: IO[bytes], size: int, tail: bytes) -> str | None:
    if len(tail) < _END.size or not tail.startswith(b"PK\5\6"):
        return f"truncated zip: no central directory in {size} bytes" if size else "empty file"
    length, offset = _END.unpack_from(tail)[5:7]
    is_elsewhere = 0xFFFFFFFF in (length, offset)
    if max(0 if is_elsewhere else length, *_lengths64(file, size - len(tail))) > LARGEST_DIRECTORY:
        return f"malformed zip: central directory above {LARGEST_DIRECTORY} bytes"
    if is_elsewhere:
        return None  # zip64 keeps them elsewhere; reading the archive will tell
    if offset + length > size - len(tail):
        return f"truncated zip: {size} of {offset + length + len(tail)} bytes"
    file.seek(offset)
    if length and file.read(4) != b"PK\1\2":
        return f"malformed zip: no central directory at {offset}"
    return None


def _lengths64(file: IO[bytes], end: int) -> tuple[int, ...]:
    """Bytes of the central directory by zip64, whose records stand before the end record at a place, if at all.

    Readers differ in whether they look right before the locator or where it points, and look in any case.
    """
    at = end - _LOCATOR.size
    file.seek(max(0, at))
    locator = file.read(_LOCATOR.size)
    if at < 0 or not locator.startswith(b"PK\6\7"):
        return (0,)
    return tuple(_length64(file, place) for place in (at - _END64.size, _LOCATOR.unpack(locator)[2]))


def _length64(file: IO[bytes], place: int) -> int:
    if not 0 <= place < 1 << 62:
        return 0
    file.seek(place)
    record = file.read(_END64.size)
    return int(_END64.unpack(record)[8]) if len(record) == _END64.size and record.startswith(b"PK\6\6") else 0


def _parts(old: Path, new: Path, search: Search) -> Iterator[Part]:
    with zipfile.ZipFile(old) as before, zipfile.ZipFile(new) as after:
        olds, news = _members(before, old), _members(after, new)
        for name in olds | news:
            label = name.removesuffix(".npy")
            if name not in olds:
                yield Part(label, "added", new=_array(news[name]).layout)
            elif name not in news:
                yield Part(label, "removed", old=_array(olds[name]).layout)
            elif not identical(olds[name].open(), news[name].open()):
                yield from _changed(label, _array(olds[name]), _array(news[name]), search)


def _members(archive: zipfile.ZipFile, path: Path) -> dict[str, _Member]:
    """Members by name.

    Raises:
        ValueError: a name appears twice, they are too many or too large, or one is compressed in an unbounded way.
    """
    members: dict[str, _Member] = {}
    budget.Work(budget.MEMBERS, "members").spend(len(archive.infolist()))
    for info in archive.infolist():
        if info.filename in members:
            msg = f"two members named {info.filename}"
        elif info.file_size > LARGEST_MEMBER:
            msg = f"member {info.filename} declares {info.file_size} bytes"
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            msg = f"member {info.filename} has an unsupported compression"
        else:
            members[info.filename] = _Member(archive, info)
            continue
        raise ValueError(msg)
    work = budget.Work(budget.most_unpacked(path.stat().st_size), "bytes to unpack")
    work.spend(sum(member.info.file_size for member in members.values()))
    return members


def _changed(name: str, old: _Array, new: _Array, search: Search) -> Iterator[Part]:
    """How two members whose bytes differ differ in content, if at all."""
    if old.pickled and new.pickled:
        yield from _objects(name, old, new, search)
    elif old.layout != new.layout:
        yield Part(name, "changed", old.layout, new.layout)
    elif numbers := _numbers(old, new, search, search.tolerance.bounds(name, _fields(old.descr))):
        yield Part(name, "changed", old.layout, new.layout, numbers)


def _objects(name: str, old: _Array, new: _Array, search: Search) -> Iterator[Part]:
    """How two members of pickled objects differ: as numbers and texts if that is all they hold, otherwise as bytes."""
    from blastgit.content.pickled import arrays_in
    from blastgit.content.plain import differences

    before, after = old.whole(), new.whole()
    if before == after:
        return
    try:
        values = arrays_in(before), arrays_in(after)
    except ValueError:
        yield Part(name, "changed", _raw(before), _raw(after), _unequal(before, after))
    else:
        yield from differences(name, *values, search)


def _raw(data: bytes) -> Layout:
    return Layout("pickled bytes", (len(data),))


def _unequal(old: bytes, new: bytes) -> Numbers | None:
    """How many bytes differ, if there are as many of them."""
    if len(old) != len(new):
        return None
    import numpy as np

    differ = np.frombuffer(old, np.uint8) != np.frombuffer(new, np.uint8)
    return Numbers("bytes", int(np.count_nonzero(differ)), len(old))


def _numbers(old: _Array, new: _Array, search: Search, bounds: Bounds) -> Numbers | None:
    """How arrays of equal layout differ; numpy is imported only if it takes more than a glance."""
    unit, total = "values" if old.start else "bytes", math.prod(old.layout.shape)
    is_reordered = old.fortran != new.fortran or old.itemsize != new.itemsize
    if old.descr == new.descr and not search.thorough and not is_reordered:
        differ = glance.differ(old.elements(), new.elements(), old.descr, bounds)
        if differ is not None:
            return Numbers(unit, changed=1, total=total) if differ else None
    from blastgit.content.tally import compare

    pieces = [(_in_order(old), _in_order(new))] if is_reordered else _pieces(old, new)
    return compare(pieces, search, bounds, unit=unit, total=total)


def _pieces(old: _Array, new: _Array) -> Iterator[Pair]:
    return arrays(old.elements(), new.elements(), _dtype(old.descr), _dtype(new.descr))


def _in_order(array: _Array) -> NDArray[Any]:
    """All elements in the order of their indices, in whatever order of memory and at whatever width they are kept."""
    import numpy as np

    flat = np.frombuffer(array.whole(), _dtype(array.descr))
    return flat.reshape(array.layout.shape, order="F" if array.fortran else "C").reshape(-1)


def _fields(descr: Any) -> list[tuple[str, str]]:
    """Names of the fields of an array of records."""
    return [] if isinstance(descr, str) else [(name, name) for name in _dtype(descr).names or ()]


def _array(member: _Member) -> _Array:
    """What is in a member; what is not ``.npy`` counts as bytes.

    Raises:
        ValueError: the member is malformed.
    """
    size = member.info.file_size
    header = _read_header(member.open())
    if header is None:
        return _Array(member, Layout("bytes", (size,)))
    start, descr, shape, fortran = header
    element = _element(descr)
    if element.pickled:
        return _Array(member, Layout("pickled bytes", (size,)), start=start, pickled=True)
    if not 0 < element.size <= LARGEST_ITEM:
        return _Array(member, Layout("bytes", (size,)))
    if start + element.size * math.prod(shape) != size:
        raise ValueError(f"member {member.info.filename} is not of the size of its array")
    # The memory order matters only from two axes on. The byte order is the reader's, not the content's.
    fortran = fortran and len(shape) > 1
    return _Array(member, Layout(element.name, shape), descr, start, fortran, itemsize=element.size)


@dataclass(frozen=True, slots=True)
class _Element:
    """Type of the elements of an array: its name as `type_name` has it, and its bytes, 0 if it cannot be compared."""

    name: str
    size: int
    pickled: bool = False


def type_name(dtype: np.dtype[Any]) -> str:
    """What a type holds. How that lies in memory is left out: byte order, gaps between fields, the room for a text."""
    if dtype.names is not None:
        return "{" + ", ".join(f"{name}: {type_name(dtype[name])}" for name in dtype.names) + "}"
    if dtype.subdtype is not None:
        return f"{type_name(dtype.base)}{list(dtype.shape)}"
    return {"S": "bytes", "U": "text"}.get(dtype.kind) or str(dtype.newbyteorder("="))


def _element(descr: Any) -> _Element:
    """What a description means; numpy is imported for uncommon ones only."""
    if descr == "|O":
        return _Element("object", 0, pickled=True)
    if isinstance(descr, str) and descr in glance.NAMES:
        return _Element(glance.NAMES[descr], int(descr[2:]))
    dtype = _dtype(descr)
    size = dtype.itemsize if dtype.subdtype is None else 0
    return _Element(type_name(dtype), size, pickled=dtype.hasobject)


def _has_gaps(member: _Member) -> bool:
    descr = _array(member).descr
    return not isinstance(descr, str) and any(not name for name, *_ in descr)  # NumPy writes a gap as a nameless field


def _dtype(descr: Any) -> np.dtype[Any]:
    import numpy as np

    return np.lib.format.descr_to_dtype(descr)


def _read_header(stream: Reader) -> tuple[int, Any, tuple[int, ...], bool] | None:
    """Length of a ``.npy`` header and its entries; None if there is none.

    Raises:
        ValueError: the header is malformed or too long.
    """
    start = stream.read(8)
    if not start.startswith(_MAGIC) or len(start) < 8 or start[6] not in (1, 2, 3):
        return None
    width = 2 if start[6] == 1 else 4
    size = int.from_bytes(stream.read(width), "little")
    if size > LARGEST_HEADER:
        raise ValueError(f"array header of {size} bytes")
    entries = ast.literal_eval(stream.read(size).decode("utf-8" if start[6] == 3 else "latin-1").strip())
    shape = entries["shape"]
    if not isinstance(shape, tuple) or not all(type(length) is int and length >= 0 for length in shape):
        raise ValueError(f"array of shape {shape}")
    return 8 + width + size, entries["descr"], shape, bool(entries["fortran_order"])
