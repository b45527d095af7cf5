"""The commits of a transient: revisions, reproductions, markers of stages, drafts."""

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
"""A regular expression for a deviation in published widths, as written in a trailer."""


class Marker:
    """A commit of a transient: a revision, a reproduction of one, the end of a stage, or a draft."""

    def __init__(self, commit: pygit2.Commit) -> None:
        """Wrap a commit."""
        self.commit = commit

    @cached_property
    def trailers(self) -> dict[str, str]:
        """The machine-readable trailers of the message."""
        return read_trailers(self.commit.message)

    @property
    def id(self) -> str:
        """The commit's id."""
        return str(self.commit.id)

    @property
    def number(self) -> int | None:
        """The number of the revision, or None for a marker of another kind."""
        return self._count(Trailer.REVISION)

    @property
    def reproduces(self) -> int | None:
        """The number of the revision that was reproduced, or None."""
        return self._count(Trailer.REPRODUCES)

    @property
    def drafted(self) -> tuple[int, int] | None:
        """For a draft, the number of its revision, and its own number counted from 1; else None."""
        towards, ordinal = self._count(Trailer.TOWARDS), self._count(Trailer.DRAFT)
        is_draft = self.trailers.get(Trailer.MARKER) == "draft" and towards is not None and ordinal is not None
        return (towards or 0, ordinal or 0) if is_draft else None

    def _count(self, key: Trailer) -> int | None:
        text = self.trailers.get(key, "")
        return int(text) if text.isdecimal() and len(text) < 10 else None

    @property
    def redrawn_within(self) -> float | None:
        """How far fits that are equal within their noise have moved, in published widths; None if none were."""
        text = self.trailers.get(Trailer.REDRAWN_WITHIN, "")
        return float(text) if re.fullmatch(DEVIATION, text) else None

    @property
    def line(self) -> str | None:
        """The user's own line that this commit belongs to, `u/alice/2026dgt`; None if it is official."""
        return self.trailers.get(Trailer.LINE)

    @property
    def stage(self) -> str | None:
        """The stage of the workflow that this marker is about, or None."""
        return self.trailers.get(Trailer.STAGE) if self.trailers.get(Trailer.MARKER) == "stage" else None

    @property
    def outcome(self) -> str:
        """The outcome of that stage: begun, done, failed or unfinished."""
        return self.trailers.get(Trailer.OUTCOME, "")

    @property
    def time(self) -> datetime:
        """When Blast wrote the export (the author date); for a stage, when it ended."""
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
    """The data of a transient at one commit: a document and files.

    Attributes:
        name: The transient, the user's own line of it, `u/alice/2026dgt`, or the reference, `r/filter/DES_z`.
        commit: The commit.
        asked: The convenient name that was given for it, `2026dgt@latest-complete`, or None.
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
        """The parsed document.

        Raises:
            DamagedData: It is missing, or not a revision's document.
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
        """The entry of each file in the tree, by path in the dataset.

        Raises:
            DamagedData: Git cannot read a tree, or a file has two entries.
        """
        found: dict[str, TreeEntry] = {}
        with undamaged(str(self)):
            for path, held in held_in(self.commit.tree):
                if path in found:
                    raise DamagedData(f"{self}: {path} is in the tree both as a file and as a pointer")
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
        """The pointers of the files whose contents are in a store: all but those that git itself keeps.

        Raises:
            DamagedData: One is not a pointer.
        """
        return {path: pointer for path, pointer in self.pointers.items() if not self.held[path].in_git}

    def pointer(self, path: str) -> Pointer:
        """Return the pointer of a file; for a file that git itself keeps, an equivalent one.

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
        """Yield the bytes of a file, unverified, from `store` or from git itself.

        Raises:
            DamagedData: It is missing.
            StoreError: The store fails.
        """
        if self.held[path].in_git:
            yield self.read_in_git(path)
        else:
            yield from store.read(self.pointer(path).md5)

    def read_in_git(self, path: str) -> bytes:
        """Return the bytes of a file's entry in the tree: those of the file itself if git keeps it.

        Raises:
            DamagedData: Git has lost the object, or cannot read it.
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
            raise DamagedData(f"{self}: {path} is in the tree, but the document does not name it") from None


class Revision(Snapshot):
    """A dataset revision: the commit that a tag names."""

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
    """A state on the way to a revision.

    Attributes:
        towards: The number of that revision, which may not exist yet.
    """

    def __init__(self, git: pygit2.Repository, name: str, commit: pygit2.Commit, towards: int) -> None:
        """Wrap a marker before revision `towards`."""
        super().__init__(git, name, commit)
        self.towards = towards


class StageState(UnpublishedState):
    """The state after a stage of the workflow: a marker on the way to a revision."""

    @property
    def slug(self) -> str:
        """The slug of the stage, `host-match`."""
        return slug(self.stage or "")

    def __str__(self) -> str:
        return f"{self.name}@{self.towards}:post-{self.slug}"


class Draft(UnpublishedState):
    """A state that was not published because its workflow did not complete.

    Attributes:
        ordinal: The number of the draft towards its revision, counted from 1.
    """

    def __init__(self, git: pygit2.Repository, name: str, commit: pygit2.Commit, drafted: tuple[int, int]) -> None:
        """Wrap the commit of a draft, whose `Marker.drafted` is `drafted`."""
        towards, self.ordinal = drafted
        super().__init__(git, name, commit, towards)

    @property
    def status(self) -> str:
        """How the workflow ended: "failed: Host match", "not run: …"."""
        return self.trailers.get(Trailer.STATUS, "")

    @property
    def reason(self) -> str:
        """What differs from the previous revision, in a sentence."""
        return self.commit.message.partition("\n")[0].partition(": ")[2]

    def __str__(self) -> str:
        return f"{self.name}@{self.towards}:draft-{self.ordinal}"
