"""From faults to a denial: the first one ends the check of a push."""

from __future__ import annotations

from collections.abc import Iterable

from blastgit.errors import Denied


def deny(faults: Iterable[str]) -> None:
    """Raise the first fault, if there is one.

    Raises:
        Denied: There is one.
    """
    for fault in faults:
        raise Denied(fault)
