"""Flags that steer: by a rule of `blastgit.yaml`, what is flagged leaves a collection, as a commit on main."""

from __future__ import annotations

from collections.abc import Mapping

from blastgit.annotations.flags import FlagState
from blastgit.annotations.subjects import Subject
from blastgit.handle import Handle


def steer(
    handle: Handle, states: Mapping[Subject, FlagState], *, dry_run: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Apply the rules to flags; return what left which collection, and what could not be done, both in words."""
    return (), ()
