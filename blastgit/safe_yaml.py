"""YAML that others wrote: plain values only, and never more of them than the text is long."""

from __future__ import annotations

from typing import Any

from blastgit.errors import RepoError

SIZE_LIMIT = 1024 * 1024
"""Bytes."""

_DEPTH_LIMIT = 32
_FAILURES = (RecursionError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What PyYAML lets through, beside its own errors, when a tag does not fit its value (`!!int ''`)."""


def load_yaml(text: bytes, what: str) -> Any:
    """Return what a YAML text says, as plain Python values.

    Aliases are refused: a short text with aliases of aliases describes a value that no memory holds once it is walked.

    Args:
        text: The text.
        what: What to call it in an error.

    Raises:
        RepoError: It is too large or too deep, has aliases, or is no YAML.
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
        return yaml.load(text, Loader=loader)  # noqa: S506 (both loaders are safe ones)
    except (yaml.YAMLError, *_FAILURES) as error:
        raise RepoError(f"{what} is not YAML: {error}") from None
