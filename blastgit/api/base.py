"""An opened data repo, and what every method of `DataRepo` needs of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.api.aliases import find_alias
from blastgit.errors import RepoError
from blastgit.naming.names import Spec, is_personal
from blastgit.progress import Progress, silent
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.repository.format import FILE
from blastgit.repository.history import History
from blastgit.repository.local import LocalRepository
from blastgit.repository.location import local_path
from blastgit.repository.question import Asked
from blastgit.repository.recovery import recover
from blastgit.repository.renames import Renames
from blastgit.workflow.resolve import resolve

if TYPE_CHECKING:
    pass


class BaseRepo(Asked):
    """A data repo that was found and can be read."""

    def __init__(self, location: str | Path, *, progress: Progress = silent) -> None:
        """Open a data repo, completing what a writer left unfinished when it died.

        Args:
            location: A folder, or any URL that git can fetch from (then only what is asked for is fetched, and what is
                recorded is pushed).
            progress: Called during long work with what is done, how much, of how much.

        Raises:
            RepoError: There is no data repo, or it cannot be used.
        """
        self._repository = _open(location)
        self._history = History(self._repository)
        self._progress = progress

    @property
    def path(self) -> Path:
        """Where the git repository is on this machine (for one elsewhere: the part that was fetched)."""
        return self._repository.path

    @property
    def store_url(self) -> str:
        """Where the contents of the files are kept."""
        return self._repository.store.url

    @property
    def stores(self) -> dict[str, str]:
        """Where the contents of some kinds of files are kept instead, by the name of the store."""
        return {name: part.url for name, part in self._repository.store.others.items()}

    def _resolve(self, spec: Spec) -> Snapshot:
        known = self._known(spec)
        state = resolve(self._repository, known)
        if known.name != spec.name:
            state.asked = str(replace(spec, path=None))
        if self._repository.usage_log is not None:
            from blastgit.provenance.usage import note

            note(self._repository, state)
        return state

    def _known(self, spec: Spec) -> Spec:
        """Return what somebody named, by the name that the transient has here.

        That may be another one if the transient was renamed, or if an alias was given.
        """
        by_name = self._by_name(spec)
        if by_name is not None:
            return by_name
        found = None if is_personal(spec.name) else find_alias(self._repository, spec.name)
        return spec if found is None else replace(spec, name=found)

    def _by_name(self, spec: Spec) -> Spec | None:
        """Return what somebody named, by a name that the transient has or had; None if nothing has that name."""
        if self._has_tag(spec) or self._history.tip(spec.name) is not None:
            return spec
        for other in self._renames.others(spec.name) if self._renames is not None else ():
            if self._history.tip(other) is not None or self._has_tag(replace(spec, name=other)):
                return replace(spec, name=other)
        return None

    def _look_up(self, spec: Spec) -> Snapshot | None:
        """Return a revision by the name of its transient and its number alone; None at once if there is none.

        Aliases and near names are not searched for: that reads all documents or all names.
        """
        known = self._by_name(spec)
        if known is None or (known.number is not None and not self._has_tag(known)):
            return None
        return self._resolve(known)

    def _names(self, name: str) -> list[str]:
        """Return the name of a transient here, then its former ones that have revisions."""
        found = self._known(Spec(name)).name
        former = self._renames.former(found) if self._renames is not None else []
        return [found, *(each for each in former if self._history.tip(each) is not None)]

    @property
    def _renames(self) -> Renames | None:
        """Which names are of the same transient; None, without reading the settings, if none are known."""
        if b"renames" not in self._repository.main_file(FILE):
            return None
        return Renames.of(self._repository.settings)

    def _has_tag(self, spec: Spec) -> bool:
        return spec.number is not None and self._history.tagged(spec.name, spec.number) is not None

    def _local(self) -> LocalRepository:
        if not isinstance(self._repository, LocalRepository):
            raise RepoError(f"{self._repository.location} lies elsewhere: do this where its repository is")
        return self._repository


def _open(location: str | Path) -> Repository:
    folder = location if isinstance(location, Path) else local_path(location)
    if folder is None:
        from blastgit.repository.remote import RemoteRepository

        return RemoteRepository(str(location))
    repository = LocalRepository(folder)
    recover(repository)
    return repository
