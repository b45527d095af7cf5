"""How the files of two states differ, by path."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple


class FileChange(NamedTuple):
    """One file that differs between two states.

    Attributes:
        path: The path in the dataset, `cutout_cdn/DES/DES_z.fits`.
        change: "added", "removed", "changed"; "content-equal" (other bytes, same content: the published ones stay); or
            "redrawn" (other samples of a fit that is equal within its noise: they make no revision, and go into one).
        note: A remark on the comparison, or None.
        derived: Whether the file never causes a revision (a thumbnail).
        same_as: The earlier revision that had exactly these bytes, or None.
    """

    path: str
    change: str
    note: str | None = None
    derived: bool = False
    same_as: int | None = None

    @property
    def counts(self) -> bool:
        """Whether this change makes a new revision."""
        return self.change not in ("content-equal", "redrawn") and not self.derived

    @property
    def is_image(self) -> bool:
        """Whether the file is a survey image, which no other part of a dataset is made from."""
        return self.path.startswith("cutout_cdn/") and self.path.endswith(".fits")

    @property
    def stem(self) -> str:
        """The file's name without suffix: for an image, its filter."""
        return PurePosixPath(self.path).stem

    def to_json(self) -> dict[str, object]:
        """Return `{"path", "change", "note"}`."""
        return {"path": self.path, "change": self.change, "note": self.note}
