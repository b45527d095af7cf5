"""Searching and comparing with the index: verbs of `DataRepo`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from blastgit.errors import UsageError

if TYPE_CHECKING:
    from blastgit.api.session import Session
    from blastgit.index.open_index import OpenIndex
    from blastgit.search.compare import Comparison
    from blastgit.search.find import Criteria, Found
    from blastgit.search.find.related import Relation


def find(
    session: Session, /, criteria: Criteria | None = None, *, index: OpenIndex | None = None, **given: Any
) -> Found:
    """Return the revisions that match criteria, with columns that carry units and UCDs.

    repo.find(cone=(150.1, -2.2, "5arcmin"), redshift=(None, 0.1), flags="!bad").names

    Args:
        criteria: The criteria.
        index: The index, if it is already open.
        given: The criteria by name instead: `cone`, `at`, `where`, …

    Raises:
        InvalidInput: A criterion is not valid.
        InvalidQuery: A condition or saved query is not valid SQL, does more than read, or names an unknown column.
        NotFound: The collection, run, stage, version or saved query does not exist.
        OverLimit: The query exceeds the limits on time or memory.
        RepoError: DuckDB, which the index needs, is not installed.
    """
    from blastgit.search.find.criteria import Criteria
    from blastgit.search.find.search import find

    if criteria is not None and given:
        raise UsageError("give criteria either as one object or by name, not both")
    wanted = criteria or Criteria.of(given)
    with opened_index(session, index) as opened:
        return find(session.repository, opened, wanted)


def query(session: Session, /, name: str, *, index: OpenIndex | None = None, **params: Any) -> Found:
    """Return the result of a saved query; its `to_table()` returns an astropy table with units.

    repo.query("high_snr_hosts", snr=10).to_table()

    Args:
        name: The saved query.
        index: The index, if it is already open.
        params: Values of its parameters; the others take the query's defaults.

    Raises:
        NotFound: The saved query does not exist.
        InvalidQuery: A parameter is missing, unknown or of the wrong type, or the query does not fit the index.
        OverLimit: The query exceeds the limits on time or memory.
        RepoError: DuckDB, which the index needs, is not installed.
    """
    return find(session, index=index, query=name, params=params)


def compare(session: Session, /, old: str, new: str, *, index: OpenIndex | None = None, **options: Any) -> Comparison:
    """Compare two runs, collections, versions of Blast (`app:v1.13.1`) or times (`at:2026-05-27`).

    repo.compare("reprocessing/2026-05", "reprocessing/2026-07", type="sed").outliers

    Args:
        old: The first side.
        new: The second side.
        index: The index, if it is already open.
        options: See `blastgit.search.compare.CompareOptions`: type, columns, sigma, shown.

    Raises:
        NotFound: The run, collection or version does not exist.
        UsageError: There is nothing of that kind to compare.
        RepoError: DuckDB, which the index needs, is not installed.
    """
    from blastgit.search.compare import CompareOptions
    from blastgit.search.compare.compared import Comparing

    chosen = CompareOptions(**options)
    with opened_index(session, index) as opened:
        return Comparing(opened, old, new, chosen).compare()


def related(
    session: Session, /, names: Sequence[str], kinds: Sequence[str] | None = None, *, radius: float | None = None
) -> Sequence[Relation]:
    """Return what is related to transients: hosts, images, filters, transients of the same host, neighbours.

    Args:
        names: The transients, `NAME` or `NAME@N`.
        kinds: Some of `host`, `cutout`, `filter`, `same-host`, `neighbour`; by default all but the last.
        radius: For neighbours: the greatest distance, in degrees.

    Raises:
        NotFound: The transient does not exist.
        UsageError: A kind is unknown, or neighbours are requested without a radius.
        RepoError: DuckDB, which the index needs, is not installed.
    """
    from blastgit.search.find.related import KINDS, related

    with opened_index(session) as index:
        return related(index, names, KINDS[:-1] if kinds is None else kinds, radius)


@contextmanager
def opened_index(session: Session, /, index: OpenIndex | None = None) -> Iterator[OpenIndex]:
    """Yield the index that the caller has open, or open an up-to-date one and close it afterwards."""
    if index is not None:
        yield index
        return
    from blastgit.api.index import Index

    with Index(session.repository, session.progress).open() as opened:
        yield opened
