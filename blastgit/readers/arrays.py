"""Load numpy archives as a mapping of arrays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from blastgit.readers.identity import Identity


class Arrays(Mapping[str, "NDArray[Any]"]):
    """Arrays by name, with the identity of their file.

    Attributes:
        identity: The identity of the file.
    """

    identity: Identity

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Copy the mapping."""
        self._arrays = dict(arrays)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        return f"<Arrays of {getattr(self, 'identity', 'no file')}: {', '.join(self._arrays)}>"


def read_archive(data: bytes) -> Arrays:
    """Read an `.npz`. Pickled members are parsed but not executed: a dictionary gives its arrays by their keys.

    Raises:
        ValueError: A member is not an array, or holds pickled objects other than arrays.
    """
    found: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            for key, array in _arrays(name, archive.read(info)):
                found[key if key not in found else f"{name}/{key}"] = array
    return Arrays(found)


def _arrays(name: str, member: bytes) -> Iterator[tuple[str, NDArray[Any]]]:
    import numpy as np

    stream = io.BytesIO(member)
    if not _header(stream).hasobject:
        stream.seek(0)
        yield name, np.load(stream, allow_pickle=False)
        return
    from blastgit.content.pickled import arrays_in

    value = arrays_in(stream.read())
    if hasattr(value, "value"):
        value = value.value
    for key, each in value.items() if isinstance(value, dict) else [(name, value)]:
        yield str(key), np.asarray(each)


def _header(stream: io.BytesIO) -> np.dtype[Any]:
    from numpy.lib import format as npy

    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    dtype: np.dtype[Any] = read(stream)[2]
    return dtype
