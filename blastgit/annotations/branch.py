"""Reading the branch `annotations`: the annotations of one subject, or all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import pygit2

from blastgit.errors import BlastgitError
from blastgit.naming.refs import ANNOTATIONS, TRACKED
from blastgit.plumbing.objects import commit_of, undamaged
from blastgit.plumbing.trees import read_blob

if TYPE_CHECKING:
    from blastgit.annotations.annotation import Annotation
    from blastgit.annotations.subjects import Subject
    from blastgit.repository.base import Repository

NAME = "annotations"
REF = ANNOTATIONS
_TRACKING = f"{TRACKED}{NAME}"


def tip_of(repository: Repository) -> pygit2.Commit | None:
    """Return the tip of the branch now: the remote's in a clone without a branch of its own."""
    for ref in (REF, _TRACKING):
        reference = repository.reference(ref)
        if reference is not None:
            return commit_of(reference)
    return None


def attachments_of(tip: pygit2.Commit, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the attachments that some files of the branch name, by path; those that are missing are left out."""
    events = together(read_lines(data, path)[0] for path, data in files.items())
    paths = {event.remark.attachment.path for event in events if event.remark.attachment}
    return {path: data for path in sorted(paths) if (data := read_blob(tip.tree, path)) is not None}


def has_work_tree(repository: Repository) -> bool:
    """Whether the repository is a clone with a work tree."""
    config = repository.git.config
    return "core.bare" in config and not config.get_bool("core.bare")


class Branch:
    """The annotations of a data repo at one moment.

    Attributes:
        unread: How many lines were skipped because this version cannot read them.
    """

    def __init__(self, repository: Repository) -> None:
        """Open the branch as it is now."""
        self._git = repository.git
        self._tip = tip_of(repository)
        self.unread = 0

    @cached_property
    def _tree(self) -> pygit2.Tree | None:
        return None if self._tip is None else self._tip.tree

    @property
    def is_empty(self) -> bool:
        """Whether there are no annotations yet."""
        return self._tree is None

    def has(self, kind: str) -> bool:
        """Whether any subject of a kind has annotations."""
        return self._tree is not None and kind in self._tree

    def of(self, subject: Subject) -> list[Annotation]:
        """Return the annotations of a subject and of its parts, oldest first.

        Raises:
            DamagedData: Git cannot read it.
        """
        data = None if self._tree is None else read_blob(self._tree, subject.path)
        return self._read(data, subject.path) if data else []

    def below(self, folder: str) -> Iterator[list[Annotation]]:
        """Yield the annotations of each subject whose file is below a folder of the branch, such as `interval`.

        Raises:
            DamagedData: Git cannot read it.
        """
        if self._tree is None or folder not in self._tree:
            return
        with undamaged(NAME):
            for path, data in _files(self._git, self._tree[folder], folder):
                yield self._read(data, path)

    def all(self) -> Iterator[list[Annotation]]:
        """Yield the annotations of each subject and its parts.

        Raises:
            DamagedData: Git cannot read it.
        """
        from blastgit.annotations.subjects import KINDS

        for kind in KINDS:
            yield from self.below(kind)

    def attachment(self, path: str) -> bytes | None:
        """Return the bytes of an attachment, or None if the branch has no such file."""
        return None if self._tree is None else read_blob(self._tree, path)

    def _read(self, data: bytes, path: str) -> list[Annotation]:
        events, unread = read_lines(data, path)
        self.unread += unread
        return events


def read_lines(data: bytes, path: str) -> tuple[list[Annotation], int]:
    """Return the annotations in a file of the branch, oldest first, and how many lines cannot be read."""
    from blastgit.annotations.annotation import read_line

    lines = dict.fromkeys(data.split(b"\n")[:-1])
    events = []
    for line in lines:
        try:
            event = read_line(line)
        except BlastgitError:
            continue
        if event.subject.path == path:
            events.append(event)
    return sorted(events, key=lambda event: event.time), len(lines) - len(events)


def _files(git: pygit2.Repository, entry: pygit2.Object, path: str) -> Iterator[tuple[str, bytes]]:
    if isinstance(entry, pygit2.Tree):
        for child in entry:
            yield from _files(git, child, f"{path}/{child.name}")
    elif isinstance(entry, pygit2.Blob) and path.endswith(".jsonl"):
        yield path, entry.data


def together(groups: Iterable[list[Annotation]]) -> Iterator[Annotation]:
    """Yield the annotations of several subjects one after the other."""
    for events in groups:
        yield from events
