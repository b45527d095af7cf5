"""The pages, one module each: the address, the document, and what only the HTML needs."""

from __future__ import annotations

from flask import Flask

from blastgit.serve.pages import (
    collections,
    compare,
    drafts,
    feed,
    files,
    hosts,
    image,
    log,
    part,
    provenance,
    releases,
    revision,
    runs,
    say,
    search,
    sql,
    status,
)

_PAGES = (search, revision, drafts, part, provenance, compare, runs, image, files, collections, releases, hosts, log,
          say, sql, status, feed)  # fmt: skip


def install(app: Flask) -> None:
    """Register all pages."""
    for module in _PAGES:
        module.install(app)
