"""`repo.index`: tables of what all revisions say, to be asked by SQL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import Busy, NotFound, RepoError
from blastgit.index.library import need
from blastgit.index.open_index import Limits
from blastgit.index.tables import Tables, tables
from blastgit.progress import Progress, silent
from blastgit.repository.base import Repository
from blastgit.repository.question import Asked
from blastgit.search.adql.query import SearchIndex

if TYPE_CHECKING:
    from blastgit.index.build import Updated, UpdateOptions

FILE = "index.duckdb"
_BRIEFLY = 5.0  # seconds that a reader waits for a writer, if there is something to read


class Index(Asked):
    """The index of a data repo: a DuckDB file beside it, which follows from it and may be deleted at any time."""

    def __init__(self, repository: Repository, progress: Progress = silent) -> None:
        """Look at the index of a data repo, whether there is one yet or not."""
        self._repository = repository
        self._progress = progress

    @property
    def path(self) -> Path:
        """The file."""
        return self._repository.work_folder / FILE

    @property
    def tables(self) -> Tables:
        """What tables there are, with units, UCDs and descriptions."""
        return tables()

    def update(self, *, rebuild: bool = False, jobs: int | None = None) -> Updated:
        """Take in what changed in the data repo since, or all of it if there is no index yet.

        Args:
            rebuild: Rebuild it in any case.
            jobs: How many processes read the data repo; by default one a processor if there is much to read.

        Raises:
            RepoError: It cannot be written here, or DuckDB is not installed.
        """
        from blastgit.index.build import UpdateOptions

        return self._update(UpdateOptions(rebuild, jobs))

    def open(self, limits: Limits | None = None, *, as_is: bool = False) -> SearchIndex:
        """Open the index for reading, brought up to date first where this user may write it.

        Args:
            limits: What a query may take.
            as_is: Do not look whether anything changed; there must be an index then.

        Raises:
            NotFound: There is none, and none is to be made.
            RepoError: It cannot be made here, or DuckDB is not installed.
        """
        if as_is:
            self._check()
        return SearchIndex(self.path, limits or Limits(), None if as_is else self._refresh())

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

    def _check(self) -> None:
        """Check that there is an index that can be read as it is."""
        from blastgit.index.origin import is_usable

        need("duckdb")
        if not self.path.exists():
            raise NotFound(
                f"{self._repository.location} has no index yet: `blastgit index` makes it, for who may write there; "
                "a clone of your own can have one, too"
            )
        if not is_usable(self.path):
            raise RepoError(f"{self.path} is damaged, or of another version of blastgit: run `blastgit index`")

    def _refresh(self) -> Updated | None:
        """Bring the index up to date; one that only another user may write, or is at right now, is read as it is."""
        from blastgit.index.build import UpdateOptions
        from blastgit.index.origin import is_usable

        try:
            return self._update(UpdateOptions(wait=_BRIEFLY))
        except Busy:
            return None if is_usable(self.path) else self._update(UpdateOptions())
        except RepoError:
            if os.access(self.path.parent, os.W_OK) or not self._repository.is_here:
                raise
        self._check()
        return None

    def _update(self, how: UpdateOptions) -> Updated:
        from blastgit.index.build import update

        need("duckdb")
        need("pyarrow")
        return update(self._repository, self.path, self._progress, how)
