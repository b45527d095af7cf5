"""`/t/NAME/drafts`: states that got no revision number, because their workflow failed or was interrupted."""

from __future__ import annotations

from flask import Flask

from blastgit.naming.names import is_personal, is_reference
from blastgit.serve.page import Page, route
from blastgit.serve.resolve import read_spec
from blastgit.serve.site import site


def install(app: Flask) -> None:
    """Register the page."""
    route(app, "/t/<spec>/drafts", drafts)


def drafts(spec: str) -> Page:
    """Return the page of a transient's drafts, newest first."""
    name = read_spec(spec).name
    is_official = not is_personal(name) and not is_reference(name)
    kept = site().repo().drafts(name) if is_official else []
    return Page("drafts.html", {"transient": name, "drafts": [each.to_json() for each in kept]})
