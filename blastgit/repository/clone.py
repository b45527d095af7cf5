"""A plain clone of a data repo with a work tree, made by `git clone`: what it has fetched can be read there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from blastgit.errors import RepoError
from blastgit.naming.refs import ANNOTATIONS, BRANCHES, MAIN, TRACKED
from blastgit.plumbing.objects import find_ref, list_refs
from blastgit.repository.local import LocalRepository

if TYPE_CHECKING:
    import pygit2

    from blastgit.plumbing.batch import Batch
    from blastgit.plumbing.ref_update import RefUpdate

_INSIDE = ".git"


class Clone(LocalRepository):
    """A clone with a work tree. Its branches are those of the original repo, as last fetched.

    The only data of its own are annotations, which `blastgit sync` sends to the original repo.
    """

    @property
    def location(self) -> str:
        """The folder with the work tree."""
        return str(self.path.parent)

    def reference(self, ref: str) -> pygit2.Reference | None:
        """Return a ref as it is now, for a branch its last fetched state, or None."""
        fetched = find_ref(self.git, _tracked(ref)) if ref.startswith(BRANCHES) and ref != ANNOTATIONS else None
        return fetched or super().reference(ref)

    def look_up(self, refs: Iterable[str]) -> dict[str, pygit2.Reference]:
        """Return the given branches or tags that exist."""
        return {ref: found for ref in refs if (found := self.reference(ref)) is not None}

    def references(self, start: str, but: str = "") -> list[str]:
        """Return the names of all refs that begin with `start` but not with `but`. Slow if there are many."""
        return [name for name in self._names() if name.startswith(start) and not (but and name.startswith(but))]

    def branches(self) -> list[str]:
        """Return the refs of all branches that were fetched. Slow if there are many."""
        return self.references(BRANCHES)

    def object_ids(self, start: str, but: str = "") -> dict[str, str]:
        """Return the object id of each ref that begins with `start` but not with `but`. Slow if there are many."""
        found = ((name, self.reference(name)) for name in self.references(start, but))
        return {name: str(reference.target) for name, reference in found if reference is not None}

    @property
    def main(self) -> pygit2.Commit:
        """The tip of main, which holds what concerns the whole repo.

        Raises:
            RepoError: It was not fetched.
            DamagedData: Git cannot read its commit.
        """
        if self.reference(MAIN) is None:
            raise RepoError(
                f"{self.location} is not a clone of a data repo, or has a single branch, without main: fetch main with "
                f"`git -C {self.location} fetch origin main:{_tracked(MAIN)}`"
            )
        return super().main

    def prepare_to_write(self) -> None:
        """Refuse to record in a clone.

        Raises:
            RepoError: Always.
        """
        self._refuse()

    def update_refs(
        self,
        updates: list[RefUpdate],
        message: str,
        *locks: int,
        objects: Batch | None = None,
        synced: Iterable[Path] = (),
    ) -> None:
        """Move the branch of the annotations, the only one that a clone may move.

        Raises:
            RepoError: It is another ref.
        """
        if any(update.ref != ANNOTATIONS for update in updates):
            self._refuse()
        super().update_refs(updates, message, *locks, objects=objects, synced=synced)

    def _refuse(self) -> NoReturn:
        raise RepoError(f"{self.location} is a clone, for reading and annotations: do this in the repo it came from")

    def _names(self) -> list[str]:
        names = (ref.decode("utf-8", "replace") for ref in list_refs(self.git))
        own = (f"{BRANCHES}{name.removeprefix(TRACKED)}" if name.startswith(TRACKED) else name for name in names)
        return sorted({name for name in own if name != f"{BRANCHES}HEAD"})


def _tracked(ref: str) -> str:
    return f"{TRACKED}{ref.removeprefix(BRANCHES)}"


def open_here(folder: Path) -> LocalRepository:
    """Open the data repo in a folder of this machine, or a plain clone of one.

    Raises:
        RepoError: No data repo is there, it belongs to someone else, or its format is newer than this code.
    """
    if folder.name == _INSIDE:
        return Clone(folder)
    inside = folder / _INSIDE
    return Clone(inside) if inside.is_dir() else LocalRepository(folder)
