"""`repo.index`: tables of what all revisions say, to be asked by SQL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import NotFound, RepoError
from blastgit.handle import Handle
from blastgit.index.opened import Limits, OpenIndex
from blastgit.index.tables import Tables, tables
from blastgit.progress import Progress, silent

if TYPE_CHECKING:
    from blastgit.index.build import Updated

FILE = "index.duckdb"


class Index:
    """The index of a data repo: a DuckDB file beside it, which follows from it and may be deleted at any time."""

    def __init__(self, handle: Handle, progress: Progress = silent) -> None:
        """Look at the index of a data repo, whether there is one yet or not."""
        self._handle = handle
        self._progress = progress

    @property
    def path(self) -> Path:
        """The file."""
        return self._handle.work_folder / FILE

    @property
    def tables(self) -> Tables:
        """What tables there are, with units, UCDs and descriptions."""
        return tables()

    def update(self, *, rebuild: bool = False, jobs: int | None = None) -> Updated:
        """Take in what changed in the data repo since, or all of it if there is no index yet.

        Args:
            rebuild: Make it anew in any case.
            jobs: How many processes read the data repo; by default one a processor if there is much to read.

        Raises:
            RepoError: It cannot be written here, or DuckDB is not installed.
        """
        from blastgit.index.build import update

        self._bring()
        return update(self._handle, self.path, self._progress, rebuild=rebuild, jobs=jobs)

    def open(self, limits: Limits | None = None, *, as_is: bool = False) -> OpenIndex:
        """Open the index for reading, brought up to date first where this user may write it.

        Args:
            limits: What a query may take.
            as_is: Do not look whether anything changed; there must be an index then.

        Raises:
            NotFound: There is none, and none is to be made.
            RepoError: It cannot be made here, or DuckDB is not installed.
        """
        if as_is and not self.path.exists():
            raise NotFound(f"{self._handle.location} has no index yet: run `blastgit index`")
        return OpenIndex(self.path, limits or Limits(), None if as_is else self._refresh())

    def parquet(self, folder: str | Path) -> list[Path]:
        """Publish the index as Parquet files, one a table, that pandas, Polars, DuckDB and TOPCAT read.

        Units, UCDs and descriptions are in each file as a VOTable without data (the convention VOParquet).

        Args:
            folder: Where to; it is made if need be, and files of the same names are replaced.

        Returns:
            The files.

        Raises:
            RepoError: They cannot be written.
        """
        from blastgit.index.parquet import publish

        self._refresh()
        return publish(self.path, Path(folder), self._progress)

    def _refresh(self) -> Updated | None:
        """Bring the index up to date; one that only another user may write is read as it is."""
        try:
            return self.update()
        except RepoError:
            if os.access(self.path.parent, os.W_OK) or not self.path.exists():
                raise
            return None

    def _bring(self) -> None:
        """Have all of a repo elsewhere at hand."""
        if not self._handle.is_here:
            for name in ("main", "annotations", None):
                self._handle.need(name, whole=name is None)
