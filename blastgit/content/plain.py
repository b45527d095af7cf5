"""Comparison of plain values from a pickle: numbers, texts and arrays, in dictionaries, lists and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from blastgit.content.model import Layout, Part
from blastgit.content.tally import compare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastgit.content.model import Bounds, Search


def differences(name: str, old: Any, new: Any, search: Search) -> Iterator[Part]:
    """Parts that differ, each under the path that leads to it: ``chain/theta``, ``chain/names/2``.

    Args:
        name: path of both values.
        old: value before.
        new: value after.
        search: tolerance, and whether to go on after the first difference.
    """
    before, after = _layout(old), _layout(new)
    if before != after:
        yield Part(name, "changed", before, after)
    elif isinstance(old, dict):
        for key in old | new:
            path = f"{name}/{key}"
            if key not in old:
                yield Part(path, "added", new=_layout(new[key]))
            elif key not in new:
                yield Part(path, "removed", old=_layout(old[key]))
            else:
                yield from differences(path, old[key], new[key], search)
    elif isinstance(old, list | tuple) or _has_objects(old):
        pairs = zip(_items(old), _items(new), strict=True)
        for number, pair in enumerate(pairs):
            yield from differences(f"{name}/{number}", *pair, search)
    elif isinstance(old, np.ndarray | np.generic | float | complex):
        yield from _numbers(name, (np.asarray(old), np.asarray(new)), search)
    elif old != new:
        yield from _numbers(name, (_lone(old), _lone(new)), search)


def _numbers(name: str, values: tuple[Any, Any], search: Search) -> Iterator[Part]:
    old, new = values
    bounds: Bounds = search.tolerance.bounds(name.rpartition("/")[2])
    numbers = compare([(old, new)], search, bounds, unit="values", total=old.size)
    if numbers is not None:
        yield Part(name, "changed", _layout(old), _layout(new), numbers)


def _lone(value: Any) -> Any:
    """A value as an array that holds just that, whatever its size; numpy would make a text of an integer too long."""
    array = np.empty((), object)
    array[()] = value
    return array


def _items(value: Any) -> list[Any]:
    return list(value.ravel()) if isinstance(value, np.ndarray) else list(value)


def _has_objects(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == object


def _layout(value: Any) -> Layout:
    """Type and shape; the keys of a dictionary and the byte order of an array are no part of them."""
    if isinstance(value, np.ndarray | np.generic):
        return Layout(str(value.dtype.newbyteorder("=")), value.shape)
    shape = (len(value),) if isinstance(value, list | tuple) else ()
    return Layout(type(value).__name__, shape)
