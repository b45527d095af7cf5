"""Adding annotations to the branch: in one commit however many subjects, and none of it unless all of it can be."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pygit2

from blastgit.annotations.branch import NAME, REF, read_lines, tip_of
from blastgit.annotations.event import ATTACHMENT_LIMIT, Attachment, Event, Remark, check_user, new_id
from blastgit.annotations.flags import Flags
from blastgit.annotations.resolve import Target, label
from blastgit.annotations.standing import may_supersede
from blastgit.annotations.subjects import Subject
from blastgit.edit import Edit, edit
from blastgit.errors import Denied, InvalidInput, NotFound, RepoError
from blastgit.guard.policy import current_identity, require
from blastgit.handle import Handle
from blastgit.plumbing.refs import RefMoved, RefUpdate
from blastgit.plumbing.trees import read_blob

ATTRIBUTES = b"* -text\n*.jsonl merge=union\n"
"""What `.gitattributes` of the branch says: git merges concurrent remarks by itself, and changes no line end."""

FILE_LIMIT = 16 * 1024 * 1024
"""Bytes of all that is said of one subject."""

_USER_VARIABLE, _USER_SETTING = "BLASTGIT_USER", "blastgit.user"


@dataclass(frozen=True)
class Annotated:
    """What came of an annotation.

    Attributes:
        ids: The ids of the annotations that are new.
        subjects: How many lines were added: one for each subject of each annotation.
        commit: The tip of the branch, which has them; None after a dry run.
        moved: What left which collection because of a flag, in words.
        waiting: Why a rule could not be applied, in words.
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
    """Lines that are to be added.

    Attributes:
        events: One for each line.
        subject: What the commit says.
        attachments: The bytes of attachments, by their path on the branch.
    """

    events: Sequence[Event]
    subject: str
    attachments: Mapping[str, bytes] = field(default_factory=dict)


def author_of(handle: Handle) -> str:
    """Return the name under which this user annotates: as set, or else the one that the policy knows them by.

    Raises:
        InvalidInput: The name that was set cannot be one.
    """
    setting = ""
    if _USER_SETTING in handle.git.config:
        setting = handle.git.config[_USER_SETTING] or ""
    return check_user(os.environ.get(_USER_VARIABLE) or setting or current_identity())


def make_events(
    handle: Handle, namespace: uuid.UUID, targets: Sequence[Target], remark: Remark, *, is_bot: bool
) -> list[Event]:
    """Return one annotation as the events of all its subjects."""
    user, moment = author_of(handle), _now(handle)
    flags: Flags = handle.settings.section("flags")
    flags.check(remark.check())
    is_bot = is_bot or flags.is_bot(user)
    first = Event("", moment, user, is_bot, targets[0].subject, remark)
    name = new_id(namespace, first, [str(target.subject) for target in targets])
    return [
        Event(name, moment, user, is_bot, target.subject, remark, target.seen_as, len(targets)) for target in targets
    ]


def _now(handle: Handle) -> datetime:
    """Return the time, to the microsecond unless the environment fixes it: it tells which of two remarks came later."""
    if os.environ.get("GIT_COMMITTER_DATE"):
        return datetime.fromtimestamp(handle.committer().time, UTC)
    return datetime.now(UTC)


def read_attachment(file: Path) -> tuple[Attachment, bytes]:
    """Read a file that is to be attached.

    Raises:
        InvalidInput: It cannot be read, is empty, or too large.
    """
    try:
        size = file.stat().st_size
        data = file.read_bytes() if 0 < size <= ATTACHMENT_LIMIT else b""
    except OSError as error:
        raise InvalidInput(f"{file} cannot be attached: {error.strerror}") from None
    attachment = Attachment(file.name, hashlib.sha256(data).hexdigest(), len(data) or size)
    Remark(attachment=attachment).check()
    return attachment, data


def write(handle: Handle, draft: Draft, *, dry_run: bool = False) -> Annotated:
    """Add lines to the branch in one commit; those that are there already are not added again.

    Raises:
        InvalidInput: A line breaks a rule; nothing was written.
        NotFound: What is to be superseded is not there.
        Denied: The policy does not let this be said, or not under this name.
        Busy: Others were not done with the branch in time.
        RepoError: The repo cannot be written, or not be reached.
    """
    _check_rights(handle, draft.events)
    _start(handle)
    added: list[Event] = []

    def decide(tip: pygit2.Commit | None) -> Edit | None:
        added.clear()
        files = _changed(handle, tip, draft, added)
        ids = tuple(dict.fromkeys(event.id for event in added))
        trailers = {"Annotation": ids[0] if len(ids) == 1 else None, "Lines": str(len(added))}
        return Edit(files, draft.subject, (), trailers) if added else None

    if dry_run:
        decide(tip_of(handle))
        commit = None
    else:
        commit = edit(handle, NAME, decide)
    return Annotated(tuple(dict.fromkeys(event.id for event in added)), len(added), commit)


