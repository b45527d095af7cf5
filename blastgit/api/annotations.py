"""`repo.annotations`: what people and bots say about data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.annotations.annotation import AnnotationBody
from blastgit.annotations.branch import Branch
from blastgit.annotations.flags import Flags
from blastgit.annotations.query import Filter, Notes, Query
from blastgit.annotations.resolve import Resolver, Target
from blastgit.annotations.states import AnnotationStatus, flags_of
from blastgit.annotations.subjects import read_subject
from blastgit.annotations.write import Annotated, Draft, make_events, message, read_attachment, write
from blastgit.errors import InvalidName, NotFound, UsageError
from blastgit.repository.base import Repository
from blastgit.repository.identity import repo_identity
from blastgit.repository.question import Asked

if TYPE_CHECKING:
    from uuid import UUID

    from blastgit.annotations.flags import FlagState
    from blastgit.annotations.subjects import Subject
    from blastgit.annotations.sync import Synced
    from blastgit.repository.policy import Policy


class Annotations(Asked):
    """The annotations of a data repo."""

    def __init__(self, repository: Repository) -> None:
        """Open the annotations of a repo."""
        self._repository = repository

    @cached_property
    def identity(self) -> UUID:
        """The UUID from which the ids of subjects and annotations are derived (UUIDv5)."""
        return repo_identity(self._repository)

    @property
    def vocabulary(self) -> Flags:
        """The flags and tags of this data repo, from the section `flags` of `blastgit.yaml`."""
        return Flags.of(self._repository.settings)

    @property
    def policy(self) -> Policy:
        """Who may annotate what, according to the settings on main."""
        return self._repository.settings.policy

    def add(  # noqa: PLR0913 (the annotation, its subjects, and four options that most calls omit)
        self,
        subjects: Sequence[str],
        remark: AnnotationBody,
        *,
        attach: Path | None = None,
        bot: bool = False,
        announce: bool = False,
        dry_run: bool = False,
    ) -> Annotated:
        """Annotate one or more subjects in one commit.

        Args:
            subjects: What to annotate; empty to take the subjects of the annotations it supersedes. `2026dgt@1`,
                `2026dgt@1:cutout_cdn/DES/DES_z.fits` (that content, wherever it occurs), `2026dgt@1:host.redshift`,
                `2026dgt` (the transient), `run:NAME`, `collection:NAME`, `interval:BEGIN/END`, `host:KEY`,
                `filter:DES_z` or `r/model/sbi-global@2` (a reference).
            remark: The annotation's body.
            attach: A file to attach.
            bot: Whether a program makes the annotation.
            announce: Accept transients and hosts that are not in this repo yet.
            dry_run: Check, but write nothing.

        Raises:
            InvalidInput: The annotation or a subject is invalid; nothing was written.
            NotFound: A subject, or an annotation to supersede, does not exist.
            Denied: The policy does not allow this user to make it.
        """
        attachments = {}
        if attach is not None:
            attachment, data = read_attachment(attach)
            remark = replace(remark, attachment=attachment)
            attachments[attachment.path] = data
        self.vocabulary.check(remark.check())
        resolver = Resolver(self._repository, announce=announce)
        targets = resolver.targets(subjects) if subjects else self._superseded(remark)
        events = make_events(self._repository, self.identity, targets, remark, is_bot=bot)
        verb = f"Flag as {remark.flag}:" if remark.flag else "Retract on" if remark.retract else "Annotate"
        done = write(self._repository, Draft(events, message(verb, targets), attachments), dry_run=dry_run)
        return done if dry_run else self._steered(done, [event.subject for event in events if event.remark.flag])

    def about(self, subject: str, *, inherited: bool = False) -> Notes:
        """Return all annotations of a subject, including superseded ones; see `Filter` to select.

        Args:
            subject: As for `add`.
            inherited: Include annotations of the inputs that were actually used, with origin and distance.

        Raises:
            NotFound: The subject does not exist.
        """
        return Query(self._repository).about(subject, inherited=inherited)

    def list(self, chosen: Filter | None = None) -> Notes:
        """Return the annotations of all subjects that pass a filter."""
        query = Query(self._repository)
        notes = list(query.all())
        states = flags_of(notes, query.flags)
        return Notes("", tuple(filter((chosen or Filter()).admits, notes)), states, unread=query.branch.unread)

    def flags(self) -> dict[Subject, FlagState]:
        """Return the flag that holds for each subject that has one."""
        query = Query(self._repository)
        return flags_of(query.all(), query.flags)

    def flag_of(self, revision: str) -> str | None:
        """Return the flag of a revision, `2026dgt@1`, in words; None if it has none or it is not available here."""
        from blastgit.annotations.flag_lookup import FlagLookup

        try:
            name, number = read_subject(f"revision:{revision}").revision
        except InvalidName:
            return None  # the state that a stage left is not a revision
        return FlagLookup(self._repository).of_revision(name, number)

    def take_in(self, data: bytes, *, dry_run: bool = False) -> Annotated:
        """Add annotations that were exported as JSON lines or ECSV, or a list from another source, in one commit.

        Existing annotations are not added again. Adding annotations by other users takes the role `relay`.

        Raises:
            InvalidInput: A row is not valid; nothing was written.
            NotFound: A subject does not exist.
            Denied: The policy does not allow this user to add annotations by others.
        """
        from blastgit.annotations.exchange import read_in

        draft = read_in(self._repository, self.identity, data)
        done = write(self._repository, draft, dry_run=dry_run)
        return done if dry_run else self._steered(done, [event.subject for event in draft.events if event.remark.flag])

    def export(self, notes: Sequence[AnnotationStatus] | None = None, form: str = "jsonl") -> bytes:
        """Return annotations as text, keyed by ids that stay the same wherever they are imported.

        Args:
            notes: The annotations; by default all, including superseded ones.
            form: "jsonl", which includes attachments, or "ecsv", a table.
        """
        from blastgit.annotations.exchange import export

        chosen = self.list(Filter(history=True)).notes if notes is None else notes
        return export(self._repository, chosen, self.identity, form)

    def sync(self, remote: str = "origin", *, dry_run: bool = False) -> Synced:
        """Fetch the annotations of another repo, merge them with ours, and push those it lacks.

        Args:
            remote: A remote of this clone, a folder or a URL.
            dry_run: Count, but change nothing.

        Raises:
            Denied: The other repo rejects ours.
            RepoError: The other repo cannot be reached.
        """
        from blastgit.annotations.sync import sync

        return sync(self._repository, remote, dry_run=dry_run)

    def apply_rules(self, *, dry_run: bool = False) -> Annotated:
        """Apply the rules of `blastgit.yaml` to all current flags: bad data leave the collections that a rule names.

        Raises:
            Denied: The policy does not allow this user to change a collection.
        """
        from blastgit.collections.steer import steer

        moved, waiting = steer(self._repository, self.flags(), dry_run=dry_run)
        return Annotated((), 0, None, moved, waiting)

    def _steered(self, done: Annotated, flagged: Sequence[Subject]) -> Annotated:
        """Apply the rules to the subjects that have just been flagged."""
        if not flagged or not self.vocabulary.rules:
            return done
        from blastgit.collections.steer import steer

        states = self.flags()
        moved, waiting = steer(self._repository, {each: states[each] for each in flagged if each in states})
        return replace(done, moved=moved, waiting=waiting)

    def attachment(self, name: str) -> tuple[str, bytes]:
        """Return the name and the bytes of the attachment of an annotation.

        Args:
            name: The annotation's id.

        Raises:
            NotFound: The annotation does not exist, or it has no attachment.
        """
        notes = list(self._with_id(name))
        _check_one(name, notes)
        attached = notes[0].event.remark.attachment if notes else None
        if attached is None:
            raise NotFound(f"there is no annotation {name} with an attachment in {self._repository.location}")
        from blastgit.annotations.attachment_store import read

        return attached.name, read(self._repository, Branch(self._repository), attached)

    def _superseded(self, remark: AnnotationBody) -> Sequence[Target]:
        """Return the subjects of the annotations that a new one supersedes."""
        if not remark.supersedes:
            raise UsageError("what is the annotation about? Name at least one subject")
        found: dict[str, dict[Subject, Target]] = {name: {} for name in remark.supersedes}
        notes = [note for note in Query(self._repository).all() if note.event.id in found]
        for note in notes:
            found[note.event.id][note.event.subject] = Target(note.event.subject, note.event.seen_as)
        for name, targets in found.items():
            _check_one(name, [note for note in notes if note.event.id == name])
            if not targets:
                raise NotFound(f"there is no annotation {name} in {self._repository.location}")
            if targets.keys() != found[remark.supersedes[0]].keys():
                raise UsageError(f"{name} and {remark.supersedes[0]} have different subjects: name the subjects")
        return list(found[remark.supersedes[0]].values())

    def _with_id(self, name: str) -> Iterator[AnnotationStatus]:
        return (note for note in Query(self._repository).all() if note.event.id == name)


def _check_one(name: str, notes: Sequence[AnnotationStatus]) -> None:
    """Check that an id stands for one annotation: the hook compares ids only within a subject.

    Raises:
        UsageError: Annotations of different subjects share the id.
    """
    annotations = {(note.event.user, note.event.time) for note in notes}
    if len(annotations) > 1:
        about = ", ".join(sorted({str(note.event.subject) for note in notes})[:3])
        raise UsageError(f"{name} is the id of {len(annotations)} annotations, about {about}: name the subject")
