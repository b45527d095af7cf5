"""`repo.identify`: opens files, archives, exports and folders to find which revisions they are."""

from __future__ import annotations

import tarfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import InvalidFiles, InvalidInput, NotFound
from blastgit.naming.names import check_line, check_transient
from blastgit.naming.paths import ROOTS
from blastgit.reading.identify import Dataset, Identity, identify_dataset, identify_file
from blastgit.repository.drafts import Drafts, drafted
from blastgit.repository.history import History
from blastgit.revision.export import Export, read_given

if TYPE_CHECKING:
    from blastgit.api.session import Session


class Identifying:
    """Finds out which revisions files, archives, exports and folders are."""

    def __init__(self, session: Session) -> None:
        """Search an open data repo."""
        self._repository = session.repository
        self._names = session.names
        self._with_drafts = session.names_with_drafts

    def identify(self, path: Path, of: str | None = None) -> Identity:
        """Identify the file or folder at a path; see `DataRepo.identify`."""
        if path.is_dir():
            export, files = _open_folder(path)
            return self._dataset(Dataset(str(path), export, files))
        if not path.is_file():
            raise InvalidFiles(f"there is no file or folder {path}")
        if path.suffix == ".json":
            return self._dataset(Dataset(str(path), read_given(path), {}))
        if tarfile.is_tarfile(path):
            from blastgit.recording.archive import open_archive

            with open_archive(path) as (export, unpacked):
                return self._dataset(Dataset(str(path), export, unpacked))
        return identify_file(self._repository, path, self._transients(path, of))

    def _dataset(self, dataset: Dataset) -> Identity:
        found = Identity(dataset.label, reason=f"there is no transient {dataset.export.name} here")
        with suppress(NotFound):
            for name in self._names(dataset.export.name):
                found = identify_dataset(self._repository, dataset, name)
                if found.matches:
                    break
        return found

    def _transients(self, path: Path, of: str | None) -> list[str]:
        """Return the lines that a file may belong to: the transient that its name starts with, else all.

        The files of a reference need not be named after it.
        """
        if of is not None:
            return self._with_drafts(check_line(of))
        words = path.name.split("_")
        for guess in ("_".join(words[:count]) for count in range(len(words) - 1, 0, -1)):
            with suppress(InvalidInput, NotFound):
                if History(self._repository).tip(check_transient(guess)) is not None:
                    return self._names(guess)
                if Drafts(self._repository, guess).tip is not None:
                    return [guess]
        history = History(self._repository)
        return [*sorted({*history.transients(), *drafted(self._repository)}), *history.references()]


def _open_folder(folder: Path) -> tuple[Export, dict[str, Path]]:
    """Read the folder of a dataset, laid out by `get`, `dvc pull` or Blast's archive.

    Raises:
        InvalidFiles: It does not hold exactly one export.
    """
    documents = sorted(folder.glob("*.json"))
    if len(documents) != 1:
        raise InvalidFiles(
            f"{folder} should hold one export (NAME.json) beside cutout_cdn/ and sed_output/, and holds "
            f"{len(documents)}: name the files themselves"
        )
    files = (file for root in ROOTS for file in sorted((folder / root).rglob("*")) if file.is_file())
    known = {file.relative_to(folder).as_posix(): file for file in files if file.suffix != ".dvc"}
    own = {path: file for path, file in known.items() if not path.endswith("/.gitignore")}
    return read_given(documents[0]), own
