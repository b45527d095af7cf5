"""Check pushes to a line of revisions: its branch and its tags, which belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pygit2

from blastgit.checks.commit import commit_faults, tag_faults
from blastgit.checks.line import Sequence
from blastgit.checks.trailers import trailer_faults
from blastgit.errors import BlastgitError, Denied, InvalidName
from blastgit.guard.deny import deny
from blastgit.guard.origins import check_origins
from blastgit.guard.published import check_no_return
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.revisions import check_revision
from blastgit.guard.stages import check_stage
from blastgit.naming.names import fold, is_reference
from blastgit.naming.refs import PERSONAL_BRANCHES, Change, Line, branch_ref, place
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.process import run_git
from blastgit.repository.commits import Marker
from blastgit.repository.references import ReferenceTypes
from blastgit.store.pointer import Pointer


@dataclass
class LineChange:
    """The changes of one line in a push.

    Attributes:
        line: The line.
        branch: The change of its branch, if any.
        tags: The new tags, by revision number.
    """

    line: Line
    branch: Change | None = None
    tags: dict[int, Change] = field(default_factory=dict)


class LineCheck:
    """The check of one line's changes."""

    def __init__(self, repo: Quarantine, change: LineChange, coming: Mapping[str, str | None]) -> None:
        """Prepare to check a change of a line.

        Args:
            repo: The data repo.
            change: The change.
            coming: All pushed refs with their new values, to which the line may refer.
        """
        self._coming = coming
        self._repo = repo
        self._line = change.line
        self._tags: Mapping[int, Change] = change.tags
        self._old = repo.ref(change.line.branch)
        self._new = change.branch.new if change.branch else self._old
        self._before = Sequence(str(change.line))
        self._fork = ""

    def run(self) -> dict[Pointer, str]:
        """Check the line, and return every pointer of the new revisions with its path.

        Raises:
            Denied: A change is not allowed; the error names the ref or commit, and says what to do.
        """
        line = self._line
        if self._new is None:
            raise Denied(f"{line.tag(min(self._tags))}: push its branch {line} with it (`git push --atomic`)")
        if self._old is None:
            check_twin(self._repo, line)
            if is_reference(str(line)):
                ReferenceTypes.of(self._repo.settings).check(str(line))
        wanted: dict[Pointer, str] = {}
        placed: dict[int, str] = {}
        for commit in self._new_commits():
            marker = Marker(commit)
            try:
                pointers = self._check(marker)
            except Denied as error:
                raise Denied(f"{line.branch}, commit {marker.id:.10}: {error}") from None
            self._before.follow(marker)
            if marker.number is not None:
                placed[marker.number] = marker.id
            label = f"{line}@{marker.number}" if marker.number is not None else f"commit {marker.id:.10}"
            wanted.update({pointer: f"{label}:{path}" for path, pointer in pointers.items()})
        self._check_tags(placed)
        return wanted

    def _new_commits(self) -> list[pygit2.Commit]:
        """Return the new commits of the branch, oldest first, after reading the markers that they follow."""
        assert self._new is not None
        if self._new == self._old:
            return []
        new: list[pygit2.Commit] = []
        oid = self._new
        while True:
            commit = self._repo.commit(oid, f"{self._line.branch}: its commit")
            if oid == self._old:
                self._follow_from_revision_before(commit)
                return new[::-1]
            if self._old is None and self._is_published(commit):
                return new[::-1]
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
        return new[::-1]

    def _is_published(self, commit: pygit2.Commit) -> bool:
        """Whether a commit is a revision of another line of the transient, from which a personal line may fork."""
        marker = Marker(commit)
        number, other = marker.number, marker.line or self._line.name
        if self._line.user is None or number is None or other == str(self._line):
            return False
        try:
            line = place(branch_ref(other)).line
        except BlastgitError:
            return False
        if line is None or line.name != self._line.name or self._tagged(line, number) != str(commit.id):
            return False
        self._fork = f"{line}@{number}"
        return True

    def _follow_from_revision_before(self, commit: pygit2.Commit) -> None:
        """Read the published markers from the latest revision of this line on."""
        markers: list[Marker] = []
        while self._is_own(marker := Marker(commit)):
            markers.append(marker)
            if marker.number is not None or not commit.parent_ids:
                break
            commit = self._repo.commit(commit.parent_ids[0], "its parent")
        else:
            self._is_published(commit)  # the fork point: the line has no revision of its own yet
        for marker in reversed(markers):
            self._before.follow(marker)

    def _is_own(self, marker: Marker) -> bool:
        """Whether a commit states that it belongs to this line."""
        return marker.line == (None if self._line.user is None else str(self._line))

    def _check(self, marker: Marker) -> dict[str, Pointer]:
        """Check one new commit after those before it."""
        for faults in (commit_faults(marker.commit), trailer_faults(marker), self._before.faults(marker)):
            deny(faults)
        kind = marker.trailers[Trailer.MARKER]
        check_origins(self._repo, self._line, marker, self._fork, self._tagged)
        if kind != "stage":
            self._check_run(marker)
        if kind == "revision":
            self._check_tag(marker)
            number, has_stages = self._before.next, self._before.has_stages
            found = check_revision(self._repo, str(self._line), marker, number, has_stages=has_stages)
            check_no_return(self._repo, str(self._line), marker)
            return found
        return check_stage(self._repo, self._line.name, marker, self._before.next) if kind == "stage" else {}

    def _check_tag(self, marker: Marker) -> None:
        number = self._before.next
        tagged = self._tagged(self._line, number)
        if tagged is None:
            raise Denied(f"push its tag with it: `git push --atomic REMOTE {self._line} {self._line}/{number}`")
        if tagged != marker.id:
            raise Denied(f"the tag {self._line}/{number} names another commit, {tagged:.10}")

    def _check_run(self, marker: Marker) -> None:
        """Check that its run may hold it; a copy of a whole repo may keep names that were once allowed."""
        run, is_copy = marker.trailers.get(Trailer.RUN), self._repo.is_new
        if run is None or (is_copy and marker.number is None):
            return
        from blastgit.collections.runs import check_configuration, check_membership

        parents = marker.commit.parent_ids
        before = self._repo.commit(parents[0], "its parent") if parents else None
        number = marker.number if marker.number is not None else marker.reproduces or 0
        try:
            check_membership(self._repo, run, str(self._line), before, number)
            check_configuration(self._repo, run, marker.trailers.get(Trailer.CONFIG, ""))
        except InvalidName as error:
            if not is_copy:
                raise Denied(str(error)) from None
        except BlastgitError as error:
            raise Denied(str(error)) from None

    def _check_tags(self, placed: Mapping[int, str]) -> None:
        """Check that every new tag names a revision on the branch: a pushed one, or an existing one without a tag."""
        for number in sorted(self._tags):
            commit = placed.get(number) or self._published(number)
            if commit is None or self._tagged(self._line, number) != commit:
                raise Denied(f"{self._line.tag(number)}: {self._line} has no commit there that says Revision: {number}")
            tag = self._repo.tag(self._tags[number].new or "", f"{self._line}/{number}")
            deny(f"{self._line.tag(number)}: {text}" for text in tag_faults(tag))

    def _published(self, number: int) -> str | None:
        """Return the commit of a revision that is already on the branch, or None."""
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
        """Return the commit that a revision's tag names after the push; None if there is no such tag."""
        oid = self._coming.get(line.tag(number)) or self._repo.ref(line.tag(number))
        if oid is None:
            return None
        try:
            return str(self._repo.tag(oid, f"{line}/{number}").target)
        except Denied as error:
            raise Denied(f"{line.tag(number)}: {error}") from None


def check_twin(repo: Quarantine, line: Line) -> None:
    """Check that no other line of the repo has a name that differs only in case.

    Raises:
        Denied: There is one.
    """
    pattern = line.branch if line.user is None else f"{PERSONAL_BRANCHES}{line.user}"
    found = run_git(repo.path, "for-each-ref", "--ignore-case", "--format=%(refname:lstrip=2)", pattern)
    for other in found.decode().split():
        twin = _twin(other, str(line))
        if twin:
            raise Denied(f"{line.branch}: {twin[0]!r} is here, and differs only in case: use that name")


def _twin(one: str, other: str) -> tuple[str, str] | None:
    """Return two names if the first part in which they differ differs only in case; else None."""
    for a, b in zip(one.split("/"), other.split("/"), strict=False):
        if a != b:
            return (one, other) if fold(a) == fold(b) else None
    return None
