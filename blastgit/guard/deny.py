"""Turn the first fault into a denial, which ends the check of a push."""

from __future__ import annotations

from collections.abc import Iterable

from blastgit.errors import Denied


def deny(faults: Iterable[str]) -> None:
    """Raise the first fault, if any.

    Raises:
        Denied: There is a fault.
    """
    for fault in faults:
        raise Denied(fault)
