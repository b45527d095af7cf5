"""`/`: the search box, the results, a map of the sky, and the latest changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, redirect, request

from blastgit.errors import InvalidName, NotFound
from blastgit.index.open_index import Result
from blastgit.naming.names import check_transient
from blastgit.search.tabular.formats import written
from blastgit.serve.asked import FACETS, REDSHIFTS, Asked, read_asked
from blastgit.serve.figures import sky
from blastgit.serve.marks import marked
from blastgit.serve.page import Page, route
from blastgit.serve.paging import Paging, read_page
from blastgit.serve.site import Site, site
from blastgit.serve.templating import address

_COLUMNS = "transient, revision, dataset, ra_deg, dec_deg, best_redshift, spectroscopic_class, host, app_version, status, is_complete, export_time, reason"  # noqa: E501 (one list of names)
_LATELY = (
    "SELECT dataset, transient, revision, app_version, export_time, reason, status, is_complete FROM revisions"
    " ORDER BY recorded_time DESC, export_time DESC, transient LIMIT 4"
)
_DOWNLOADS = {"csv": "text/csv", "ecsv": "text/plain", "votable": "application/x-votable+xml",
              "fits": "application/fits"}  # fmt: skip
_ENDINGS = {"votable": "vot"}
_MOST = 200_000  # the most rows of a download
_ON_MAP = 20_000


def install(app: Flask) -> None:
    """Register the page."""
    route(app, "/", search, "/index.json")
    app.add_url_rule("/find.<form>", "download", download)


def search() -> Any:
    """Return the page with the results of a search."""
    here = site()
    here.stale(False)
    wanted = _asked()
    if wanted.word and not wanted.facets and not request.path.endswith(".json"):
        exact = _exact(here, wanted.word)
        if exact is not None:
            return redirect(f"/t/{address(exact)}", 302)
    where, values = wanted.where()
    count = int(here.query(f"SELECT count(*) FROM transients WHERE {where}", values).rows[0][0])  # noqa: S608
    pages = read_page(count)
    rows = _rows(here, wanted, f" LIMIT {pages.size} OFFSET {pages.first}").to_json()
    data = {
        "repo": here.name, "query": wanted.text, "facets": dict(wanted.facets), "sort": wanted.sort,
        "cone": None if wanted.cone is None else
        {"ra_deg": wanted.cone.ra, "dec_deg": wanted.cone.dec, "radius_deg": wanted.cone.radius},
        "count": count, "first": pages.first,
        "results": marked(here, rows, with_drafts=True),
        "counts": {name: _counts(here, wanted, name) for name in FACETS},
        "lately": marked(here, here.query(_LATELY).to_json()) if wanted.is_empty else [],
        "totals": _totals(here),
    }  # fmt: skip
    return Page("search.html", data, lambda: _view(here, wanted, pages))


def _asked() -> Asked:
    facets = {name: request.args.get(name, "") for name in FACETS}
    return read_asked(request.args.get("q", ""), facets, request.args.get("sort", ""))


def _exact(here: Site, word: str) -> str | None:
    """Return the transient with exactly this name or alias, if there is one."""
    try:
        check_transient(word)
    except InvalidName:
        pass
    else:
        found = here.query("SELECT transient FROM transients WHERE lower(transient) = lower(?)", [word]).rows
        if found:
            return str(found[0][0])
    alias = "SELECT DISTINCT transient FROM aliases WHERE is_latest AND kind <> 'host' AND lower(alias) = lower(?)"
    rows = here.query(alias, [word]).rows
    return str(rows[0][0]) if len(rows) == 1 else None


def _rows(here: Site, wanted: Asked, limit: str) -> Result:
    where, values = wanted.where()
    order = wanted.order
    sql = f"SELECT {_COLUMNS}{wanted.columns} FROM transients WHERE {where} ORDER BY {order}{limit}"  # noqa: S608
    return here.query(sql, values)


def _counts(here: Site, wanted: Asked, name: str) -> list[dict[str, Any]]:
    """Return the values of a facet, each with its number of results under the other chosen facets."""
    where, values = wanted.where(without=name)
    given = tuple(values)
    if name == "z":
        cases = " ".join(f"WHEN {_between(low, high)} THEN '{key}'" for key, (low, high) in REDSHIFTS.items())
        sql = f"SELECT CASE {cases} ELSE 'none' END AS v, count(*) AS n FROM transients WHERE {where} GROUP BY 1"  # noqa: S608
        order = [*REDSHIFTS, "none"]
        found = dict(here.answer(sql, given))
        return [{"value": key, "count": found[key]} for key in order if key in found]
    if name in ("class", "version"):
        column = "coalesce(spectroscopic_class, 'none')" if name == "class" else "app_version"
        sql = f"SELECT {column} AS v, count(*) AS n FROM transients WHERE {where} GROUP BY 1"  # noqa: S608
    elif name == "status":
        sql = (
            "SELECT split_part(status, ':', 1) AS v, count(*) AS n"  # noqa: S608
            f" FROM transients WHERE {where} GROUP BY 1"
        )
    elif name == "flag":
        sql = (
            "SELECT f.flag AS v, count(DISTINCT f.transient) AS n FROM flags f"  # noqa: S608
            f" WHERE f.transient IN (SELECT transient FROM transients WHERE {where})"
            " AND f.kind IN ('revision', 'transient') AND f.part IS NULL GROUP BY 1"
        )
    else:
        sql = (
            "SELECT split_part(c.what, '/', 1) AS v, count(DISTINCT c.transient) AS n FROM changes c"  # noqa: S608
            f" WHERE c.is_latest AND c.transient IN (SELECT transient FROM transients WHERE {where}) GROUP BY 1"
        )
    rows = here.answer(f"{sql} ORDER BY n DESC, v LIMIT 8", given)
    return [{"value": value, "count": count} for value, count in rows if value is not None]


def _between(low: float | None, high: float | None) -> str:
    parts = [f"best_redshift >= {low}"] if low is not None else []
    return " AND ".join([*parts, *([f"best_redshift < {high}"] if high is not None else [])])


def _totals(here: Site) -> dict[str, int]:
    sql = "SELECT count(*), count(DISTINCT transient), coalesce(sum(files), 0), coalesce(sum(bytes), 0) FROM revisions"
    revisions, transients, files, size = here.answer(sql)[0]
    return {"transients": transients, "revisions": revisions, "files": int(files), "bytes": int(size)}


def _view(here: Site, wanted: Asked, pages: Paging) -> dict[str, Any]:
    where, values = wanted.where()
    key = ("sky", here.pool.version(), where, tuple(values))
    sql = f"SELECT ra_deg, dec_deg, transient FROM transients WHERE ra_deg IS NOT NULL AND {where} LIMIT {_ON_MAP}"  # noqa: S608
    return {
        "sky": here.figures.get(key, lambda: sky.plot(here.query(sql, values).rows)), "pages": pages,
        "adql": wanted.adql(), "python": wanted.python(here.source), "asked": wanted,
        "downloads": list(_DOWNLOADS),
    }  # fmt: skip


def download(form: str) -> Response:
    """Return all results as a table.

    Raises:
        NotFound: The format does not exist.
    """
    form = {"vot": "votable"}.get(form, form)
    if form not in _DOWNLOADS:
        raise NotFound(f"results come as {', '.join(_DOWNLOADS)}")
    here = site()
    found = _rows(here, _asked(), f" LIMIT {_MOST}")
    body: Iterator[bytes] | bytes
    body = _fits(found) if form == "fits" else (part.encode() for part in written(form, found.columns, iter(found)))
    response = Response(body, mimetype=_DOWNLOADS[form])
    name = re.sub(r"[^A-Za-z0-9]+", "-", here.name).strip("-") or "blast"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{_ENDINGS.get(form, form)}"'
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _fits(found: Result) -> bytes:
    from io import BytesIO

    from blastgit.search.tabular.astropy_table import to_table

    rows = [[_ascii(cell) for cell in row] for row in found.rows]
    table = to_table(found.columns, rows, {})
    for column in table.columns.values():
        column.meta = {}  # FITS has no place for UCDs
    buffer = BytesIO()
    table.write(buffer, format="fits")
    return buffer.getvalue()


def _ascii(cell: object) -> object:
    """Return a cell with characters outside ASCII escaped as in Python: text in FITS is ASCII."""
    return cell.encode("ascii", "backslashreplace").decode("ascii") if isinstance(cell, str) else cell
