"""Check criteria: the names in them exist (suggesting the nearest if not), and a condition is a single expression."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from blastgit.errors import InvalidInput, InvalidQuery, NotFound, UsageError
from blastgit.index.library import need
from blastgit.index.query_errors import explain, without_place
from blastgit.index.tables import tables
from blastgit.naming.names import slug
from blastgit.naming.nearest import did_you_mean
from blastgit.search.find.criteria import Criteria

if TYPE_CHECKING:
    from blastgit.annotations.flags import Flags
    from blastgit.index.open_index import OpenIndex

STRUCTS = {"hosts": "hosts", "sed_global": "sed", "sed_local": "sed"}
"""Structs that a condition may use besides the columns of `revisions`, and the table of each."""

_VERSION = "version of Blast"
VERSIONS = "SELECT app_version FROM revisions UNION SELECT app_version FROM reproductions"
"""The query of all versions of Blast."""

RUNS = (
    "SELECT run FROM revisions WHERE run IS NOT NULL UNION SELECT run FROM reproductions WHERE run IS NOT NULL"
    " UNION SELECT collection FROM collections WHERE kind = 'RUN'"
)
"""The query of all runs, including those that made no revision."""

COLLECTIONS = "SELECT collection FROM collections"
"""The query of all collections."""

_TEXT_LIMIT = 20_000  # most characters of a condition
_MISSING = re.compile(r"(?:there is|'[^']+' has) no (?:column|table) '([^']+)'")
_CHANGES = ("transient", "host", "hosts", "apertures", "photometry", "sed", "sfh", "stages", "cutouts", "sed_files")


def check_where(where: str) -> None:
    """Check that a text is one SQL expression, so that it cannot escape from the parentheses it is put into.

    Raises:
        InvalidQuery: It is not.
    """
    duckdb = need("duckdb")
    if len(where) > _TEXT_LIMIT:
        raise InvalidQuery(f"the condition has {len(where):,} characters, more than the {_TEXT_LIMIT:,} allowed")
    try:
        where.encode()
        duckdb.SQLExpression(where)
    except (duckdb.Error, UnicodeEncodeError) as error:
        raise InvalidQuery(f"{where[:200]!r} is not one condition of SQL: {without_place(explain(error))}") from None


def explained(error: InvalidQuery, where: str) -> InvalidQuery:
    """Return an error in the whole query as one about the condition, with the nearest columns."""
    words = without_place(str(error))
    match = _MISSING.match(words)
    if match is None:
        return InvalidQuery(f"the condition {where[:200]!r} cannot be asked: {words}")
    return InvalidQuery(f"there is no column {match[1]!r}{near(match[1], columns())}")


def columns() -> list[str]:
    """Return the columns that a condition or a result may use."""
    found = [column.name for column in tables()["revisions"].columns]
    for prefix, table in STRUCTS.items():
        found += [f"{prefix}.{column.name}" for column in tables()[table].columns[3:]]
    return found


def check_columns(names: Iterable[str]) -> None:
    """Check that columns exist.

    Raises:
        InvalidQuery: One does not.
    """
    known = columns()
    for name in names:
        if name not in known:
            raise InvalidQuery(f"there is no column {name!r}{near(name, known)}")


def check_names(index: OpenIndex, wanted: Criteria, vocabulary: Flags) -> Criteria:
    """Check that the names in criteria exist, and return the criteria with the full names of stages.

    Raises:
        NotFound: A collection, run, version or stage does not exist.
        InvalidInput: A flag does not exist.
        UsageError: `changed` names nothing that can change.
    """
    for what, name, query in (
        ("collection", wanted.collection, COLLECTIONS),
        ("run", wanted.run, RUNS),
        (_VERSION, wanted.app_version, VERSIONS),
    ):
        if name is not None:
            _check_there(index, what, name, query)
    known = [*vocabulary.values, "disputed"]
    for flag in (*wanted.flags, *wanted.inherited):
        if flag.removeprefix("!") not in known:
            raise InvalidInput(f"there is no flag {flag.removeprefix('!')!r} in this data repo: {', '.join(known)}")
    changed = wanted.changed
    if changed is not None and changed.partition("/")[0] not in _CHANGES and not set(changed) & set("/*?["):
        raise UsageError(f"nothing is called {changed!r} that can change{near(changed, _CHANGES)}")
    failed, late = (None if name is None else _stage(index, name) for name in (wanted.failed, wanted.out_of_date))
    return replace(wanted, failed=failed, out_of_date=late)


def _stage(index: OpenIndex, name: str) -> str:
    stages = [str(stage) for (stage,) in index.query("SELECT DISTINCT stage FROM stages ORDER BY stage")]
    found = [stage for stage in stages if slug(stage) == slug(name)]
    if name != "any" and not found:
        raise NotFound(f"no revision has a stage {name!r}{near(name, stages)}")
    return found[0] if found else name


def _check_there(index: OpenIndex, what: str, name: str, query: str) -> None:
    there = {str(each) for (each,) in index.query(query)}
    same = {each.lstrip("v") for each in there} if what == _VERSION else there
    if (name.lstrip("v") if what == _VERSION else name) not in same:
        raise NotFound(f"there is no {what} {name!r}{near(name, sorted(there))}")


def near(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that suggests the nearest name."""
    listed = [*known]
    return did_you_mean(name, listed, f"there is {', '.join(listed)}" if 0 < len(listed) <= 12 else "")
