"""`/release/NAME/VERSION`: a frozen collection; the landing page of a DOI."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, redirect, request
from markupsafe import Markup

from blastgit.errors import NotFound
from blastgit.naming.names import is_personal
from blastgit.releases.cite import FORMS, license_url
from blastgit.serve.figures import sky
from blastgit.serve.marks import marked
from blastgit.serve.page import Page, route
from blastgit.serve.paging import Paging, read_page
from blastgit.serve.site import site

if TYPE_CHECKING:
    from blastgit.releases.frozen import Entry

_PARTS = ("manifest.sha256", "ro-crate-metadata.json", "CITATION.cff", "README.md", "release.yaml")
_TYPES = {"json": "application/json", "cff": "text/plain", "md": "text/plain", "sha256": "text/plain",
          "yaml": "text/plain"}  # fmt: skip
_STATES = "SELECT dataset, transient, revision, status FROM revisions WHERE list_contains(?::VARCHAR[], dataset)"
_PLACES = "SELECT dataset, ra_deg, dec_deg FROM revisions WHERE list_contains(?::VARCHAR[], dataset)"


def install(app: Flask) -> None:
    """Register the pages."""
    for part in _PARTS:
        app.add_url_rule(f"/release/<path:name>/<version>/{part}", f"release.{part}", _part(part))
    route(app, "/release/<path:name>/<version>", release)
    app.add_url_rule("/release", "releases", lambda: redirect("/c", 302))


def release(name: str, version: str) -> Page:
    """Return a release: its content, how to cite it, and who signed it."""
    here = site()
    repo = here.repo()
    label = f"release/{name}/{version}"
    if is_personal(name):
        raise NotFound(f"there is no {label[:100]!r} here")
    frozen, cited = repo.releases.show(label), repo.releases.cited(label)
    proof = here.answers.get(("proof", label, frozen.time), lambda: _signature(label))
    pages = read_page(len(frozen.entries))
    citation = cited.citation
    data: dict[str, Any] = {
        "release": label, "collection": name, "version": version, "title": cited.title, "about": frozen.about,
        "time": frozen.time, "date": cited.date, "simulated": frozen.simulated, "files": frozen.files,
        "bytes": frozen.size, "formats": list(frozen.formats), "main_commit": frozen.main, "repo": str(frozen.repo),
        "creators": [str(each) for each in citation.creators], "publisher": citation.publisher, "doi": citation.doi,
        "license": citation.license, "description": citation.description, "keywords": list(citation.keywords),
        "identifiers": [{"kind": kind, "value": value} for kind, value in cited.identifiers],
        "signature": proof, "count": len(frozen.entries), "datasets": _marked(frozen.entries[pages.first : pages.last]),
        "parts": [f"/{label}/{part}" for part in _PARTS],
    }  # fmt: skip
    return Page("release.html", data, lambda: _view(data, [str(each.dataset) for each in frozen.entries], pages))


def _marked(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return datasets with what is to be known today of their revisions."""
    here = site()
    names = [str(entry.dataset.revision) for entry in entries]
    rows = {row["dataset"]: row for row in marked(here, here.query(_STATES, [names]).to_json())}
    return [
        {**entry.to_json(), "marks": rows[name]["marks"] if name in rows else []}
        for entry, name in zip(entries, names, strict=True)
    ]


def _signature(label: str) -> dict[str, Any]:
    """Return what is known about the signature, without reading the content of files."""
    proof = site().repo().releases.verify(label, fast=True).to_json()
    return {key: value for key, value in proof.items() if key != "report"}


def _view(data: dict[str, Any], datasets: list[str], pages: Paging) -> dict[str, Any]:
    here = site()
    names = [each.partition(":")[0] for each in datasets]
    rows = here.query(_PLACES, [names]).rows
    cited = {form: here.repo().releases.cite(data["release"], form).strip() for form in FORMS}
    return {
        "pages": pages, "cited": cited, "sky": sky.plot([(ra, dec, name) for name, ra, dec in rows if ra is not None]),
        "clone_url": here.source, "license_url": license_url(data["license"]),
        "linked_data": linked(data),
    }  # fmt: skip


def linked(data: dict[str, Any]) -> Markup:
    """Return metadata for search engines: schema.org's Dataset as JSON-LD, safe inside a `script` element."""
    described = {
        "@context": "https://schema.org/", "@type": "Dataset", "name": data["title"], "version": data["version"],
        "description": data["description"] or data["about"] or data["title"], "datePublished": data["date"],
        "creator": [{"@type": "Person" if "," in name else "Organization", "name": name} for name in data["creators"]],
        "publisher": {"@type": "Organization", "name": data["publisher"]} if data["publisher"] else None,
        "license": license_url(data["license"]) or None, "keywords": data["keywords"] or None,
        "identifier": f"https://doi.org/{data['doi']}" if data["doi"] else data["identifiers"][0]["value"],
        "url": request.base_url, "isAccessibleForFree": True, "size": f"{data['bytes']} bytes",
        "distribution": [{"@type": "DataDownload", "contentUrl": f"{request.base_url}/manifest.sha256",
                          "encodingFormat": "text/plain"}],
    }  # fmt: skip
    text = json.dumps({key: value for key, value in described.items() if value is not None}, ensure_ascii=True)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def _part(part: str) -> Any:
    def send(name: str, version: str) -> Response:
        if is_personal(name):
            raise NotFound("there is no such release here")
        data = site().repo().releases.file(f"release/{name}/{version}", part)
        response = Response(data, mimetype=_TYPES[part.rpartition(".")[2]])
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.cache_control.public = True
        response.cache_control.max_age = 3600
        response.add_etag()
        response.make_conditional(request)
        return response

    return send
