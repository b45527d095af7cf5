"""Ending a run with the results of its stages; no file is read again, since the store has them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.datasets.storage import Placement
from blastgit.errors import DamagedData, InvalidFiles, InvalidInput, NotFound
from blastgit.naming.paths import dataset_path
from blastgit.progress import Progress
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.repository.contents import copy_file, fetch_file, read_checked
from blastgit.revision.export import named_files
from blastgit.store.hashing import Checksums
from blastgit.store.intake import Intake

if TYPE_CHECKING:
    from blastgit.recording.options import RecordOptions
    from blastgit.recording.result import Recorded


def end(repository: Repository, name: str, options: RecordOptions, progress: Progress) -> Recorded:
    """Record the present state of a transient's run in progress.

    Raises:
        NotFound: No run is in progress.
        InvalidInput: The stages did not make a whole export, or a file that it names.
    """
    from blastgit.recording.record import record_from
    from blastgit.workflow.markers import Run

    run = Run.of(repository, name)
    if run is None:
        raise NotFound(
            f"{name} has no run in progress in {repository.location}: begin a stage, or use `blastgit record`"
        )
    state = run.state
    _check(state, Placement.of(repository))
    return record_from(repository, state.dr.export, StoredIntake(repository, state, progress), options)


def _check(state: Snapshot, place: Placement) -> None:
    if not state.dr.export.app_version:
        raise InvalidInput(
            f"no stage of {state.name} set `metadata.app_version`, so this is not an export yet: let a stage set it, "
            "or record with an export"
        )
    named = [path for path in named_files(state.dr.export.document) if place.keeps(dataset_path(path))]
    missing = [path for path in named if dataset_path(path) not in state.dr.files]
    if missing:
        raise InvalidFiles(f"the export names {missing[0]}, which no stage of {state.name} made")


class StoredIntake(Intake):
    """The files of a state that is already in the store."""

    def __init__(self, repository: Repository, state: Snapshot, progress: Progress) -> None:
        """Use the files of a state of `repository`."""
        super().__init__(repository.store, dict.fromkeys(state.held, Path()), progress)
        self._state = state

    def source(self, path: str) -> Path:
        """Return the location of a file, fetching it if needed."""
        return fetch_file(self._state, path, self._store, self.folder)

    def begin(self, *, staging: bool) -> None:
        """Do nothing: all checksums are known."""

    def hash_all(self) -> dict[str, str]:
        """Return the SHA-256 of every file, by path."""
        return {path: self._state.sha256(path) for path in self._state.held}

    def sums(self, paths: Iterable[str]) -> dict[str, Checksums]:
        """Return all checksums of files."""
        pointers = {path: self._state.pointer(path) for path in paths}
        return {path: Checksums(each.md5, self._state.sha256(path), each.size) for path, each in pointers.items()}

    def content(self, path: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            DamagedData: It is not what the stage made.
        """
        return b"".join(read_checked(self._state, path, self._store))

    def store(self, paths: Iterable[str], place: Callable[[str], str] = lambda _: "") -> dict[str, Checksums]:
        """Return the checksums of files, checking that the store still has them and that they are in the right place.

        Raises:
            DamagedData: The store has lost one.
        """
        found = self.sums(paths)
        pointers = {path: self._state.pointer(path) for path in found if not self._state.held[path].in_git}
        absent = self._store.missing(pointer.md5 for pointer in pointers.values())
        lost = [path for path, pointer in pointers.items() if pointer.md5 in absent]
        if lost:
            raise DamagedData(f"the store has lost {lost[0]} of {self._state.name}, which a stage made")
        for path, sums in found.items():
            if path not in pointers or place(path) != pointers[path].remote:  # the rules changed since that stage
                copy = copy_file(self._state, path, self._store, self.folder)
                self._store.named(place(path)).put(copy, sums)
        return found
