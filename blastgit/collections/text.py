"""The file of a collection: a subset of YAML in which every line after the first is a key or one JSON value.

It can be read fast even with fifty thousand members, a diff shows one member per line, and every YAML parser reads it
alike. `docs/format.md` describes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from blastgit.collections.datasets import Member, certified, read_dataset
from blastgit.collections.model import KINDS, Calibration, Chained, Collection, Listed, Run
from blastgit.errors import BlastgitError, RepoError

SIZE_LIMIT = 32 * 1024 * 1024
"""Most bytes of one file: a million members, or half a million with paths."""

ABOUT_LIMIT = 1000
"""Most characters of a text such as `about`."""

_LISTS = {"RUN": "inputs", "CHAINED": "children", "TAGGED": "members", "CALIBRATION": "members"}
_TEXTS = {"RUN": ("about", "validated", "main", "config")}


def write_collection(collection: Collection) -> bytes:
    """Return the file of a collection."""
    kind = collection.kind
    texts = {key: getattr(collection, key) for key in _TEXTS.get(kind, ("about",))}
    head = [f"type: {kind}", *(f"{key}: {_json(text)}" for key, text in texts.items() if text)]
    items = _items(collection)
    if items:
        head.append(f"{_LISTS[kind]}:")
    return ("\n- ".join(["\n".join(head), *items]) + "\n").encode()


def _items(collection: Collection) -> tuple[str, ...]:
    if isinstance(collection, Listed):
        return collection.lines
    return tuple(map(_json, getattr(collection, _LISTS[collection.kind])))


def read_collection(data: bytes, where: str) -> Collection:
    """Read a file of main; its members are parsed on access.

    Raises:
        RepoError: It is not a collection.
    """
    try:
        text = data.decode()
        head, colon, body = text.partition(":\n- ")
        fields = dict(_field(line) for line in head.rstrip("\n").split("\n")[: -1 if colon else None])
        kind = fields.pop("type")
        items = tuple(body[:-1].split("\n- ")) if colon else ()
        if colon and (not head.endswith(f"\n{_LISTS[kind]}") or body.count("\n") != len(items) or body[-1] != "\n"):
            raise ValueError(f"after the first lines there should be `{_LISTS[kind]}:`, and one member a line")
        return _make(kind, fields, items)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RepoError(f"{where} is not a collection: {_words(error)}; docs/format.md shows the form") from None


def check_text(data: bytes, where: str) -> Collection:
    """Read a file that was pushed, and check every line.

    Raises:
        RepoError: It is not a collection, or not in canonical form.
        InvalidInput: A line is not valid.
    """
    collection = read_collection(data, where)
    if isinstance(collection, Listed):
        for number, line in enumerate(collection.lines):
            _check_line(collection, line, f"{where}: member {number + 1}")
        if any(one >= other for one, other in zip(collection.lines, collection.lines[1:], strict=False)):
            raise RepoError(f"{where}: members should be sorted by their lines, and each stand once")
    check_about(collection, where)
    if write_collection(collection) != data:
        raise RepoError(f"{where} is not written as docs/format.md asks: change it with `blastgit collection`")
    return collection


def check_about(collection: Collection, where: str) -> None:
    """Check the free texts of a collection.

    Raises:
        RepoError: One is too long, or has characters that cannot be printed.
    """
    for key in _TEXTS.get(collection.kind, ("about",)):
        text = getattr(collection, key)
        if not isinstance(text, str) or not text.isprintable() or len(text) > ABOUT_LIMIT:
            raise RepoError(f"{where}: {key} should be one line of at most {ABOUT_LIMIT:,} characters")


def _check_line(collection: Listed, line: str, where: str) -> None:
    try:
        value = json.loads(line)
        if isinstance(collection, Calibration):
            member = certified(read_dataset(value["dataset"]), value["begin"], value["end"])
        else:
            member = Member(read_dataset(value))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise RepoError(f"{where} is {line[:80]!r}, no dataset: docs/format.md shows how one is written") from None
    except BlastgitError as error:
        raise RepoError(f"{where}: {error}") from None
    if collection.line(member) != line:
        raise RepoError(f"{where} should be written {collection.line(member)}")


def _field(line: str) -> tuple[str, str]:
    key, colon, value = line.partition(": ")
    if not colon:
        raise ValueError(f"{line[:80]!r} is not `key: value`")
    if key == "type":
        return key, value
    text = json.loads(value)
    if not isinstance(text, str):
        raise TypeError(f"{key} should be a text in double quotes")
    return key, text


def _make(kind: str, fields: Mapping[str, Any], items: tuple[str, ...]) -> Collection:
    type_ = KINDS[kind]
    if issubclass(type_, Listed):
        return type_(**fields, lines=items)
    names = tuple(map(json.loads, items))
    if not all(isinstance(name, str) for name in names):
        raise TypeError("a name should be a text in double quotes")
    if type_ is Run:
        return Run(**fields, inputs=names)
    return Chained(**fields, children=names)


def _words(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return "a value is not JSON text" if isinstance(error, json.JSONDecodeError) else "it is not UTF-8 text"
    if isinstance(error, KeyError):
        return f"{error} is missing, or is not a type of collection"
    return (
        str(error) if isinstance(error, ValueError | TypeError) and "__init__" not in str(error) else "a key is unknown"
    )


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
