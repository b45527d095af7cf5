"""Metrics and attachments as facts about a revision: who recorded them, when, and whether they are in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from blastgit.annotations.attachment import Attachment
from blastgit.annotations.metric import Metric
from blastgit.annotations.states import AnnotationStatus
from blastgit.annotations.subjects import instant_text


@dataclass(frozen=True, slots=True)
class AnnotatedFact:
    """A metric or an attachment, as somebody recorded it.

    Attributes:
        note: The annotation that has it.
    """

    note: AnnotationStatus

    @property
    def id(self) -> str:
        """The annotation's id."""
        return self.note.event.id

    @property
    def subject(self) -> str:
        """What it is about: `2026dgt@1`, or a file by the path that the user gave."""
        event = self.note.event
        return event.seen_as or str(event.subject).removeprefix("revision:")

    @property
    def user(self) -> str:
        """Who recorded it."""
        return self.note.event.user

    @property
    def time(self) -> datetime:
        """When (UTC)."""
        return self.note.event.time

    def _facts(self) -> dict[str, Any]:
        event = self.note.event
        return {
            "subject": self.subject, "id": event.id, "time": instant_text(event.time), "user": event.user,
            "actor": "bot" if event.is_bot else "human", "comment": event.remark.comment or None,
            "state": self.note.state, "superseded_by": self.note.by or None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured(AnnotatedFact):
    """A metric.

    Attributes:
        metric: Key, value and unit.
    """

    metric: Metric

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        metric = self.metric
        return {"key": metric.key, "value": metric.value, "unit": metric.unit or None, **self._facts()}


@dataclass(frozen=True, slots=True)
class Attached(AnnotatedFact):
    """An attachment.

    Attributes:
        attachment: Name, checksum, size, type.
        withdrawn: If it was withdrawn: when, by whom and why.
    """

    attachment: Attachment
    withdrawn: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        one = self.attachment
        return {
            "name": one.name, "sha256": one.sha256, "bytes": one.size, "type": one.type or None,
            "mime": one.mime or None, "stored": one.stored,
            "withdrawn": self.withdrawn or None, **self._facts(),
        }  # fmt: skip
