"""Reads and writes JSON: strict when reading exports of Blast, canonical when writing published documents.

Blast writes with Python's encoder and so emits bare `NaN` and `Infinity`, which RFC 8259 does not know. Inside
blastgit such numbers are floats; in a published document they are strings, and `metadata.nonfinite` lists the JSON
Pointers (RFC 6901) of these strings, so that the way back is exact.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring
from typing import Any

from blastgit.errors import InvalidExport

Json = Any
"""A parsed JSON value; checked by shape where it is used, since no static type could say more."""

SIZE_LIMIT = 64 * 1024 * 1024
"""Bytes. Real exports have 45 kB; one of a thousand times that is a mistake and would fill a worker's memory."""

DEPTH_LIMIT = 64
"""Levels. Real exports have eight; the functions that walk a document recurse once per level."""

_NESTED = frozenset({dict, list})  # what json.loads makes; comparing types is several times as fast as isinstance
_SAFE_INTEGER = 2**53
_LARGEST_INTEGER = 10**308  # beyond it, an integer cannot even be compared with a double
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse(data: bytes, what: str = "the export") -> Json:
    """Read strict JSON, with Python's NaN and infinities allowed.

    Raises:
        InvalidExport: Not UTF-8, not JSON, too large or too deep, a duplicate key, or a number too large for a double.
    """
    if len(data) > SIZE_LIMIT:
        raise InvalidExport(f"{what} has more than the {SIZE_LIMIT:,} bytes that are allowed")
    try:
        text = data.decode("utf-8-sig")
        document = json.loads(text, object_pairs_hook=_unique, parse_float=_double, parse_int=_integer)
        _check_depth(document)
        if _SURROGATE.search(text):
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidExport(f"a string of {what} is not Unicode text: {error.reason}") from None
    except UnicodeDecodeError as error:
        raise InvalidExport(f"{what} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise InvalidExport(f"{what} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise InvalidExport(f"{what} is nested too deeply to be an export") from None
    except ValueError as error:
        raise InvalidExport(f"{what}: {error}") from None
    return document


def _check_depth(document: Json) -> None:
    level = [document]
    for _ in range(DEPTH_LIMIT):
        inner = [value.values() if type(value) is dict else value for value in level if type(value) in _NESTED]
        level = [child for values in inner for child in values]
        if not level:
            return
    raise RecursionError


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return result


def _double(text: str) -> float:
    value = float(text)
    if math.isinf(value) or (value == 0 and re.search("[1-9]", text.lower().partition("e")[0])):
        raise ValueError(f"the number {text[:40]} does not fit a double")
    return value


def _integer(text: str) -> int:
    """Return an integer, exactly: a double does not hold an identifier of 64 bits."""
    value = int(text) if len(text) < 400 else 10**400
    if abs(value) > _LARGEST_INTEGER:
        raise ValueError(f"the number {text[:40]} is larger than any double")
    return value


def fits_double(value: int) -> bool:
    """Whether a double holds an integer exactly."""
    return -_SAFE_INTEGER <= value <= _SAFE_INTEGER or float(value) == value


def write(document: Json) -> bytes:
    """Return the bytes under which a document is published (`docs/format.md`): one-space indent, LF, UTF-8.

    Raises:
        InvalidExport: A string holds half of a surrogate pair, which UTF-8 cannot carry.
        ValueError: A number is not finite; see `name_nonfinite`.
    """
    try:
        return (_indented(document, 0) + "\n").encode()
    except UnicodeEncodeError as error:
        raise InvalidExport(f"a string of the export is not Unicode text: {error.reason}") from None


def _indented(value: Json, depth: int) -> str:
    """Return what `json.dumps(…, indent=1)` would, five times as fast."""
    if type(value) not in _NESTED:
        return _PLAIN[type(value)](value)
    if not value:
        return "{}" if type(value) is dict else "[]"
    pad, deeper = "\n" + " " * (depth + 1), depth + 1
    # Plain values are written right here, since a call for each would cost as much again.
    if type(value) is dict:
        inside = [
            f"{encode_basestring(key)}: "
            f"{_indented(item, deeper) if type(item) in _NESTED else _PLAIN[type(item)](item)}"
            for key, item in value.items()
        ]
        return f"{{{pad}{f',{pad}'.join(inside)}{pad[:-1]}}}"
    inside = [_indented(item, deeper) for item in value]
    return f"[{pad}{f',{pad}'.join(inside)}{pad[:-1]}]"


def _finite_text(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError("JSON has no such number")
    return repr(value)


_PLAIN: dict[type, Callable[[Any], str]] = {
    str: encode_basestring, int: str, float: _finite_text, bool: {True: "true", False: "false"}.__getitem__,
    type(None): lambda _: "null",
}  # fmt: skip
"""How values other than objects and arrays are written."""


def name_nonfinite(document: Json) -> tuple[Json, list[str]]:
    """Return a copy in which NaN and infinities are strings, and the sorted JSON Pointers of these strings."""
    pointers: list[str] = []
    return _named(document, "", pointers), sorted(pointers)


def _named(value: Json, pointer: str, pointers: list[str]) -> Json:
    if isinstance(value, dict):
        return {k: _named(v, f"{pointer}/{_escape(k)}", pointers) for k, v in value.items()}
    if isinstance(value, list):
        return [_named(v, f"{pointer}/{i}", pointers) for i, v in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        pointers.append(pointer)
        return nonfinite_name(value)
    return value


def nonfinite_name(value: float) -> str:
    """Return "NaN", "Infinity" or "-Infinity"."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def restore_nonfinite(document: Json, pointers: list[str]) -> Json:
    """Turn the strings at `pointers` back into floats, in place, and return the document.

    Raises:
        InvalidExport: There is no such string at a pointer.
    """
    for pointer in pointers:
        parent, last = document, ""
        try:
            *steps, last = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
            for step in steps:
                parent = parent[_key(parent, step)]
            key = _key(parent, last)
            if parent[key] not in ("NaN", "Infinity", "-Infinity"):
                raise ValueError
            parent[key] = float(parent[key])
        except (KeyError, IndexError, ValueError, TypeError, AttributeError):
            raise InvalidExport(f"metadata.nonfinite names {pointer!r}, where no such number stands") from None
    return document


def _key(parent: Json, step: str) -> str | int:
    if not isinstance(parent, list):
        return step
    if not step.isdecimal() or str(int(step)) != step:
        raise ValueError
    return int(step)


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def canonical(value: Json) -> bytes:
    """Return the canonical JSON (RFC 8785) of values whose numbers fit doubles.

    Written here because it decides, for every record, whether anything changed: several times as fast as a general
    encoder, with which the tests compare it.
    """
    return _text(value).encode("utf-8", "surrogatepass")


def _text(value: Json) -> str:
    return _WRITERS[type(value)](value)


def _object_text(value: dict[str, Json]) -> str:
    keys = sorted(value) if all(map(str.isascii, value)) else sorted(value, key=_utf16)
    pairs = [f"{encode_basestring(key)}:{_WRITERS[type(value[key])](value[key])}" for key in keys]
    return f"{{{','.join(pairs)}}}"


def _array_text(value: Sequence[Json]) -> str:
    return f"[{','.join(map(_text, value))}]"


def _integer_text(value: int) -> str:
    if -_SAFE_INTEGER <= value <= _SAFE_INTEGER:
        return str(value)
    if not fits_double(value):
        raise ValueError(f"canonical JSON has no such number as {value}")
    return es6_number(float(value))


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def es6_number(value: float) -> str:
    """Return a finite double as ECMAScript prints it, as RFC 8785 requires."""
    text = repr(value)
    if "e" not in text:
        return text[:-2] if text.endswith(".0") and text != "-0.0" else "0" if value == 0 else text
    mantissa, _, exponent = text.partition("e")
    power = int(exponent)
    sign, digits = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole, _, fraction = digits.partition(".")
    if -7 < power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{whole}{fraction}"
    if 0 <= power < 21:
        return f"{sign}{whole}{fraction}{'0' * (power - len(fraction))}"
    return f"{sign}{digits}e{'+' if power > 0 else ''}{power}"


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring, float: es6_number, int: _integer_text, dict: _object_text, list: _array_text,
    tuple: _array_text, bool: {True: "true", False: "false"}.__getitem__, type(None): lambda _: "null",
}  # fmt: skip
"""How a value of each type is written canonically; a lookup is faster than a chain of checks."""


def as_object(value: Json, what: str) -> dict[str, Json]:
    """Return `value` if it is a JSON object.

    Raises:
        InvalidExport: It has another type; `what` names the part of the document.
    """
    if not isinstance(value, dict):
        raise InvalidExport(f"{what} should be a JSON object, and is {_kind(value)}")
    return value


def as_list(value: Json, what: str) -> list[Json]:
    """Return `value` if it is a JSON array.

    Raises:
        InvalidExport: It has another type; `what` names the part of the document.
    """
    if not isinstance(value, list):
        raise InvalidExport(f"{what} should be a JSON array, and is {_kind(value)}")
    return value


def _kind(value: Json) -> str:
    names = {bool: "true or false", str: "a string", type(None): "null", dict: "an object", list: "an array"}
    return names.get(type(value), "a number")
