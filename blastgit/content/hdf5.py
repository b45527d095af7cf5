"""Comparison of HDF5 files: groups, datasets and attributes, never following a link out of the file."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from blastgit.content import budget
from blastgit.content.hdf5_references import References, holds_references, reference_name
from blastgit.content.heaps import heap_fault
from blastgit.content.memory import at_most
from blastgit.content.model import Difference, Layout, Part, Search
from blastgit.content.streams import CHUNK, LARGEST_ITEM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import h5py
    import numpy as np
    from numpy.typing import NDArray

    from blastgit.content.model import Numbers, Tolerance

    Array = NDArray[Any]
    Pieces = Iterable[tuple[Array, Array]]

LARGEST_CHUNK = 64 << 20
LARGEST_ATTRIBUTE = 16 << 20
_MEMORY = 1 << 30
"""What comparing may need; the library would make room for any length that a damaged string states, up to 4 GB."""
_SMALL_CHUNK = 1 << 16
_OBJECT = 256
"""Bytes a string or array of varying length is taken to need, when sizing blocks."""
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class Hdf5:
    """HDF5 files; chunking, compression, byte order and times are no content."""

    suffixes: frozenset[str] = frozenset({".h5", ".hdf5"})

    def probe(self, path: Path) -> str | None:
        """Check the superblock, the length of the file it states, and that all heaps have an end; needs no h5py."""
        size = path.stat().st_size
        with path.open("rb") as file:
            at = 0
            while at < size:
                file.seek(at)
                block = file.read(96)
                if block.startswith(_SIGNATURE):
                    return _fault(block, size) or heap_fault(path, _widths(block)[1])
                at = at * 2 or 512
        return "not HDF5" if size else "empty file"

    def same(self, old: Path, new: Path, tolerance: Tolerance) -> bool:
        """Whether both files hold the same objects."""
        with _bounded():
            return next(_parts(old, new, Search(tolerance, thorough=False)), None) is None

    def describe(self, old: Path, new: Path, tolerance: Tolerance) -> Difference:
        """All datasets, groups and attributes that differ."""
        with _bounded():
            return Difference("arrays", parts=tuple(_parts(old, new, Search(tolerance, thorough=True))))


def _bounded() -> AbstractContextManager[None]:
    """Bound the memory of what follows, but not that of the libraries: their threads may set much of it aside."""
    import h5py  # noqa: F401 (h5py brings numpy)

    return at_most(_MEMORY)


def _fault(block: bytes, size: int) -> str | None:
    """What the superblock says is wrong; versions 0 and 1 differ from 2 and 3 in where things are."""
    if len(block) < 48:
        return f"truncated HDF5: superblock cut in {size} bytes"
    version = block[8]
    if version > 3:
        return f"malformed HDF5: superblock version {version}"
    width, lengths = _widths(block)
    start = (24, 28, 12, 12)[version]
    if width not in (2, 4, 8) or lengths not in (2, 4, 8):
        return f"malformed HDF5: addresses of {width} bytes, lengths of {lengths}"
    end = int.from_bytes(block[start + 2 * width : start + 3 * width], "little")
    return f"truncated HDF5: {size} of {end} bytes" if size < end else None


def _widths(block: bytes) -> tuple[int, int]:
    """Bytes of an address and of a length."""
    start = 13 if block[8] < 2 else 9
    return block[start], block[start + 1]


def _parts(old: Path, new: Path, search: Search) -> Iterator[Part]:
    import h5py

    with h5py.File(old, "r", locking=False) as before, h5py.File(new, "r", locking=False) as after:
        if before.userblock_size or after.userblock_size:
            raise ValueError("has a user block")
        size = max(old.stat().st_size, new.stat().st_size)
        yield from _groups(before, after, _Walk((before, after), search, size))


class _Walk:
    """A search through two files, with what is left of its budget."""

    def __init__(self, files: tuple[h5py.File, h5py.File], search: Search, size: int) -> None:
        """Begin with two open files of a size."""
        self.search = search
        self.objects = budget.Work(2 * budget.OBJECTS, "groups, datasets and attributes in both versions")
        self._references = tuple(References(file, self.objects) for file in files)
        self.unpacked = budget.Work(2 * budget.most_unpacked(size), "bytes to unpack of both versions")

    def spend(self, dataset: h5py.Dataset) -> None:
        """Take the reading of a dataset from the budget.

        Raises:
            ValueError: There is not enough left.
        """
        each = _OBJECT if dataset.dtype.hasobject else dataset.dtype.itemsize
        self.unpacked.spend(each * math.prod(dataset.shape))

    def compare(self, name: str, pieces: Pieces, like: Any) -> Numbers | None:
        """Return the numbers of the changes in blocks of what has the shape and type of `like`; None if all agree."""
        from blastgit.content.tally import compare

        if like.dtype.hasobject and holds_references(like.dtype):
            one, other = self._references
            pieces = ((one.resolved(old, like.dtype), other.resolved(new, like.dtype)) for old, new in pieces)
        pieces = (_of_one_kind(*pair) for pair in pieces)
        fields = [(field, field) for field in like.dtype.names or ()]
        bounds = self.search.tolerance.bounds(name.rpartition("/")[2], fields)
        return compare(pieces, self.search, bounds, unit="values", total=math.prod(like.shape))


def _of_one_kind(old: Array, new: Array) -> tuple[Array, Array]:
    """Return two blocks so that texts of fixed width and of varying length can be compared."""
    if old.dtype.hasobject == new.dtype.hasobject:
        return old, new
    return (old, new.astype(old.dtype)) if old.dtype.hasobject else (old.astype(new.dtype), new)


def _groups(before: h5py.File, after: h5py.File, walk: _Walk) -> Iterator[Part]:
    """Everything below the roots; pairs already seen are not walked again, for groups may form a ring."""
    waiting: list[tuple[str, Any, Any]] = [("", before, after)]
    seen = set()
    while waiting:
        path, old, new = waiting.pop()
        pair = (_address(old), _address(new))
        if pair in seen:
            continue
        seen.add(pair)
        yield from _attributes(path, old, new, walk)
        walk.objects.spend(len(old) + len(new))
        olds, news = dict.fromkeys(old), dict.fromkeys(new)
        for name in olds | news:
            label = f"{path}/{name}".lstrip("/")
            if name not in olds:
                yield Part(label, "added", new=_layout(_object(new, name)))
            elif name not in news:
                yield Part(label, "removed", old=_layout(_object(old, name)))
            else:
                one, other = _object(old, name), _object(new, name)
                yield from _objects(label, one, other, walk)
                if _is_group(one) and _is_group(other):
                    waiting.append((label, one, other))


def _address(item: Any) -> int:
    import h5py

    return int(h5py.h5o.get_info(item.id).addr)


def _object(group: Any, name: str) -> Any:
    """The object behind a hard link, or the soft link itself, which is compared by its text.

    Raises:
        ValueError: the link leads to another file.
    """
    import h5py

    link = group.get(name, getlink=True)
    if isinstance(link, h5py.SoftLink):
        return link
    if not isinstance(link, h5py.HardLink):
        raise ValueError(f"{name} is an external link")  # noqa: TRY004 - a refusal, not a wrong argument
    return group[name]


def _is_group(item: Any) -> bool:
    import h5py

    return isinstance(item, h5py.Group)


def _objects(label: str, old: Any, new: Any, walk: _Walk) -> Iterator[Part]:
    """How two objects of one name differ, apart from what groups contain."""
    import h5py

    before, after = _layout(old), _layout(new)
    if before != after:
        yield Part(label, "changed", before, after)
    elif isinstance(old, h5py.Dataset) and old.shape is not None:
        walk.spend(old)
        walk.spend(new)
        numbers = walk.compare(label, _blocks(old, new), old)
        if numbers is not None:
            yield Part(label, "changed", before, after, numbers)
        yield from _fill_values(label, old, new, walk)
    if all(isinstance(item, h5py.Dataset | h5py.Datatype) for item in (old, new)):
        yield from _attributes(label, old, new, walk)


def _fill_values(label: str, old: Any, new: Any, walk: _Walk) -> Iterator[Part]:
    """Whether two datasets take different values for elements that were never written, or are missing."""
    import h5py
    import numpy as np

    stated = (side.id.get_create_plist().fill_value_defined() for side in (old, new))
    if not any(each == h5py.h5d.FILL_VALUE_USER_DEFINED for each in stated):
        return
    if _is_opaque(old.dtype) or _is_opaque(new.dtype) or old.fillvalue is None or new.fillvalue is None:
        return

    before, after = np.asarray(old.fillvalue), np.asarray(new.fillvalue)
    numbers = walk.compare(label, [(before, after)], before)
    if numbers is not None:
        yield Part(f"{label} fill value", "changed", Layout(str(before), ()), Layout(str(after), ()), numbers)


def _is_opaque(dtype: np.dtype[Any]) -> bool:
    """Whether h5py cannot tell the fill value of a type."""
    import h5py

    return dtype.hasobject and h5py.check_string_dtype(dtype) is None


def _attributes(label: str, old: Any, new: Any, walk: _Walk) -> Iterator[Part]:
    walk.objects.spend(len(old.attrs) + len(new.attrs))
    olds, news = dict.fromkeys(old.attrs), dict.fromkeys(new.attrs)
    for key in olds | news:
        name = f"{label}@{key}"
        if key not in olds:
            yield Part(name, "added", new=_attribute(new.attrs.get_id(key)))
        elif key not in news:
            yield Part(name, "removed", old=_attribute(old.attrs.get_id(key)))
        else:
            one, other = old.attrs.get_id(key), new.attrs.get_id(key)
            before, after = _attribute(one), _attribute(other)
            if before != after:
                yield Part(name, "changed", before, after)
            elif not _is_null(one) and 0 not in one.shape:
                values = _stored(one), _stored(other)
                numbers = walk.compare(key, [values], values[0])
                if numbers is not None:
                    yield Part(name, "changed", before, after, numbers)


def _attribute(attribute: Any) -> Layout:
    """Layout of an attribute.

    Raises:
        ValueError: it is too large, or of a type that cannot be compared.
    """
    if _is_null(attribute):
        return Layout(f"empty {_type(attribute.dtype)}", ())
    size = attribute.get_storage_size() if 0 not in attribute.shape else 0  # the library cannot tell that of nothing
    if size > LARGEST_ATTRIBUTE:
        raise ValueError(f"attribute {attribute.name.decode('utf-8', 'replace')} has {size} bytes")
    return Layout(_type(attribute.dtype), attribute.shape)


def _is_null(attribute: Any) -> bool:
    import h5py

    return bool(attribute.get_space().get_simple_extent_type() == h5py.h5s.NULL)


def _stored(attribute: Any) -> Array:
    """The value of an attribute as stored; h5py would turn text into other types."""
    import numpy as np

    value = np.empty(attribute.shape, dtype=attribute.dtype)
    attribute.read(value)
    return value


def _layout(item: Any) -> Layout:
    """Layout of any object; a soft link has its text as type.

    Raises:
        ValueError: the data are outside the file, or too large to be true.
    """
    import h5py

    if isinstance(item, h5py.SoftLink):
        return Layout(f"link to {item.path}", ())
    if isinstance(item, h5py.Group):
        return Layout("group", ())
    if isinstance(item, h5py.Datatype):
        return Layout(f"type {_type(item.dtype)}", ())
    if item.shape is None:
        return Layout(f"empty {_type(item.dtype)}", ())
    fault = _refused(item)
    if fault:
        raise ValueError(f"dataset {item.name} {fault}")
    return Layout(_type(item.dtype), item.shape)


def _refused(dataset: Any) -> str | None:
    """Why a dataset is not read, if it is not."""
    if dataset.is_virtual or dataset.external:
        return "has its data in other files"
    size = dataset.dtype.itemsize * math.prod(dataset.shape)
    if size > budget.most_unpacked(dataset.id.get_storage_size()):
        return f"declares {size} bytes"
    if _chunks(dataset) > budget.CHUNKS:
        return f"has more than {budget.CHUNKS:,} chunks"
    if dataset.dtype.itemsize > LARGEST_ITEM or _chunk_size(dataset) > LARGEST_CHUNK:
        return "has too large elements or chunks"
    return None


def _chunks(dataset: Any) -> int:
    """How many storage chunks a dataset has, written or not."""
    lengths = zip(dataset.shape, dataset.chunks or (), strict=False)
    return math.prod(-(-length // step) for length, step in lengths)


def _chunk_size(dataset: Any) -> int:
    """Bytes of a storage chunk, 0 if the dataset has none."""
    return math.prod(dataset.chunks) * int(dataset.dtype.itemsize) if dataset.chunks else 0


def _type(dtype: np.dtype[Any]) -> str:
    """Name of a type, whatever its byte order.

    Raises:
        ValueError: it holds objects of a kind that is not known here.
    """
    import h5py

    if dtype.names is not None:
        return "{" + ", ".join(f"{name}: {_type(dtype[name])}" for name in dtype.names) + "}"
    if dtype.subdtype is not None:
        return f"{_type(dtype.subdtype[0])}{list(dtype.subdtype[1])}"
    if h5py.check_string_dtype(dtype) is not None:
        return "string"  # of whatever width, or of varying length: that is how it is stored, not what it says
    inner = h5py.check_vlen_dtype(dtype)
    if inner is not None:
        return f"array of {_type(inner)}"
    reference = reference_name(dtype)
    if reference is not None:
        return reference
    if dtype.kind == "O":
        raise ValueError("holds objects of an unknown kind")
    members = h5py.check_enum_dtype(dtype)
    return f"{dtype.newbyteorder('=')}{f' enum {sorted(members.items())}' if members else ''}"


def _blocks(old: Any, new: Any) -> Iterator[tuple[Array, Array]]:
    """Pairs of blocks of about 1 MiB that cover two datasets of equal layout.

    Blocks follow the storage chunks of the old dataset if these are large, so that each is decompressed once.
    """
    import numpy as np

    shape = old.shape
    if 0 in shape:
        return
    if _chunk_size(old) >= _SMALL_CHUNK and not old.dtype.hasobject:
        steps = old.chunks
    else:
        steps = _steps(shape, _OBJECT if old.dtype.hasobject else old.dtype.itemsize)
    grid = (range(0, length, step) for length, step in zip(shape, steps, strict=True))
    for corner in itertools.product(*grid):
        block = tuple(slice(start, start + step) for start, step in zip(corner, steps, strict=True))
        yield np.asarray(old[block or ()]), np.asarray(new[block or ()])


def _steps(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Shape of blocks of at most 1 MiB that are whole along the fastest axes."""
    room = max(1, CHUNK // itemsize)
    steps: list[int] = []
    for length in reversed(shape):
        steps.append(max(1, min(length, room)))
        room //= steps[-1]
    return tuple(reversed(steps))
