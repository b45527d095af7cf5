"""Rules for the sequence of markers in one line of revisions."""

from __future__ import annotations

from collections.abc import Iterator

from blastgit.errors import DamagedData
from blastgit.naming.names import is_personal, is_reference
from blastgit.naming.trailers import Trailer
from blastgit.repository.commits import Marker
from blastgit.workflow.markers import BEGUN, FAILED, read_mark
from blastgit.workflow.steps import covers


class Sequence:
    """The markers of a line up to some point, oldest first.

    Attributes:
        line: The line, `2026dgt` or `u/alice/2026dgt`.
        latest: Its latest revision; None before the first.
    """

    def __init__(self, line: str) -> None:
        """Start before the first marker."""
        self.line = line
        self.latest: Marker | None = None
        self._since: list[Marker] = []

    @property
    def next(self) -> int:
        """The number of the next revision."""
        return 0 if self.latest is None or self.latest.number is None else self.latest.number + 1

    @property
    def has_stages(self) -> bool:
        """Whether markers of stages follow the latest revision."""
        return any(marker.stage is not None for marker in self._since)

    def follow(self, marker: Marker) -> None:
        """Append a marker."""
        if marker.number is not None:
            self.latest, self._since = marker, []
        else:
            self._since.append(marker)

    def faults(self, marker: Marker) -> Iterator[str]:
        """Yield why a marker cannot be the next one."""
        if len(marker.commit.parent_ids) > 1:
            yield "it is a merge, and revisions form a single line"
        own = self.line if is_personal(self.line) else None
        if marker.line != own:
            fault = f"says {marker.line}" if marker.line else "is missing"
            yield f"its trailer Line {fault}, and it is of {self.line}: record it there"
        kind = marker.trailers.get(Trailer.MARKER)
        if kind == "revision" and marker.trailers.get(Trailer.REVISION) != str(self.next):
            stated = marker.trailers.get(Trailer.REVISION, "nothing")
            yield f"its trailer Revision says {stated}, and the next revision of {self.line} is {self.next}"
        elif kind == "reproduction":
            yield from self._reproduction_faults(marker)
        elif kind == "draft":
            yield "it is a draft, and a branch holds only states that have a number"
        elif kind == "stage" and is_reference(self.line):
            yield "it is about a stage of the workflow, and a reference has none"
        elif kind == "stage":
            yield from begun_faults(marker)

    def _reproduction_faults(self, marker: Marker) -> Iterator[str]:
        latest = self.latest
        if latest is None:
            yield "it reproduces a revision before any"
            return
        if marker.reproduces != latest.number:
            stated = marker.trailers.get(Trailer.REPRODUCES)
            yield f"it says that it reproduces revision {stated}, and follows {latest.number}"
        elif marker.commit.tree_id != latest.commit.tree_id:
            yield f"its tree is not that of revision {latest.number}, which it says it reproduces"
        if any(_adds_nothing(marker, other) for other in self._since if other.reproduces is not None):
            yield f"the same version, rules and run have reproduced revision {latest.number} already"


def _adds_nothing(marker: Marker, other: Marker) -> bool:
    """Whether a reproduction repeats an earlier one: the same version, rules and run, and no other stages."""
    return _key(marker) == _key(other) and covers(other.trailers.get(Trailer.RAN), marker.trailers.get(Trailer.RAN))


def _key(marker: Marker) -> tuple[str, str | None, str | None]:
    return marker.app_version, marker.trailers.get(Trailer.RULES), marker.trailers.get(Trailer.RUN)


def begun_faults(marker: Marker) -> Iterator[str]:
    """Yield the faults of a stage's marker on a branch or draft, where only ended stages belong."""
    if marker.outcome == BEGUN:
        yield "it says that a stage began: branches and drafts hold only stages that ended"


def stage_faults(marker: Marker) -> Iterator[str]:
    """Yield the faults of a stage's marker in what it states about the stage."""
    try:
        mark = read_mark(marker)
    except DamagedData:
        yield "its trailers should name Stage, Outcome, Owner, Host and Began: use `blastgit stage`"
        return
    if not mark.stage:
        yield "it names no stage"
    if mark.reason is not None and mark.outcome != FAILED:
        yield "it says why its stage failed, but the stage did not fail"
    if (mark.until is not None) != (mark.outcome == BEGUN):
        yield "a stage that begins says until when, and no other does"
