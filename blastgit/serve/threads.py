"""The threads of annotations of subjects, as far as they are public."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from blastgit.errors import NotFound
from blastgit.naming.names import is_personal

if TYPE_CHECKING:
    from blastgit.annotations.states import AnnotationStatus
    from blastgit.api.repo import DataRepo


PUBLIC = "NOT starts_with(name, 'u/') AND (kind <> 'file' OR name[8:] IN (SELECT sha256 FROM files))"
"""The same condition as `is_public`, on rows of `annotations` in the index; files must be of official revisions."""


def is_public(note: AnnotationStatus) -> bool:
    """Whether everybody may read an annotation: those on personal lines are private."""
    name = note.event.subject.name
    return not (is_personal(name) or is_personal(note.event.seen_as))


def thread(repo: DataRepo, subject: str, *, history: bool = True) -> list[dict[str, Any]]:
    """Return all public annotations on a subject, oldest first, by default with superseded ones."""
    try:
        notes = repo.annotations.about(subject).notes
    except NotFound:
        return []
    return shown(note for note in notes if history or note.is_current)


def shown(notes: Iterable[AnnotationStatus]) -> list[dict[str, Any]]:
    """Return the public ones of some annotations, under stable keys."""
    return [{**note.to_json(), "is_current": note.is_current} for note in notes if is_public(note)]
