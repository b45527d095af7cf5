"""An open data repo, shared by the verbs and attributes of `DataRepo`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import RepoError
from blastgit.naming.names import DRAFT, Spec, is_personal, is_reference, parse_spec
from blastgit.progress import Progress, silent
from blastgit.repository.clone import open_here
from blastgit.repository.format import FILE
from blastgit.repository.history import History
from blastgit.repository.local import LocalRepository
from blastgit.repository.location import local_path
from blastgit.repository.unfinished import check_finished

if TYPE_CHECKING:
    from blastgit.repository.base import Repository
    from blastgit.repository.commits import Snapshot
    from blastgit.repository.renames import Renames
    from blastgit.workflow.located import Located


class Session:
    """An open data repo; resolves the names that people give to its transients and revisions.

    Attributes:
        repository: The repo, local or remote.
        history: Its branches and tags.
        progress: Called during long work with the step, the amount done, and the total.
    """

    def __init__(self, location: str | Path, *, progress: Progress = silent) -> None:
        """Open a data repo, completing any work of a crashed writer.

        Args:
            location: A folder, or any URL that git can fetch from; of a remote repo only what is needed is fetched,
                and recorded revisions are pushed.
            progress: Called during long work.

        Raises:
            RepoError: The data repo does not exist, or cannot be used.
        """
        self.repository = _open(location)
        self.history = History(self.repository)
        self.progress = progress

    def resolve(self, spec: Spec) -> Snapshot:
        """Return the state that a spec names, fetching it if the repo is remote; log the read if reads are logged.

        Raises:
            NotFound: The state does not exist.
        """
        from blastgit.workflow.resolve import resolve

        known = self._known(spec)
        state = resolve(self.repository, known)
        if known.name != spec.name:
            state.asked = str(replace(spec, path=None))
        self._note(state)
        return state

    def _note(self, state: Snapshot) -> None:
        if self.repository.usage_log is not None:
            from blastgit.provenance.usage import note

            note(self.repository, state)

    def locate(self, text: str) -> Located:
        """Return the state and the path in it that a name stands for; a component's variant is such a name, too.

        Raises:
            InvalidName: The text is not a name.
            NotFound: No such state, or no revision has the variant.
        """
        from blastgit.workflow.located import Located

        spec = parse_spec(text)
        if spec.path is None or not ("@" in spec.path or b"variants" in self.repository.main_file(FILE)):
            return Located(self.resolve(spec), spec.path)
        from blastgit.workflow.variants import locate, spoken_variant

        path = spoken_variant(self.repository, spec.path)
        if path is None:
            return Located(self.resolve(spec), spec.path)
        found = locate(self.repository, replace(self._known(spec), path=path))
        self._note(found.state)
        return found

    def look_up(self, spec: Spec) -> Snapshot | None:
        """Return a revision by the exact name of its transient and its number, or None.

        Aliases and similar names are not considered, since that reads all documents or all names.
        """
        known = self._by_name(spec)
        if known is None or (known.number is not None and not self._has_tag(known)):
            return None
        return self.resolve(known)

    def names(self, name: str) -> list[str]:
        """Return the current name of a transient, then its former names that have revisions."""
        found = self._known(Spec(name)).name
        former = self._renames.former(found) if self._renames is not None else []
        return [found, *(each for each in former if self.history.tip(each) is not None)]

    def names_with_drafts(self, name: str) -> list[str]:
        """Return the same as `names`, but also for a transient that has only drafts."""
        return [name] if self._is_drafted(Spec(name, alias=DRAFT)) else self.names(name)

    def local(self) -> LocalRepository:
        """Return the repository for work that needs a local one.

        Raises:
            RepoError: The repository is remote.
        """
        if not isinstance(self.repository, LocalRepository):
            raise RepoError(f"{self.repository.location} is remote: do this where the repository is")
        return self.repository

    def _known(self, spec: Spec) -> Spec:
        """Return a spec with the current name of its transient, replacing a former name or an alias."""
        by_name = self._by_name(spec)
        if by_name is not None:
            return by_name
        if is_personal(spec.name) or is_reference(spec.name):
            return spec
        from blastgit.api.aliases import find_alias

        found = find_alias(self.repository, spec.name)
        return spec if found is None else replace(spec, name=found)

    def _by_name(self, spec: Spec) -> Spec | None:
        """Return a spec under a name that the transient has or had; None if nothing has that name."""
        if self._has_tag(spec) or self.history.tip(spec.name) is not None or self._is_drafted(spec):
            return spec
        for other in self._renames.others(spec.name) if self._renames is not None else ():
            if self.history.tip(other) is not None or self._has_tag(replace(spec, name=other)):
                return replace(spec, name=other)
        return None

    @property
    def _renames(self) -> Renames | None:
        """Which names belong to the same transient; None, without parsing the settings, if they list no renames."""
        if b"renames" not in self.repository.main_file(FILE):
            return None
        from blastgit.repository.renames import Renames

        return Renames.of(self.repository.settings)

    def _is_drafted(self, spec: Spec) -> bool:
        """Whether a spec names a draft of a transient that has no revision yet."""
        if (spec.alias != DRAFT and spec.draft is None) or is_personal(spec.name) or is_reference(spec.name):
            return False
        from blastgit.repository.drafts import Drafts

        return Drafts(self.repository, spec.name).tip is not None

    def _has_tag(self, spec: Spec) -> bool:
        return spec.number is not None and self.history.tagged(spec.name, spec.number) is not None


def _open(location: str | Path) -> Repository:
    folder = location if isinstance(location, Path) else local_path(location)
    if folder is None:
        from blastgit.repository.remote import RemoteRepository

        return RemoteRepository(str(location))
    repository = open_here(folder)
    check_finished(repository.path)
    if repository.has_writers:
        from blastgit.repository.recovery import recover

        recover(repository)
    return repository
