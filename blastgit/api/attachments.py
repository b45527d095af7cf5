"""`repo.attachments`: files attached to published data."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from blastgit.annotations.annotation import AnnotationBody
from blastgit.annotations.attached import Attached
from blastgit.annotations.attachment import Attachment
from blastgit.annotations.attachment_store import keep, plan, read, refuse_withdrawn
from blastgit.annotations.branch import Branch
from blastgit.annotations.query import Query
from blastgit.annotations.resolve import Target
from blastgit.annotations.write import Annotated, make_events
from blastgit.api.attached_data import AttachedData
from blastgit.plumbing.turnstile import publishing
from blastgit.repository.tombstones import Withdrawals


class Attachments(AttachedData):
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
