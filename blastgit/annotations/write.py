"""Add annotations to the branch: one commit for all subjects, all or nothing."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pygit2

from blastgit.annotations.admit import Twins, check_authors, check_supersedes
from blastgit.annotations.annotation import Annotation, AnnotationBody, check_user, new_id
from blastgit.annotations.attachment import ATTACHMENT_LIMIT, Attachment
from blastgit.annotations.branch import NAME, REF, has_work_tree, read_lines, tip_of
from blastgit.annotations.flags import Flags
from blastgit.annotations.resolve import Target, label
from blastgit.errors import InvalidInput, RepoError
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.objects import find_ref
from blastgit.plumbing.ref_update import RefMoved, RefUpdate
from blastgit.plumbing.trees import read_blob
from blastgit.repository.base import Repository
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.policy import current_identity

ATTRIBUTES = b"* -text\n*.jsonl merge=union\n"
"""`.gitattributes` of the branch: git merges concurrent annotations by itself, and leaves line ends alone."""

FILE_LIMIT = 16 * 1024 * 1024
"""Most bytes of all annotations of one subject."""

_USER_VARIABLE, _USER_SETTING = "BLASTGIT_USER", "blastgit.user"


@dataclass(frozen=True)
class Annotated:
    """The result of annotating.

    Attributes:
        ids: The ids of the new annotations.
        subjects: How many lines were added: one for each subject of each annotation.
        commit: The tip of the branch with them; None after a dry run.
        moved: What left which collection because of a flag, as sentences.
        waiting: Why a rule could not be applied, as sentences.
    """

    ids: tuple[str, ...]
    subjects: int
    commit: str | None
    moved: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the result under its stable keys."""
        return {
            "ids": list(self.ids), "subjects": self.subjects, "commit": self.commit, "moved": list(self.moved),
            "waiting": list(self.waiting),
        }  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """Lines to be added.

    Attributes:
        events: One for each line.
        subject: The first line of the commit message.
        attachments: The bytes of attachments, by their path on the branch.
    """

    events: Sequence[Annotation]
    subject: str
    attachments: Mapping[str, bytes] = field(default_factory=dict)


def author_of(repository: Repository) -> str:
    """Return the name under which this user annotates: the configured one, else the name the policy uses.

    Raises:
        InvalidInput: The configured name is not valid.
    """
    setting = ""
    if _USER_SETTING in repository.git.config:
        setting = repository.git.config[_USER_SETTING] or ""
    return check_user(os.environ.get(_USER_VARIABLE) or setting or current_identity())


def make_events(
    repository: Repository, namespace: uuid.UUID, targets: Sequence[Target], remark: AnnotationBody, *, is_bot: bool
) -> list[Annotation]:
    """Return one annotation as one line for each of its subjects."""
    user, moment = author_of(repository), now(repository)
    flags = Flags.of(repository.settings)
    flags.check(remark.check())
    is_bot = is_bot or flags.is_bot(user)
    first = Annotation("", moment, user, is_bot, targets[0].subject, remark)
    name = new_id(namespace, first, [str(target.subject) for target in targets])
    return [
        Annotation(name, moment, user, is_bot, target.subject, remark, target.seen_as, len(targets))
        for target in targets
    ]


def now(repository: Repository) -> datetime:
    """Return the time, to the microsecond (unless the environment sets it) so that annotations can be ordered."""
    if os.environ.get("GIT_COMMITTER_DATE"):
        return datetime.fromtimestamp(repository.committer().time, UTC)
    return datetime.now(UTC)


def read_attachment(file: Path) -> tuple[Attachment, bytes]:
    """Read a file to be attached.

    Raises:
        InvalidInput: It cannot be read, is empty, or too large.
    """
    try:
        size = file.stat().st_size
        data = file.read_bytes() if 0 < size <= ATTACHMENT_LIMIT else b""
    except OSError as error:
        raise InvalidInput(f"{file} cannot be attached: {error.strerror}") from None
    attachment = Attachment(file.name, hashlib.sha256(data).hexdigest(), len(data) or size)
    AnnotationBody(attachment=attachment).check()
    return attachment, data


def write(repository: Repository, draft: Draft, *, dry_run: bool = False) -> Annotated:
    """Add lines to the branch in one commit, except those already there.

    Raises:
        InvalidInput: A line breaks a rule; nothing was written.
        NotFound: An annotation to be superseded does not exist.
        Denied: The policy forbids it, or forbids it under this name.
        Busy: Others held the branch for too long.
        RepoError: The repo cannot be written or reached.
    """
    _check_rights(repository, draft.events)
    if not dry_run:
        start(repository)
    added: list[Annotation] = []

    def decide(tip: pygit2.Commit | None) -> BranchEdit | None:
        added.clear()
        files = _changed(repository, tip, draft, added)
        ids = tuple(dict.fromkeys(event.id for event in added))
        trailers = {Trailer.ANNOTATION: ids[0] if len(ids) == 1 else None, Trailer.LINES: str(len(added))}
        return BranchEdit(files, draft.subject, (), trailers) if added else None

    if dry_run:
        decide(tip_of(repository))
        commit = None
    else:
        commit = commit_to_branch(repository, NAME, decide)
    return Annotated(tuple(dict.fromkeys(event.id for event in added)), len(added), commit)


