"""The state and path that a name stands for."""

from __future__ import annotations

from dataclasses import dataclass

from blastgit.repository.commits import Snapshot


@dataclass(frozen=True)
class Located:
    """The state and path that a name stands for.

    Attributes:
        state: The revision, or the marker of a stage.
        path: A natural path, a file, or the beginning of some in the state; None for all of it.
        within: If the name is of a whole component, the beginnings of its paths.
    """

    state: Snapshot
    path: str | None = None
    within: tuple[str, ...] | None = None
