"""Reads untrusted YAML: plain values only, and bounded in size."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from blastgit.errors import RepoError

SIZE_LIMIT = 1024 * 1024
"""The greatest size of a text, in bytes."""

_DEPTH_LIMIT = 32
_FAILURES = (RecursionError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""Errors that PyYAML raises, besides its own, when a tag does not fit its value (`!!int ''`)."""


def load_yaml(text: bytes, what: str) -> Any:
    """Parse YAML into plain Python values.

    Aliases are refused, since a short text with nested aliases can expand to more than any memory. So are duplicate
    keys in a mapping, of which YAML parsers silently drop the first.

    Args:
        text: The text.
        what: Its name for error messages.

    Raises:
        RepoError: It is too large or too deep, has aliases or duplicate keys, or is not YAML.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if len(text) > SIZE_LIMIT:
        raise RepoError(f"{what} has {len(text):,} bytes, more than the {SIZE_LIMIT:,} allowed")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEPTH_LIMIT:
                raise RepoError(f"{what} is nested more than {_DEPTH_LIMIT} levels deep")
            if isinstance(event, yaml.AliasEvent):
                raise RepoError(f"{what} has an alias (*{event.anchor}): write the value out")
        reader = loader(text)
        node = reader.get_single_node()
        _refuse_twins(node, what)
        return None if node is None else reader.construct_document(node)
    except (yaml.YAMLError, *_FAILURES) as error:
        raise RepoError(f"{what} is not YAML: {error}") from None


@cache
def load_shipped(module: str, name: str) -> Any:
    """Return the parsed YAML file beside a module; the value is shared, so do not modify it.

    Args:
        module: The `__file__` of the module.
        name: The file, `flags.yaml`.
    """
    return load_yaml(Path(module).with_name(name).read_bytes(), name)


def _refuse_twins(node: Any, what: str) -> None:
    """Refuse duplicate keys in a mapping; `node` is one of PyYAML's, or None for an empty text."""
    kind = getattr(node, "id", "")
    if kind == "sequence":
        for each in node.value:
            _refuse_twins(each, what)
    elif kind == "mapping":
        seen = set()
        for key, value in node.value:
            if key.id == "scalar" and key.value in seen:
                line = key.start_mark.line + 1
                raise RepoError(f"{what} has the key {key.value[:80]!r} twice in one mapping (line {line}): keep one")
            seen.add(key.value if key.id == "scalar" else None)
            _refuse_twins(value, what)
