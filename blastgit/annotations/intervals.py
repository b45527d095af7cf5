"""Annotations of time intervals, and the revisions that were made during one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property

from blastgit.annotations.annotation import Annotation
from blastgit.annotations.branch import Branch
from blastgit.annotations.subjects import Subject
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.history import History
from blastgit.workflow.validity import moment

_KIND = "interval"


class Intervals:
    """The time intervals that have annotations."""

    def __init__(self, repository: Repository, branch: Branch) -> None:
        """Open the branch; intervals are read when first needed."""
        self._history = History(repository)
        self._branch = branch

    @cached_property
    def _all(self) -> list[tuple[Subject, list[Annotation]]]:
        return [(events[0].subject, events) for events in self._branch.below(_KIND) if events]

    def within(self, wanted: Subject) -> list[list[Annotation]]:
        """Return the annotations of each interval that overlaps the wanted one."""
        begin, end = wanted.interval
        return [events for each, events in self._all if each.interval[0] < end and begin < each.interval[1]]

    def beside(self, revisions: Iterable[Revision]) -> dict[Subject, list[Annotation]]:
        """Return, by interval, the annotations of those during which one of the revisions was being made."""
        if not self._branch.has(_KIND):
            return {}
        spans = [self._span(revision) for revision in revisions]
        return {each: events for each, events in self._all if any(_meets(each, span) for span in spans)}

    def _span(self, revision: Revision) -> tuple[datetime, datetime]:
        """Return when a revision was made: from the first task after the previous revision until the export."""
        end = revision.time
        before = self._history.tagged(revision.name, revision.number - 1) if revision.number else None
        since = None if before is None else before.time
        times = [moment(row.get("last_modified")) for row in revision.dr.export.document["workflow_tasks"]]
        ran = [each for each in times if each is not None and each <= end and (since is None or each > since)]
        return min(ran, default=end), end


def _meets(interval: Subject, span: tuple[datetime, datetime]) -> bool:
    begin, end = interval.interval
    return begin <= span[1] and span[0] < end
