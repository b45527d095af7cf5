"""Validates YAML mappings written by people: only known keys are allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from blastgit.errors import RepoError
from blastgit.naming.nearest import did_you_mean


def read_mapping(value: Any, where: str, what: str = "be a mapping") -> dict[Any, Any]:
    """Return a parsed mapping; None becomes an empty one.

    Args:
        value: The parsed YAML, or None.
        where: Its location for error messages, `blastgit.yaml on main: hosts`.
        what: What it should do: `map former names to present ones`.

    Raises:
        RepoError: It is not a mapping.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RepoError(f"{where} is {value!r:.60}, but should {what}")
    return value


def read_keys(value: Any, where: str, known: Iterable[str], *, needed: str = "") -> dict[str, Any]:
    """Return a parsed mapping with only known keys.

    Args:
        value: The parsed YAML, or None.
        where: Its location for error messages.
        known: The known keys.
        needed: A required key, or "".

    Raises:
        RepoError: It is not a mapping, a key is unknown (the error offers the nearest), or the needed one is missing.
    """
    keys = tuple(known)
    given = read_mapping(value, where, f"be a mapping with {_listed(keys)}")
    check_keys(given, where, keys)
    if needed and needed not in given:
        raise RepoError(f"{where} has no `{needed}`: it should be a mapping with {_listed(keys)}")
    return given


def check_keys(given: Mapping[Any, Any], where: str, known: Iterable[str]) -> None:
    """Check that all keys are known.

    Raises:
        RepoError: One is unknown; the error offers the nearest, or lists the known ones.
    """
    keys = tuple(known)
    for key in given:
        if key not in keys:
            hint = did_you_mean(str(key), keys, f"its keys are {', '.join(keys)}", count=1)
            raise RepoError(f"{where} has an unknown key {str(key)[:80]!r}{hint}")


def _listed(keys: tuple[str, ...]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
