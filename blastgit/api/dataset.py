"""`repo.dataset`: reads a dataset into an object, with static types for the dataset types that blastgit ships."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    from datetime import datetime

    import h5py
    from astropy.io.fits import HDUList
    from astropy.nddata import CCDData
    from astropy.table import Row, Table

    from blastgit.api.session import Session
    from blastgit.readers import Arrays, Content

ArrayType = Literal["sed_model", "chain", "percentiles"]
TableType = Literal["photometry", "sed", "sfh", "apertures", "filters", "stages"]


class ReadDataset:
    """Reads datasets of a data repo; called like a method."""

    def __init__(self, session: Session) -> None:
        """Read from an opened data repo."""
        self._session = session

    @overload
    def __call__(self, type_: str, transient: str, *, reader: Literal["bytes"], **which: Any) -> Content: ...
    @overload
    def __call__(
        self, type_: Literal["cutout"], transient: str, *, reader: Literal["ccd"], **which: Any
    ) -> CCDData: ...
    @overload
    def __call__(self, type_: Literal["cutout"], transient: str, *, reader: None = None, **which: Any) -> HDUList: ...
    @overload
    def __call__(self, type_: ArrayType, transient: str, *, reader: None = None, **which: Any) -> Arrays: ...
    @overload
    def __call__(
        self, type_: Literal["posterior"], transient: str, *, reader: None = None, **which: Any
    ) -> h5py.File: ...
    @overload
    def __call__(self, type_: TableType, transient: str, *, reader: None = None, **which: Any) -> Table: ...
    @overload
    def __call__(
        self, type_: Literal["host", "transient"], transient: str, *, reader: None = None, **which: Any
    ) -> Row: ...
    @overload
    def __call__(self, type_: str, transient: str, *, reader: str | None = None, **which: Any) -> Any: ...

    def __call__(  # noqa: PLR0913 (what identifies a dataset)
        self,
        type_: str,
        transient: str,
        *,
        revision: int | str | None = None,
        collection: str | None = None,
        time: datetime | str | None = None,
        reader: str | None = None,
        even_invalid: bool = False,
        strict: bool = False,
        **key: Any,
    ) -> Any:
        """Read a dataset into an object, with its identity attached.

        repo.dataset("cutout", "2026dgt", filter="DES_z", revision=0)

        Args:
            type_: The dataset type: `cutout`, `photometry`, …; `repo.types.list()` lists them.
            transient: The transient.
            revision: A number, a date or a convenient name; by default the latest. With a collection it can only be
                a day: everything is as of then, with the calibrations valid at that time.
            collection: The collection that determines the revision.
            time: For a collection of calibrations: when the calibration must be valid.
            reader: A reader other than the type's own: `ccd` for an image with coordinates, `bytes`, `json`, ….
            even_invalid: Accept what a failed stage left behind.
            strict: Refuse what is out of date; without it an `OutOfDateWarning` and the identity say why it is.
            key: What distinguishes the dataset from others of its type: `filter="DES_z"`.

        Raises:
            NotFound: The type, revision, collection, reader or dataset does not exist.
            UsageError: Several datasets fit, or the call names a collection and a revision other than a day.
            InvalidData: The stage that makes it failed; or it is out of date, and `strict` was given.
            Withdrawn: It was taken down.
            DamagedData: The store lacks it, or holds other bytes.
            ReaderFailed: The reader cannot read it.
        """
        from blastgit.api.types import DatasetQuery, Types

        wanted = DatasetQuery(transient, revision, collection, time, key, even_invalid, strict)
        return Types(self._session).read(type_, wanted, reader)
