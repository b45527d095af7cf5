"""`/sql` and `/sql/NAME`: an editor for ADQL with a list of the tables, and saved queries, each with a form."""

from __future__ import annotations

import csv
from typing import Any

from flask import Flask, request

from blastgit.errors import BlastgitError, NotFound, UsageError
from blastgit.serve.page import Page, plain, route
from blastgit.serve.site import Site, site
from blastgit.serve.tap.asked import asked
from blastgit.serve.tap.limits import ServiceLimits
from blastgit.serve.tap.request import Parameters
from blastgit.serve.tap.tables import served

_ROWS = 500  # the most rows of a result on a page
_SECONDS = 20.0
_EXAMPLE = "SELECT transient, revision, best_redshift, spectroscopic_class\nFROM blastgit.transients\nWHERE best_redshift < 0.03\nORDER BY best_redshift"  # noqa: E501 (one text)


def install(app: Flask) -> None:
    """Register the pages."""
    route(app, "/sql", ask, methods=["GET"])
    route(app, "/sql/<path:name>", saved)


def ask() -> Page:
    """Return the editor, and the result of the query in it."""
    here = site()
    here.stale(False)
    query = request.args.get("query", "").replace("\r\n", "\n").strip()
    answer, problem = None, None
    if query:
        try:
            answer = _answered(here, query)
        except BlastgitError as error:
            if request.path.endswith(".json"):
                raise
            problem = str(error)
    queries = here.repo().queries
    data = {
        "query": query, "answer": answer, "problem": problem, "limit": _ROWS,
        "saved": [{"name": name, "description": queries[name].about} for name in queries],
    }  # fmt: skip
    return Page("sql.html", data, lambda: {"schema": _schema(), "example": _EXAMPLE})


def _answered(here: Site, query: str) -> dict[str, Any]:
    """Run a query in the processes of the TAP service, which are confined and see only public data."""
    queries = here.queries
    if queries is None:
        raise UsageError("this server answers no queries")
    pairs = [("LANG", "ADQL"), ("QUERY", query), ("RESPONSEFORMAT", "csv"), ("MAXREC", str(_ROWS + 1))]
    what = asked(Parameters(pairs), ServiceLimits())
    with queries.place():
        path = queries.answer(what, request.host_url.rstrip("/"), _SECONDS)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    finally:
        path.unlink(missing_ok=True)
    columns, rows = (rows[0], rows[1:]) if rows else ([], [])
    return {"columns": columns, "rows": rows[:_ROWS], "is_cut": len(rows) > _ROWS}


def _schema() -> list[dict[str, Any]]:
    return [
        {"name": table.full_name, "about": table.about,
         "columns": [{"name": each.name, "type": each.type, "unit": each.unit, "about": each.about}
                     for each in table.columns]}
        for table in served().tables if table.schema != "tap_schema"
    ]  # fmt: skip


def saved(name: str) -> Page:
    """Return a saved query: its text, a form for its parameters, and its result once they are given.

    Raises:
        NotFound: The saved query does not exist.
    """
    here = site()
    here.stale(False)
    queries = here.repo().queries
    if name not in queries:
        raise NotFound(f"there is no saved query {name[:200]!r}")
    query = queries[name]
    given = {each: request.args[each] for each in query.parameters if request.args.get(each)}
    answer, problem = None, None
    if given or not any(each.default is None for each in query.parameters.values()):
        try:
            with here.pool.open() as index:
                identity, result = queries.ask(index, query, given)
        except BlastgitError as error:
            if request.path.endswith(".json"):
                raise
            problem = str(error)
        else:
            rows = [list(row) for row in plain(result.rows[:_ROWS])]
            answer = {"columns": [each.name for each in result.columns], "rows": rows,
                      "is_cut": result.is_cut or len(result) > _ROWS, "identity": str(identity)}  # fmt: skip
    data = {**query.to_json(), "text": query.text, "given": given, "answer": answer, "problem": problem}
    return Page("saved.html", data)
