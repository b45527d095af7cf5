"""The pages, one module each: the address, the document, what the HTML needs beside it."""

from __future__ import annotations

from flask import Flask

from blastgit.serve.pages import collections, compare, files, image, log, part, releases, revision, say, search


def install(app: Flask) -> None:
    """Put every page at its address."""
    for module in (search, revision, part, compare, image, files, collections, releases, log, say):
        module.install(app)
