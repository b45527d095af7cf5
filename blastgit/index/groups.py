"""The tables `collections` and `members`, updated from the collections on main.

The members that a collection lists are read from its file, those of a RUN from `holdings`; those of a CHAINED
collection are derived from the leaves of the chain, in search order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pygit2

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.datasets import Member
from blastgit.collections.model import Chained, Listed, Run
from blastgit.collections.names import FOLDER, name_of
from blastgit.errors import BlastgitError
from blastgit.index.rows import Rows, Values, naive
from blastgit.index.write import insert
from blastgit.plumbing.trees import flatten
from blastgit.repository.base import Repository

if TYPE_CHECKING:
    import duckdb

_OF_RUNS = """
INSERT INTO members
SELECT run, transient || '@' || revision, transient, revision, '', run, false, is_born, NULL, NULL
FROM holdings WHERE run IN (SELECT unnest(?))"""

_OF_CHAINS = """
INSERT INTO members BY NAME
WITH all_of AS (
    SELECT leaves.collection, position, members.* EXCLUDE (collection)
    FROM state.leaves AS leaves JOIN members ON members.collection = leaves.leaf
    WHERE leaves.collection IN (SELECT unnest(?))
), first_whole AS (
    SELECT collection, transient, min(position) AS whole FROM all_of WHERE path = '' GROUP BY ALL
), first_path AS (
    SELECT collection, transient, path, min(position) AS position FROM all_of GROUP BY ALL
)
SELECT all_of.* EXCLUDE (position)
FROM all_of JOIN first_path USING (collection, transient, path, position)
LEFT JOIN first_whole USING (collection, transient)
WHERE whole IS NULL OR position <= whole
    OR (path <> '' AND via IN (SELECT collection FROM collections WHERE kind = 'CALIBRATION'))"""


class Groups:
    """Updates the collections in the index being written."""

    def __init__(self, repository: Repository, connection: duckdb.DuckDBPyConnection) -> None:
        """Read the collections on main."""
        self._connection = connection
        tree = repository.main.tree
        self._catalogue = Catalogue(tree)
        folder = tree / FOLDER if FOLDER in tree else None
        self._files = (
            {name_of(path): str(blob) for path, blob in flatten(folder)} if isinstance(folder, pygit2.Tree) else {}
        )

    def update(self, runs: Iterable[str]) -> dict[str, str]:
        """Update both tables; return the collections that cannot be read, and why.

        Args:
            runs: The runs of revisions and reproductions that were added or removed.
        """
        known = dict(self._connection.execute("SELECT collection, blob FROM state.collections").fetchall())
        changed = {name for name in known.keys() | self._files.keys() if known.get(name) != self._files.get(name)}
        damaged = self._replace(changed)
        is_run = dict(self._connection.execute("SELECT collection, kind FROM collections").fetchall())
        touched = sorted(name for name in changed | set(runs) if is_run.get(name) == Run.kind)
        self._delete("members", touched)
        self._connection.execute(_OF_RUNS, [touched])
        chains = self._chains(changed, {*touched, *changed})
        self._delete("members", chains)
        self._connection.execute(_OF_CHAINS, [chains])
        return damaged

    def _replace(self, names: Iterable[str]) -> dict[str, str]:
        """Replace the rows of collections that changed, and of the members that they list."""
        changed = sorted(names)
        for table in ("collections", "members", "state.collections"):
            self._delete(table, changed)
        rows, damaged = Rows(), {}
        for name in changed:
            if name not in self._files:
                continue
            try:
                rows.add("collections", [self._facts(name)])
                there = self._catalogue[name]
                if isinstance(there, Listed):
                    rows.add("members", [_member(name, each) for each in there.members()])
            except BlastgitError as error:
                damaged[name] = str(error)
                continue
            self._connection.execute("INSERT INTO state.collections VALUES (?, ?)", [name, self._files[name]])
        insert(self._connection, rows)
        return damaged

    def _facts(self, name: str) -> Values:
        there = self._catalogue[name]
        children = " ".join(there.children) if isinstance(there, Chained) else None
        validated = there.validated or None if isinstance(there, Run) else None
        return name, there.kind, there.about, children, validated

    def _chains(self, changed: set[str], touched: set[str]) -> list[str]:
        """Return the chains whose members may have changed, and note the leaves of each chain."""
        said = self._connection.execute("SELECT collection, children FROM collections WHERE kind = 'CHAINED'")
        children = {name: (text or "").split(" ") for name, text in said.fetchall()}
        if changed:
            self._connection.execute("DELETE FROM state.leaves")
            rows = [(name, i, leaf) for name in children for i, leaf in enumerate(_leaves(name, children, ()))]
            if rows:
                self._connection.executemany("INSERT INTO state.leaves VALUES (?, ?, ?)", rows)
        if changed & children.keys():
            return sorted(children)
        query = "SELECT DISTINCT collection FROM state.leaves WHERE leaf IN (SELECT unnest(?))"
        return sorted(name for (name,) in self._connection.execute(query, [sorted(touched)]).fetchall())

    def _delete(self, table: str, collections: list[str]) -> None:
        if collections:
            self._connection.execute(
                f"DELETE FROM {table} WHERE collection IN (SELECT unnest(?))",  # noqa: S608 (a name of ours)
                [collections],
            )


def _leaves(name: str, children: dict[str, list[str]], above: tuple[str, ...]) -> Iterator[str]:
    if name not in children:
        yield name
    elif name not in above:  # a cycle is possible if main was changed without its hook
        for child in filter(None, children[name]):
            yield from _leaves(child, children, (*above, name))


def _member(collection: str, member: Member) -> Values:
    what = member.dataset
    times = (None if each is None else naive(each) for each in (member.begin, member.end))
    return collection, str(what), what.name, what.number, what.path, collection, what.is_personal, None, *times
