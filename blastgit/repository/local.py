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
    """A data repo on this machine."""

    is_here = True

    def branches(self) -> list[str]:
        """Return the refs of all branches that the repo itself has. Slow if there are many."""
        refs = (ref.decode("utf-8", "replace") for ref in list_refs(self.git))
        return [ref for ref in refs if ref.startswith(BRANCHES)]

    @property
    def has_writers(self) -> bool:
        """Whether there is a lock file: somebody is writing, or died while writing."""
        try:
            with os.scandir(self.work_folder / "locks") as entries:
                return any(entries)
        except OSError:
            return False

    @property
    def usage_log(self) -> Path | None:
        """The log of reads: the file in this user's own variable, or one beside the repo if its git setting says so."""
        wanted = git_setting(self.git, USAGE_SETTING).lower() in ("true", "yes", "on", "1")
        return super().usage_log or (self.work_folder / "usage.log" if wanted else None)

    def prepare_to_write(self) -> None:
        """Make sure that everything a writer needs exists, and register this repo with its stores."""
        from blastgit.repository.ownership import register

        super().prepare_to_write()
        register(self)

    def prepare_to_edit(self) -> None:
        """Make the folders that every writer needs, and update the path of the hooks if the repo was moved."""
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
        """Move refs in one transaction, and add new tags to the ledger; see `update_refs`."""
        from blastgit.plumbing.refs import update_refs

        tags = {update.ref: update.new for update in updates if update.new != ZERO}
        then = partial(self.ledger.add, tags)
        update_refs(self.path, updates, message, *locks, objects=objects, synced=synced, then=then)
