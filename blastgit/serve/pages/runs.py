"""`/compare/runs` and `/compare/runs/A...B`: comparison of two runs, Blast versions or dates over all transients."""

from __future__ import annotations

from typing import Any

from flask import Flask, redirect, request

from blastgit.errors import UsageError
from blastgit.search.compare import CompareOptions
from blastgit.search.compare.compared import Comparing
from blastgit.search.compare.quantities import TYPES
from blastgit.serve.figures import runs as drawing
from blastgit.serve.page import Page, route
from blastgit.serve.site import Site, site
from blastgit.serve.templating import address

_MOST = 3000  # the most points of a plot
_LISTED = 200  # the most rows of the table
_SIDES = """
SELECT run AS name, 'run' AS kind, count(*) AS n FROM holdings GROUP BY 1
UNION ALL SELECT 'app:' || app_version, 'version of Blast', count(*) FROM revisions GROUP BY 1
UNION ALL SELECT collection, 'collection', count(*) FROM members WHERE NOT is_personal
    AND collection NOT IN (SELECT run FROM holdings) GROUP BY 1
ORDER BY kind DESC, name
"""


def install(app: Flask) -> None:
    """Register the pages."""
    route(app, "/compare/runs", choose)
    route(app, "/compare/runs/<path:old>...<path:new>", compare)


def choose() -> Any:
    """Return a list of what can be compared; redirect to the comparison if the address names two."""
    here = site()
    old, new = request.args.get("old", "").strip(), request.args.get("new", "").strip()
    if old and new:
        return redirect(f"/compare/runs/{address(old)}...{address(new)}", 302)
    here.stale(False)
    sides = [{"name": name, "kind": kind, "revisions": count} for name, kind, count in here.answer(_SIDES)]
    return Page("choose_runs.html", {"sides": sides, "old": old, "new": new})


def compare(old: str, new: str) -> Page:
    """Return how two sides differ in each quantity, and the points of one quantity.

    Raises:
        NotFound: The run, collection or version does not exist.
    """
    here = site()
    here.stale(False)
    type_, of = request.args.get("type", "sed"), request.args.get("of", "")
    if type_ not in TYPES:
        raise UsageError(f"type is one of {', '.join(TYPES)}")
    with here.pool.open() as index:
        comparing = Comparing(index, old, new, CompareOptions(type=type_, shown=20))
        figures = comparing.compare()
        statistics = [{**each, "key": " ".join([*each["group"], each["quantity"]])} for each in
                      figures.to_json()["statistics"]]  # fmt: skip
        chosen = next((each for each in statistics if each["key"] == of), None) or max(
            statistics, key=lambda each: (each["quantity"] == "log_mass_50", each["changed"]), default=None
        )
        points = [] if chosen is None else _points(comparing, chosen)
    data = {
        "old": old, "new": new, "type": type_, "types": list(TYPES), "both": figures.both,
        "only_old": figures.only_old, "only_new": figures.only_new, "same": figures.same, "statistics": statistics,
        "outliers": figures.to_json()["outliers"], "chosen": chosen, "points": points[:_MOST],
        "revisions": _revisions(here, comparing, [each["transient"] for each in points[:_MOST]]),
    }  # fmt: skip
    return Page("runs.html", data, lambda: {"listed": _LISTED, **_view(data)})


def _points(comparing: Comparing, chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the values of one quantity that differ, the largest differences first."""
    found = comparing.differences()
    names = [column.name for column in found.columns]
    groups = comparing.subject.groups
    rows = (dict(zip(names, row, strict=True)) for row in found.rows)
    wanted = [
        row for row in rows
        if row["quantity"] == chosen["quantity"] and tuple(row[name] for name in groups) == tuple(chosen["group"])
        and row["difference"] is not None
    ]  # fmt: skip
    keys = ("transient", "old", "new", "difference", "in_sigma")
    return sorted(({key: row[key] for key in keys} for row in wanted), key=lambda row: -abs(row["difference"]))


def _revisions(here: Site, comparing: Comparing, names: list[str]) -> dict[str, list[int]]:
    """Return the revision of each transient on each of the two sides, for the links."""
    from blastgit.search.compare import sql

    sides = comparing.sides
    query = f"SELECT transient, a, b FROM ({sql.pairs(*sides)}) WHERE list_contains($names::VARCHAR[], transient)"  # noqa: S608
    rows = here.query(query, {"a": sides[0].value, "b": sides[1].value, "names": names}).rows
    return {name: [a, b] for name, a, b in rows}


def _view(data: dict[str, Any]) -> dict[str, Any]:
    points, chosen = data["points"], data["chosen"]
    if not points or chosen is None:
        return {"scatter": None, "histogram": None}
    unit = f", {chosen['unit']}" if chosen["unit"] else ""
    title = f"{chosen['key']}{unit}"
    return {"scatter": drawing.scatter(points, title), "histogram": drawing.histogram(points, f"Δ {title}")}
