"""Which annotations are in force, and which were superseded or retracted; outdated ones are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from blastgit.annotations.annotation import Annotation
from blastgit.annotations.flags import Flags, FlagState, flag_state
from blastgit.annotations.subjects import Subject


@dataclass(frozen=True, slots=True)
class AnnotationStatus:
    """An annotation, its state, and why it is shown.

    Attributes:
        event: The annotation.
        state: "current", "superseded" or "retracted"; "retraction" for one that only retracts others.
        by: The id of the annotation that superseded it, or "".
        origin: What it is shown for: the subject itself, or a part, file or input of the subject asked for.
        distance: If it is about an input, how many steps back that is; 0 for the subject itself.
    """

    event: Annotation
    state: str = "current"
    by: str = ""
    origin: str = ""
    distance: int = 0

    @property
    def is_current(self) -> bool:
        """Whether it is in force."""
        return self.state == "current"

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        event = self.event.to_json()
        body = {key: event.get(key) for key in ("comment", "flag", "link", "attachment", "metric")}
        return {
            "id": event["id"], "time": event["time"], "user": event["user"], "actor": event["actor"],
            "subject": event["subject"], "as": event.get("as"), "subjects": self.event.subjects,
            **body, "tags": list(self.event.remark.tags), "supersedes": list(self.event.remark.supersedes),
            "retract": self.event.remark.retract, "state": self.state, "superseded_by": self.by or None,
            "origin": self.origin or event["subject"], "distance": self.distance,
        }  # fmt: skip


def may_supersede(new: Annotation, old: Annotation) -> bool:
    """Whether one annotation may supersede another, leaving aside the policy: a bot never supersedes a human."""
    return new.subject == old.subject and (old.is_bot or not new.is_bot)


def annotation_states(events: Sequence[Annotation]) -> list[AnnotationStatus]:
    """Return the annotations of one subject and its parts, oldest first, each with its state."""
    by_id = {(event.id, event.subject): event for event in events}
    outdated: dict[tuple[str, Subject], Annotation] = {}
    for event in events:
        for each in event.remark.supersedes:
            old = by_id.get((each, event.subject))
            if old is not None and old is not event and may_supersede(event, old):
                outdated[each, event.subject] = event
    notes = []
    for event in events:
        by = outdated.get((event.id, event.subject))
        if by is not None:
            notes.append(AnnotationStatus(event, "retracted" if by.remark.retract else "superseded", by.id))
        else:
            notes.append(AnnotationStatus(event, "retraction" if event.remark.retract else "current"))
    return notes


def flags_of(notes: Iterable[AnnotationStatus], flags: Flags) -> dict[Subject, FlagState]:
    """Return the flag that holds for each subject, or part of one, of some annotations."""
    groups: dict[Subject, list[Annotation]] = {}
    for note in notes:
        if note.is_current:
            groups.setdefault(note.event.subject, []).append(note.event)
    states = {subject: flag_state(events, flags) for subject, events in groups.items()}
    return {subject: state for subject, state in states.items() if state is not None}
