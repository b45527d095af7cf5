"""References in HDF5 files, compared by what they point to: the number that is stored means nothing in another file."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import h5py
    import numpy as np
    from numpy.typing import NDArray

    from blastgit.content import budget

    Array = NDArray[Any]


def reference_name(dtype: np.dtype[Any]) -> str | None:
    """Return what a type of references is called, or None if it is not one."""
    import h5py

    kind = h5py.check_ref_dtype(dtype)
    return None if kind is None else "region reference" if kind is h5py.RegionReference else "reference"


def holds_references(dtype: np.dtype[Any]) -> bool:
    """Whether values of a type are references, or have some in them."""
    import h5py

    if dtype.names is not None:
        return any(holds_references(dtype[name]) for name in dtype.names)
    if dtype.subdtype is not None:
        return holds_references(dtype.base)
    if h5py.check_string_dtype(dtype) is not None:
        return False
    inner = h5py.check_vlen_dtype(dtype)
    return reference_name(dtype) is not None or (inner is not None and holds_references(inner))


class References:
    """The references of one file."""

    def __init__(self, file: h5py.File, objects: budget.Work) -> None:
        """Look into an open file, and take what is looked at from a budget."""
        self._file = file
        self._objects = objects

    def resolved(self, values: Array, dtype: np.dtype[Any]) -> Array:
        """Return values in which the path that a reference points to stands for the reference.

        Raises:
            ValueError: A reference points to nothing that has a path.
        """
        import h5py

        if not holds_references(dtype):
            return values
        if dtype.names is not None:
            found = values.copy()
            for name in dtype.names:
                found[name] = self.resolved(values[name], dtype[name].base)
            return found
        inner = h5py.check_vlen_dtype(dtype)
        if inner is not None:
            return _like(values, lambda each: self.resolved(each, inner))
        return _like(values, self._target)

    def _target(self, reference: Any) -> str:
        """Return where a reference points to; "" if it is null."""
        import h5py

        if not reference:
            return ""
        path = self._paths.get(_address(h5py.h5r.dereference(reference, self._file.id)))
        if path is None:
            raise ValueError("holds a reference to an object without a path")
        return f"{path} {self._region(reference)}" if isinstance(reference, h5py.RegionReference) else path

    def _region(self, reference: h5py.RegionReference) -> str:
        """Return the elements that a reference means, as corners of blocks or as points."""
        import h5py

        space = h5py.h5r.get_region(reference, self._file.id)
        kind = space.get_select_type()
        if kind == h5py.h5s.SEL_HYPERSLABS:
            self._objects.spend(space.get_select_hyper_nblocks())
            return f"blocks {space.get_select_hyper_blocklist().tolist()}"
        if kind == h5py.h5s.SEL_POINTS:
            self._objects.spend(space.get_select_elem_npoints())
            return f"points {space.get_select_elem_pointlist().tolist()}"
        return "all" if kind == h5py.h5s.SEL_ALL else "none"

    @cached_property
    def _paths(self) -> dict[int, str]:
        """The least path of each object by its address: the shortest of several, then the first."""
        found = {_address(self._file.id): "/"}
        level: list[tuple[str, Any]] = [("", self._file)]
        while level:
            seen: dict[int, tuple[str, Any]] = {}
            for path, item in sorted(_children(level, self._objects), key=lambda each: each[0]):
                address = _address(item.id)
                if address not in found:
                    found[address] = path
                    seen[address] = path, item
            level = list(seen.values())
        return found


def _children(groups: Iterable[tuple[str, Any]], objects: budget.Work) -> list[tuple[str, Any]]:
    """Return what hard links in some groups lead to."""
    import h5py

    found = []
    for path, group in groups:
        if isinstance(group, h5py.Group):
            objects.spend(len(group))
            links = (name for name in group if isinstance(group.get(name, getlink=True), h5py.HardLink))
            found += [(f"{path}/{name}", group[name]) for name in links]
    return found


def _address(identifier: Any) -> int:
    import h5py

    return int(h5py.h5o.get_info(identifier).addr)


def _like(values: Array, change: Callable[[Any], object]) -> Array:
    """Return an array of objects in the place of another."""
    import numpy as np

    found = np.empty(values.shape, dtype=object)
    for at, each in np.ndenumerate(values):
        found[at] = change(each)
    return found
