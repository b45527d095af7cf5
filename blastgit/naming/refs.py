"""The refs of a data repo: building and parsing their names, and how each may move.

No other module spells the name of a ref.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from blastgit.errors import Denied
from blastgit.naming.names import check_line, check_transient, is_personal, is_reference, transient_of, user_of
from blastgit.plumbing.objects import ZERO

BRANCHES, TAGS, RUNS, DRAFTS = "refs/heads/", "refs/tags/", "refs/workflow/", "refs/drafts/"
"""The prefixes of branches, tags, markers of runs in progress, and drafts."""

TRACKED = "refs/remotes/origin/"
"""The prefix of remote-tracking branches in a plain clone."""

MAIN = f"{BRANCHES}main"
"""The branch for what concerns the whole repo."""

ANNOTATIONS = f"{BRANCHES}annotations"
"""The branch of annotations."""

RELEASES = f"{TAGS}release/"
"""The prefix of the tags of releases."""

PERSONAL_BRANCHES, PERSONAL_TAGS = f"{BRANCHES}u/", f"{TAGS}u/"
"""The prefixes of the refs of users' own lines."""

REFERENCE_BRANCHES = f"{BRANCHES}r/"
"""The prefix of the branches of reference lines."""

CHECKPOINT = "refs/ledger/checkpoint"
"""Checkpoints of the ledger, made only by the repo itself."""

NOTES = "refs/notes/blastgit"
"""Annotations for `git log --notes`; derived, and only in a clone."""

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_OBJECT_ID = re.compile(r"[0-9a-f]{40}")


class Kind(Enum):
    """The purpose of a ref."""

    MAIN = "main"
    ANNOTATIONS = "annotations"
    BRANCH = "branch"
    TAG = "tag"
    RELEASE = "release"
    WORKFLOW = "workflow"
    DRAFT = "draft"
    CHECKPOINT = "checkpoint"


_SINGLE = {MAIN: Kind.MAIN, ANNOTATIONS: Kind.ANNOTATIONS, CHECKPOINT: Kind.CHECKPOINT}


class Line(NamedTuple):
    """A line of revisions: the official one of a transient or a reference, or a user's own of a transient.

    Attributes:
        name: The transient, or the reference, `r/filter/DES_z`.
        user: The user whose own line it is; None for the official one.
    """

    name: str
    user: str | None = None

    def __str__(self) -> str:
        return self.name if self.user is None else f"u/{self.user}/{self.name}"

    @property
    def branch(self) -> str:
        """The ref of its branch."""
        return f"{BRANCHES}{self}"

    def tag(self, number: int) -> str:
        """Return the ref of a revision's tag."""
        return f"{TAGS}{tag_name(str(self), number)}"


class Place(NamedTuple):
    """A parsed ref.

    Attributes:
        kind: Its purpose.
        line: The line of revisions that it belongs to, for a branch, a tag, a workflow or drafts.
        number: The revision, if it is a tag.
        collection: The collection, if it is a release.
    """

    kind: Kind
    line: Line | None = None
    number: int | None = None
    collection: str = ""


class Change(NamedTuple):
    """A change of a ref in a push.

    Attributes:
        ref: The full name.
        old: Its present object id; None if it does not exist.
        new: Its new object id; None to delete it.
    """

    ref: str
    old: str | None
    new: str | None


def read_changes(lines: bytes) -> list[Change]:
    """Parse the input of `pre-receive`: `OLD NEW REF` on each line.

    Raises:
        Denied: A line is malformed, or a name is not text.
    """
    changes = []
    for line in lines.splitlines():
        try:
            old, new, ref = line.decode().split(" ", 2)
        except ValueError:
            raise Denied(f"{line!r} is not a change of a ref whose name is text") from None
        if not _OBJECT_ID.fullmatch(old) or not _OBJECT_ID.fullmatch(new):
            raise Denied(f"{ref}: {old} and {new} are not SHA-1 object ids, and data repos have no others")
        changes.append(Change(ref, None if old == ZERO else old, None if new == ZERO else new))
    return changes


