"""Changes of a line of revisions: its branch and its tags, which belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pygit2

from blastgit.errors import BlastgitError, Denied
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.revisions import check_revision
from blastgit.guard.stages import check_stage
from blastgit.naming.names import fold
from blastgit.naming.refs import Change, Line, place
from blastgit.plumbing.process import run_git
from blastgit.repository.commits import Marker
from blastgit.store.pointer import Pointer


@dataclass
class LineChange:
    """What a push does to one line.

    Attributes:
        line: The line.
        branch: The change of its branch, if there is one.
        tags: The new tags, by revision number.
    """

    line: Line
    branch: Change | None = None
    tags: dict[int, Change] = field(default_factory=dict)


class LineCheck:
    """The check of one line's changes."""

    def __init__(self, repo: Quarantine, change: LineChange) -> None:
        """Prepare to check a change of a line."""
        self._repo = repo
        self._line = change.line
        self._tags: Mapping[int, Change] = change.tags
        self._old = repo.ref(change.line.branch)
        self._new = change.branch.new if change.branch else self._old

    def run(self) -> dict[Pointer, str]:
        """Return every pointer of the new revisions, and where it stands.

        Raises:
            Denied: With the ref or commit that is wrong, and what to do.
        """
        line = self._line
        if self._new is None:
            raise Denied(f"{line.tag(min(self._tags))}: push its branch {line} with it (`git push --atomic`)")
        if self._old is None:
            check_twin(self._repo, line)
        new, latest = self._new_commits()
        wanted: dict[Pointer, str] = {}
        placed: dict[int, str] = {}
        for commit in new:
            marker = Marker(commit)
            try:
                pointers = self._check(marker, latest)
            except Denied as error:
                raise Denied(f"{line.branch}, commit {marker.id:.10}: {error}") from None
            if marker.number is not None:
                latest = marker
                placed[marker.number] = marker.id
            label = f"{line}@{marker.number}" if marker.number is not None else f"commit {marker.id:.10}"
            wanted.update({pointer: f"{label}:{path}" for path, pointer in pointers.items()})
        self._check_tags(placed)
        return wanted

    def _new_commits(self) -> tuple[list[pygit2.Commit], Marker | None]:
        """Return the new commits of the branch, oldest first, and the revision that they follow, if there is one."""
        assert self._new is not None
        if self._new == self._old:
            return [], None
        new: list[pygit2.Commit] = []
        oid = self._new
        while True:
            commit = self._repo.commit(oid, f"{self._line.branch}: its commit")
            if oid == self._old:
                return new[::-1], self._revision_before(commit)
            if self._old is None and self._is_published(commit):
                return new[::-1], None
            new.append(commit)
            if len(commit.parent_ids) > 1:
                raise Denied(f"{self._line.branch}, commit {oid:.10}: it is a merge, and revisions form a single line")
            if not commit.parent_ids:
                break
            oid = str(commit.parent_ids[0])
        if self._old is not None:
            raise Denied(
                f"{self._line.branch}: it would not move forward from {self._old:.10}, where it is: somebody else was "
                "first, or history was rewritten; fetch it, and record again on top"
            )
        if self._line.user is not None:
            raise Denied(f"{self._line.branch}: it does not fork from a revision of {self._line.name} that is here")
        return new[::-1], None

    def _is_published(self, commit: pygit2.Commit) -> bool:
        """Whether a commit is a revision of another line of the transient, from which a user's own may fork."""
        marker = Marker(commit)
        number, other = marker.number, marker.line or self._line.name
        if self._line.user is None or number is None or other == str(self._line):
            return False
        try:
            line = place(f"refs/heads/{other}").line
        except BlastgitError:
            return False
        is_here = line is not None and line.name == self._line.name
        return is_here and line is not None and self._tagged(line, number) == str(commit.id)

    def _revision_before(self, commit: pygit2.Commit) -> Marker | None:
        """Return the latest revision of this line at a commit that is published already."""
        while self._is_own(marker := Marker(commit)):
            if marker.number is not None:
                return marker
            if not commit.parent_ids:
                return None
            commit = self._repo.commit(commit.parent_ids[0], "its parent")
        return None

    def _is_own(self, marker: Marker) -> bool:
        """Whether a commit says that it is of this line."""
        return marker.line == (None if self._line.user is None else str(self._line))

    def _check(self, marker: Marker, latest: Marker | None) -> dict[str, Pointer]:
        """Check one new commit that follows the revision `latest`."""
        kind = marker.trailers.get("Marker")
        try:
            _ = marker.time, marker.recorded
        except (ValueError, OverflowError, OSError):
            raise Denied("its dates lie outside of any calendar") from None
        if not self._is_own(marker):
            said = f"says {marker.line}" if marker.line else "is missing"
            raise Denied(f"its trailer Line {said}, and it is pushed to {self._line}: record it there")
        if kind == "revision":
            return self._check_revision(marker, latest)
        if marker.number is not None:
            raise Denied("it states a revision number, and its trailer Marker is not `revision`")
        if kind == "reproduction":
            return self._check_reproduction(marker, latest)
        if kind == "stage":
            return check_stage(self._repo, self._line.name, marker, _next(latest))
        raise Denied("every commit here is a marker: its trailer Marker should be revision, reproduction or stage")

    def _check_revision(self, marker: Marker, latest: Marker | None) -> dict[str, Pointer]:
        expected = _next(latest)
        if marker.number != expected or marker.trailers["Revision"] != str(expected):
            stated = marker.trailers.get("Revision", "nothing")
            raise Denied(f"its trailer Revision says {stated}, and the next revision of {self._line} is {expected}")
        tagged = self._tagged(self._line, expected)
        if tagged is None:
            raise Denied(f"push its tag with it: `git push --atomic REMOTE {self._line} {self._line}/{expected}`")
        if tagged != marker.id:
            raise Denied(f"the tag {self._line}/{expected} names another commit, {tagged:.10}")
        self._check_run(marker)
        return check_revision(self._repo, self._line.name, marker, expected)

    def _check_run(self, marker: Marker) -> None:
        """Check that it may be born into the run that it names."""
        run = marker.trailers.get("Run")
        if run is None:
            return
        from blastgit.collections.runs import check_birth

        parents = marker.commit.parent_ids
        before = self._repo.commit(parents[0], "its parent") if parents else None
        try:
            check_birth(self._repo, run, str(self._line), before)
        except BlastgitError as error:
            raise Denied(str(error)) from None

    def _check_reproduction(self, marker: Marker, latest: Marker | None) -> dict[str, Pointer]:
        if latest is None or marker.reproduces != latest.number:
            raise Denied("its trailer Reproduces should name the latest revision of this line")
        if marker.commit.tree_id != latest.commit.tree_id:
            raise Denied(f"a reproduction has the tree of its revision, {latest.number}, and this one differs")
        return {}

    def _check_tags(self, placed: Mapping[int, str]) -> None:
        """Check that every new tag names a revision on the branch: a pushed one, or one that lacks its tag."""
        for number in sorted(self._tags):
            commit = placed.get(number) or self._published(number)
            if commit is None or self._tagged(self._line, number) != commit:
                raise Denied(f"{self._line.tag(number)}: {self._line} has no commit there that says Revision: {number}")

    def _published(self, number: int) -> str | None:
        """Return the commit of a revision that is on the branch already, or None."""
        oid = self._old
        while oid is not None:
            commit = self._repo.commit(oid, "its commit")
            marker = Marker(commit)
            if not self._is_own(marker):
                return None
            if marker.number == number:
                return oid
            oid = str(commit.parent_ids[0]) if commit.parent_ids else None
        return None

    def _tagged(self, line: Line, number: int) -> str | None:
        """Return the commit that a revision's tag names, or will name after the push; None if there is no tag."""
        change = self._tags.get(number) if line == self._line else None
        oid = change.new if change else self._repo.ref(line.tag(number))
        if oid is None:
            return None
        try:
            return str(self._repo.tag(oid, f"{line}/{number}").target)
        except Denied as error:
            raise Denied(f"{line.tag(number)}: {error}") from None


def _next(latest: Marker | None) -> int:
    return 0 if latest is None or latest.number is None else latest.number + 1


def check_twin(repo: Quarantine, line: Line) -> None:
    """Check that no other line here has a name that differs only in case.

    Raises:
        Denied: One has.
    """
    pattern = line.branch if line.user is None else f"refs/heads/u/{line.user}"
    found = run_git(repo.path, "for-each-ref", "--ignore-case", "--format=%(refname:lstrip=2)", pattern)
    for other in found.decode().split():
        twin = _twin(other, str(line))
        if twin:
            raise Denied(f"{line.branch}: {twin[0]!r} is here, and differs only in case: use that name")


def _twin(one: str, other: str) -> tuple[str, str] | None:
    """Return the first parts of two names that differ only in case, if there are any, up to there."""
    for a, b in zip(one.split("/"), other.split("/"), strict=False):
        if a != b:
            return (one, other) if fold(a) == fold(b) else None
    return None
