"""Vectorised comparison of arrays within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from blastgit.content.model import Bounds

    Array = NDArray[Any]
    Mask = NDArray[np.bool_]


def changed(old: Array, new: Array, bounds: Bounds) -> Mask:
    """Elements that differ.

    Floats and parts of complex numbers agree within ``bounds``; NaN agrees with NaN, an infinity
    only with itself. Everything else agrees only if it is the same.

    Args:
        old: array of any type.
        new: array of the same shape and type (byte order aside).
        bounds: how far apart floats may be.

    Returns:
        Mask of the shape of ``old``; an element of a structured array differs if any field does.
    """
    kind = old.dtype.kind
    if old.dtype.names is not None:
        mask = np.zeros(old.shape, dtype=np.bool_)
        for name in old.dtype.names:
            mask |= _whole(changed(old[name], new[name], bounds.of(name)), old.ndim)
        return mask
    if kind == "f":
        return ~_close(old, new, bounds)
    if kind == "c":
        return ~(_close(old.real, new.real, bounds) & _close(old.imag, new.imag, bounds))
    if kind == "O":
        return _objects(old, new, bounds)
    if kind in "bVmM":
        # Bytes, because a stored bool may be neither 0 nor 1 and a missing time is unequal to itself.
        return _whole(_bytes(old) != _bytes(new), old.ndim)
    return np.asarray(old != new, dtype=np.bool_)


def magnitudes(old: Array, new: Array, bounds: Bounds) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Absolute and relative size of the changes, flat, for every numeric field.

    The relative size is ``|a - b| / max(|a|, |b|)``. Changes to or from NaN or infinity come out as NaN or infinity.
    """
    if old.dtype.names is not None:
        for name in old.dtype.names:
            yield from magnitudes(old[name], new[name], bounds.of(name))
    elif old.dtype.kind in "iufc":
        mask = changed(old, new, bounds)
        with np.errstate(all="ignore"):
            before, after = _wide(old[mask]), _wide(new[mask])
            absolute = _distance(before, after)
            largest = np.maximum(np.abs(before), np.abs(after)).astype(np.float64)
            yield absolute, absolute / largest


def _wide(array: Array) -> Array:
    """Floats in at least double precision; integers as they are: a double would hide what differs in large ones."""
    return array if array.dtype.kind in "iu" else array.astype(np.result_type(array.dtype, np.float64), copy=False)


def _distance(old: Array, new: Array) -> NDArray[np.float64]:
    if old.dtype.kind not in "iu":
        return np.asarray(np.abs(new - old), dtype=np.float64)
    # The difference of two signed integers may not fit their type; modulo its range it is right without a sign.
    unsigned = np.dtype(f"u{old.dtype.itemsize}")
    low, high = (each.astype(unsigned) for each in (np.minimum(old, new), np.maximum(old, new)))
    return np.asarray(high - low, dtype=np.float64)


def _close(old: Array, new: Array, bounds: Bounds) -> Mask:
    """Floats that agree, judged in at least double precision."""
    wide = np.result_type(old.dtype, np.float64)
    with np.errstate(all="ignore"):  # a signalling NaN warns when it is cast
        before, after = old.astype(wide, copy=False), new.astype(wide, copy=False)
        room = bounds.relative * np.maximum(np.abs(before), np.abs(after))
        near = np.abs(before - after) <= np.minimum(room, bounds.absolute)
        # Without this an infinity would be near everything.
        near &= np.isfinite(before) & np.isfinite(after)
        near |= before == after
        near |= np.isnan(before) & np.isnan(after)
    return np.asarray(near, dtype=np.bool_)


def _bytes(array: Array) -> NDArray[np.uint8]:
    """The bytes of every element along a new last axis."""
    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    return native.reshape(-1).view(np.uint8).reshape(*array.shape, array.dtype.itemsize)


def _whole(mask: Mask, ndim: int) -> Mask:
    """A mask of the first ``ndim`` axes: true where anything along the other axes is."""
    return np.asarray(mask.any(axis=tuple(range(ndim, mask.ndim))), dtype=np.bool_)


def _objects(old: Array, new: Array, bounds: Bounds) -> Mask:
    """Objects that differ: strings, or arrays of varying length."""
    pairs = zip(old.flat, new.flat, strict=True)
    return np.array([_object_changed(a, b, bounds) for a, b in pairs], dtype=np.bool_).reshape(old.shape)


def _object_changed(old: object, new: object, bounds: Bounds) -> bool:
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        return old.shape != new.shape or bool(changed(old, new, bounds).any())
    return type(old) is not type(new) or bool(old != new)
