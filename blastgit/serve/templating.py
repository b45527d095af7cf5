"""The filters and functions for templates: numbers, times, addresses; and the static files."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, abort, current_app, request
from markupsafe import Markup, escape

from blastgit import __version__, content
from blastgit.serve import numbers
from blastgit.serve.site import site

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Control characters, and characters that invisibly change the direction of writing or break lines."""

_UNITS = {"uJy": "µJy", "Angstrom": "Å", "Msun": "M☉"}
_YEAR = 365 * 86400


def install(app: Flask) -> None:
    """Add the filters and functions to the templates of an application, and register the static files."""
    environment = app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.finalize = visible
    environment.filters.update(
        number=numbers.number, fixed=numbers.fixed, signed=numbers.signed, degrees=numbers.degrees,
        sexagesimal=numbers.sexagesimal, size=numbers.bytes_text, day=numbers.day, clock=numbers.clock, time=time,
        path=address, iso=iso, wrap=wrap, unit=unit, shortened=shortened,
    )  # fmt: skip
    environment.globals.update(
        static=static,
        plural=numbers.plural,
        places=numbers.places,
        twin=twin,
        with_args=with_args,
        version=__version__,
        site=site,
        has=has,
    )
    app.add_url_rule("/static/<path:name>", "static", _send)
    app.add_url_rule("/favicon.ico", "favicon", lambda: _send("mark.svg"))


def time(value: object) -> Markup:
    """Return an instant as an HTML element, which scripts can convert into local time."""
    found = numbers.moment(value)
    if found is None:
        return escape(numbers.number(None))
    return Markup('<time datetime="{}">{}</time>').format(iso(found), numbers.clock(found))


def iso(value: object) -> str:
    """Return an instant in ISO 8601, in UTC."""
    found = numbers.moment(value)
    return "" if found is None else found.strftime("%Y-%m-%dT%H:%M:%SZ")


def unit(name: object) -> str:
    """Return a unit as people write it; the rules and the index use the VO names of units."""
    return _UNITS.get(str(name or ""), str(name or ""))


def shortened(text: object, most: int = 120) -> str:
    """Return a text without its end if it is long: the rest stands where the reader is led to."""
    words = str(text)
    return words if len(words) <= most else f"{words[:most].rstrip(', ')}…"


def address(text: object) -> str:
    """Return a text escaped as part of an address; slashes are kept for paths."""
    return quote(str(text), safe="/@:+,~-._")


def visible(value: object) -> object:
    """Return a text with invisible and direction-changing characters replaced; applied to every output."""
    if type(value) is str:
        return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", value)
    return value


def wrap(text: object) -> Markup:
    """Return a long name in which lines may be broken after separators."""
    parts = []
    for each in str(visible(str(text))):
        parts.append(escape(each))
        if each in "/_-.@:":
            parts.append(Markup("<wbr>"))
    return Markup("").join(parts)


def twin() -> str:
    """Return the address of the JSON twin of the current page."""
    path = request.path if request.path != "/" else "/index"
    query = request.query_string.decode("latin-1")
    return f"{quote(path, safe='/@:+,~-._')}.json{'?' if query else ''}{query}"


def with_args(**changed: Any) -> str:
    """Return the current address with some arguments changed; None removes one."""
    from urllib.parse import urlencode

    pairs = [(key, value) for key, value in request.args.items(multi=True) if key not in changed and value]
    pairs += [(key, str(value)) for key, value in changed.items() if value not in (None, "")]
    return (
        f"{quote(request.path, safe='/@:+,~-._')}?{urlencode(pairs)}"
        if pairs
        else quote(request.path, safe="/@:+,~-._")
    )


def has(place: str) -> bool:
    """Whether this server has a page at an address, or pages that begin with it."""
    return any(rule.rule.startswith(place) or rule.rule.endswith(place) for rule in current_app.url_map.iter_rules())


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_files()[name].read_bytes()).hexdigest()[:12]


@cache
def _files() -> dict[str, Path]:
    """Return the static files by name; the image viewer comes from `content`, which also uses it in HTML files."""
    viewer = Path(content.__file__).parent
    found = [*STATIC.iterdir(), viewer / "viewer.css", viewer / "viewer.js"]
    return {file.name: file for file in found if file.suffix in _TYPES}


def static(name: str) -> str:
    """Return the address of a static file; it changes with the content of the file."""
    return f"/static/{name}?v={_digest(name)}"


def _send(name: str) -> Response:
    file = _files().get(name)
    if file is None:
        abort(404)
    response = Response(file.read_bytes(), mimetype=_TYPES[file.suffix])
    response.cache_control.public = True
    response.cache_control.max_age = _YEAR if request.args.get("v") == _digest(name) else 3600
    response.set_etag(_digest(name))
    response.make_conditional(request)
    return response
