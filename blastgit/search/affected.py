"""Look up in the index what was made with a filter or another reference, and which revisions have a host.

`provenance/affected.py` reads the document of each affected revision. A filter may be shared by fifty thousand
transients, and the tables of the index have the same facts as their documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, overload

from blastgit.annotations.subjects import Subject
from blastgit.errors import NotFound
from blastgit.provenance.affected import Affected

if TYPE_CHECKING:
    import pyarrow as pa

    from blastgit.index.open_index import OpenIndex

_OF_EXPORTS = ("r/filter/", "r/survey/")
_BATCH = 10_000  # rows that become objects at once
_MOST = 100_000_000  # rows: no limit in practice
_HOSTS = "SELECT transient, revision FROM hosts WHERE $name IN (host_key, host) ORDER BY transient, revision"

_OF_ANY = "SELECT * FROM photometry WHERE filter IN (FROM wanted)"
_OF_NUMBER = """
SELECT p.* FROM photometry p JOIN revisions USING (transient, revision)
ASOF LEFT JOIN (SELECT * FROM reference_revisions WHERE reference = $name) made
    ON revisions.export_time >= made.export_time
WHERE p.filter IN (FROM wanted) AND made.revision = $number"""

_OF_EXPORTED = """
WITH wanted AS (
    SELECT filter FROM filters WHERE 'r/survey/' || survey = $name
    UNION SELECT substr($name, length('r/filter/') + 1) WHERE starts_with($name, 'r/filter/')
), of_filter AS (
    {photometry}
), unsure AS (
    SELECT DISTINCT transient, revision, aperture FROM of_filter WHERE is_validated IS NULL
), checked AS (
    SELECT DISTINCT transient, revision, aperture FROM photometry SEMI JOIN unsure USING (transient, revision, aperture)
    WHERE is_validated IS NOT NULL
), fits AS (
    SELECT transient, revision, aperture FROM of_filter WHERE is_validated = 'true'
    UNION SELECT * FROM unsure ANTI JOIN checked USING (transient, revision, aperture)
), made AS (
    SELECT transient, revision, 'photometry/' || name || '/' || filter AS product, 1 AS distance FROM of_filter
    UNION ALL
    SELECT transient, revision, 'sed/' || aperture, 2 FROM sed SEMI JOIN fits USING (transient, revision, aperture)
    UNION ALL
    SELECT transient, revision, path, 3 FROM files SEMI JOIN fits USING (transient, revision, aperture)
    WHERE kind <> 'thumbnail'
)
SELECT transient || '@' || revision, product, distance, $via FROM made
ORDER BY transient, revision, distance, product"""

_OF_DECLARED = """
WITH used AS (
    SELECT w.transient, w.revision, product, coalesce(stated_revision, made.revision) AS number
    FROM made_with w ASOF LEFT JOIN (SELECT * FROM reference_revisions WHERE reference = $name) made
        ON w.made_time >= made.export_time
    WHERE w.reference = $name
), chosen AS (
    SELECT transient, revision, product FROM used WHERE $number IS NULL OR number = $number
), made AS (
    SELECT *, 1 AS distance FROM chosen
    UNION ALL
    SELECT transient, revision, path, 2 FROM files JOIN chosen USING (transient, revision)
    WHERE product = 'sed/' || aperture AND kind <> 'thumbnail'
)
SELECT transient || '@' || revision, product, distance, $via FROM made
ORDER BY transient, revision, distance, product"""


class Found(Sequence[Affected]):
    """Very many results, which become objects of Python only as they are looked at."""

    def __init__(self, table: pa.Table) -> None:
        """Keep the columns of the result, in the order of the fields of `Affected`."""
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Affected]:
        for batch in self._table.to_batches(max_chunksize=_BATCH):
            yield from map(Affected._make, zip(*(column.to_pylist() for column in batch.columns), strict=True))

    @overload
    def __getitem__(self, index: int) -> Affected: ...
    @overload
    def __getitem__(self, index: slice) -> list[Affected]: ...
    def __getitem__(self, index: int | slice) -> Affected | list[Affected]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return next(iter(Found(self._table.slice(place, 1))))


def affected_by(index: OpenIndex, subject: Subject) -> Found:
    """Return what was made with a reference, nearest first in each revision.

    Args:
        index: The index, up to date.
        subject: A reference, or one revision of it; for a revision, what was exported while it was the latest.

    Raises:
        NotFound: No revision was made with it.
    """
    name, number = subject.revision if subject.kind == "revision" else (subject.name, None)
    values = {"name": name, "number": number, "via": str(subject).partition(":")[2]}
    sql = _OF_DECLARED
    if name.startswith(_OF_EXPORTS):
        sql = _OF_EXPORTED.format(photometry=_OF_ANY if number is None else _OF_NUMBER)
        values = {key: value for key, value in values.items() if value is not None}
    found = Found(index.arrow(sql, values))
    if not found:
        raise NotFound(f"no revision was made with {subject}")
    return found


def revisions_with_host(index: OpenIndex, host: str) -> dict[str, set[int]]:
    """Return the numbers of the revisions that have a host, by transient; the host is given by its key or name.

    Raises:
        NotFound: No revision has it.
    """
    found: dict[str, set[int]] = {}
    for transient, number in index.query(_HOSTS, {"name": host}, limits=replace(index.limits, rows=_MOST)).rows:
        found.setdefault(transient, set()).add(number)
    if not found:
        raise NotFound(f"no revision was made with host:{host}")
    return found
