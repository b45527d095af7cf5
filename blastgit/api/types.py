"""`repo.types`: the dataset types of a data repo, which datasets of each a revision has, and reading one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.datasets import Dataset as Held
from blastgit.collections.datasets import utc
from blastgit.collections.resolve import Resolver, check_time
from blastgit.collections.states import commit_at
from blastgit.datasets.types import DatasetType, DatasetTypes
from blastgit.errors import BlastgitError, InvalidName, OutOfDateWarning, ReaderFailed, UsageError
from blastgit.naming.names import parse_spec, read_instant
from blastgit.readers.dataset import Dataset
from blastgit.readers.find import Source
from blastgit.readers.identity import Identity, attach
from blastgit.repository.question import Asked

if TYPE_CHECKING:
    from datetime import datetime

    from blastgit.api.session import Session

_CALLER = 4  # frames from here up to who called `repo.dataset`


@dataclass(frozen=True)
class DatasetQuery:
    """Selects one dataset of a type.

    Attributes:
        transient: The transient.
        revision: Its revision: a number, a date or a convenient name; None for the latest.
        collection: The collection that determines the revision; `revision` may then be a day, for the state as of it.
        time: For a calibration, the time at which it must be valid; by default that day.
        key: What distinguishes it from others of its type.
        even_invalid: Accept it even if the stage that makes it failed.
        strict: Refuse it if it is out of date.
    """

    transient: str
    revision: int | str | None = None
    collection: str | None = None
    time: datetime | str | None = None
    key: Mapping[str, str] = field(default_factory=dict)
    even_invalid: bool = False
    strict: bool = False


class Types(Asked):
    """The dataset types of a data repo."""

    def __init__(self, session: Session) -> None:
        """Use an open data repo."""
        self._session = session
        self._repository = session.repository

    def list(self) -> Sequence[DatasetType]:
        """Return all dataset types, the repo's own first."""
        return list(self._types)

    def find(self, name: str) -> DatasetType:
        """Return a dataset type by its name.

        Raises:
            NotFound: The type does not exist; the error offers near names.
        """
        return self._types.find(name)

    def of(self, spec: str, type_: str | None = None) -> Sequence[Identity]:
        """Return the datasets of a revision, of one type or of all.

        Raises:
            NotFound: The revision or type does not exist.
        """
        parsed = parse_spec(spec)
        source = Source(self._repository, self._session.resolve(parsed))
        types = self._types if type_ is None else [self._types.find(type_)]
        found = [dataset.identity for each in types for dataset in source.datasets(each, {})]
        return [each for each in found if parsed.path is None or each.path == parsed.path]

    def read(self, name: str, wanted: DatasetQuery, reader: str | None = None) -> Any:
        """Read a dataset into an object, with its identity attached.

        Args:
            name: The dataset type.
            wanted: Which dataset of that type.
            reader: The name of a reader other than the type's own.

        Raises:
            NotFound: The type, revision, collection, reader or dataset does not exist.
            UsageError: Several datasets fit.
            InvalidData: The stage that makes it failed; or it is out of date, and `strict` was given.
            Withdrawn: It was taken down.
            DamagedData: The store lacks it, or holds other bytes.
            ReaderFailed: The reader cannot read it.
        """
        type_ = self._types.find(name)
        source = self._source(type_, wanted)
        dataset = source.one(type_, wanted.key, even_invalid=wanted.even_invalid, strict=wanted.strict)
        if dataset.identity.out_of_date:
            words = f"{dataset.identity} is out of date, because {dataset.identity.out_of_date}"
            warnings.warn(words, OutOfDateWarning, stacklevel=_CALLER)
        return make(dataset, reader or type_.reader)

    @property
    def _types(self) -> DatasetTypes:
        return DatasetTypes.of(self._repository.settings)

    def _source(self, type_: DatasetType, wanted: DatasetQuery) -> Source:
        if wanted.collection is None:
            if wanted.time is not None:
                raise UsageError("a time is for a collection of calibrations: name it (collection=…)")
            text = wanted.transient if wanted.revision is None else f"{wanted.transient}@{wanted.revision}"
            spec = parse_spec(text)
            if spec.path is not None:
                raise UsageError(f"transient is {text!r}: name the transient, and what of it by its type and keys")
            return Source(self._repository, self._session.resolve(spec))
        found = self._in_collection(type_, wanted, wanted.collection)
        state = self._session.resolve(parse_spec(str(found.revision)))
        return Source(self._repository, state, wanted.collection, found.path)

    def _in_collection(self, type_: DatasetType, wanted: DatasetQuery, collection: str) -> Held:
        """Return the dataset that a collection has for a transient: a matching file, or the revision.

        A file that was certified by itself takes precedence over the revision's.
        """
        day = None if wanted.revision is None else _day(wanted.revision, collection)
        time = day if wanted.time is None else utc(wanted.time)
        tree = (self._repository.main if day is None else commit_at(self._repository, day.isoformat())).tree
        resolver = Resolver(self._repository, Catalogue(tree), day)
        given = resolver.members_of(collection, wanted.transient, time)
        files = [each for each in given if each.dataset.path and _fits(type_, each.dataset.path, wanted.key)]
        certified = [each for each in files if each.is_certified]
        fitting = certified or [each for each in given if not each.dataset.path] or files
        if not fitting:
            return resolver.resolve(collection, wanted.transient, None, time).dataset  # which says why there is none
        check_time(fitting[0], time)
        return fitting[0].dataset


def _day(revision: int | str, collection: str) -> datetime:
    try:
        return read_instant(str(revision))
    except InvalidName:
        raise UsageError(
            f"either a revision or a collection says which: not both ({collection}): with a collection, `revision` "
            f"may be a day, for all as it was then, but not {revision!r}"
        ) from None


def _fits(type_: DatasetType, path: str, wanted: Mapping[str, str]) -> bool:
    key = None if type_.pattern is None else type_.pattern.match(path)
    return key is not None and all(key.get(each) == value for each, value in wanted.items())


def make(dataset: Dataset, reader: str) -> Any:
    """Read a dataset with a reader, and attach its identity.

    Raises:
        NotFound: The reader does not exist.
        ReaderFailed: The reader raised an exception; the error names type, file and reader.
    """
    from blastgit.readers.registry import reader_of

    read = reader_of(reader)
    try:
        return attach(read(dataset), dataset.identity)
    except BlastgitError:
        raise
    except Exception as error:
        raise ReaderFailed(
            f"{dataset.identity}, a {dataset.type.name}, cannot be read by the reader {reader!r}: "
            f"{type(error).__name__}: {error}. Its bytes are as published (reader='bytes' gives them)"
        ) from error
