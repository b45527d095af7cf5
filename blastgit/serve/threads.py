"""What was said of something: its thread of annotations, as far as everybody may read it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from blastgit.errors import NotFound
from blastgit.naming.names import is_personal

if TYPE_CHECKING:
    from blastgit.annotations.states import AnnotationStatus
    from blastgit.api.repo import DataRepo


PUBLIC = "NOT starts_with(name, 'u/') AND (kind <> 'file' OR name[8:] IN (SELECT sha256 FROM files))"
"""The condition on rows of the index's `annotations` that says the same: a file is one of an official revision."""


def is_public(note: AnnotationStatus) -> bool:
    """Whether everybody may read an annotation: one of somebody's own line of work is their own matter."""
    name = note.event.subject.name
    return not (is_personal(name) or is_personal(note.event.seen_as))


def thread(repo: DataRepo, subject: str, *, history: bool = True) -> list[dict[str, Any]]:
    """Return all that was said of something, oldest first, with what was superseded."""
    try:
        notes = repo.annotations.about(subject).notes
    except NotFound:
        return []
    return shown(note for note in notes if history or note.is_current)


def shown(notes: Iterable[AnnotationStatus]) -> list[dict[str, Any]]:
    """Return annotations under stable keys, those that everybody may read."""
    return [{**note.to_json(), "is_current": note.is_current} for note in notes if is_public(note)]
