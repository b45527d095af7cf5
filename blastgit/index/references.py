"""The tables of references, and of the flags that revisions of transients inherit from their inputs.

There are few references, and few flags on them and on hosts, so both tables are rewritten whenever something in them
may have changed. Which revision uses which reference is a view, `reference_uses`, so it is never out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from blastgit.errors import BlastgitError
from blastgit.index.rows import Rows, Values, naive
from blastgit.index.write import insert
from blastgit.naming.names import reference_type
from blastgit.naming.trailers import Trailer
from blastgit.repository.base import Repository
from blastgit.repository.history import History
from blastgit.repository.lines import reference_lines

if TYPE_CHECKING:
    import duckdb

_INHERITED = """
INSERT INTO inherited_flags
SELECT hosts.transient, hosts.revision, flags.subject, flags.flag, flags.is_disputed, 'host'
FROM flags JOIN hosts ON flags.kind = 'host' AND flags.name = hosts.host_key
UNION
SELECT uses.transient, uses.revision, flags.subject, flags.flag, flags.is_disputed, uses.reference
FROM flags JOIN reference_uses uses ON flags.kind = 'reference' AND flags.name = uses.reference
UNION
SELECT uses.transient, uses.revision, flags.subject, flags.flag, flags.is_disputed, uses.reference
FROM flags JOIN reference_uses uses ON flags.kind = 'revision' AND flags.transient = uses.reference
    AND flags.revision = uses.reference_revision"""


def update_references(repository: Repository, connection: duckdb.DuckDBPyConnection, damaged: dict[str, str]) -> None:
    """Rewrite the table of the revisions of all references; note those that cannot be read in `damaged`."""
    history, rows = History(repository), Rows()
    for line in reference_lines(repository):
        try:
            rows.add("reference_revisions", list(_revisions(history, line)))
        except BlastgitError as error:
            damaged[line] = str(error)
    connection.execute("DELETE FROM reference_revisions")
    insert(connection, rows)


def _revisions(history: History, line: str) -> Iterator[Values]:
    found = history.revisions(line)
    for each in found:
        said = each.trailers
        counts = (int(said.get(key, "0")) for key in (Trailer.FILES, Trailer.BYTES))
        yield (
            line, each.number, each is found[-1], reference_type(line), line.rpartition("/")[2], naive(each.time),
            naive(each.recorded), each.app_version or None, each.reason, each.id, *counts,
        )  # fmt: skip


def update_inherited(connection: duckdb.DuckDBPyConnection) -> None:
    """Rewrite the table of inherited flags."""
    connection.execute("DELETE FROM inherited_flags")
    connection.execute(_INHERITED)
