"""`/host/KEY` and `/r/TYPE/NAME`: shared objects, their history, and the transients that use them."""

from __future__ import annotations

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
    used = "(t.transient, t.revision) IN (SELECT transient, revision FROM reference_uses WHERE reference = ?)"
    data = {
        "type": type_, "name": name, "subject": line, "facts": facts, "differing": [],
        "revisions": revisions, **_users(here, used, [line]),
    }  # fmt: skip
    return Page("reference.html", data, lambda: {"pages": read_page(data["count"])})


def _of_exports(here: Site, type_: str, name: str) -> dict[str, Any] | None:
    """Return what the exports say about a filter without a line: some data repos derive no reference lines."""
    rows = here.query("SELECT * FROM filters WHERE filter = ?", [name]).to_json() if type_ == "filter" else []
    return {key: value for key, value in rows[0].items() if key != "filter"} if rows else None


def _users(here: Site, condition: str, values: list[object]) -> dict[str, Any]:
    rows = here.query(_USERS.format(condition), values).to_json()
    pages = read_page(len(rows))
    return {
        "count": len(rows),
        "first": pages.first,
        "transients": marked(here, rows[pages.first : pages.last], with_drafts=True),
    }