def _check_rights(handle: Handle, events: Sequence[Event]) -> None:
    if not handle.is_here:
        return  # the hook there knows who pushes
    require(handle.settings, "annotator")
    who = current_identity()
    others = {event.user for event in events} - {who}
    if others and not handle.settings.policy.allows("relay", who):
        raise Denied(
            f"{who} cannot speak as {min(others)}: that takes the role 'relay' (who you are is what the policy goes by; "
            f"{_USER_VARIABLE} and git's {_USER_SETTING} name you for repos elsewhere)"
        )


def _start(handle: Handle) -> None:
    """In a clone that has no branch of its own yet, begin where the remote's is; see that nobody works on its files."""
    git = handle.git
    head = git.references.get("HEAD")
    if not git.is_bare and head is not None and head.target == REF:
        raise RepoError(
            f"the branch {NAME} is checked out in {handle.location}: check out another one (`git checkout main`), so "
            "that files do not change under your hands"
        )
    tip = tip_of(handle)
    if tip is not None and REF not in git.references:
        try:
            handle.move_refs([RefUpdate(REF, str(tip.id))], "blastgit: begin where the remote's annotations are")
        except RefMoved:
            pass  # somebody else began


def _changed(
    handle: Handle, tip: pygit2.Commit | None, draft: Draft, added: list[Event]
) -> dict[str, bytes | None]:
    """Return the new bytes of every file, and put into `added` what is new in them."""
    tree = None if tip is None else tip.tree
    files: dict[str, bytes | None] = {} if tree is not None and ".gitattributes" in tree else {".gitattributes": ATTRIBUTES}
    if tree is not None:
        _check_twins(tree, draft.events)
    old: dict[str, bytes] = {}
    lines: dict[str, list[bytes]] = {}
    for event in draft.events:
        path = event.subject.path
        if path not in old:
            old[path] = (read_blob(tree, path) if tree is not None else None) or b""
            lines[path] = []
        line = event.line()
        if line in lines[path] or b"\n" + line in b"\n" + old[path]:
            continue
        if event.remark.supersedes:
            check_supersedes(handle, event, old[path])
        lines[path].append(line)
        added.append(event)
    for path, new in lines.items():
        if new:
            files[path] = old[path] + b"".join(new)
            if len(files[path] or b"") > FILE_LIMIT:
                raise InvalidInput(f"more was said of {path} than the {FILE_LIMIT:,} bytes that one subject may have")
    for path, data in draft.attachments.items():
        if tree is None or read_blob(tree, path) is None:
            files[path] = data
    return files


def check_supersedes(handle: Handle, event: Event, before: bytes) -> None:
    """Check that an annotation may take the place of those that it names.

    Raises:
        NotFound: One of them is not about this subject.
        Denied: It is somebody else's, or a human's while a bot speaks.
    """
    known = {each.id: each for each in read_lines(before, event.subject.path)[0] if each.subject == event.subject}
    for name in event.remark.supersedes:
        old = known.get(name)
        if old is None:
            raise NotFound(f"{event.subject} has no annotation {name}: `blastgit notes --history` lists those there are")
        if not may_supersede(event, old):
            raise Denied(f"{name} is what {old.user} said: a bot does not override a human")
        if old.user != event.user:
            handle.settings.policy.check("curator", event.user)


def _check_twins(tree: pygit2.Tree, events: Sequence[Event]) -> None:
    """Check that no new file differs only in case from one that is there: a clone may not hold both.

    Raises:
        InvalidInput: One does.
    """
    folders: dict[str, dict[str, str]] = {}
    for subject in dict.fromkeys(event.subject for event in events):
        if subject.kind in ("file", "interval"):
            continue
        _check_twin(tree, subject, folders)


def _check_twin(tree: pygit2.Tree, subject: Subject, folders: dict[str, dict[str, str]]) -> None:
    folder = ""
    for name in subject.path.split("/"):
        if folder not in folders:
            try:
                entry = tree[folder] if folder else tree
            except KeyError:
                return
            folders[folder] = {child.name.casefold(): child.name for child in entry if child.name}
        twin = folders[folder].get(name.casefold(), name)
        if twin != name:
            raise InvalidInput(f"{subject} differs only in case from what was annotated as {twin.removesuffix('.jsonl')}")
        folder = f"{folder}/{name}".lstrip("/")


def message(verb: str, targets: Sequence[Target]) -> str:
    """Return the first line of a commit."""
    return f"{verb} {label(targets)}"
