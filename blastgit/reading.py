"""Getting data, as methods of `DataRepo`: files into a folder, or a dataset as the object that it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from blastgit.errors import UsageError
from blastgit.names import parse_spec
from blastgit.opened import Opened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import h5py
    from astropy.io.fits import HDUList
    from astropy.nddata import CCDData
    from astropy.table import Row, Table

    from blastgit.attachments.room import Attachments, Metrics
    from blastgit.get import Got
    from blastgit.readers import Arrays, Content
    from blastgit.readers.room import Types
    from blastgit.related import Relation

Arrayed = Literal["sed_model", "chain", "percentiles"]
Tabled = Literal["photometry", "sed", "sfh", "apertures", "filters", "stages"]


class Reading(Opened):
    """What readers of data do."""

    @property
    def types(self) -> Types:
        """The dataset types, which datasets a revision has of each, and reading them."""
        from blastgit.readers.room import Types

        return Types(self._handle, self._resolve)

    @property
    def metrics(self) -> Metrics:
        """Numbers that were measured of revisions and files, beside the published data."""
        from blastgit.attachments.room import Metrics

        return Metrics(self._handle, self._progress)

    @property
    def attachments(self) -> Attachments:
        """Files that belong to revisions, beside the published data: plots, logs."""
        from blastgit.attachments.room import Attachments

        return Attachments(self._handle, self._progress)

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
        from blastgit.index.room import Index
        from blastgit.related import KINDS, related

        with Index(self._handle, self._progress).open() as index:
            return related(index, names, KINDS[:-1] if kinds is None else kinds, radius)

    @overload
    def get(
        self,
        what: str,
        folder: str | Path | None = None,
        *,
        only: str | None = None,
        force: bool = False,
        even_invalid: bool = False,
    ) -> Got: ...
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
        **key: str,
    ) -> Any:
        """Write a revision into a folder, verifying each file; or, with `transient`, return a dataset as an object.

        Args:
            what: The revision (what is right there already stays); or a dataset type, `cutout`, `photometry`, ….
            folder: Where to; by default `NAME@N` in the present folder.
            only: A pattern that a file's path or name must match, or a folder of the dataset.
            force: Overwrite files that differ.
            even_invalid: Also what a failed stage left behind.
            transient: The transient of which a dataset is wanted. All that follows goes with it.
            revision: A number, a date, a convenient name; by default the latest.
            collection: Instead of a revision, the collection that says which.
            time: For a collection of calibrations: when it is to be valid.
            reader: Another reader than the type's own: `ccd` for an image with its coordinates, `bytes`, `json`, ….
            key: What tells the dataset from others of its type: `filter="DES_z"`.

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
            from blastgit.readers.room import Wanted as Which

            which = Which(transient, revision, collection, time, key, even_invalid)
            return self.types.read(what, which, reader)
        stray = [*key, *(name for name, value in _given(revision, collection, time, reader) if value is not None)]
        if stray:
            raise UsageError(f"{stray[0]} is for a dataset of a type: say of which transient (transient=…)")
        return self._get_files(what, None if folder is None else Path(folder), only, force, even_invalid)

    def _get_files(self, spec: str, folder: Path | None, only: str | None, force: bool, even_invalid: bool) -> Got:
        from blastgit.get import Wanted, get

        parsed = parse_spec(spec)
        wanted = Wanted(folder, only or parsed.path, force, even_invalid)
        return get(self._handle, self._resolve(parsed), wanted, self._progress)


def _given(*values: Any) -> list[tuple[str, Any]]:
    return list(zip(("revision", "collection", "time", "reader"), values, strict=True))
