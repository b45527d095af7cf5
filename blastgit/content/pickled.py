"""Reads arrays from a pickle without running it: Blast's chain and percentile files hold a dictionary of arrays.

A pickle is a program, and could call anything. Here it finds nothing to call but stand-ins, which only keep what numpy
would have been given; arrays are then built of that. Whatever else a pickle asks for is refused.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from typing import Any, ClassVar, Literal

import numpy as np

_NUMBERS = re.compile(r"[?bBhHiIlLqQefdgFDG]|[biufcSUV]\d{1,6}")


class _Type:
    """What a pickle says of an array's type."""

    def __init__(self, code: str, *_: object) -> None:
        if code not in ("O8", "O") and not _NUMBERS.fullmatch(code):
            raise pickle.UnpicklingError(f"it has an array of the type {code[:20]!r}")
        self.code = code
        self.order: Literal["<", ">", "="] = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1] if state[1] in ("<", ">") else "="
        if any(state[2:5]):
            raise pickle.UnpicklingError("it has an array of records")

    @property
    def is_object(self) -> bool:
        return self.code.startswith("O")

    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.code).newbyteorder(self.order)


class _Array:
    """What a pickle says of an array."""

    def __init__(self, *_: object) -> None:
        self.value: Any = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, type_, in_columns, data = state
        if type_.is_object:
            self.value = _objects(data, tuple(shape), "F" if in_columns else "C")
        else:
            self.value = _build(data, type_, tuple(shape), "F" if in_columns else "C")


def _objects(data: Any, shape: tuple[int, ...], order: Literal["C", "F"]) -> Any:
    """What an array of objects holds: the object itself if there is just one, without axes."""
    if not isinstance(data, list) or len(data) != math.prod(shape):
        raise pickle.UnpicklingError("an array has more or fewer objects than its shape says")
    if shape == ():
        return data[0]
    objects = np.empty(len(data), object)
    for at, each in enumerate(data):
        objects[at] = each
    return objects.reshape(shape, order=order)


def _build(data: Any, type_: _Type, shape: tuple[int, ...], order: Any) -> np.ndarray[Any, np.dtype[Any]]:
    dtype = type_.dtype()
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise pickle.UnpicklingError("an array has more or fewer numbers than its shape says")
    return np.frombuffer(data, dtype).reshape(shape, order=order).copy()


def _scalar(type_: _Type, data: bytes) -> Any:
    return _build(data, type_, (1,), "C")[0]


def _from_buffer(data: Any, type_: _Type, shape: Any, order: str) -> Any:
    return _build(data, type_, tuple(shape), order)


def _encode(text: str, _: str = "latin1") -> bytes:
    return text.encode("latin1")


_KEYS = (str, bytes, int, float, type(None))

_FAILURES = (
    pickle.UnpicklingError, EOFError, AttributeError, TypeError, ValueError, IndexError, KeyError, RecursionError,
    OverflowError, MemoryError,
)  # fmt: skip

_STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): None,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
} | {
    (f"numpy.{core}.{module}", name): stand_in
    for core in ("core", "_core")
    for module, name, stand_in in (
        ("multiarray", "_reconstruct", _Array),
        ("multiarray", "scalar", _scalar),
        ("numeric", "_frombuffer", _from_buffer),
    )
}


_Pure: Any = pickle._Unpickler  # noqa: SLF001 (the one in C cannot be asked before it hashes)


class _Unpickler(_Pure):  # type: ignore[misc]
    """The unpickler in Python, of which the keys of dictionaries can be looked at before they are hashed.

    A few bytes can nest tuples in themselves until the hash of one takes for ever.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(_Pure.dispatch)

    def _check_keys(self, keys: Any) -> None:
        if not all(isinstance(key, _KEYS) for key in keys):
            raise pickle.UnpicklingError("it has a dictionary by something else than names and numbers")

    def _load_setitem(self) -> None:
        self._check_keys([self.stack[-2]])
        self.load_setitem()

    def _load_setitems(self) -> None:
        self._check_keys(self.stack[::2])
        self.load_setitems()

    def _load_dict(self) -> None:
        self._check_keys(self.stack[::2])
        self.load_dict()

    def _load_set(self) -> None:
        raise pickle.UnpicklingError("it holds a set")

    dispatch[pickle.SETITEM[0]] = _load_setitem
    dispatch[pickle.SETITEMS[0]] = _load_setitems
    dispatch[pickle.DICT[0]] = _load_dict
    for _code in (pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET):
        dispatch[_code[0]] = _load_set

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not called here") from None


def arrays_in(data: bytes) -> Any:
    """Return what a pickle holds: arrays, numbers and texts, in dictionaries, lists, tuples and arrays of objects.

    Raises:
        ValueError: It holds something else, or is not a pickle.
    """
    try:
        _look_through(data)
        return _Opening().open(_Unpickler(io.BytesIO(data)).load())  # finds the stand-ins alone
    except _FAILURES as error:
        raise ValueError(f"a pickled array cannot be read: {error}") from None


def _look_through(data: bytes) -> None:
    """Check that every part of a pickle is as long as it says, so that reading it takes no more memory than it has."""
    for code, argument, _ in pickletools.genops(data):
        if "PUT" in code.name and int(argument or 0) > len(data):
            raise pickle.UnpicklingError("it numbers its parts as no writer does")


_LARGEST = 1_000_000
"""Values above which a pickle is not read: a few bytes can refer to each other until they stand for any number."""


class _Opening:
    """Putting together what a pickle holds, out of what the stand-ins kept."""

    def __init__(self) -> None:
        self._left = _LARGEST

    def open(self, value: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise pickle.UnpicklingError(f"it stands for more than {_LARGEST:,} values")
        if isinstance(value, _Array):
            return self.open(value.value)
        if isinstance(value, np.ndarray) and value.dtype == object:
            opened = np.empty_like(value)
            for at in np.ndindex(value.shape):
                opened[at] = self.open(value[at])
            return opened
        if isinstance(value, dict):
            return {key: self.open(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return type(value)([self.open(each) for each in value])
        if not isinstance(value, _PLAIN):
            raise pickle.UnpicklingError(f"it holds a {type(value).__name__}")
        return value


_PLAIN = (np.ndarray, np.generic, int, float, complex, str, bytes, type(None))
