"""Rules for the sequence of a transient's drafts."""

from __future__ import annotations

from collections.abc import Iterator

from blastgit.checks.line import begun_faults
from blastgit.naming.trailers import Trailer
from blastgit.repository.commits import Marker


class DraftSequence:
    """The drafts of a transient up to some point, oldest first.

    Attributes:
        towards: The lowest revision that the next draft may lead to.
        has_stages: Whether markers of stages precede the next draft.
    """

    def __init__(self) -> None:
        """Start before the first draft."""
        self.towards = 0
        self.has_stages = False
        self._last: Marker | None = None

    def follow(self, marker: Marker) -> None:
        """Append a commit."""
        self.has_stages = marker.stage is not None
        if marker.drafted is not None:
            self.towards = marker.drafted[0]
        if marker.stage is None:
            self._last = marker

    def faults(self, marker: Marker) -> Iterator[str]:
        """Yield why a commit cannot be the next one."""
        if len(marker.commit.parent_ids) > 1:
            yield "it is a merge, and drafts form a single line"
        kind = marker.trailers.get(Trailer.MARKER)
        if marker.line is not None:
            yield f"its trailer Line says {marker.line}, and users' own lines have no drafts"
        if kind == "revision":
            yield "it is a revision, so it belongs on the branch"
        elif kind == "draft":
            yield from self._draft_faults(marker)
        elif kind == "reproduction" and (self._last is None or self._last.drafted is None):
            yield "it says that a draft is over, but no draft is open"
        elif kind == "stage":
            yield from begun_faults(marker)

    def _draft_faults(self, marker: Marker) -> Iterator[str]:
        if marker.drafted is None:
            return  # its trailers are wrong, which is reported elsewhere
        towards, ordinal = marker.drafted
        last = None if self._last is None else self._last.drafted
        if towards < self.towards:
            yield f"it is a draft of revision {towards}, and the one before is of {self.towards}"
        expected = None if last is None and self._last is not None else 1
        if last is not None:
            expected = last[1] + 1 if last[0] == towards else 1
        if expected is not None and ordinal != expected:
            yield f"its trailer Draft says {ordinal}, but it is number {expected} of revision {towards}"
