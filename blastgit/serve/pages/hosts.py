"""`/host/NAME` and `/r/filter/NAME`: what several transients share, and which these are.

Lines of reference data get their pages here: `/r/TYPE/NAME`, one function a type in `_TYPES`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from blastgit.errors import NotFound
from blastgit.serve.page import Page, route
from blastgit.serve.paging import read_page
from blastgit.serve.site import Site, site

_USERS = """
SELECT t.transient, t.revision, t.dataset, t.best_redshift, t.spectroscopic_class, t.app_version, t.is_complete
FROM transients t WHERE {} ORDER BY t.transient
"""


def install(app: Flask) -> None:
    """Put the pages at their addresses."""
    route(app, "/host/<path:name>", host)
    route(app, "/r/<type_>/<path:name>", reference)


def host(name: str) -> Page:
    """Return a host galaxy as the latest revisions have it, and the transients in it.

    Raises:
        NotFound: No latest revision has a host of that name.
    """
    here = site()
    here.stale(False)
    rows = here.query("SELECT * FROM hosts WHERE is_latest AND host = ? ORDER BY transient", [name]).to_json()
    if not rows:
        raise NotFound(f"no transient has a host that is called {name[:200]!r}")
    keys = ("ra_deg", "dec_deg", "redshift", "redshift_err", "photometric_redshift", "photometric_redshift_err",
            "catalog_name", "catalog_release", "object_id", "milkyway_dust_reddening")  # fmt: skip
    differing = [key for key in keys if len({row[key] for row in rows}) > 1]
    found = _users(here, "t.host = ?", [name])
    data = {
        "type": "host", "name": name, "facts": {key: rows[0][key] for key in keys}, "differing": differing, **found,
    }  # fmt: skip
    return Page("reference.html", data, lambda: {"pages": read_page(found["count"])})


def reference(type_: str, name: str) -> Page:
    """Return a piece of reference data, and the transients that use it.

    Raises:
        NotFound: There is none of that type and name.
    """
    here = site()
    here.stale(False)
    show = _TYPES.get(type_)
    if show is None:
        raise NotFound(f"there is no reference data of the type {type_[:80]!r}: {', '.join(_TYPES)}")
    data = show(here, name)
    return Page("reference.html", data, lambda: {"pages": read_page(data["count"])})


def _filter(here: Site, name: str) -> dict[str, Any]:
    rows = here.query("SELECT * FROM filters WHERE filter = ?", [name]).to_json()
    if not rows:
        raise NotFound(f"there is no filter {name[:200]!r}")
    images = "SELECT transient, revision FROM cutouts WHERE filter = ? AND path IS NOT NULL"
    used = f"(t.transient, t.revision) IN ({images})"
    facts = {key: value for key, value in rows[0].items() if key != "filter"}
    return {"type": "filter", "name": name, "facts": facts, "differing": [], **_users(here, used, [name])}


def _users(here: Site, condition: str, values: list[object]) -> dict[str, Any]:
    rows = here.query(_USERS.format(condition), values).to_json()
    pages = read_page(len(rows))
    return {"count": len(rows), "first": pages.first, "transients": rows[pages.first : pages.last]}


_TYPES: dict[str, Callable[[Site, str], dict[str, Any]]] = {"filter": _filter}
"""What is shown of each type of reference data."""
