"""Which annotations are in force, and which were superseded or taken back: nothing is ever lost, only outdated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from blastgit.annotations.annotation import Annotation
from blastgit.annotations.flags import Flags, FlagState, flag_state
from blastgit.annotations.subjects import Subject


@dataclass(frozen=True, slots=True)
class AnnotationStatus:
    """An annotation as a reader meets it.

    Attributes:
        event: What was said, by whom, of what.
        state: "current", "superseded" or "retracted"; "retraction" for one that only takes others back.
        by: The id of the annotation that took its place, or "".
        origin: For whom it is shown: the subject itself, or the part, file or input of what was asked for.
        distance: How many steps back the input lies that it is about; 0 for what was asked for itself.
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
        said = self.event.to_json()
        remark = {key: said.get(key) for key in ("comment", "flag", "link", "attachment", "metric")}
        return {
            "id": said["id"], "time": said["time"], "user": said["user"], "actor": said["actor"],
            "subject": said["subject"], "as": said.get("as"), "subjects": self.event.subjects,
            **remark, "tags": list(self.event.remark.tags), "supersedes": list(self.event.remark.supersedes),
            "retract": self.event.remark.retract, "state": self.state, "superseded_by": self.by or None,
            "origin": self.origin or said["subject"], "distance": self.distance,
        }  # fmt: skip


def may_supersede(new: Annotation, old: Annotation) -> bool:
    """Whether one annotation may take the place of another, as far as the two themselves can tell."""
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
    """Return the flag that holds for each subject, or part of one, that some annotations are about."""
    groups: dict[Subject, list[Annotation]] = {}
    for note in notes:
        if note.is_current:
            groups.setdefault(note.event.subject, []).append(note.event)
    states = {subject: flag_state(events, flags) for subject, events in groups.items()}
    return {subject: state for subject, state in states.items() if state is not None}
