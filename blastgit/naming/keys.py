"""The keys of what people write as YAML: a mapping, of the keys that have a meaning and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from blastgit.errors import RepoError
from blastgit.naming.nearest import did_you_mean


def read_mapping(value: Any, where: str, what: str = "be a mapping") -> dict[Any, Any]:
    """Return a mapping that somebody wrote; what was left out is an empty one.

    Args:
        value: What YAML made of it, or None.
        where: What to call it in an error, `blastgit.yaml on main: hosts`.
        what: What it should do: `map former names to present ones`.

    Raises:
        RepoError: It is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RepoError(f"{where} is {value!r:.60}, and should {what}")
    return value


def read_keys(value: Any, where: str, known: Iterable[str], *, needed: str = "") -> dict[str, Any]:
    """Return a mapping that has no keys but those known.

    Args:
        value: What YAML made of it, or None.
        where: What to call it in an error.
        known: The keys that have a meaning.
        needed: The one that has to be there, if one has.

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
        RepoError: One is not; the error offers the nearest, or lists those known.
    """
    keys = tuple(known)
    for key in given:
        if key not in keys:
            hint = did_you_mean(str(key), keys, f"its keys are {', '.join(keys)}", count=1)
            raise RepoError(f"{where} has an unknown key {str(key)[:80]!r}{hint}")


def _listed(keys: tuple[str, ...]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
