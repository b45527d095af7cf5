"""A page and its JSON twin: one document of plain values, shown in two ways."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

Answer = "Page | BaseResponse"


@dataclass(frozen=True)
class Page:
    """The result of a view.

    Attributes:
        template: The template of the HTML.
        data: The document: the content of the JSON twin, and all that the template may show as text.
        view: Makes what only the HTML needs: figures and forms. It is not called for the twin.
        status: The status of the response.
    """

    template: str
    data: Mapping[str, Any]
    view: Callable[[], Mapping[str, Any]] = field(default=dict)
    status: int = 200


def route(app: Flask, rule: str, view: Callable[..., Any], twin: str | None = None, **options: Any) -> None:
    """Serve a page at `rule`, and its twin at the same address with `.json` after it, or at `twin`.

    Args:
        app: The application.
        rule: The rule of Werkzeug's routing.
        view: Returns the page.
        twin: The address of the JSON, if it is not the default.
        options: Further settings of Flask.
    """
    name = f"{view.__module__.rpartition('.')[2]}-{view.__name__}"
    app.add_url_rule(twin or f"{rule}.json", f"{name}.json", _as_json(view), **options)
    app.add_url_rule(rule, name, _as_html(view), **options)


def _as_html(view: Callable[..., Any]) -> Callable[..., BaseResponse]:
    def show(**arguments: Any) -> BaseResponse:
        page = view(**arguments)
        if not isinstance(page, Page):
            return _conditional(page)
        text = render_template(page.template, data=page.data, **page.view())
        return _conditional(Response(text, page.status, mimetype="text/html"))

    return show


def _as_json(view: Callable[..., Any]) -> Callable[..., BaseResponse]:
    def show(**arguments: Any) -> BaseResponse:
        page = view(**arguments)
        if not isinstance(page, Page):
            return _to_twin(page)
        response = Response(to_json(page.data), page.status, mimetype="application/json")
        response.headers["Access-Control-Allow-Origin"] = "*"
        return _conditional(response)

    return show


def _to_twin(response: BaseResponse) -> BaseResponse:
    """Change a redirect to a page into a redirect to the twin of that page."""
    place = response.location
    if place:
        path, question, query = place.partition("?")
        response.location = f"{path}.json{question}{query}" if path != "/" else f"/index.json{question}{query}"
    return response


def _conditional(response: BaseResponse) -> BaseResponse:
    """Answer 304 to a client that has this response already; caches must always ask whether it is still valid."""
    if response.status_code == 200:
        response.headers.setdefault("Cache-Control", "no-cache")
        response.add_etag()
        response.make_conditional(request)
    return response


def to_json(data: object) -> str:
    """Return a document as JSON; as everywhere in blastgit, numbers that are not finite become text."""
    return json.dumps(plain(data), ensure_ascii=False, indent=1)


def plain(value: object) -> Any:
    """Return a value in a form that JSON can express."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, datetime):
        return f"{value.replace(tzinfo=None).isoformat()}Z"
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
