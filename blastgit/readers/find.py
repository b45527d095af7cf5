"""Find the dataset for a dataset type and a data ID: its file or rows in a revision, and whether they are valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from blastgit.datasets.types import DatasetType
from blastgit.errors import NotFound, UsageError
from blastgit.naming.nearest import did_you_mean
from blastgit.readers.dataset import Dataset
from blastgit.readers.identity import Identity
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.repository.contents import checked
from blastgit.repository.tombstones import Withdrawals
from blastgit.revision.document import Json
from blastgit.revision.normalise import NaturalForm, Row, normalise
from blastgit.workflow.judged import ValidityReport

_SHOWN = 6


@dataclass(frozen=True)
class Source:
    """Where to look for datasets.

    Attributes:
        repository: The data repo.
        state: The revision, or the state after a stage.
        collection: The collection that led here, or "".
        only: The single file that the collection has of the revision; "" for all.
    """

    repository: Repository
    state: Snapshot
    collection: str = ""
    only: str = ""

    def datasets(self, type_: DatasetType, asked: Mapping[str, str]) -> list[Dataset]:
        """Return the datasets of a type that match a data ID; for rows, one dataset with all rows that match.

        Raises:
            UsageError: The type does not have a key of the data ID.
        """
        for key in asked:
            if key not in type_.keys:
                hint = did_you_mean(key, type_.keys, f"it has {', '.join(type_.keys) or 'none'}")
                raise UsageError(f"a {type_.name} is not asked for by {key!r}{hint}")
        if type_.pattern is None:
            return list(self._of_rows(type_, asked))
        return [each for each in self._of_files(type_) if all(each.key[key] == asked[key] for key in asked)]

    def one(self, type_: DatasetType, asked: Mapping[str, str], *, even_invalid: bool, strict: bool) -> Dataset:
        """Return the only dataset of a type that matches; its identity says whether it is out of date.

        Raises:
            NotFound: None matches; the error names those that exist.
            UsageError: Several match; the error says how they differ.
            InvalidData: It is invalid, because a stage failed; or out of date, and `strict` was given.
            Withdrawn: It was withdrawn.
        """
        found = self.datasets(type_, asked)
        if len(found) > 1:
            raise UsageError(f"{self.state} has {len(found)} of the type {type_.name}: which one? {self._told(found)}")
        if not found:
            raise NotFound(f"{self.state} has no {type_.name}{_worded(asked)}{self._why_not(type_, asked)}")
        [dataset] = found
        paths = [dataset.identity.path] if type_.pattern else self._values(dataset)
        Withdrawals(self.repository).refuse(self.state, paths) if type_.pattern else None
        self._judged.allow(paths, str(dataset.identity), even_invalid=even_invalid)
        late = self._judged.out_of_date(paths, str(dataset.identity), strict=strict)
        if not late:
            return dataset
        return replace(dataset, identity=replace(dataset.identity, out_of_date="; ".join(map(str, late.findings))))

    @cached_property
    def _judged(self) -> ValidityReport:
        return ValidityReport(self.repository, self.state)

    @cached_property
    def _form(self) -> NaturalForm:
        return normalise(self.state.dr.export, self.repository.rules)

    def _of_files(self, type_: DatasetType) -> Iterator[Dataset]:
        assert type_.pattern is not None
        for path in [self.only] if self.only else self.state.held:
            key = type_.pattern.match(path)
            if key is not None and path in self.state.held:
                sha256 = self.state.sha256(path)
                identity = Identity(str(self.state), path, type_.name, f"sha256:{sha256}", self.collection)
                yield Dataset(identity, type_, key, (), _Bytes(self, path, sha256))

    def _of_rows(self, type_: DatasetType, asked: Mapping[str, str]) -> Iterator[Dataset]:
        rows = [] if self.only else list(self._rows(type_, asked))
        if rows:
            path = rows[0][0].path if len(rows) == 1 else type_.rows
            identity = Identity(str(self.state), path, type_.name, "", self.collection)
            yield Dataset(identity, type_, asked, [row for _, row in rows])

    def _rows(self, type_: DatasetType, asked: Mapping[str, str]) -> Iterator[tuple[Row, dict[str, Json]]]:
        keys = self.repository.rules.tables[type_.rows].key
        types = {row.values.get("name"): row.values.get("type") for row in self._form.tables.get("apertures", ())}
        for row in self._form.tables[type_.rows]:
            named = {_column(key): value for key, value in zip(keys, row.key, strict=False)}
            if "aperture.name" in keys:
                named["aperture_type"] = types.get(named["aperture"])
            whole = {**named, **row.values}
            if all(_fits(whole.get(type_.columns[key]), value) for key, value in asked.items()):
                yield row, whole

    def _values(self, dataset: Dataset) -> list[str]:
        rows = {id(row): row for row, whole in self._rows(dataset.type, dataset.key)}
        return [f"{row.path}.{field}" for row in rows.values() for field in row.values]

    def _told(self, found: Sequence[Dataset]) -> str:
        """Return the keys by which datasets differ, as text."""
        differing = [key for key in found[0].type.keys if len({each.key[key] for each in found}) > 1]
        shown = [", ".join(f"{key}={each.key[key]!r}" for key in differing) for each in found]
        more = f"; and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        return "; ".join(shown[:_SHOWN]) + more

    def _why_not(self, type_: DatasetType, asked: Mapping[str, str]) -> str:
        if self.only:
            return f": {self.collection} holds {self.only} of it and nothing else"
        if type_.pattern is not None:
            there = [each.key for each in self._of_files(type_)]
        else:
            rows = [row for _, row in self._rows(type_, {})]
            there = [{key: str(row.get(column)) for key, column in type_.columns.items()} for row in rows]
        told = [
            f"{key} {', '.join(sorted({each[key] for each in there})[:12])}" for key in asked or type_.keys if there
        ]
        return f"; there is {'; '.join(told)}" if told else ""


@dataclass(frozen=True)
class _Bytes:
    """The bytes of a file, read on demand."""

    source: Source
    path: str
    sha256: str

    def __call__(self) -> bytes:
        state, store = self.source.state, self.source.repository.store
        return b"".join(checked(state.read(self.path, store), self.sha256, f"{self.path} of {state}"))


def _column(key: str) -> str:
    """Return the column of a part of a row's key: `aperture` for `aperture.name`."""
    return key.partition(".")[0]


def _fits(value: Any, wanted: str) -> bool:
    return value is not None and str(value) == wanted


def _worded(asked: Mapping[str, str]) -> str:
    return " with " + ", ".join(f"{key}={value!r}" for key, value in asked.items()) if asked else ""
