"""`/host/KEY` and `/r/TYPE/NAME`: shared objects, their history, and the transients that use them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Flask

from blastgit.errors import NotFound
from blastgit.serve.marks import marked
from blastgit.serve.page import Page, route
from blastgit.serve.paging import read_page
from blastgit.serve.site import Site, site

_USERS = """
SELECT t.transient, t.revision, t.dataset, t.best_redshift, t.spectroscopic_class, t.app_version,
       t.status, t.is_complete
FROM transients t WHERE {} ORDER BY t.transient
"""
_REVISIONS = """
SELECT revision, export_time, app_version, reason, files, bytes FROM reference_revisions WHERE reference = ?
ORDER BY revision DESC
"""
_OF_HOST = (
    "host_key", "ra_deg", "dec_deg", "redshift", "redshift_err", "photometric_redshift", "photometric_redshift_err",
    "catalog_name", "catalog_release", "object_id", "milkyway_dust_reddening",
)  # fmt: skip


def install(app: Flask) -> None:
    """Register the pages."""
    route(app, "/host/<path:name>", host)
    route(app, "/r/<type_>/<path:name>", reference)


def host(name: str) -> Page:
    """Return a host galaxy, by its key or its name, as given in the latest revisions, and its transients.

    Raises:
        NotFound: No latest revision has that host.
    """
    here = site()
    here.stale(False)
    sql = "SELECT * FROM hosts WHERE is_latest AND (host_key = ? OR host = ?) ORDER BY transient"
    rows = here.query(sql, [name, name]).to_json()
    if not rows:
        raise NotFound(f"no transient has the host {name[:200]!r}")
    differing = [key for key in _OF_HOST if len({row[key] for row in rows}) > 1]
    used = "(t.transient, t.revision) IN (SELECT transient, revision FROM hosts WHERE host_key = ? OR host = ?)"
    data = {
        "type": "host", "name": rows[0]["host"] or name, "subject": f"host:{rows[0]['host_key']}",
        "facts": {key: rows[0][key] for key in _OF_HOST}, "differing": differing, "revisions": [],
        **_users(here, used, [name, name]),
    }  # fmt: skip
    return Page("reference.html", data, lambda: {"pages": read_page(data["count"])})


def reference(type_: str, name: str) -> Page:
    """Return a reference line: its latest content, its revisions, and the transients that use it.

    Raises:
        NotFound: The reference does not exist.
    """
    here = site()
    here.stale(False)
    line = f"r/{type_}/{name}"
    revisions = here.query(_REVISIONS, [line]).to_json()
    facts = here.repo().show(line).value["reference"]["fields"] if revisions else _of_exports(here, type_, name)
    if facts is None:
        raise NotFound(f"there is no reference {line[:200]!r}")
    data = {
        "type": type_, "name": name, "subject": line, "facts": facts, "differing": [],
        "revisions": revisions, **_users(here, *_using(type_, name)),
    }  # fmt: skip
    return Page("reference.html", data, lambda: {"pages": read_page(data["count"])})


def _using(type_: str, name: str) -> tuple[str, list[object]]:
    """Return the condition that a transient's latest revision uses a reference, and the values in it.

    The index's view `reference_uses` says the same of all references of all revisions, which takes seconds where there
    are many.
    """
    if type_ not in ("filter", "survey"):
        made = "(t.transient, t.revision) IN (SELECT transient, revision FROM made_with WHERE reference = ?)"
        return made, [f"r/{type_}/{name}"]
    of = "filter = ?" if type_ == "filter" else "filter IN (SELECT filter FROM filters WHERE survey = ?)"
    seen = f"SELECT transient FROM cutouts WHERE is_latest AND path IS NOT NULL AND {of}"  # noqa: S608
    return f"t.transient IN (SELECT transient FROM photometry WHERE is_latest AND {of} UNION {seen})", [name, name]  # noqa: S608


def _of_exports(here: Site, type_: str, name: str) -> dict[str, Any] | None:
    """Return what the exports say about a filter without a line: some data repos derive no reference lines."""
    rows = here.query("SELECT * FROM filters WHERE filter = ?", [name]).to_json() if type_ == "filter" else []
    return {key: value for key, value in rows[0].items() if key != "filter"} if rows else None


def _users(here: Site, condition: str, values: Sequence[object]) -> dict[str, Any]:
    """Return one page of the transients whose latest revisions meet a condition, and how many there are."""
    count = int(here.answer(f"SELECT count(*) FROM transients t WHERE {condition}", tuple(values))[0][0])  # noqa: S608
    pages = read_page(count)
    sheet = f"{_USERS.format(condition)} LIMIT {pages.size} OFFSET {pages.first}"
    rows = marked(here, here.query(sheet, values).to_json(), with_drafts=True)
    return {"count": count, "first": pages.first, "transients": rows}
