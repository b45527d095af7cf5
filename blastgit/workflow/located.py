"""What somebody named, under its real name."""

from __future__ import annotations

from dataclasses import dataclass

from blastgit.repository.commits import Snapshot


@dataclass(frozen=True)
class Located:
    """What somebody named, under its real name.

    Attributes:
        state: The revision, or the marker of a stage.
        path: What in it: a natural path, a file, the beginning of some; None for all of it.
        within: The beginnings of the paths of the component that is meant, if all of one is.
    """

    state: Snapshot
    path: str | None = None
    within: tuple[str, ...] | None = None
