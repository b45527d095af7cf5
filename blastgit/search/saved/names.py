"""What saved queries are called, and where they lie."""

from __future__ import annotations

import re

from blastgit.errors import InvalidName

FOLDER = "queries"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def is_name(name: str) -> bool:
    """Whether a query, or a parameter of one, may be called so."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> str:
    """Return a name that a query may have.

    Raises:
        InvalidName: It may not.
    """
    if not is_name(name):
        raise InvalidName(f"{name[:80]!r} is no name of a query: small letters, digits and _, a letter first, up to 64")
    return name


def path_of(name: str) -> str:
    """Return the path of a query on main.

    Raises:
        InvalidName: No query may be called so.
    """
    return f"{FOLDER}/{check_name(name)}.sql"
