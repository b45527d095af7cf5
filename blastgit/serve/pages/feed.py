"""`/feed`: new revisions as Atom: of all transients, of one, of a collection, or of the results of a search."""

from __future__ import annotations

import uuid
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from flask import Flask, Response, request

from blastgit.naming.names import is_personal
from blastgit.serve.asked import FACETS, read_asked
from blastgit.serve.numbers import moment
from blastgit.serve.site import site
from blastgit.serve.templating import address, iso, visible

_MOST = 50
_COLUMNS = "dataset, transient, revision, app_version, recorded_time, reason, status"


def install(app: Flask) -> None:
    """Register the feed."""
    app.add_url_rule("/feed", "feed", feed)


def feed() -> Response:
    """Return the revisions that were recorded most recently."""
    here = site()
    here.stale(False)
    tests, values, what = _chosen()
    sql = f"SELECT {_COLUMNS} FROM revisions WHERE {tests} ORDER BY recorded_time DESC, dataset LIMIT {_MOST}"  # noqa: S608
    rows = here.query(sql, values).to_json()
    base = here.options.url or request.host_url.rstrip("/")
    own = f"{base}{request.full_path.rstrip('?')}"
    updated = iso(rows[0]["recorded_time"]) if rows else "1970-01-01T00:00:00Z"
    entries = "".join(_entry(base, row) for row in rows)
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>{_text(f'{here.name}: {what}')}</title>\n<id>{_id(own)}</id>\n<updated>{updated}</updated>\n"
        f'<link rel="self" href={quoteattr(own)}/>\n<link href={quoteattr(f"{base}/")}/>\n'
        f"<generator>blastgit</generator>\n{entries}</feed>\n"
    )
    response = Response(text, mimetype="application/atom+xml")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


def _chosen() -> tuple[str, list[Any], str]:
    name, collection = request.args.get("transient", ""), request.args.get("collection", "")
    if name:
        return "transient = ?", [name], f"revisions of {name}"
    if collection and not is_personal(collection):
        found = (
            "(transient IN (SELECT transient FROM members WHERE collection = ? AND NOT is_personal)"
            " OR (transient, revision) IN (SELECT transient, revision FROM holdings WHERE run = ?))"
        )
        return found, [collection, collection], f"revisions of what {collection} holds"
    wanted = read_asked(request.args.get("q", ""), {key: request.args.get(key, "") for key in FACETS})
    if wanted.is_empty:
        return "true", [], "new revisions"
    where, values = wanted.where()
    return f"transient IN (SELECT transient FROM transients WHERE {where})", values, "revisions of what a search finds"  # noqa: S608


def _entry(base: str, row: dict[str, Any]) -> str:
    place = f"{base}/t/{address(row['dataset'])}"
    found = moment(row["recorded_time"])
    summary = row["reason"] if row["status"] == "complete" else f"{row['reason']} ({row['status']})"
    return (
        f"<entry><title>{_text(row['dataset'])}, {_text(row['app_version'])}</title><id>{_id(place)}</id>"
        f"<updated>{iso(found)}</updated><link href={quoteattr(place)}/><author><name>Blast</name></author>"
        f"<summary>{_text(summary)}</summary></entry>\n"
    )


def _id(place: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, place)}"


def _text(value: object) -> str:
    return escape(str(visible(str(value))))
