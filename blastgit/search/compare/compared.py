"""The comparison of two sides: statistics of the differences of each quantity, and the outliers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from blastgit.errors import UsageError
from blastgit.index.described import plain
from blastgit.index.open_index import Result
from blastgit.index.tables import Column
from blastgit.revision.quantities import DEX, quantity_of
from blastgit.search.compare import sql
from blastgit.search.compare.quantities import Subject
from blastgit.search.compare.side import Side

if TYPE_CHECKING:
    from blastgit.index.open_index import OpenIndex

_OF_VALUES = ("old", "new", "difference")


@dataclass(frozen=True)
class CompareOptions:
    """How to compare.

    Attributes:
        type: The table of the index: photometry, sed, sfh, apertures, hosts or transients.
        columns: The columns to compare; by default all numbers, with only the medians of percentiles.
        sigma: The distance of outliers from the median difference, in robust standard deviations (1.4826 MAD).
        shown: How many outliers of each quantity are listed.
    """

    type: str = "photometry"
    columns: tuple[str, ...] = ()
    sigma: float = 5.0
    shown: int = 10

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            UsageError: One is not valid.
        """
        if not 0 <= self.sigma < float("inf") or self.shown < 0:
            raise UsageError("an outlier lies 0 or more standard deviations away, and 0 or more of them are named")


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that differs.

    Attributes:
        transient: The transient.
        group: The aperture or filter: `global`, `DES_z`; empty if a transient has only one value.
        quantity: The column of the index.
        old: The value on the first side.
        new: The value on the second side.
        difference: New minus old.
        in_sigma: The difference in units of both errors, added in quadrature; None if they are unknown.
    """

    transient: str
    group: tuple[str, ...]
    quantity: str
    old: float
    new: float
    difference: float
    in_sigma: float | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """The differences of one quantity over all transients, new minus old, in its unit.

    Attributes:
        group: The aperture or filter: `global`, `DES_z`; empty if a transient has only one value.
        quantity: The column of the index.
        unit: Its unit as VOUnit, `dex` for a logarithm; "" for none.
        both: How many values both sides have.
        only_old: How many only the first has.
        only_new: How many only the second has.
        changed: How many of `both` differ by more than rounding.
        median_difference: The median of the differences of those; None if `changed` is 0, as with all below.
        mad: The median absolute deviation from it.
        median_relative: The median of the differences over the old values; None for magnitudes, logarithms and angles.
        median_sigma: The median of the differences in units of their errors; None if there are no errors.
        least: The least difference.
        greatest: The greatest difference.
        outliers: How many are farther from the median than `CompareOptions.sigma`.
    """

    group: tuple[str, ...]
    quantity: str
    unit: str
    both: int
    only_old: int
    only_new: int
    changed: int
    median_difference: float | None
    mad: float | None
    median_relative: float | None
    median_sigma: float | None
    least: float | None
    greatest: float | None
    outliers: int


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison.

    Attributes:
        old: The first side, as given.
        new: The second side.
        type: The table that was compared.
        both: How many transients both sides have.
        only_old: How many only the first has.
        only_new: How many only the second has.
        same: For how many of `both` the two sides have the same revision.
        statistics: A row for each group and quantity.
        outliers: The outliers, farthest first for each quantity, up to `CompareOptions.shown` of each.
    """

    old: str
    new: str
    type: str
    both: int
    only_old: int
    only_new: int
    same: int
    statistics: tuple[Statistics, ...]
    outliers: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison under its stable keys."""
        return asdict(self)

    def to_result(self) -> Result:
        """Return the statistics as rows with described columns."""
        names = [each.name for each in fields(Statistics) if each.name != "group"]
        columns = [Column("group", "text", about="what the quantity is of"), *map(_column, names)]
        rows = [(" ".join(each.group), *(getattr(each, name) for name in names)) for each in self.statistics]
        return Result(tuple(columns), rows)


class Comparing:
    """Two sides, and the quantities to compare."""

    def __init__(self, index: OpenIndex, old: str, new: str, options: CompareOptions = CompareOptions()) -> None:
        """Look up both sides.

        Raises:
            NotFound: A run, collection or version does not exist.
            UsageError: The table or a column does not exist.
        """
        self._index = index
        self._options = options
        self.subject = Subject.of(options.type, options.columns)
        self.sides = Side.of(index, old), Side.of(index, new)
        self._values = {"a": self.sides[0].value, "b": self.sides[1].value}

    def compare(self) -> Comparison:
        """Return the comparison."""
        old, new = self.sides
        both, same = self._index.query(sql.counted(old, new), self._values).rows[0]
        count = [self._count(side) for side in self.sides]
        rows = [self._statistics(row) for row in self._ask(sql.statistics, sigma=self._options.sigma).rows]
        order = [each.name for each in self.subject.quantities]
        rows.sort(key=lambda each: (each.group, order.index(each.quantity)))
        found = self._ask(sql.outliers, sigma=self._options.sigma, shown=self._options.shown).rows
        outliers = tuple(Difference(row[-5], row[:-6], row[-6], *row[-4:]) for row in found)
        return Comparison(
            old.text, new.text, self._options.type, both, count[0] - both, count[1] - both, same, tuple(rows), outliers
        )

    def differences(self) -> Result:
        """Return every value that differs, or that only one side has, one per row, with described columns."""
        return self._described(self._ask(sql.differing))

    def values(self, statistics: Statistics) -> list[tuple[float, float]]:
        """Return the old and the new value of one group and quantity, for each transient that has both."""
        named = zip([*self.subject.groups, "quantity"], [*statistics.group, statistics.quantity], strict=True)
        tests = [f"{name} = $v{i}" for i, (name, _) in enumerate(named)]
        given = {f"v{i}": value for i, value in enumerate([*statistics.group, statistics.quantity])}
        query = sql.plotted(*self.sides, self.subject, tests)
        return [(old, new) for old, new in self._index.query(query, {**self._values, **given})]

    def _ask(self, query: Any, **values: float) -> Result:
        return self._index.query(query(*self.sides, self.subject), {**self._values, **values})

    def _count(self, side: Side) -> int:
        return int(self._index.query(f"SELECT count(*) FROM ({side.sql('$v')})", {"v": side.value}).rows[0][0])  # noqa: S608

    def _statistics(self, row: tuple[Any, ...]) -> Statistics:
        groups = len(self.subject.groups)
        quantity = row[groups]
        column = self.subject.table.column(quantity)
        unit = DEX if quantity_of(quantity).scale == DEX else column.unit if column else ""
        return Statistics(row[:groups], quantity, unit, *row[groups + 1 :])

    def _described(self, result: Result) -> Result:
        """Describe the columns, with a unit where it is the same for all rows."""
        units = {each.column.unit for each in self.subject.quantities}
        unit = units.pop() if len(units) == 1 else ""
        about = {
            "quantity": "column of the index", "old": "value on the first side", "new": "value on the second side",
            "difference": "new less old", "relative": "difference over the old value",
            "in_sigma": "difference in units of its error",
        }  # fmt: skip

        def known(column: Column) -> Column:
            if column.name in about:
                return replace(column, unit=unit if column.name in _OF_VALUES else "", about=about[column.name])
            return self.subject.table.column(column.name) or column

        return Result(tuple(map(known, plain(result.columns))), result.rows, result.is_cut)


def _column(name: str) -> Column:
    kind = {"quantity": "text", "unit": "text", "both": "bigint", "only_old": "bigint", "only_new": "bigint",
            "changed": "bigint", "outliers": "bigint"}.get(name, "double")  # fmt: skip
    return Column(name, kind)
