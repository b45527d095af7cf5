"""Check pushed collections, by the same rules as the library's own changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pygit2

from blastgit.collections.access import check_access, check_confirmed, confirmed_in
from blastgit.collections.catalogue import Catalogue
from blastgit.collections.names import check_name, name_of
from blastgit.collections.policy import CollectionPolicy
from blastgit.collections.rules import Rules
from blastgit.collections.text import SIZE_LIMIT, check_text
from blastgit.errors import BlastgitError, Denied
from blastgit.guard.quarantine import Quarantine
from blastgit.naming.trailers import Trailer, read_trailers
from blastgit.repository.settings import Settings


@dataclass(frozen=True)
class Pushed:
    """A push to main.

    Attributes:
        repo: The data repo before the push.
        old: The old tip of main; None if it does not exist yet.
        new: The new tip.
        settings: The settings of the new tip.
        coming: The refs pushed with it, with their new values.
    """

    repo: Quarantine
    old: pygit2.Commit | None
    new: pygit2.Commit
    settings: Settings
    coming: Mapping[str, str | None]

    def check(self, files: Mapping[str, pygit2.Oid | None], who: str) -> None:
        """Check new, changed and deleted files of collections.

        Args:
            files: Their new blobs by path on main; None for a deleted file.
            who: The user who pushes.

        Raises:
            Denied: A rule is broken; the error names the file.
        """
        changed = {name_of(path): path for path in files}
        before = Catalogue(None if self.old is None else self.old.tree)
        policy = CollectionPolicy.of(self.settings)
        rules = Rules(self.repo, policy, before, Catalogue(self.new.tree), self.coming)
        for name, path in changed.items():
            try:
                check_access(self.settings if self.old is None else self.repo.settings, check_name(name), who)
                oid = files[path]
                if oid is not None:
                    check_text(self.repo.blob(oid, SIZE_LIMIT), name)
                rules.check(name)
            except BlastgitError as error:
                raise Denied(f"{path}: {error}") from None
        if policy.protected:
            check_confirmed(policy, changed, confirmed_in(self._confirmations()))

    def _confirmations(self) -> Iterator[str]:
        """Yield the trailers by which new commits confirm changes."""
        walk = self.repo.git.walk(self.new.id)
        if self.old is not None:
            walk.hide(self.old.id)
        for commit in walk:
            message = self.repo.commit(commit.id, "main's commit").message
            yield read_trailers(message).get(Trailer.CONFIRMED, "")
