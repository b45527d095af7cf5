"""`/image/NAME@N/PATH.svg`, `.png`, `.json`, `.f32`: a cutout with apertures, without, its metadata, its pixels."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request

from blastgit.errors import NotFound, UsageError
from blastgit.serve.facts import Facts
from blastgit.serve.images import LARGEST, draw, framed, read_picture
from blastgit.serve.page import to_json
from blastgit.serve.resolve import find, read_spec
from blastgit.serve.site import site

_FORMS = ("svg", "png", "json", "f32")
_AGE = 300  # seconds for which a picture may be cached: it may be withdrawn meanwhile


def install(app: Flask) -> None:
    """Register the pictures."""
    app.add_url_rule("/image/<spec>/<path:path>", "image", image)


def image(spec: str, path: str) -> Response:
    """Return one image of a revision in one of these formats.

    Raises:
        NotFound: The revision or image does not exist.
        Withdrawn: The file was withdrawn.
    """
    path, _, form = path.rpartition(".")
    wanted = read_spec(spec)
    if form not in _FORMS or wanted.number is None:
        raise NotFound(f"the address of a picture is /image/NAME@N/PATH and one of {', '.join(_FORMS)}")
    here, side = site(), _side()
    picture = read_picture(here, spec, path)
    if form == "png":
        return sent(draw(here, picture, side), "image/png", f"{picture.sha256}-{side}")
    if form == "json":
        return sent(to_json(picture.to_json()).encode(), "application/json", f"{picture.sha256}-facts")
    if form == "f32":
        return sent(picture.image.pixels.astype("<f4").tobytes(), "application/octet-stream", f"{picture.sha256}-f32")
    apertures = apertures_of(Facts(here.repo(), find(here.repo(), spec).entry), path)
    text = here.pictures.get(("svg", picture.sha256, spec, side), lambda: framed(here, picture, side, apertures), len)
    return sent(text.encode(), "image/svg+xml", f"{picture.sha256}-{spec}-{side}-svg")


def apertures_of(facts: Facts, path: str) -> list[dict[str, Any]]:
    """Return the apertures to draw on an image: its own global one (otherwise any) and the local one."""
    name = path.rpartition("/")[2].removesuffix(".fits")
    every = [each for each in facts.apertures() if each["semi_major_axis_arcsec"]]
    own = [each for each in every if each["type"] != "local" and str(each["cutout"] or "").endswith(f"_{name}")]
    others = [each for each in every if each["type"] != "local"]
    return [*(own or others)[:1], *(each for each in every if each["type"] == "local")]


def _side() -> int:
    try:
        side = int(request.args.get("side", LARGEST))
    except ValueError:
        raise UsageError("side is a number of pixels") from None
    return min(max(side, 16), LARGEST)


def sent(body: bytes, type_: str, tag: str) -> Response:
    """Return a picture as a response that browsers may cache for a while."""
    response = Response(body, mimetype=type_)
    response.cache_control.public = True
    response.cache_control.max_age = _AGE
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.set_etag(tag)
    response.make_conditional(request)
    return response
