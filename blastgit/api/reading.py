"""Getting data, as methods of `DataRepo`: files into a folder, or a dataset as the object that it is."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from blastgit.api.base import BaseRepo
from blastgit.errors import UsageError
from blastgit.naming.names import parse_spec
from blastgit.naming.refs import branch_ref

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import h5py
    from astropy.io.fits import HDUList
    from astropy.nddata import CCDData
    from astropy.table import Row, Table

    from blastgit.api.attachments import Attachments, Metrics
    from blastgit.api.index import Index
    from blastgit.api.types import Types
    from blastgit.index.open_index import OpenIndex
    from blastgit.readers import Arrays, Content
    from blastgit.reading.get import GetResult
    from blastgit.reading.identify import Identity
    from blastgit.search.compare import Comparison
    from blastgit.search.find import Criteria, Found
    from blastgit.search.find.related import Relation
    from blastgit.search.saved.queries import Queries

Arrayed = Literal["sed_model", "chain", "percentiles"]
Tabled = Literal["photometry", "sed", "sfh", "apertures", "filters", "stages"]


class Reading(BaseRepo):
    """What readers of data do."""

    @property
    def types(self) -> Types:
        """The dataset types, which datasets a revision has of each, and reading them."""
        from blastgit.api.types import Types

        return Types(self._repository, self._resolve)

    @property
    def metrics(self) -> Metrics:
        """Numbers that were measured of revisions and files, beside the published data."""
        from blastgit.api.attachments import Metrics

        return Metrics(self._repository, self._progress)

    @property
    def attachments(self) -> Attachments:
        """Files that belong to revisions, beside the published data: plots, logs."""
        from blastgit.api.attachments import Attachments

        return Attachments(self._repository, self._progress)

    def identify(self, path: str | Path, *, of: str | None = None) -> Identity:
        """Return which revision something in hand is, or which it is nearest to and what differs.

        Equality is what it is for `record`: bytes, else values and contents by the repo's rules.

        Args:
            path: An export or a revision's document (`.json`), Blast's archive, the folder of a dataset, or any file.
            of: The transient that a single file belongs to, if its name does not tell.

        Raises:
            InvalidInput: It cannot be read.
            NotFound: There is no transient `of`.
        """
        from blastgit.api.identify import Identifying

        return Identifying(self._repository, self._names).identify(Path(path), of)

    def related(
        self, names: Sequence[str], kinds: Sequence[str] | None = None, *, radius: float | None = None
    ) -> Sequence[Relation]:
        """Return what belongs to some transients: hosts, images, filters, transients of the same host, neighbours.

        Args:
            names: The transients, `NAME` or `NAME@N`.
            kinds: Which of `host`, `cutout`, `filter`, `same-host`, `neighbour`; by default all but the last.
            radius: For neighbours: how far away, in degrees.

        Raises:
            NotFound: There is no such transient.
            UsageError: A kind is none, or neighbours are wanted and no radius is given.
            RepoError: DuckDB, which the index needs, is not installed.
        """
        from blastgit.search.find.related import KINDS, related

        with self._index.open() as index:
            return related(index, names, KINDS[:-1] if kinds is None else kinds, radius)

    @property
    def queries(self) -> Queries:
        """Saved queries: those there are, saving and changing them."""
        from blastgit.search.saved.queries import Queries

        return Queries(self._repository)

    def find(self, criteria: Criteria | None = None, *, index: OpenIndex | None = None, **given: Any) -> Found:
        """Return the revisions that fit some criteria, with columns that know their units and UCDs.

        repo.find(cone=(150.1, -2.2, "5arcmin"), redshift=(None, 0.1), flags="!bad").names

        Args:
            criteria: What is looked for.
            index: The index, if it is open already.
            given: Instead of `criteria`, the same by name: `cone`, `at`, `where`, …

        Raises:
            InvalidInput: A criterion makes no sense.
            InvalidQuery: A condition or a saved query is no SQL, does more than read, or names no column there is.
            NotFound: There is no such collection, run, stage, version or saved query.
            OverLimit: It takes longer, or needs more memory, than allowed.
            RepoError: DuckDB, which the index needs, is not installed.
        """
        from blastgit.search.find.criteria import Criteria
        from blastgit.search.find.search import find

        if criteria is not None and given:
            raise UsageError("give criteria as one object, or by their names: not both")
        wanted = criteria or Criteria.of(given)
        if index is not None:
            return find(self._repository, index, wanted)
        with self._index.open() as opened:
            return find(self._repository, opened, wanted)

    def compare(self, old: str, new: str, *, index: OpenIndex | None = None, **options: Any) -> Comparison:
        """Compare two runs, collections, versions of Blast (`app:v1.13.1`) or times (`at:2026-05-27`).

        repo.compare("runs/a", "runs/b", type="sed").outliers

        Args:
            old: The first side.
            new: The second.
            index: The index, if it is open already.
            options: See `blastgit.search.compare.Options`: type, columns, sigma, shown.

        Raises:
            NotFound: There is no such run, collection or version.
            UsageError: There is nothing of that kind to compare.
            RepoError: DuckDB, which the index needs, is not installed.
        """
        from blastgit.search.compare import CompareOptions
        from blastgit.search.compare.compared import Comparing

        chosen = CompareOptions(**options)
        if index is not None:
            return Comparing(index, old, new, chosen).compare()
        with self._index.open() as opened:
            return Comparing(opened, old, new, chosen).compare()

    @overload
    def get(
        self,
        what: str,
        folder: str | Path | None = None,
        *,
        only: str | None = None,
        force: bool = False,
        even_invalid: bool = False,
        transient: None = None,
        **params: Any,
    ) -> GetResult | Any: ...
    @overload
    def get(self, what: str, *, transient: str, reader: Literal["bytes"], **which: Any) -> Content: ...
    @overload
    def get(self, what: Literal["cutout"], *, transient: str, reader: Literal["ccd"], **which: Any) -> CCDData: ...
    @overload
    def get(self, what: Literal["cutout"], *, transient: str, reader: None = None, **which: Any) -> HDUList: ...
    @overload
    def get(self, what: Arrayed, *, transient: str, reader: None = None, **which: Any) -> Arrays: ...
    @overload
    def get(self, what: Literal["posterior"], *, transient: str, reader: None = None, **which: Any) -> h5py.File: ...
    @overload
    def get(self, what: Tabled, *, transient: str, reader: None = None, **which: Any) -> Table: ...
    @overload
    def get(self, what: Literal["host", "transient"], *, transient: str, reader: None = None, **which: Any) -> Row: ...
    @overload
    def get(self, what: str, *, transient: str, reader: str | None = None, **which: Any) -> Any: ...

    def get(  # noqa: PLR0913 (two questions share a name; each call asks one)
        self,
        what: str,
        folder: str | Path | None = None,
        *,
        only: str | None = None,
        force: bool = False,
        even_invalid: bool = False,
        transient: str | None = None,
        revision: int | str | None = None,
        collection: str | None = None,
        time: datetime | str | None = None,
        reader: str | None = None,
        **key: Any,
    ) -> Any:
        """Write a revision into a folder, verifying each file; or return a dataset as an object, or a query's result.

        Args:
            what: The revision (what is right there already stays); or, with `transient`, a dataset type, `cutout`,
                `photometry`, …; or a saved query, whose result is an astropy table (without astropy, a `Found`).
            folder: Where to; by default `NAME@N` in the present folder.
            only: A pattern that a file's path or name must match, or a folder of the dataset.
            force: Overwrite files that differ.
            even_invalid: Also what a failed stage left behind.
            transient: The transient of which a dataset is wanted. All that follows goes with it.
            revision: A number, a date, a convenient name; by default the latest.
            collection: Instead of a revision, the collection that says which.
            time: For a collection of calibrations: when it is to be valid.
            reader: Another reader than the type's own: `ccd` for an image with its coordinates, `bytes`, `json`, ….
            key: What tells the dataset from others of its type: `filter="DES_z"`; or a query's parameters.

        Raises:
            NotFound: There is no such revision, type or dataset, or no file matches.
            UsageError: Several datasets fit, or the call asks for two things at once.
            WouldOverwrite: A file in the way differs; nothing was written.
            InvalidData: A stage failed; what does not depend on it is there, and the document.
            Withdrawn: A file was taken down.
            DamagedData: The store lacks a content, or holds something else.
            ReaderFailed: The reader cannot read the dataset.
        """
        if transient is not None:
            if folder is not None or only is not None or force:
                raise UsageError("folder, only and force are for the files of a revision; a dataset is returned")
            from blastgit.api.types import DatasetQuery as Which

            which = Which(transient, revision, collection, time, key, even_invalid)
            return self.types.read(what, which, reader)
        if self._is_query(what):
            return self._ask(what, key)
        stray = [*key, *(name for name, value in _given(revision, collection, time, reader) if value is not None)]
        if stray:
            raise UsageError(f"{stray[0]} is for a dataset of a type: say of which transient (transient=…)")
        return self._get_files(what, None if folder is None else Path(folder), only, force, even_invalid)

    def _is_query(self, name: str) -> bool:
        from blastgit.search.saved.names import is_name, path_of

        if not is_name(name):
            return False
        return path_of(name) in self._repository.main.tree

    def _ask(self, query: str, params: dict[str, Any]) -> Any:
        if self._repository.reference(branch_ref(query)) is not None:
            raise UsageError(
                f"{query} is a transient and a saved query: write {query}@latest, or find(query={query!r})"
            )
        found = self.find(query=query, params=params)
        return found.to_table() if find_spec("astropy") else found

    @property
    def _index(self) -> Index:
        from blastgit.api.index import Index

        return Index(self._repository, self._progress)

    def _get_files(
        self, spec: str, folder: Path | None, only: str | None, force: bool, even_invalid: bool
    ) -> GetResult:
        from blastgit.reading.get import GetOptions, get

        parsed = parse_spec(spec)
        wanted = GetOptions(folder, only or parsed.path, force, even_invalid)
        return get(self._repository, self._resolve(parsed), wanted, self._progress)


def _given(*values: Any) -> list[tuple[str, Any]]:
    return list(zip(("revision", "collection", "time", "reader"), values, strict=True))
