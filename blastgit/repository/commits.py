"""What the commits of a transient are and hold: revisions, reproductions, markers of stages, drafts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING

import pygit2

from blastgit.errors import DamagedData
from blastgit.naming.names import document_of, slug, transient_of
from blastgit.naming.refs import tag_name
from blastgit.naming.trailers import Trailer, read_trailers
from blastgit.plumbing.objects import undamaged
from blastgit.plumbing.trees import blob_data, read_blob
from blastgit.repository.entries import TreeEntry, held_in

if TYPE_CHECKING:
    from blastgit.revision.dr import DatasetRevision
    from blastgit.store.base import Store
    from blastgit.store.pointer import Pointer

DEVIATION = r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,9})?"
"""How a deviation in published widths is written in a trailer, as a regular expression."""


class Marker:
    """One commit of a transient: a revision, a reproduction of one, a stage that ended, or a draft."""

    def __init__(self, commit: pygit2.Commit) -> None:
        """Wrap a commit."""
        self.commit = commit

    @cached_property
    def trailers(self) -> dict[str, str]:
        """What programs read in the message."""
        return read_trailers(self.commit.message)

    @property
    def id(self) -> str:
        """The commit's id."""
        return str(self.commit.id)

    @property
    def number(self) -> int | None:
        """The revision that this commit is, or None for a marker of another kind."""
        return self._count(Trailer.REVISION)

    @property
    def reproduces(self) -> int | None:
        """The revision whose values this marker found again, or None."""
        return self._count(Trailer.REPRODUCES)

    @property
    def drafted(self) -> tuple[int, int] | None:
        """Which revision this is a draft of, and which of its drafts, counted from 1; None if it is not a draft."""
        towards, ordinal = self._count(Trailer.TOWARDS), self._count(Trailer.DRAFT)
        is_draft = self.trailers.get(Trailer.MARKER) == "draft" and towards is not None and ordinal is not None
        return (towards or 0, ordinal or 0) if is_draft else None

    def _count(self, key: Trailer) -> int | None:
        text = self.trailers.get(key, "")
        return int(text) if text.isdecimal() and len(text) < 10 else None

    @property
    def redrawn_within(self) -> float | None:
        """How far fits have moved that this marker found equal within their noise, in published widths; else None."""
        text = self.trailers.get(Trailer.REDRAWN_WITHIN, "")
        return float(text) if re.fullmatch(DEVIATION, text) else None

    @property
    def line(self) -> str | None:
        """The line of a user's own that this commit belongs to, `u/alice/2026dgt`; None if it is official."""
        return self.trailers.get(Trailer.LINE)

    @property
    def stage(self) -> str | None:
        """The stage of the workflow that this marker is about, or None."""
        return self.trailers.get(Trailer.STAGE) if self.trailers.get(Trailer.MARKER) == "stage" else None

    @property
    def outcome(self) -> str:
        """How that stage stands: begun, done, failed or unfinished."""
        return self.trailers.get(Trailer.OUTCOME, "")

    @property
    def time(self) -> datetime:
        """When Blast wrote the export (the author date); of a stage, when it ended."""
        return _moment(self.commit.author)

    @property
    def recorded(self) -> datetime:
        """When it was recorded (the committer date)."""
        return _moment(self.commit.committer)

    @property
    def app_version(self) -> str:
        """The version of Blast."""
        return self.trailers.get(Trailer.APP_VERSION, "")


def _moment(signature: pygit2.Signature) -> datetime:
    zone = timezone(timedelta(minutes=signature.offset))
    return datetime.fromtimestamp(signature.time, zone).astimezone(UTC)


