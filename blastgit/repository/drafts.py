"""The drafts of a transient: states that were not published because their workflow did not complete.

They are on `refs/drafts/NAME`, which only moves forward and is not fetched by `git clone`. The last one is open as long
as no later state was published or reproduced the latest revision.
"""

from __future__ import annotations

from collections.abc import Iterator

import pygit2

from blastgit.naming.refs import DRAFTS, draft_ref
from blastgit.plumbing.objects import commit_of
from blastgit.repository.base import Repository
from blastgit.repository.commits import Draft, Marker
from blastgit.repository.history import History


class Drafts:
    """The drafts of one transient."""

    def __init__(self, repository: Repository, name: str) -> None:
        """Use the drafts of a transient in an open data repo."""
        self._repository = repository
        self._name = name

    @property
    def tip(self) -> pygit2.Commit | None:
        """The last commit of the line, or None if there never was a draft."""
        reference = self._repository.reference(draft_ref(self._name))
        return None if reference is None else commit_of(reference)

    def open(self) -> Draft | None:
        """Return the open draft after the latest revision, or None."""
        found = self._draft(self.tip)
        if found is None:
            return None
        latest = History(self._repository).latest(self._name)
        return found if latest is None or latest.number < found.towards else None

    def all(self) -> list[Draft]:
        """Return all drafts, newest first."""
        return [draft for commit in self.commits() if (draft := self._draft(commit)) is not None]

    def last(self, towards: int) -> Draft | None:
        """Return the last draft on the way to a revision, or None."""
        return next((draft for draft in self.all() if draft.towards == towards), None)

    def one(self, towards: int, ordinal: int) -> Draft | None:
        """Return the draft of that number on the way to a revision, or None."""
        return next((draft for draft in self.all() if (draft.towards, draft.ordinal) == (towards, ordinal)), None)

    def commits(self) -> Iterator[pygit2.Commit]:
        """Yield all commits of the line, newest first: drafts, the stages before them, and markers that close a draft.

        Raises:
            DamagedData: Git cannot read one.
        """
        commit = self.tip
        while commit is not None:
            yield commit
            commit = self._repository.commit_before(self._name, commit)

    def _draft(self, commit: pygit2.Commit | None) -> Draft | None:
        drafted = None if commit is None else Marker(commit).drafted
        if commit is None or drafted is None:
            return None
        return Draft(self._repository.git, self._name, commit, drafted)


def drafted(repository: Repository) -> list[str]:
    """Return the names of all transients that have or had a draft, sorted. Reads every ref: not for a hot path."""
    return sorted(ref.removeprefix(DRAFTS) for ref in repository.references(DRAFTS))
