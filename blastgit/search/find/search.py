"""Search the index by criteria, with one query built from their conditions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from blastgit.annotations.flags import Flags
from blastgit.errors import InvalidQuery
from blastgit.index.described import Described, plain
from blastgit.index.tables import Column, tables
from blastgit.search.find.check import STRUCTS, check_columns, check_names, check_where, explained
from blastgit.search.find.conditions import Listed, Values, among, distance, filters, on_sky, scope
from blastgit.search.find.criteria import Criteria
from blastgit.search.find.found import Found
from blastgit.search.find.related import checked
from blastgit.search.saved.queries import Queries

if TYPE_CHECKING:
    from blastgit.index.open_index import OpenIndex
    from blastgit.repository.base import Repository
    from blastgit.search.saved.text import Query

USUAL = ("transient", "revision", "ra_deg", "dec_deg", "best_redshift", "spectroscopic_class", "host", "app_version",
         "export_time", "status")  # fmt: skip
"""The default columns of a result."""

SEPARATION = Column("separation_arcsec", "double", "arcsec", "pos.angDistance", "angle from the centre of the cone")

_ONE_EACH = " QUALIFY revision = max(revision) OVER (PARTITION BY transient)"
_METRICS = """
SELECT transient, revision, map(list(metric), list(amount)) AS metrics FROM (
    SELECT r.transient, r.revision, metric, arg_max(amount, said_time) AS amount
    FROM metrics m JOIN revisions r ON r.transient = m.transient AND (m.revision = r.revision OR m.revision IS NULL)
    WHERE state = 'current' AND coalesce(part, '') = '' GROUP BY ALL
) GROUP BY ALL"""

_BESIDE = {
    "hosts": "SELECT * FROM hosts",
    "sed_global": "SELECT * FROM sed WHERE aperture = 'global'",
    "sed_local": "SELECT * FROM sed WHERE aperture = 'local'",
    "metrics": _METRICS,
}
"""The queries of what a condition may use besides `revisions`, with at most one row for each revision."""


def find(repository: Repository, index: OpenIndex, wanted: Criteria) -> Found:
    """Return the revisions that meet some criteria, sorted by separation if there is a cone, else by name.

    Raises:
        InvalidInput: A criterion is not valid.
        InvalidQuery: A condition or a saved query is not SQL, does more than read, or names an unknown column.
        NotFound: A collection, run, stage, version or saved query does not exist.
        OverLimit: It exceeds the time or memory limit of the open index.
    """
    queries = Queries(repository)
    saved = None if wanted.query is None else queries[wanted.query]
    if saved is not None and wanted.is_query_alone:
        answer, result = queries.ask(index, saved, wanted.params)
        rows = result.rows if wanted.limit is None else result.rows[: wanted.limit]
        return Found(result.columns, rows, result.is_cut, answer)
    if wanted.where is not None:
        check_where(wanted.where)
    check_columns(wanted.columns)
    named = check_names(index, wanted, Flags.of(repository.settings))
    said = "SELECT DISTINCT kind FROM annotations WHERE state = 'current'"
    kinds = {kind for (kind,) in index.query(said)} if wanted.flags or wanted.inherited or wanted.tags else set()
    search = _Search(named, Values(), frozenset(kinds), _listed(index, wanted))
    if saved is not None:
        search.take(saved, queries.columns(index, saved, wanted.params), wanted.params)
    sql = search.sql()
    try:
        result = index.query(sql, search.params)
    except InvalidQuery as error:
        raise error if wanted.where is None else explained(error, wanted.where) from None
    of_query = None if saved is None else queries.answer(index, saved, wanted.params)
    return Found(Described(plain(result.columns), search.described), result.rows, result.is_cut, of_query)


@dataclass
class _Search:
    """A query under construction."""

    wanted: Criteria
    values: Values
    said: frozenset[str] = frozenset()
    listed: Listed = None
    saved: Query | None = None
    saved_columns: Sequence[Column] = ()

    def take(self, query: Query, columns: Sequence[Column], params: Any) -> None:
        """Add a saved query: its transients or revisions limit the result, and its other columns are added.

        Raises:
            InvalidQuery: It has no column `transient`.
        """
        if "transient" not in _names(columns):
            raise InvalidQuery(f"the query {query.name} has no column `transient`, so that nothing else goes with it")
        self.saved, self.saved_columns = query, columns
        self.values.given.update(query.values(params))

    @property
    def params(self) -> dict[str, Any]:
        """The values by their placeholders."""
        return self.values.given

    def sql(self) -> str:
        """Return the whole query."""
        wanted = self.wanted
        chosen = [f"{name} AS {_alias(name)}" for name in wanted.columns or USUAL]
        if wanted.cone is not None:
            chosen.append(f"{distance(wanted)} AS {SEPARATION.name}")
        known = {*tables()["revisions"].names, *map(_alias, wanted.columns), SEPARATION.name}
        chosen += [f'saved."{name}"' for name in _names(self.saved_columns) if name not in known]
        conditions = [*on_sky(wanted), *among(self.listed, self.values), *filters(wanted, self.values, self.said)]
        if wanted.where is not None:
            conditions.append(f"(\n{wanted.where}\n)")
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = f"{SEPARATION.name}, transient, revision" if wanted.cone is not None else "transient, revision"
        limit = f" LIMIT {wanted.limit}" if wanted.limit is not None else ""
        return f"SELECT {', '.join(chosen)} FROM ({self._source()}) AS transients{where} ORDER BY {order}{limit}"  # noqa: S608

    def described(self, found: Sequence[Column]) -> tuple[Column, ...]:
        """Return the columns of a result with the descriptions of their sources."""
        known = {each.name: each for each in self.saved_columns} | {SEPARATION.name: SEPARATION}
        known |= {each.name: each for each in tables()["revisions"].columns}
        for prefix, table in STRUCTS.items():
            known |= {f"{prefix}_{each.name}": each for each in tables()[table].columns}
        return tuple(replace(known[each.name], name=each.name) if each.name in known else each for each in found)

    def _source(self) -> str:
        """Return the query of the revisions to search, joined with the structs that the condition or columns use."""
        used = f"{self.wanted.where or ''} {' '.join(self.wanted.columns)}"
        beside = [
            name for name in (*_BESIDE, *(["saved"] if self.saved else [])) if name == "saved" or _has(used, name)
        ]
        picked = ", ".join(["r.*", *(f"{name}.metrics" if name == "metrics" else name for name in beside)])
        joined = "".join(self._join(name) for name in beside)
        return f"SELECT {picked} FROM ({self._state()}) AS r{joined}"  # noqa: S608

    def _join(self, name: str) -> str:
        if name != "saved":
            return f" LEFT JOIN ({_BESIDE[name]}) AS {name} ON {_same(name, 'transient', 'revision')}"
        assert self.saved is not None
        keys = ("transient", "revision") if "revision" in _names(self.saved_columns) else ("transient",)
        return f" JOIN (\n{self.saved.body}\n) AS saved ON {_same(name, *keys)}"

    def _state(self) -> str:
        wanted = self.wanted
        conditions = scope(wanted, self.values, self.listed)
        every = wanted.all_revisions or (not conditions and "revision" in _names(self.saved_columns))
        if not conditions and not every:
            conditions = ["is_latest"]
            every = True
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT * FROM revisions{where}{'' if every else _ONE_EACH}"  # noqa: S608


def _listed(index: OpenIndex, wanted: Criteria) -> Listed:
    if wanted.among is None:
        return None
    found = checked(index, wanted.among)
    return list(zip(found["names"], found["numbers"], strict=True))


def _names(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in plain(columns)]


def _has(text: str, word: str) -> bool:
    return re.search(rf"\b{word}\b", text, re.IGNORECASE) is not None


def _same(name: str, *keys: str) -> str:
    return " AND ".join(f"{name}.{key} = r.{key}" for key in keys)


def _alias(name: str) -> str:
    return name.replace(".", "_")
