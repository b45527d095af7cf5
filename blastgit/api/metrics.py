"""`repo.metrics`: numbers measured on published data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from blastgit.annotations.annotation import AnnotationBody
from blastgit.annotations.attached import Measured
from blastgit.annotations.metric import Metric, Value, check_unit
from blastgit.annotations.query import Query
from blastgit.annotations.write import Annotated, author_of, make_events
from blastgit.api.attached_data import AttachedData
from blastgit.errors import NotFound
from blastgit.naming.nearest import did_you_mean

if TYPE_CHECKING:
    from blastgit.annotations.annotation import Annotation
    from blastgit.annotations.states import AnnotationStatus


class Metrics(AttachedData):
    """Numbers measured on revisions, files, runs and collections."""

    def put(
        self,
        subject: str,
        values: Mapping[str, Value | tuple[Value, str]],
        *,
        comment: str = "",
        bot: bool = False,
        dry_run: bool = False,
    ) -> Annotated:
        """Record metrics in one commit, superseding this user's earlier values of the same keys.

        Args:
            subject: `2026dgt@1`, a part of it (`2026dgt@1:sed/global`), a file of it, `run:NAME` or `collection:NAME`.
            values: A value, or a value and its unit, for each key; unchanged values are not recorded again.
            comment: A comment stored with each metric.
            bot: Whether a program records them.
            dry_run: Check, but write nothing.

        Raises:
            InvalidInput: A key, value or unit is invalid; nothing was written.
            NotFound: The revision does not exist.
            Denied: The policy does not allow this user to record them.
        """
        metrics = [_metric(key, value) for key, value in values.items()]
        target = self._target(subject)
        user = author_of(self._repository)
        own: dict[str, list[AnnotationStatus]] = {}
        for note in Query(self._repository).of(target.subject):
            event, recorded = note.event, note.event.remark.metric
            if recorded and note.is_current and (event.subject, event.user) == (target.subject, user):
                own.setdefault(recorded.key, []).append(note)
        events: list[Annotation] = []
        for metric in metrics:
            before = [note for note in own.get(metric.key, ()) if note.event.is_bot or not bot]
            if not any(note.event.remark.metric == metric for note in before):
                remark = AnnotationBody(comment, metric=metric, supersedes=tuple(note.event.id for note in before))
                events += make_events(self._repository, self._identity, [target], remark, is_bot=bot)
        keys = ", ".join(metric.key for metric in metrics[:3]) + (", …" if len(metrics) > 3 else "")
        return self._write(events, f"Measured on {target}: {keys}".replace("revision:", ""), {}, dry_run=dry_run)

    def list(self, subject: str | None = None, key: str = "*", *, history: bool = False) -> Sequence[Measured]:
        """Return metrics, oldest first.

        Args:
            subject: A revision with all its parts, a part or a file; None for the whole repo (for many metrics, the
                table `metrics` of the index is faster).
            key: A pattern that keys must match.
            history: Include metrics that were superseded or retracted.

        Raises:
            NotFound: The revision does not exist.
        """
        notes = self._notes(subject, history=history)
        found = [Measured(note, note.event.remark.metric) for note in notes if note.event.remark.metric]
        return [each for each in found if fnmatchcase(each.metric.key, key)]

    def get(self, subject: str, key: str) -> Measured:
        """Return the metric of a key; if several people measured it, the latest.

        Raises:
            NotFound: The subject has no such metric; the error names the nearest key.
        """
        wanted = self._target(subject).subject
        there = [each for each in self.list(subject) if each.note.event.subject == wanted]
        found = [each for each in there if each.metric.key == key]
        if not found:
            keys = sorted({each.metric.key for each in there})
            hint = did_you_mean(key, keys, f"it has {', '.join(keys[:6]) or 'none'}")
            raise NotFound(f"{subject} has no metric {key!r}{hint}")
        return found[-1]


def _metric(key: str, value: Value | tuple[Value, str]) -> Metric:
    number, unit = value if isinstance(value, tuple) else (value, "")
    metric = Metric(key, number, unit)
    metric.check()
    check_unit(unit)
    return metric