def place(ref: str) -> Place:
    """Parse a ref's name.

    Raises:
        Denied: A data repo has no such refs.
        InvalidName: The name of its transient breaks the rules.
    """
    if ref in _SINGLE:
        return Place(_SINGLE[ref])
    if ref.startswith(BRANCHES):
        return Place(Kind.BRANCH, _line(ref, ref.removeprefix(BRANCHES)))
    if ref.startswith(RELEASES):
        return Place(Kind.RELEASE, collection=_collection(ref))
    if ref.startswith(TAGS):
        line, _, number = ref.removeprefix(TAGS).rpartition("/")
        if not line or not _NUMBER.fullmatch(number):
            raise Denied(f"tags here are NAME/N and release/COLLECTION/VERSION, and {ref!r} is neither")
        return Place(Kind.TAG, _line(ref, line), int(number))
    if ref.startswith(RUNS):
        return Place(Kind.WORKFLOW, Line(check_transient(ref.removeprefix(RUNS))))
    if ref.startswith(DRAFTS):
        return Place(Kind.DRAFT, Line(check_transient(ref.removeprefix(DRAFTS))))
    raise Denied(f"a data repo has no refs like {ref!r}: only branches, tags, refs/workflow/NAME and refs/drafts/NAME")


def _line(ref: str, text: str) -> Line:
    if not is_personal(text) and not is_reference(text):
        if "/" in text:
            raise Denied(f"{ref!r} is not a transient's: its name may have no slash except u/USER/NAME and r/TYPE/NAME")
        return Line(check_transient(text))
    check_line(text)
    return Line(transient_of(text), user_of(text))


def _collection(ref: str) -> str:
    *parts, version = ref.removeprefix(RELEASES).split("/")
    if not parts or not all(_LABEL.fullmatch(part) for part in (*parts, version)):
        raise Denied(f"{ref!r} should be refs/tags/release/COLLECTION/VERSION, in letters, digits, and ._+-")
    return "/".join(parts)


def check_move(change: Change, where: Place) -> None:
    """Check that a ref of this kind may be made, moved or deleted.

    Raises:
        Denied: It may not.
    """
    if where.kind is Kind.WORKFLOW:
        return
    if where.kind is Kind.CHECKPOINT:
        raise Denied("it records what this repository published, so only `blastgit checkpoint` here can make it")
    if where.kind is Kind.DRAFT and change.new is None:
        raise Denied("it may not be deleted: drafts stay, and the next complete state supersedes them")
    if change.new is None:
        raise Denied("it may not be deleted: revisions are cited, and stay; `blastgit withdraw` takes data down")
    if where.kind in (Kind.TAG, Kind.RELEASE) and change.old is not None:
        raise Denied("it exists and never moves: record a new revision, or make a new version")


def branch_ref(name: str) -> str:
    """Return the ref of the branch of a line of revisions."""
    return f"{BRANCHES}{name}"


def tag_name(name: str, number: int) -> str:
    """Return the short name of a revision's tag, `2026dgt/1`."""
    return f"{name}/{number}"


def tag_ref(name: str, number: int) -> str:
    """Return the ref of a revision's tag."""
    return f"{TAGS}{tag_name(name, number)}"


def run_ref(name: str) -> str:
    """Return the ref of the markers of a transient's run in progress."""
    return f"{RUNS}{name}"


def draft_ref(name: str) -> str:
    """Return the ref of the drafts of a transient."""
    return f"{DRAFTS}{name}"


def branch_of(ref: str) -> str | None:
    """Return the branch that a ref is, `2026dgt` or `main`; None if it is not a branch."""
    return ref.removeprefix(BRANCHES) if ref.startswith(BRANCHES) else None


def tag_of(ref: str) -> str | None:
    """Return the tag that a ref is, `2026dgt/1`; None if it is not a tag."""
    return ref.removeprefix(TAGS) if ref.startswith(TAGS) else None


def copied(pattern: str) -> str:
    """Return the refspec that fetches refs under the same names, overwriting local ones."""
    return f"+{pattern}:{pattern}"
