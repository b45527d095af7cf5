"""`repo.index`: tables of the contents of all revisions, for SQL queries."""

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
_BRIEFLY = 5.0  # seconds that a reader waits for a writer, if there is an index to read


class Index(Asked):
    """The index of a data repo: a DuckDB file beside it, derived from it, which may be deleted at any time."""

    def __init__(self, repository: Repository, progress: Progress = silent) -> None:
        """Use the index of a data repo, which need not exist yet."""
        self._repository = repository
        self._progress = progress

    @property
    def path(self) -> Path:
        """The index file."""
        return self._repository.work_folder / FILE

    @property
    def tables(self) -> Tables:
        """The tables of the index, with units, UCDs and descriptions."""
        return tables()

    def update(self, *, rebuild: bool = False, jobs: int | None = None) -> Updated:
        """Bring the index up to date with the data repo, building it if it does not exist yet.

        Args:
            rebuild: Rebuild it from scratch.
            jobs: Number of processes that read the data repo; by default one per processor if there is much to read.

        Raises:
            RepoError: It cannot be written, or DuckDB is not installed.
        """
        from blastgit.index.build import UpdateOptions

        return self._update(UpdateOptions(rebuild, jobs))

    def open(self, limits: Limits | None = None, *, as_is: bool = False) -> SearchIndex:
        """Open the index for reading, after bringing it up to date if this user may write it.

        Args:
            limits: Limits on time and memory of a query.
            as_is: Use the index without checking whether it is up to date; it must exist.

        Raises:
            NotFound: The index does not exist, and `as_is` does not build one.
            RepoError: It cannot be written, or DuckDB is not installed.
        """
        if as_is:
            self._check()
        return SearchIndex(self.path, limits or Limits(), None if as_is else self._refresh())

    def parquet(self, folder: str | Path) -> list[Path]:
        """Publish the index as Parquet files, one per table, for pandas, Polars, DuckDB and TOPCAT.

        Each file holds units, UCDs and descriptions as a VOTable without data (the VOParquet convention).

        Args:
            folder: The target folder; created if needed, replacing files of the same names.

        Returns:
            The files.

        Raises:
            RepoError: They cannot be written.
        """
        from blastgit.index.parquet import publish

        self._refresh()
        return publish(self.path, Path(folder), self._progress)

    def _check(self) -> None:
        """Check that the index exists and is readable."""
        from blastgit.index.origin import is_usable

        need("duckdb")
        if not self.path.exists():
            raise NotFound(
                f"{self._repository.location} has no index yet: `blastgit index` makes it, if you may write there; "
                "your own clone can have one, too"
            )
        if not is_usable(self.path):
            raise RepoError(f"{self.path} is damaged, or of another version of blastgit: run `blastgit index`")

    def _refresh(self) -> Updated | None:
        """Bring the index up to date, unless only another user may write it or somebody is writing it now."""
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
