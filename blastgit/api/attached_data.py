"""What attachments and metrics share: finding their subject, and reading and writing the annotations that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from blastgit.annotations.query import Query
from blastgit.annotations.resolve import Resolver, Target
from blastgit.annotations.states import AnnotationStatus
from blastgit.annotations.write import Annotated, Draft, write
from blastgit.errors import InvalidName
from blastgit.progress import Progress, silent
from blastgit.repository.base import Repository
from blastgit.repository.identity import repo_identity
from blastgit.repository.question import Asked

if TYPE_CHECKING:
    from uuid import UUID

    from blastgit.annotations.annotation import Annotation

_KINDS = ("revision", "file", "run", "collection")


class AttachedData(Asked):
    """Data attached to revisions, files, runs and collections by annotations."""

    def __init__(self, repository: Repository, progress: Progress = silent) -> None:
        """Open the attachments or metrics of a repo."""
        self._repository = repository
        self._progress = progress

    @cached_property
    def _identity(self) -> UUID:
        return repo_identity(self._repository)

    def _target(self, subject: str) -> Target:
        target = Resolver(self._repository).target(subject)
        if target.subject.kind not in _KINDS:
            raise InvalidName(
                f"{subject!r} cannot have attachments or metrics: write NAME@N for a revision, NAME@N:PATH for a file "
                "of it, run:NAME or collection:NAME"
            )
        return target

    def _notes(self, subject: str | None, *, history: bool) -> Iterator[AnnotationStatus]:
        """Yield the annotations of a revision with its parts and files, of another subject, or of all subjects."""
        query = Query(self._repository)
        if subject is None:
            notes: Iterator[AnnotationStatus] = query.all()
        else:
            target = self._target(subject).subject
            found = query.about(subject).notes if target.kind == "revision" else query.of(target)
            notes = (note for note in found if note.event.subject.kind in _KINDS)
        return (note for note in notes if history or note.is_current)

    def _write(
        self, events: Sequence[Annotation], subject: str, files: Mapping[str, bytes], *, dry_run: bool
    ) -> Annotated:
        if not events:
            return Annotated((), 0, None)
        return write(self._repository, Draft(events, subject, files), dry_run=dry_run)
