"""The revisions in a data repo, and the one that a name means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile

import pygit2

from blastgit.errors import NotFound
from blastgit.naming.names import REFERENCE_LINES, Spec, is_personal, is_reference
from blastgit.naming.nearest import did_you_mean
from blastgit.naming.refs import BRANCHES, PERSONAL_BRANCHES, REFERENCE_BRANCHES, draft_ref, tag_ref
from blastgit.plumbing.objects import commit_of
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker, Revision, StageState


class History:
    """The revisions of a data repo."""

    def __init__(self, repository: Repository) -> None:
        """Use an open data repo."""
        self._repository = repository

    @property
    def _git(self) -> pygit2.Repository:
        return self._repository.git  # a new object after each fetch

    def tip(self, name: str) -> pygit2.Commit | None:
        """Return the tip of a transient's branch, or None."""
        return self._repository.tip(name)

    def markers(self, name: str) -> Iterator[Marker]:
        """Yield the commits of a line, newest first; for a user's own line, down to its fork.

        If all commits are needed, `all_markers` is faster for a remote repo.
        """
        return _down_to_fork(name, self.way_back(name))

    def all_markers(self, name: str) -> list[Marker]:
        """Return the commits of a line, newest first; for a user's own line, down to its fork."""
        return list(_down_to_fork(name, map(Marker, self._repository.commits(name))))

    def way_back(self, name: str) -> Iterator[Marker]:
        """Yield the commits of a branch, newest first, continuing beyond the fork of a user's own line."""
        commit = self.tip(name)
        while commit is not None:
            yield Marker(commit)
            commit = self._repository.commit_before(name, commit)

    def latest(self, name: str) -> Revision | None:
        """Return the latest revision of a transient, or None."""
        return next(self.backwards(name), None)

    def backwards(self, name: str) -> Iterator[Revision]:
        """Yield the revisions of a transient, newest first."""
        return self._numbered(name, self.markers(name))

    def tagged(self, name: str, number: int) -> Revision | None:
        """Return a revision by its tag, or None."""
        reference = self._repository.reference(tag_ref(name, number))
        return None if reference is None else Revision(self._git, name, commit_of(reference), number)

    def revisions(self, name: str) -> list[Revision]:
        """Return all revisions of a transient, oldest first.

        Raises:
            NotFound: The transient does not exist.
        """
        found = list(self._numbered(name, self.all_markers(name)))
        if not found:
            raise self.unknown(name)
        return found[::-1]

    def stages(self, revision: Revision) -> list[StageState]:
        """Return the markers of the run that became a revision, in the order in which the stages ended."""
        found = []
        commit = self._repository.commit_before(revision.name, revision.commit)
        while commit is not None and Marker(commit).stage is not None:
            found.append(StageState(self._git, revision.name, commit, revision.number))
            commit = self._repository.commit_before(revision.name, commit)
        return found[::-1]

    def revision(self, spec: Spec) -> Revision:
        """Return the revision for a number or a date, or the latest; `workflow/resolve.py` resolves all names.

        Raises:
            NotFound: The revision does not exist; the error lists the nearest names.
        """
        assert spec.alias is None, "convenient names are resolved in workflow/resolve.py"
        found: Revision | None
        if spec.number is not None:
            found = self.tagged(spec.name, spec.number)
            if found is None:
                numbers = [revision.number for revision in self.revisions(spec.name)]
                raise NotFound(f"{spec.name} has no revision {spec.number}: it has {_range(numbers)}")
            return found
        if spec.until is not None:
            revisions = self.revisions(spec.name)
            found = max((r for r in revisions if r.time <= spec.until), key=lambda r: r.number, default=None)
            if found is None:
                raise NotFound(
                    f"{spec.name} had no revision yet then: revision 0 is of {revisions[0].time:%Y-%m-%d %H:%M} UTC"
                )
            return found
        found = self.latest(spec.name)
        if found is None:
            raise self.unknown(spec.name)
        return found

    def transients(self) -> list[str]:
        """Return the names of all transients, sorted. Reads every ref: not for a hot path."""
        return _transients(self._repository.references(BRANCHES, PERSONAL_BRANCHES))

    def references(self) -> list[str]:
        """Return the names of all references, `r/filter/DES_z`, sorted."""
        found = self._repository.references(REFERENCE_BRANCHES)
        return sorted(ref.removeprefix(BRANCHES) for ref in found)

    def _numbered(self, name: str, markers: Iterable[Marker]) -> Iterator[Revision]:
        return (Revision(self._git, name, each.commit, each.number) for each in markers if each.number is not None)

    def unknown(self, name: str) -> NotFound:
        """Return the error for an unknown transient, with the nearest names. Reads every ref."""
        if is_reference(name):
            return self._unknown_reference(name)
        if is_personal(name):
            return NotFound(
                f"there is no {name} in {self._repository.location}: `blastgit list 'u/*'` shows users' own lines, and "
                "`blastgit record NAME --as u/USER` starts one"
            )
        if self._repository.reference(draft_ref(name)) is not None:
            return NotFound(
                f"{name} has no revision yet in {self._repository.location}, only drafts of runs that failed or broke "
                f"off: `blastgit log {name} --drafts` lists them, and {name}@draft is the last"
            )
        names = _transients(self._repository.branches())
        hint = did_you_mean(name, names, "`blastgit list` lists all transients")
        return NotFound(f"there is no transient {name} in {self._repository.location}{hint}")

    def _unknown_reference(self, name: str) -> NotFound:
        branches = (ref.removeprefix(BRANCHES) for ref in self._repository.branches())
        known = (each for each in branches if is_reference(each))
        hint = did_you_mean(name, known, f"`blastgit list '{REFERENCE_LINES}'` lists all references")
        return NotFound(f"there is no reference {name} in {self._repository.location}{hint}")


def _down_to_fork(name: str, markers: Iterable[Marker]) -> Iterator[Marker]:
    return takewhile(lambda marker: marker.line == name, markers) if is_personal(name) else iter(markers)


def _transients(refs: Iterable[str]) -> list[str]:
    names = (ref.removeprefix(BRANCHES) for ref in refs if ref.startswith(BRANCHES))
    return sorted(name for name in names if "/" not in name and name not in ("main", "annotations"))


def comes_right_after(git: pygit2.Repository, commit: pygit2.Commit, tip: str | None) -> bool:
    """Whether a revision directly follows the commit `tip` (None: begins a branch), ignoring markers of stages."""
    line = Marker(commit).line
    while commit.parent_ids:
        before = commit.parent_ids[0]
        if str(before) == tip:
            return True
        if before not in git:
            return False
        commit = git[before].peel(pygit2.Commit)
        if Marker(commit).line != line:
            return tip is None  # here a user's own line forks
        if Marker(commit).stage is None:
            return False
    return tip is None


def _range(numbers: list[int]) -> str:
    return f"revision {numbers[0]}" if len(numbers) == 1 else f"revisions {numbers[0]} to {numbers[-1]}"
