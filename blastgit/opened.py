"""An opened data repo, and what every method of `DataRepo` needs of it."""

from __future__ import annotations

from pathlib import Path

from blastgit.errors import RepoError
from blastgit.handle import Handle
from blastgit.history import History, Snapshot
from blastgit.location import local_path
from blastgit.names import Spec
from blastgit.progress import Progress, silent
from blastgit.recovery import recover


class Opened:
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
        self._handle = _open(location)
        self._history = History(self._handle)
        self._progress = progress

    @property
    def path(self) -> Path:
        """Where the git repository is on this machine (for one elsewhere: the part that was fetched)."""
        return self._handle.path

    @property
    def store_url(self) -> str:
        """Where the contents of the files are kept."""
        return self._handle.store.url

    def _resolve(self, spec: Spec) -> Snapshot:
        self._handle.need(spec.name, spec.number, whole=spec.stage is not None)
        state = self._history.resolve(spec)
        if self._handle.usage_log is not None:
            from blastgit.provenance.usage import note

            note(self._handle, state)
        return state

    def _local(self) -> Handle:
        if not self._handle.is_here:
            raise RepoError(f"{self._handle.location} lies elsewhere: do this where its repository is")
        return self._handle


def _open(location: str | Path) -> Handle:
    folder = location if isinstance(location, Path) else local_path(location)
    if folder is None:
        from blastgit.mirror import Mirror

        return Mirror(str(location))
    handle = Handle(folder)
    recover(handle)
    return handle
