"""The names of saved queries, and their paths on main."""

from __future__ import annotations

import re

from blastgit.errors import InvalidName

FOLDER = "queries"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def is_name(name: str) -> bool:
    """Whether a name is valid for a query or a parameter."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> str:
    """Return a query's name if it is valid.

    Raises:
        InvalidName: It is not.
    """
    if not is_name(name):
        raise InvalidName(f"{name[:80]!r} is not a name of a query: up to 64 of a-z, 0-9 and _, a letter first")
    return name


def path_of(name: str) -> str:
    """Return the path of a query on main.

    Raises:
        InvalidName: The name is not valid.
    """
    return f"{FOLDER}/{check_name(name)}.sql"
