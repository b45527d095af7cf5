"""The numbers of a comparison, compared with numpy, on an index made by hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

duckdb = pytest.importorskip("duckdb", reason="the extra `index` is not installed")

from blastgit.errors import NotFound, UsageError  # noqa: E402
from blastgit.index.open_index import OpenIndex  # noqa: E402
from blastgit.index.tables import tables  # noqa: E402
from blastgit.search.compare.compared import CompareOptions, Comparing, Comparison  # noqa: E402 (it needs duckdb)

Values = dict[str, tuple[float | None, float | None]]
numbers = st.one_of(
    st.none(), st.floats(-1e3, 1e3).map(lambda x: round(x, 3)), st.sampled_from([math.nan, math.inf, 0.0])
)


@pytest.fixture(scope="module")
def index_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Values], OpenIndex]:
    """Make an index: run `a` is revision 0 of each transient, `b` revision 1; fluxes in r with errors of 3 and 4."""
    folder = tmp_path_factory.mktemp("made")

    def make(values: Values) -> OpenIndex:
        path = folder / f"{len(list(folder.iterdir()))}.duckdb"
        with duckdb.connect(path) as connection:
            for table in tables().values():
                connection.execute(table.ddl)
            for name, fluxes in values.items():
                for number, flux in enumerate(fluxes):
                    _insert(connection, "revisions", transient=name, revision=number, run="ab"[number])
                    _insert(
                        connection, "photometry", transient=name, revision=number, name="global", aperture="global",
                        filter="r", flux=flux, flux_error=3.0 + number,
                    )  # fmt: skip
        return OpenIndex(path)

    return make


def _insert(connection: Any, table: str, **row: object) -> None:
    marks = ", ".join("?" for _ in row)
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()])


def compare(index: OpenIndex, **options: Any) -> Comparison:
    return Comparing(index, "a", "b", CompareOptions(columns=("flux",), **options)).compare()


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=12))
def test_they_are_numpy_s(
    index_of: Callable[[Values], OpenIndex], pairs: list[tuple[float | None, float | None]]
) -> None:
    with index_of({f"t{i:02}": pair for i, pair in enumerate(pairs)}) as index:
        compared = compare(index, shown=100)
        drawn = [Comparing(index, "a", "b", CompareOptions()).values(each) for each in compared.statistics]
    finite = [[None if x is None or not math.isfinite(x) else x for x in pair] for pair in pairs]
    there = [pair for pair in finite if pair != [None, None]]
    if not there:
        assert compared.statistics == ()
        return
    (found,) = compared.statistics
    assert found.unit == "uJy"
    assert found.group == ("global", "r")
    both = np.array([pair for pair in there if None not in pair]).reshape(-1, 2)
    assert sorted(drawn[0]) == sorted(map(tuple, both.tolist()))
    assert (found.both, found.only_old, found.only_new) == (
        len(both), sum(new is None for _, new in there), sum(old is None for old, _ in there)
    )  # fmt: skip
    differ = both[both[:, 0] != both[:, 1]]
    assert found.changed == len(differ)
    if not len(differ):
        assert (found.median_difference, found.mad, found.outliers) == (None, None, 0)
        assert (found.least, found.greatest, found.median_sigma, found.median_relative) == (None,) * 4
        return
    differences = differ[:, 1] - differ[:, 0]
    middle = np.median(differences)
    spread = np.median(abs(differences - middle))
    assert found.median_difference == pytest.approx(middle, abs=1e-9)
    assert found.mad == pytest.approx(spread, abs=1e-9)
    assert found.median_sigma == pytest.approx(middle / 5, abs=1e-9)
    assert (found.least, found.greatest) == (pytest.approx(differences.min()), pytest.approx(differences.max()))
    far = abs(differences - middle) > np.maximum(5 * 1.4826 * spread, 1e-9 * abs(differ).max(axis=1))
    assert found.outliers == len(compared.outliers) == np.count_nonzero(far)


def test_outliers_are_named_the_farthest_first(index_of: Callable[[Values], OpenIndex]) -> None:
    values: Values = {f"t{i}": (100.0, 100.0 + 0.1 * (i % 3)) for i in range(9)}
    with index_of({**values, "far": (100.0, 120.0), "farther": (100.0, 60.0), "gone": (1.0, None)}) as index:
        compared = compare(index)
        one = compare(index, shown=1)
        strict = compare(index, sigma=1000)
    assert [each.transient for each in compared.outliers] == ["farther", "far"]
    assert compared.outliers[0].difference == -40
    assert compared.outliers[0].in_sigma == pytest.approx(-8)
    assert [each.transient for each in one.outliers] == ["farther"]
    assert one.statistics[0].outliers == 2
    assert strict.outliers == ()


def test_what_agrees_is_no_measure_of_what_differs(index_of: Callable[[Values], OpenIndex]) -> None:
    alike: Values = {f"t{i}": (5.0, 5.0) for i in range(50)}
    differ: Values = {f"x{i}": (5.0, 5.0 + i / 10) for i in range(1, 10)}
    with index_of({**alike, **differ, "noise": (5.0, 5.0 + 1e-12)}) as index:
        calm = compare(index)
    with index_of({**alike, **differ, "far": (5.0, 50.0)}) as index:
        far = compare(index)
    assert (calm.statistics[0].both, calm.statistics[0].changed) == (60, 9)
    assert calm.statistics[0].median_difference == pytest.approx(0.5)
    assert calm.statistics[0].mad == pytest.approx(0.2)
    assert calm.outliers == ()
    assert [each.transient for each in far.outliers] == ["far"]


def test_a_relative_change_is_told_where_it_means_something() -> None:
    from blastgit.search.compare.quantities import Subject
    from blastgit.search.compare.sql import _relative

    for type_, columns, has in (
        ("photometry", ("flux",), True), ("photometry", ("magnitude",), False), ("sed", ("gas_logz_50",), False),
        ("sed", ("log_mass_50",), False), ("sed", ("age_50",), True), ("apertures", ("ra_deg",), False),
    ):  # fmt: skip
        assert (f"'{columns[0]}'" in _relative(Subject.of(type_, columns))) == has, columns


def test_each_value_that_differs(index_of: Callable[[Values], OpenIndex]) -> None:
    with index_of({"a": (1.0, 1.0), "b": (2.0, 1.0), "c": (None, 3.0), "d": (0.0, 1.0)}) as index:
        result = Comparing(index, "a", "b", CompareOptions(columns=("flux",))).differences()
    assert [column.name for column in result.columns] == [
        "transient", "aperture", "filter", "quantity", "old", "new", "difference", "relative", "in_sigma"
    ]  # fmt: skip
    assert {column.name: column.unit for column in result.columns}["difference"] == "uJy"
    assert result.rows == [
        ("b", "global", "r", "flux", 2.0, 1.0, -1.0, -0.5, -0.2),
        ("c", "global", "r", "flux", None, 3.0, None, None, None),
        ("d", "global", "r", "flux", 0.0, 1.0, 1.0, None, 0.2),
    ]


def test_only_transients_that_both_hold(index_of: Callable[[Values], OpenIndex]) -> None:
    with index_of({"a": (1.0, 1.0), "b": (2.0,)}) as index:  # type: ignore[dict-item]
        compared = compare(index)
        empty = Comparing(index, "at:1990-01-01", "a").compare()
    assert (compared.both, compared.only_old, compared.only_new) == (1, 1, 0)
    assert compared.statistics[0].both == 1
    assert (empty.both, empty.only_new, empty.statistics) == (0, 2, ())


@pytest.mark.parametrize(
    ("old", "options", "error", "words"),
    [
        ("c", {}, NotFound, "no run or collection 'c'; there is a, b"),
        ("app:v9", {}, NotFound, "no version of Blast '9'"),
        ("", {}, UsageError, "app:VERSION"),
        ("a", {"type": "files"}, UsageError, "nothing is compared that is called 'files': photometry, "),
        ("a", {"columns": ("flux; DROP",)}, UsageError, "photometry has no number 'flux; DROP': flux, magnitude"),
        ("a", {"sigma": -1.0}, UsageError, "0 or more"),
        ("a", {"sigma": math.nan}, UsageError, "0 or more"),
        ("a' OR 1=1 --", {}, NotFound, "no run or collection"),
    ],
)
def test_what_is_not_there(
    index_of: Callable[[Values], OpenIndex], old: str, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with index_of({"a": (1.0, 1.0)}) as index, pytest.raises(error, match=words):
        Comparing(index, old, "b", CompareOptions(**options))
