"""Check pushes to the branch `annotations`: users add lines in their own name, and no line is ever removed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

import pygit2

from blastgit.annotations.admit import Twins, check_authors, check_identity, check_supersedes
from blastgit.annotations.annotation import LINE_LIMIT, Annotation, read_strictly
from blastgit.annotations.attachment import ATTACHMENT_LIMIT, Attachment
from blastgit.annotations.branch import read_lines
from blastgit.annotations.flags import Flags
from blastgit.annotations.subjects import KINDS
from blastgit.annotations.write import FILE_LIMIT
from blastgit.errors import BlastgitError, Denied
from blastgit.guard.new_commits import Step, steps
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.trees import changed_files
from blastgit.naming.paths import check_path
from blastgit.naming.refs import Change, tag_ref
from blastgit.plumbing.trees import blob_data, flatten, read_blob
from blastgit.store.pointer import Pointer, read_pointer

ATTRIBUTES = ".gitattributes"
_ATTRIBUTES = re.compile(r"(?:#.*|\*(?:\.jsonl)?(?: (?:merge=union|-?text|text=auto|eol=lf|-?diff))+)?")
_ATTACHMENT = re.compile(r"attachment/(?P<begin>[0-9a-f]{2})/(?P<rest>[0-9a-f]{62})(?P<pointer>\.dvc)?")
_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')  # as written in canonical JSON
_POINTER_LIMIT = 4096  # bytes
_AHEAD = timedelta(hours=1)  # tolerance for wrong clocks


def check_annotations(repo: Quarantine, change: Change, who: str, coming: Collection[str] = ()) -> dict[Pointer, str]:
    """Check a push to the branch; return the pointers to large attachments with their paths.

    Args:
        repo: The data repo.
        change: The old and new tip of the branch.
        who: The user who pushes.
        coming: The refs of the same push, for annotations of revisions that come with it.

    Raises:
        Denied: A line is not allowed; the error names the file and line.
    """
    check = _Check(repo, who, coming, change.old)
    for step in steps(repo, change, "its commit"):
        try:
            check.step(step)
        except BlastgitError as error:
            raise Denied(str(error) if str(step.commit.id) == change.new else f"{step}: {error}") from None
    if change.old is not None:
        _check_ids(repo, repo.commit(change.old, "its commit").tree, check.new)
    return check.wanted


def _check_ids(repo: Quarantine, old: pygit2.Tree, new: Mapping[str, Annotation]) -> None:
    """Check that no new annotation has the id of an older one, in any file."""
    for path, blob in flatten(old) if new else ():
        data = blob_data(repo.git, blob) if path.endswith(".jsonl") else b""
        if not any(name.decode() in new for name in _ID.findall(data)):
            continue
        for known in read_lines(data, path)[0]:
            if known.id in new:
                check_identity(new[known.id], [known])


class _Check:
    """The check of one push, commit by commit, file by file."""

    def __init__(self, repo: Quarantine, who: str, coming: Collection[str], old: str | None) -> None:
        self._repo = repo
        self._who = who
        self._coming = coming
        self._flags = Flags.of(repo.settings)
        self._twins = Twins(None if old is None else repo.commit(old, "its commit").tree)
        self._latest = datetime.now(UTC) + _AHEAD
        self.new: dict[str, Annotation] = {}
        self.wanted: dict[Pointer, str] = {}

    def step(self, step: Step) -> None:
        """Check one commit: nothing of any parent is lost, and what no parent has is valid."""
        trees: list[pygit2.Oid | None] = [parent.tree_id for parent in step.parents]
        trees = trees or [None]
        differing: dict[str, list[pygit2.Oid | None]] = {}
        after: dict[str, pygit2.Oid] = {}
        for tree in trees:
            for path, before, now in changed_files(self._repo, tree, step.commit.tree_id):
                self.name(path)
                if now is None:
                    raise Denied(f"{path} would go: annotations are only ever added; withdraw one by adding another")
                differing.setdefault(path, []).append(before)
                after[path] = now
        for path, befores in differing.items():
            try:
                self.file(path, befores, after[path], step.commit.tree, is_new=len(befores) == len(trees))
            except BlastgitError as error:
                raise Denied(f"{path}: {error}") from None

    def name(self, path: str) -> None:
        """Check that the branch may have a file with this name."""
        if path == ATTRIBUTES or _ATTACHMENT.fullmatch(path):
            return
        if not path.endswith(".jsonl") or path.split("/", maxsplit=1)[0] not in KINDS or "/" not in path:
            places = "/, ".join(KINDS)
            raise Denied(f"{path!r} has no place here: only *.jsonl below {places}/, and attachment/")
        try:
            check_path(path)
        except BlastgitError as error:
            raise Denied(str(error)) from None

    def file(
        self, path: str, befores: list[pygit2.Oid | None], after: pygit2.Oid, tree: pygit2.Tree, *, is_new: bool
    ) -> None:
        """Check a file.

        Args:
            path: Its path.
            befores: Its old versions, in the parents where it differs.
            after: Its new version.
            tree: All files of the commit.
            is_new: Whether it differs from every parent's.
        """
        if path == ATTRIBUTES:
            _check_attributes(self._repo.blob(after, FILE_LIMIT))
        elif (match := _ATTACHMENT.fullmatch(path)) and match["pointer"]:
            self._pointer(path, befores, after)
        elif match:
            data = self._repo.blob(after, ATTACHMENT_LIMIT)
            if hashlib.sha256(data).hexdigest() != match["begin"] + match["rest"]:
                raise Denied("its name is not the SHA-256 of an attachment")
        else:
            self._lines(path, befores, after, tree, is_new=is_new)

    def _lines(
        self, path: str, befores: list[pygit2.Oid | None], after: pygit2.Oid, tree: pygit2.Tree, *, is_new: bool
    ) -> None:
        olds = [self._repo.blob(before, FILE_LIMIT) if before else b"" for before in befores]
        data = self._repo.blob(after, FILE_LIMIT)
        added = [new_lines(old, data) for old in olds]
        if not is_new:
            return
        there = {line for old in olds for line in old.split(b"\n")[:-1]}
        known = [event for old in dict.fromkeys(olds) for event in read_lines(old, path)[0]]
        for number, line in min(added, key=len):
            if line in there:
                continue
            event = check_line(line, number)
            try:
                self._event(path, event, known, tree)
            except BlastgitError as error:
                raise Denied(f"line {number}: {error}") from None
            known.append(event)

    def _pointer(self, path: str, befores: list[pygit2.Oid | None], after: pygit2.Oid) -> None:
        if any(befores):
            raise Denied("the pointer to an attachment must not be changed")
        self.wanted[read_pointer(self._repo.blob(after, _POINTER_LIMIT), path)] = path

    def _event(self, path: str, event: Annotation, known: list[Annotation], tree: pygit2.Tree) -> None:
        """Check that this user may make this annotation, in this file."""
        policy, remark = self._repo.policy, event.remark
        if event.subject.path != path:
            raise Denied(f"it is about {event.subject}, and belongs in {event.subject.path}")
        if event.time > self._latest:
            raise Denied(f"its time, {event.time:%Y-%m-%d %H:%M} UTC, has not come yet")
        self._flags.check(remark)
        if self._flags.is_bot(event.user) and not event.is_bot:
            raise Denied(f"{event.user} is a bot here (flags: bots), and the line calls it human")
        if not policy.is_open:
            check_authors(policy, self._who, [event.user])
        check_identity(event, [*known, *filter(None, [self.new.get(event.id)])])
        self.new[event.id] = event
        check_supersedes(policy, self._who, event, known)
        if remark.attachment and read_blob(tree, remark.attachment.path) is None:
            raise Denied(f"the attachment {remark.attachment.name} was not pushed with it")
        if remark.attachment and remark.attachment.stored:
            check_pointer(read_blob(tree, remark.attachment.path) or b"", remark.attachment)
        if not known:
            self._twins.check(event.subject)
        if event.subject.kind == "revision":
            line, number = event.subject.revision
            ref = tag_ref(line, number)
            if ref not in self._coming and self._repo.ref(ref) is None:
                raise Denied(f"there is no revision {line}@{number} here")


def check_pointer(data: bytes, attachment: Attachment) -> None:
    """Check that the pointer to an attachment states the same size as the annotation.

    Raises:
        Denied: The sizes differ.
    """
    size = read_pointer(data, attachment.path).size
    if size != attachment.size:
        raise Denied(f"the attachment {attachment.name} has {attachment.size:,} bytes, and its pointer says {size:,}")


def _check_attributes(data: bytes) -> None:
    for line in data.decode("utf-8", "replace").splitlines():
        if not _ATTRIBUTES.fullmatch(line.strip()):
            raise Denied(f"{line[:80]!r} may not be there: only `*.jsonl merge=union` and the like")


def new_lines(before: bytes, after: bytes) -> list[tuple[int, bytes]]:
    """Return the new lines with their numbers, if every line of `before` is still there, in the same order.

    Raises:
        Denied: A line was changed, moved or removed; the error names it.
    """
    if after and not after.endswith(b"\n"):
        raise Denied("its last line does not end with a line feed")
    kept = iter(before.split(b"\n")[:-1])
    expected = next(kept, None)
    new = []
    for number, line in enumerate(after.split(b"\n")[:-1], 1):
        if line == expected:
            expected = next(kept, None)
        else:
            new.append((number, line))
    if expected is not None:
        shown = expected[:60].decode("utf-8", "replace")
        raise Denied(f"the line {shown!r}… was altered, moved or taken out: lines here stay; add a new one")
    return new


def check_line(line: bytes, number: int) -> Annotation:
    """Return the annotation in a line.

    Raises:
        Denied: It is not an annotation, or not in canonical form.
    """
    if len(line) > LINE_LIMIT:
        raise Denied(f"line {number} has {len(line):,} bytes, more than the {LINE_LIMIT:,} allowed")
    try:
        return read_strictly(line)
    except BlastgitError as error:
        raise Denied(f"line {number}: {error}") from None