class Snapshot(Marker):
    """What the data of a transient were at one commit: a document, and files.

    Attributes:
        name: The transient, the user's own line of it, `u/alice/2026dgt`, or the reference, `r/filter/DES_z`.
        commit: The commit.
        asked: The convenient name that it was asked for by, `2026dgt@latest-complete`, or None.
    """

    asked: str | None = None

    def __init__(self, git: pygit2.Repository, name: str, commit: pygit2.Commit) -> None:
        """Wrap a commit of a transient's branch or run."""
        super().__init__(commit)
        self._git = git
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} at {self.id:.10}"

    @property
    def transient(self) -> str:
        """The transient, or the reference, `r/filter/DES_z`."""
        return transient_of(self.name)

    @property
    def document_name(self) -> str:
        """The file that holds the document."""
        return document_of(self.name)

    @cached_property
    def dr(self) -> DatasetRevision:
        """The document, read back.

        Raises:
            DamagedData: It is missing, or not a revision's.
        """
        from blastgit.revision.dr import read_dr

        return read_dr(self.dr_bytes, f"{self.document_name} of {self}")

    @cached_property
    def dr_bytes(self) -> bytes:
        """The document's bytes as published.

        Raises:
            DamagedData: It is missing.
        """
        with undamaged(str(self)):
            data = read_blob(self.commit.tree, self.document_name)
        if data is None:
            raise DamagedData(f"{self} has no {self.document_name}: run `blastgit verify {self.name}`")
        return data

    @cached_property
    def held(self) -> dict[str, TreeEntry]:
        """What stands for each file in the tree, by path in the dataset.

        Raises:
            DamagedData: Git cannot read a tree, or a file stands there twice.
        """
        found: dict[str, TreeEntry] = {}
        with undamaged(str(self)):
            for path, held in held_in(self.commit.tree):
                if path in found:
                    raise DamagedData(f"{self}: {path} stands there as it is and as a pointer, so which one counts?")
                found[path] = held
        return found

    @cached_property
    def pointers(self) -> dict[str, Pointer]:
        """The pointer of each file, by path in the dataset; see `pointer`.

        Raises:
            DamagedData: One is not a pointer.
        """
        return {path: self.pointer(path) for path in self.held}

    @property
    def stored(self) -> dict[str, Pointer]:
        """The pointers of those files whose contents a store has to hold: all but what git itself keeps.

        Raises:
            DamagedData: One is not a pointer.
        """
        return {path: pointer for path, pointer in self.pointers.items() if not self.held[path].in_git}

    def pointer(self, path: str) -> Pointer:
        """Return the pointer of one file; of one that git itself keeps, what would be its pointer.

        Raises:
            DamagedData: It is not a pointer.
        """
        from blastgit.store.pointer import Pointer, read_pointer

        held, data = self.held[path], self.read_in_git(path)
        if held.in_git:
            import hashlib

            return Pointer(hashlib.md5(data, usedforsecurity=False).hexdigest(), len(data), path.rpartition("/")[2])
        return read_pointer(data, held.place)

    def read(self, path: str, store: Store) -> Iterator[bytes]:
        """Yield the bytes of a file, unchecked, from where it is kept: `store`, or git itself.

        Raises:
            DamagedData: It is not there.
            StoreError: The store fails.
        """
        if self.held[path].in_git:
            yield self.read_in_git(path)
        else:
            yield from store.read(self.pointer(path).md5)

    def read_in_git(self, path: str) -> bytes:
        """Return the bytes of what stands for a file in the tree: those of the file, if git itself keeps it.

        Raises:
            DamagedData: Git has no such object any more, or cannot read it.
        """
        return blob_data(self._git, self.held[path].blob)

    def sha256(self, path: str) -> str:
        """Return the SHA-256 of a file, as 64 hex digits.

        Raises:
            DamagedData: The document does not name the file.
        """
        try:
            return self.dr.files[path].removeprefix("sha256:")
        except KeyError:
            raise DamagedData(f"{self}: {path} is there, and the document does not name it") from None


class Revision(Snapshot):
    """One dataset revision: the commit that a tag names."""

    def __init__(self, git: pygit2.Repository, name: str, commit: pygit2.Commit, number: int) -> None:
        """Wrap the commit of revision `number`."""
        super().__init__(git, name, commit)
        self._number = number

    @property
    def number(self) -> int:
        """The revision number."""
        return self._number

    @property
    def tag(self) -> str:
        """The tag's short name, `2026dgt/1`."""
        return tag_name(self.name, self.number)

    def __str__(self) -> str:
        return f"{self.name}@{self.number}"

    @property
    def reason(self) -> str:
        """Why it was made, in a sentence."""
        return self.commit.message.partition("\n")[0].partition(": ")[2]


class UnpublishedState(Snapshot):
    """What there was on the way to a revision.

    Attributes:
        towards: The number of the revision that came of it, or is to come.
    """

    def __init__(self, git: pygit2.Repository, name: str, commit: pygit2.Commit, towards: int) -> None:
        """Wrap a marker before revision `towards`."""
        super().__init__(git, name, commit)
        self.towards = towards


class StageState(UnpublishedState):
    """What there was when a stage of the workflow had ended: a marker on the way to a revision."""

    @property
    def slug(self) -> str:
        """The stage as a word, `host-match`."""
        return slug(self.stage or "")

    def __str__(self) -> str:
        return f"{self.name}@{self.towards}:post-{self.slug}"


class Draft(UnpublishedState):
    """A state that was kept without a number, since its workflow had not come to its end.

    Attributes:
        ordinal: Which of the drafts of that revision it is, counted from 1.
    """

    def __init__(self, git: pygit2.Repository, name: str, commit: pygit2.Commit, drafted: tuple[int, int]) -> None:
        """Wrap the commit of a draft, which says `drafted` of itself."""
        towards, self.ordinal = drafted
        super().__init__(git, name, commit, towards)

    @property
    def status(self) -> str:
        """How the workflow had ended: "failed: Host match", "not run: …"."""
        return self.trailers.get(Trailer.STATUS, "")

    @property
    def reason(self) -> str:
        """What differs from the revision before, in a sentence."""
        return self.commit.message.partition("\n")[0].partition(": ")[2]

    def __str__(self) -> str:
        return f"{self.name}@{self.towards}:draft-{self.ordinal}"
