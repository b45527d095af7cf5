"""What can be compared: the numbers of a table of the index, and the keys of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blastgit.errors import UsageError
from blastgit.index.tables import Column, Table, tables

TYPES = ("photometry", "sed", "sfh", "apertures", "hosts", "transients")
"""The tables whose numbers can be compared."""

_GROUPS = {"photometry": ("aperture", "filter"), "sed": ("aperture",), "sfh": ("aperture",), "apertures": ("aperture",)}
_ROWS = {"photometry": ("name", "filter"), "sed": ("aperture",), "sfh": ("aperture", "logsfr_tmin"),
         "apertures": ("name",)}  # fmt: skip
_ENDS = ("logsfr_tmin", "logsfr_tmax")  # keys of the bins, not values


@dataclass(frozen=True)
class Quantity:
    """A column whose values are compared.

    Attributes:
        column: The column.
        error: The SQL of a value's error, with `{}` for the side; "" if there is none.
    """

    column: Column
    error: str

    @property
    def name(self) -> str:
        """The name of the column."""
        return self.column.name


@dataclass(frozen=True)
class Subject:
    """The part of the index that is compared.

    Attributes:
        table: The table of the index.
        groups: The columns whose values are reported separately: fluxes in r are not mixed with those in g.
        rows: The key columns of a row within a revision.
        quantities: The quantities to compare.
    """

    table: Table
    groups: tuple[str, ...]
    rows: tuple[str, ...]
    quantities: tuple[Quantity, ...]

    @classmethod
    def of(cls, type_: str, columns: Sequence[str] = ()) -> Subject:
        """Return what to compare of a table.

        Args:
            type_: Its name.
            columns: The quantities to compare; by default all, with only the medians of percentiles.

        Raises:
            UsageError: The table does not exist, or has no such number.
        """
        if type_ not in TYPES:
            raise UsageError(f"nothing is compared that is called {type_[:80]!r}: {', '.join(TYPES)}")
        table = tables()[type_]
        numbers = [each for each in table.columns if each.type == "double" and each.name not in _ENDS]
        values = [each for each in numbers if not each.name.endswith(("_error", "_err"))]
        stray = [name for name in columns if name not in {each.name for each in values}]
        if stray:
            raise UsageError(f"{type_} has no number {stray[0][:80]!r}: {', '.join(each.name for each in values)}")
        chosen = [each for each in values if each.name in columns or (not columns and _is_usual(each.name))]
        quantities = tuple(Quantity(each, _error(each.name, table.names)) for each in chosen)
        return cls(table, _GROUPS.get(type_, ()), _ROWS.get(type_, ()), quantities)


def _is_usual(name: str) -> bool:
    return not name.endswith(("_16", "_84"))


def _error(name: str, names: Sequence[str]) -> str:
    for suffix in ("_error", "_err"):
        if f"{name}{suffix}" in names:
            return f"{{}}.{name}{suffix}"
    if name.endswith("_50"):
        stem = name.removesuffix("_50")
        return f"({{}}.{stem}_84 - {{}}.{stem}_16) / 2"
    return ""
