"""`/c` and `/c/NAME`: the list of collections, and the content of each."""

from __future__ import annotations

from typing import Any

from flask import Flask, request

from blastgit.errors import NotFound
from blastgit.naming.names import is_personal
from blastgit.serve.figures import sky
from blastgit.serve.marks import marked
from blastgit.serve.page import Page, route
from blastgit.serve.paging import Paging, read_page
from blastgit.serve.site import Site, site
from blastgit.serve.threads import thread

_MEMBERS = """
SELECT m.dataset, m.transient, m.revision, m.path, m.via, m.is_born, m.valid_from, m.valid_until,
       r.ra_deg, r.dec_deg, r.best_redshift, r.spectroscopic_class, r.app_version, r.is_latest, r.is_complete,
       r.status
FROM members m LEFT JOIN revisions r USING (transient, revision)
WHERE m.collection = $1 AND NOT m.is_personal
UNION ALL BY NAME
SELECT r.dataset, transient, revision, '' AS path, h.run AS via, h.is_born, NULL::TIMESTAMP AS valid_from,
       NULL::TIMESTAMP AS valid_until, ra_deg, dec_deg, best_redshift, spectroscopic_class, app_version,
       is_latest, is_complete, status
FROM holdings h JOIN revisions r USING (transient, revision)
WHERE h.run = $1 AND NOT EXISTS (FROM collections WHERE collection = $1)
ORDER BY transient, revision, path
"""


def install(app: Flask) -> None:
    """Register the pages."""
    route(app, "/c", collections)
    route(app, "/c/<path:name>", collection)


def collections() -> Page:
    """Return all collections and releases."""
    here = site()
    here.stale(False)
    sizes = dict(here.answer("SELECT collection, count(*) FROM members WHERE NOT is_personal GROUP BY 1"))
    repo = here.repo()
    found = [
        {"name": each.name, "type": each.kind, "about": each.about, "datasets": sizes.get(each.name, 0)}
        for each in repo.collections.list() if not is_personal(each.name)
    ]  # fmt: skip
    data = {"collections": found, "releases": [str(each) for each in repo.releases.list()]}
    return Page("collections.html", data)


def collection(name: str) -> Page:
    """Return a collection: its description and its content."""
    here = site()
    if is_personal(name):
        raise NotFound(f"there is no collection {name[:100]!r} here")
    here.stale(False)
    repo = here.repo()
    rows = here.query(_MEMBERS, [name]).to_json()
    shown = repo.collections.show(name)
    pages = read_page(len(rows))
    data: dict[str, Any] = {
        "collection": name, "type": shown.summary.kind, "about": shown.summary.about,
        "facts": {key: value for key, value in shown.facts.items() if value}, "warnings": list(shown.warnings),
        "versions": dict(shown.versions),
        "tree": [each.to_json() for each in shown.tree if not is_personal(each.name)],
        "count": len(rows), "first": pages.first, "members": marked(here, rows[pages.first : pages.last]),
        "releases": [str(each) for each in repo.releases.list() if each.collection == name],
        "changes": _log(here, name)[:20],
        "annotations": thread(repo, _subject(shown.summary.kind, name)),
    }  # fmt: skip
    return Page("collection.html", data, lambda: _view(rows, pages))


def _log(here: Site, name: str) -> list[dict[str, Any]]:
    try:
        return [each.to_json() for each in here.repo().collections.log(name)]
    except NotFound:
        return []


def _view(rows: list[dict[str, Any]], pages: Paging) -> dict[str, Any]:
    places = [(row["ra_deg"], row["dec_deg"], row["dataset"]) for row in rows if row["ra_deg"] is not None]
    return {"sky": sky.plot(places), "pages": pages, "subject": request.path}


def _subject(kind: str, name: str) -> str:
    return f"run:{name}" if kind == "RUN" else f"collection:{name}"