def _check_rights(repository: Repository, events: Sequence[Annotation]) -> None:
    """Apply the policy in the data repo itself; annotations in a clone are checked when they are pushed."""
    hooks = repository.path / "hooks"
    is_clone = not any((hooks / name).exists() for name in ("pre-receive", "pre-receive.d/blastgit"))
    if repository.is_here and not is_clone and not repository.settings.policy.is_open:
        check_authors(repository.settings.policy, current_identity(), {event.user for event in events})


def start(repository: Repository) -> None:
    """In a clone without its own branch, start from the remote's; refuse if the branch is checked out."""
    git = repository.git
    head = find_ref(git, "HEAD")
    if has_work_tree(repository) and head is not None and head.target == REF:
        raise RepoError(
            f"the branch {NAME} is checked out in {repository.location}: check out another one (`git checkout main`), "
            "so that files do not change under your hands"
        )
    tip = tip_of(repository)
    if tip is not None and repository.reference(REF) is None:
        with suppress(RefMoved):  # somebody else just created it
            repository.update_refs([RefUpdate(REF, str(tip.id))], "blastgit: begin where the remote's annotations are")


def _changed(
    repository: Repository, tip: pygit2.Commit | None, draft: Draft, added: list[Annotation]
) -> dict[str, bytes | None]:
    """Return the new bytes of every changed file, and append the new annotations to `added`."""
    tree = None if tip is None else tip.tree
    files: dict[str, bytes | None] = (
        {} if tree is not None and ".gitattributes" in tree else {".gitattributes": ATTRIBUTES}
    )
    twins, subjects = Twins(tree), dict[str, _File]()
    for event in draft.events:
        path = event.subject.path
        if path not in subjects:
            twins.check(event.subject)
            subjects[path] = _File(path, (read_blob(tree, path) if tree is not None else None) or b"")
        if subjects[path].add(repository, event):
            added.append(event)
    files |= {path: file.data for path, file in subjects.items() if file.is_changed}
    have = {path for path in draft.attachments if tree is not None and path in tree}
    files |= {path: data for path, data in draft.attachments.items() if path not in have}
    wanted = {event.remark.attachment for event in added if event.remark.attachment}
    for attachment in wanted:
        if attachment.path not in files and (tree is None or attachment.path not in tree):
            raise InvalidInput(
                f"the attachment {attachment.name} is not here: take in JSON lines, which bring it along"
            )
    return files


class _File:
    """The annotations of one subject and its parts, and those to be added."""

    def __init__(self, path: str, data: bytes) -> None:
        self._path = path
        self._before = data
        self._new: list[Annotation] = []
        self._lines: set[bytes] = set()

    @property
    def is_changed(self) -> bool:
        return bool(self._new)

    @property
    def data(self) -> bytes:
        data = self._before + b"".join(event.line() for event in self._new)
        if len(data) > FILE_LIMIT:
            raise InvalidInput(f"more was said of {self._path} than the {FILE_LIMIT:,} bytes that one subject may have")
        return data

    def add(self, repository: Repository, event: Annotation) -> bool:
        """Add an annotation unless it is already there; return whether it is new."""
        if f'"id":"{event.id}"'.encode() in self._before and any(_same(event, each) for each in self._known):
            return False
        if event.line() in self._lines:
            return False
        if event.remark.supersedes:
            check_supersedes(repository.settings.policy, current_identity(), event, [*self._known, *self._new])
        self._lines.add(event.line())
        self._new.append(event)
        return True

    @cached_property
    def _known(self) -> list[Annotation]:
        return read_lines(self._before, self._path)[0]


def _same(new: Annotation, old: Annotation) -> bool:
    """Whether two annotations are the same.

    Raises:
        InvalidInput: They share an id but differ in content.
    """
    if (new.id, new.subject) != (old.id, old.subject):
        return False
    if (new.user, new.remark) != (old.user, old.remark):
        raise InvalidInput(f"{new.subject} has an annotation {new.id} already, with different content")
    return True


def message(verb: str, targets: Sequence[Target]) -> str:
    """Return the first line of a commit."""
    return f"{verb} {label(targets)}"
