"""`/annotate`: adds an annotation; it receives the form that is on the page of the subject."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from flask import Flask, redirect, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from blastgit.errors import BlastgitError, InvalidInput, UsageError
from blastgit.naming.names import is_personal
from blastgit.serve.http.sending import plain_name
from blastgit.serve.http.statuses import http_status
from blastgit.serve.login import Rate, own_place, require_user
from blastgit.serve.page import Page, route
from blastgit.serve.site import site
from blastgit.serve.templating import address

_FIELDS = ("comment", "flag", "tags", "link")
_ATTACHMENT = 10_000_000  # bytes


def install(app: Flask) -> None:
    """Register the form, if users can log in."""
    options = app.extensions["blastgit"].options
    app.jinja_env.globals["flags"] = lambda: site().repo().annotations.vocabulary.values
    if options.login.is_open:
        app.extensions["blastgit.writes"] = Rate(options.writes)
        app.add_url_rule("/annotate", "annotate", _take, methods=["POST"])
        route(app, "/annotate", form, methods=["GET"])


def form() -> Page:
    """Return a page with only the form, for the subject in the address."""
    subject = request.args.get("subject", "")
    return Page("say_page.html", {"subject": subject, "values": {}, "problem": None})


def _take() -> Response | tuple[str, int] | Any:
    from flask import current_app, render_template

    user = require_user()
    place = own_place(request.form.get("back") or "/log")
    try:
        said = _said()
        current_app.extensions["blastgit.writes"].count(user)
        done = _written(user, said)
    except BlastgitError as error:
        values = {name: request.form.get(name, "") for name in _FIELDS}
        data = {"subject": request.form.get("subject", ""), "values": values, "problem": str(error), "back": place}
        return render_template("say_page.html", data=data), http_status(error).value
    site().stale(False)
    return redirect(f"{address(place)}#n-{done['ids'][0]}" if done["ids"] else address(place), 303)


def _said() -> dict[str, Any]:
    """Return the annotation that the form describes.

    Raises:
        InvalidInput: The form is empty, or a value in it is invalid.
    """
    subject, supersedes = request.form.get("subject", "").strip(), request.form.get("supersedes", "").strip()
    if is_personal(subject) or ":u/" in subject:
        raise InvalidInput("what belongs to somebody's own line is annotated with `blastgit annotate`")
    if not subject and not supersedes:
        raise UsageError("what is it about?")
    comment = request.form.get("comment", "").replace("\r\n", "\n").strip()
    return {
        "subjects": [subject] if subject else [], "comment": comment, "flag": request.form.get("flag", ""),
        "tags": request.form.get("tags", "").replace(",", " ").split(), "link": request.form.get("link", "").strip(),
        "supersedes": [supersedes] if supersedes else [], "retract": bool(request.form.get("retract")),
    }  # fmt: skip


def _written(user: str, said: dict[str, Any]) -> dict[str, Any]:
    upload = request.files.get("attachment")
    writer = site().writer
    if upload is None or not upload.filename:
        return writer.write(user, said)
    with tempfile.TemporaryDirectory(prefix="blastgit-attach-") as folder:
        return writer.write(user, {**said, "attach": str(_kept(upload, Path(folder)))})


def _kept(upload: FileStorage, folder: Path) -> Path:
    file = folder / plain_name((upload.filename or "").replace("\\", "/"))[:120]
    upload.save(file)
    if file.stat().st_size > _ATTACHMENT:
        raise InvalidInput(f"the attachment is larger than the {_ATTACHMENT:,} bytes that can be sent here")
    return file
