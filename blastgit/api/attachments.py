"""`repo.attachments` and `repo.metrics`: files and numbers attached to published data."""

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


class _AttachedData(Asked):
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


class Metrics(_AttachedData):
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


class Attachments(_AttachedData):
    """Files attached to revisions, files, runs and collections."""

    def add(  # noqa: PLR0913 (options that most calls omit)
        self,
        subject: str,
        file: str | Path,
        *,
        type: str = "",  # noqa: A002 (the name of the field)
        mime: str | None = None,
        comment: str = "",
        bot: bool = False,
        dry_run: bool = False,
    ) -> Annotated:
        """Attach a file: a small one goes to the branch `annotations`, a large one into the store.

        Args:
            subject: `2026dgt@1`, a part of it, a file of it, `run:NAME` or `collection:NAME`.
            file: The file.
            type: The kind of attachment, for example `qa_plot`.
            mime: Its MIME type; by default guessed from its name.
            comment: A comment stored with it.
            bot: Whether a program attaches it.
            dry_run: Check, but write nothing.

        Raises:
            InvalidInput: The file cannot be read, or cannot be an attachment.
            NotFound: The revision does not exist.
            Denied: The policy does not allow this user to attach it.
            Withdrawn: The same content was attached before and taken down.
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

    def _attach(  # noqa: PLR0913 (the attachment, its subject, and how to annotate)
        self, target: Target, attachment: Attachment, data: bytes, comment: str, *, bot: bool, dry_run: bool = False
    ) -> Annotated:
        remark = AnnotationBody(comment, attachment=attachment)
        events = make_events(self._repository, self._identity, [target], remark, is_bot=bot)
        words = f"Attach {attachment.name} to {target}".replace("revision:", "")
        return self._write(events, words, {attachment.path: data}, dry_run=dry_run)

    def list(
        self,
        subject: str | None = None,
        type: str = "*",  # noqa: A002 (the name of the field)
        *,
        history: bool = False,
    ) -> Sequence[Attached]:
        """Return attachments, oldest first.

        Args:
            subject: A revision with all its parts, a part or a file; None for the whole repo.
            type: A pattern that types must match.
            history: Include attachments that were superseded or retracted.

        Raises:
            NotFound: The revision does not exist.
        """
        notes = self._notes(subject, history=history)
        gone = {stone.sha256: str(stone) for stone in Withdrawals(self._repository).attachments()}
        pairs = ((note, note.event.remark.attachment) for note in notes)
        attached = [Attached(note, file, gone.get(file.sha256, "")) for note, file in pairs if file is not None]
        return [each for each in attached if fnmatchcase(each.attachment.type, type)]

    def read(self, attached: Attached) -> bytes:
        """Return the verified bytes of an attachment.

        Raises:
            NotFound: It does not exist in this repo.
            Withdrawn: It was taken down.
            DamagedData: The store lacks it, or holds other bytes.
        """
        return read(self._repository, Branch(self._repository), attached.attachment)


def _metric(key: str, value: Value | tuple[Value, str]) -> Metric:
    number, unit = value if isinstance(value, tuple) else (value, "")
    metric = Metric(key, number, unit)
    metric.check()
    check_unit(unit)
    return metric
