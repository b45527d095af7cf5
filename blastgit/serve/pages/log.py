"""`/log`: the logbook: all annotations in chronological order, with the gaps between them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from flask import Flask, Response, request

from blastgit.errors import NotFound
from blastgit.serve.http.sending import plain_name
from blastgit.serve.numbers import plural
from blastgit.serve.page import Page, route
from blastgit.serve.paging import read_page
from blastgit.serve.site import site
from blastgit.serve.threads import PUBLIC
from blastgit.store.media_types import OTHER

_COLUMNS = (
    "id, subject, kind, name, transient, revision, part, said_time, author, actor, comment, flag, tags, link, state"
)
_GAP = timedelta(days=1)
_FILTERS = ("user", "flag", "subject", "history")


def install(app: Flask) -> None:
    """Register the page and the attachments."""
    route(app, "/log", log)
    app.add_url_rule("/attachment/<id_>", "attachment", attachment)


def log() -> Page:
    """Return the annotations that match the filters, latest first."""
    here = site()
    here.stale(False)
    chosen = {name: request.args.get(name, "").strip()[:200] for name in _FILTERS}
    tests, values = [PUBLIC], []
    if not chosen["history"]:
        tests.append("state = 'current'")
    if chosen["user"]:
        tests.append("author = ?")
        values.append(chosen["user"])
    if chosen["flag"]:
        tests.append("flag = ?")
        values.append(chosen["flag"])
    if chosen["subject"]:
        tests.append("(contains(subject, ?) OR transient = ?)")
        values += [chosen["subject"]] * 2
    where = " AND ".join(tests)
    count = int(here.query(f"SELECT count(*) FROM annotations WHERE {where}", values).rows[0][0])  # noqa: S608
    pages = read_page(count)
    sql = (
        f"SELECT {_COLUMNS} FROM annotations WHERE {where}"  # noqa: S608 (names of ours)
        f" ORDER BY said_time DESC, id, subject LIMIT {pages.size} OFFSET {pages.first}"
    )
    found = here.query(sql, values).to_json()
    data: dict[str, Any] = {
        "filters": chosen, "count": count, "first": pages.first, "annotations": found,
        "authors": [name for (name,) in here.answer(_distinct("author"))],
        "flags": [name for (name,) in here.answer(_distinct("flag"))],
    }  # fmt: skip
    return Page("log.html", data, lambda: {"pages": pages, "gaps": gaps(found), "links": list(map(_link, found))})


def _distinct(column: str) -> str:
    return f"SELECT DISTINCT {column} FROM annotations WHERE {column} <> '' AND {PUBLIC} ORDER BY 1 LIMIT 200"  # noqa: S608


def gaps(found: list[dict[str, Any]]) -> list[str]:
    """Return for each annotation how long it took until the next one, in words; "" for less than a day."""
    times = [datetime.fromisoformat(each["said_time"]) for each in found]
    words = [""]
    for later, earlier in pairwise(times):
        pause = later - earlier
        words.append(plural(pause.days, "day") if pause >= _GAP else "")
    return words


def _link(row: dict[str, Any]) -> str | None:
    """Return the address of the page for the subject of an annotation."""
    if row["kind"] == "revision":
        return f"/t/{row['name']}/part/{row['part']}" if row["part"] else f"/t/{row['name']}"
    if row["kind"] == "transient":
        return f"/t/{row['name']}"
    return f"/c/{row['name']}" if row["kind"] in ("run", "collection") else None


def attachment(id_: str) -> Response:
    """Return the file that is attached to a public annotation.

    Raises:
        NotFound: The annotation or attachment does not exist.
    """
    here = site()
    known = here.query(f"SELECT count(*) FROM annotations WHERE id = ? AND {PUBLIC}", [id_]).rows[0][0]  # noqa: S608
    if not known:
        raise NotFound("there is no such attachment here")
    name, data = here.repo().annotations.attachment(id_)
    response = Response(data, mimetype=OTHER)  # browsers must save it: never show it as a page of this server
    response.headers["Content-Disposition"] = f'attachment; filename="{plain_name(name)}"'
    return response
