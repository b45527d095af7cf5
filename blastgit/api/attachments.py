"""`repo.attachments` and `repo.metrics`: files and numbers that belong to data and are no part of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.annotations.annotation import AnnotationBody
from blastgit.annotations.attached import Attached, Measured
from blastgit.annotations.attachment import Attachment
from blastgit.annotations.attachment_store import keep, plan, read, refuse_withdrawn
from blastgit.annotations.branch import Branch
from blastgit.annotations.metric import Metric, Value, check_unit
from blastgit.annotations.query import Query
from blastgit.annotations.resolve import Resolver, Target
from blastgit.annotations.states import AnnotationStatus
from blastgit.annotations.write import Annotated, Draft, author_of, make_events, write
from blastgit.errors import InvalidName, NotFound
from blastgit.naming.nearest import did_you_mean
from blastgit.plumbing.turnstile import publishing
from blastgit.progress import Progress, silent
from blastgit.repository.base import Repository
from blastgit.repository.identity import repo_identity
from blastgit.repository.question import Asked
from blastgit.repository.tombstones import Withdrawals

if TYPE_CHECKING:
    from uuid import UUID

    from blastgit.annotations.annotation import Annotation

_KINDS = ("revision", "file", "run", "collection")


class _Room(Asked):
    def __init__(self, repository: Repository, progress: Progress = silent) -> None:
        """Open it."""
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
        """Yield the remarks on a revision with its parts and files, on another subject, or on all."""
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


class Metrics(_Room):
    """Numbers that were measured of revisions, files, runs and collections."""

    def put(
        self,
        subject: str,
        values: Mapping[str, Value | tuple[Value, str]],
        *,
        comment: str = "",
        bot: bool = False,
        dry_run: bool = False,
    ) -> Annotated:
        """Record metrics in one commit; what this user said of the same keys before is superseded.

        Args:
            subject: `2026dgt@1`, a part of it (`2026dgt@1:sed/global`), a file of it, `run:NAME` or `collection:NAME`.
            values: Each value, or value and unit, by key; what is recorded already is not recorded again.
            comment: Words that go with each.
            bot: Whether a program says it.
            dry_run: Check, and write nothing.

        Raises:
            InvalidInput: A key, value or unit cannot be kept; nothing was written.
            NotFound: There is no such revision.
            Denied: The policy does not let this user say it.
        """
        metrics = [_metric(key, value) for key, value in values.items()]
        target = self._target(subject)
        user = author_of(self._repository)
        own: dict[str, list[AnnotationStatus]] = {}
        for note in Query(self._repository).of(target.subject):
            event, said = note.event, note.event.remark.metric
            if said and note.is_current and (event.subject, event.user) == (target.subject, user):
                own.setdefault(said.key, []).append(note)
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
            subject: The revision with all in it, the part or the file; None for all of the repo (many are found faster
                in the table `metrics` of the index).
            key: A pattern of keys.
            history: Also those that were superseded or taken back.

        Raises:
            NotFound: There is no such revision.
        """
        notes = self._notes(subject, history=history)
        found = [Measured(note, note.event.remark.metric) for note in notes if note.event.remark.metric]
        return [each for each in found if fnmatchcase(each.metric.key, key)]

    def get(self, subject: str, key: str) -> Measured:
        """Return the metric of a key; if several people measured it, the latest.

        Raises:
            NotFound: There is none; the error names the nearest.
        """
        wanted = self._target(subject).subject
        there = [each for each in self.list(subject) if each.note.event.subject == wanted]
        found = [each for each in there if each.metric.key == key]
        if not found:
            keys = sorted({each.metric.key for each in there})
            hint = did_you_mean(key, keys, f"it has {', '.join(keys[:6]) or 'none'}")
            raise NotFound(f"{subject} has no metric {key!r}{hint}")
        return found[-1]


class Attachments(_Room):
    """Files that belong to revisions, files of theirs, runs and collections."""

    def add(  # noqa: PLR0913 (each is one thing that most calls leave out)
        self,
        subject: str,
        file: str | Path,
        *,
        type: str = "",  # noqa: A002 (what it is called)
        mime: str | None = None,
        comment: str = "",
        bot: bool = False,
        dry_run: bool = False,
    ) -> Annotated:
        """Attach a file: a small one goes on the branch `annotations`, a large one into the store.

        Args:
            subject: `2026dgt@1`, a part of it, a file of it, `run:NAME` or `collection:NAME`.
            file: The file.
            type: What kind of thing it is, `qa_plot`.
            mime: Its MIME type; by default what its name says.
            comment: Words that go with it.
            bot: Whether a program says it.
            dry_run: Check, and write nothing.

        Raises:
            InvalidInput: It cannot be read or kept.
            NotFound: There is no such revision.
            Denied: The policy does not let this user say it.
            Withdrawn: The same content was attached before, and taken down.
            StoreError: The store fails.
        """
        target = self._target(subject)
        attachment, data = plan(Path(file), type, mime)
        refuse_withdrawn(self._repository, attachment)
        known = [note for note in Query(self._repository).of(target.subject) if note.event.subject == target.subject]
        if any(note.is_current and note.event.remark.attachment == attachment for note in known):
            return Annotated((), 0, None)
        if not attachment.stored or dry_run:
            return self._attach(target, attachment, data, comment, bot=bot, dry_run=dry_run)
        with publishing(self._repository.guarded_folders):
            data = keep(self._repository, Path(file), attachment, self._progress)
            return self._attach(target, attachment, data, comment, bot=bot)

    def _attach(  # noqa: PLR0913 (what, where to, and how it is said)
        self, target: Target, attachment: Attachment, data: bytes, comment: str, *, bot: bool, dry_run: bool = False
    ) -> Annotated:
        remark = AnnotationBody(comment, attachment=attachment)
        events = make_events(self._repository, self._identity, [target], remark, is_bot=bot)
        words = f"Attach {attachment.name} to {target}".replace("revision:", "")
        return self._write(events, words, {attachment.path: data}, dry_run=dry_run)

    def list(
        self,
        subject: str | None = None,
        type: str = "*",  # noqa: A002 (what it is called)
        *,
        history: bool = False,
    ) -> Sequence[Attached]:
        """Return attachments, oldest first.

        Args:
            subject: The revision with all in it, the part or the file; None for all of the repo.
            type: A pattern of types.
            history: Also those that were superseded or taken back.

        Raises:
            NotFound: There is no such revision.
        """
        notes = self._notes(subject, history=history)
        gone = {stone.sha256: str(stone) for stone in Withdrawals(self._repository).attachments()}
        said = ((note, note.event.remark.attachment) for note in notes)
        found = [Attached(note, one, gone.get(one.sha256, "")) for note, one in said if one is not None]
        return [each for each in found if fnmatchcase(each.attachment.type, type)]

    def read(self, attached: Attached) -> bytes:
        """Return the bytes of an attachment, checked.

        Raises:
            NotFound: It is not here.
            Withdrawn: It was taken down.
            DamagedData: The store lacks it, or it is not what was attached.
        """
        return read(self._repository, Branch(self._repository), attached.attachment)


def _metric(key: str, value: Value | tuple[Value, str]) -> Metric:
    number, unit = value if isinstance(value, tuple) else (value, "")
    metric = Metric(key, number, unit)
    metric.check()
    check_unit(unit)
    return metric
