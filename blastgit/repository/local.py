"""A data repo on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.naming.refs import BRANCHES
from blastgit.plumbing.objects import ZERO, list_refs
from blastgit.repository.base import USAGE_SETTING, Repository, git_setting

if TYPE_CHECKING:
    from blastgit.plumbing.batch import Batch
    from blastgit.plumbing.ref_update import RefUpdate


class LocalRepository(Repository):
    """A data repo on this machine: all that it has is at hand."""

    is_here = True

    def branches(self) -> list[str]:
        """Return the refs of all branches that the repo itself has. Slow where there are many."""
        refs = (ref.decode("utf-8", "replace") for ref in list_refs(self.git))
        return [ref for ref in refs if ref.startswith(BRANCHES)]

    @property
    def has_writers(self) -> bool:
        """Whether a lock file is there: somebody writes, or died while they did."""
        try:
            with os.scandir(self.work_folder / "locks") as entries:
                return any(entries)
        except OSError:
            return False

    @property
    def usage_log(self) -> Path | None:
        """Where reads are noted: where this user's own variable says, or beside the repo if its git setting does."""
        wanted = git_setting(self.git, USAGE_SETTING).lower() in ("true", "yes", "on", "1")
        return super().usage_log or (self.work_folder / "usage.log" if wanted else None)

    def prepare_to_write(self) -> None:
        """See that all is there that a writer of revisions needs, and have the stores know who relies on them."""
        from blastgit.repository.ownership import register

        super().prepare_to_write()
        register(self)

    def prepare_to_edit(self) -> None:
        """Make the folders that every writer needs, and have the hooks follow the repo if it was moved."""
        from blastgit.repository.hooks_folder import follow_move

        super().prepare_to_edit()
        follow_move(self.path, self.git)

    def update_refs(
        self,
        updates: list[RefUpdate],
        message: str,
        *locks: int,
        objects: Batch | None = None,
        synced: Iterable[Path] = (),
    ) -> None:
        """Move refs in one transaction, and enter new tags in the ledger; see `update_refs`."""
        from blastgit.plumbing.refs import update_refs

        tags = {update.ref: update.new for update in updates if update.new != ZERO}
        then = partial(self.ledger.add, tags)
        update_refs(self.path, updates, message, *locks, objects=objects, synced=synced, then=then)
