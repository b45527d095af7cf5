"""`/compare/A...B`: the differences between two revisions: the cause first, then images, values, fits, files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, redirect, request
from markupsafe import Markup

from blastgit.content.viewer import Geometry, Side, viewer
from blastgit.errors import BlastgitError, NotFound
from blastgit.serve.compared import changes, is_of, posteriors, residuals
from blastgit.serve.facts import Facts, history
from blastgit.serve.figures import sed, sfh
from blastgit.serve.images import draw, draw_difference, ellipses, read_picture, shared_stretch, svg
from blastgit.serve.marks import of_entry
from blastgit.serve.numbers import bytes_text, number
from blastgit.serve.page import Page, route
from blastgit.serve.pages.image import apertures_of, sent
from blastgit.serve.pages.revision import model_of
from blastgit.serve.quantities import SCOPES
from blastgit.serve.resolve import Found, find
from blastgit.serve.site import Site, site
from blastgit.serve.templating import address

_SIDES = ("old", "new", "diff")
_SIDE = 512  # pixels


def install(app: Flask) -> None:
    """Register the page and its pictures."""
    route(app, "/compare/<old>...<new>", compare)
    app.add_url_rule("/pair/<old>...<new>/<which>/<path:path>.svg", "pair", pair)


def compare(old: str, new: str) -> Any:
    """Return the page with the differences between two revisions."""
    here = site()
    before, after = find(here.repo(), old), find(here.repo(), new)
    if (before.name, after.name) != (old, new):
        return redirect(f"/compare/{address(before.name)}...{address(after.name)}", 302)
    sides = Facts(here.repo(), before.entry), Facts(here.repo(), after.entry)
    data = document(here, before, after, sides)
    return Page("compare.html", data, lambda: _view(here, sides, data))


def document(here: Site, before: Found, after: Found, sides: tuple[Facts, Facts]) -> dict[str, Any]:
    """Return the differences, under stable keys."""
    key = ("diff", before.entry.revision.id, after.entry.revision.id, here.pool.version())
    found = here.answers.get(
        key, lambda: here.repo().diff(before.name, after.name).to_json(), lambda each: 500 * len(each["fields"]) + 5000
    )
    values = changes(found["fields"])
    images = [each for each in found["files"] if each["path"].endswith(".fits") and each["change"] != "content-equal"]
    revisions = {
        side: {"revision": each.name, "number": each.entry.revision.number, "export_time": each.entry.revision.time,
               "app_version": each.entry.revision.app_version, "reason": each.entry.revision.reason,
               "status": each.entry.status, "marks": [mark.to_json() for mark in of_entry(each.entry)]}
        for side, each in (("old", before), ("new", after))
    }  # fmt: skip
    return {
        "transient": sides[1].name, **revisions, "equal": found["equal"], "reason": found["reason"],
        "images": [_image(each, sides) for each in images], "values": values,
        "beyond_one_sigma": sum(1 for each in values if abs(each["sigma"] or 0.0) >= 1),
        "files": found["files"], "history": history(after.history),
    }  # fmt: skip


def _image(file: dict[str, Any], sides: tuple[Facts, Facts]) -> dict[str, Any]:
    path = file["path"]
    gone = [side for side, facts in zip(("old", "new"), sides, strict=True) if path in facts.withdrawn]
    return {
        "path": path, "filter": path.rpartition("/")[2].removesuffix(".fits"), "change": file["change"],
        "withdrawn": gone, "how_much": how_much(file),
    }  # fmt: skip


def how_much(file: dict[str, Any]) -> str:
    """Describe in words how much of a file's content differs."""
    content = file.get("content") or {}
    parts = [*(content.get("hdus") or ()), *(content.get("arrays") or ()), *(content.get("members") or ())]
    numbers = [part["numbers"] for part in parts if part.get("numbers")]
    if not numbers:
        sizes = [content.get(side, {}).get("size") for side in ("old", "new") if isinstance(content.get(side), dict)]
        return " → ".join(bytes_text(size) for size in sizes if size is not None)
    changed, total = sum(each["changed"] for each in numbers), sum(each["total"] for each in numbers)
    largest = max((each["largest"] or 0.0 for each in numbers), default=0.0)
    return f"{changed:,} of {total:,} {numbers[0]['unit']}, at most by {number(float(largest), 3)}"


def _view(here: Site, sides: tuple[Facts, Facts], data: dict[str, Any]) -> dict[str, Any]:
    labels = (str(data["old"]["number"]), str(data["new"]["number"]))
    differing = [each for each in data["files"] if each["change"] != "content-equal"]
    paths = [str(each["path"]) for each in (*data["values"], *differing)]
    return {
        "viewers": [(each, _viewer(here, sides, labels, each)) for each in data["images"]],
        "plots": {scope: found for scope in SCOPES if (found := _plots(here, sides, labels, scope, paths))},
        "how_much": how_much,
        "largest": max((abs(each["sigma"] or 0.0) for each in data["values"]), default=0.0),
    }


def _viewer(here: Site, sides: tuple[Facts, Facts], labels: tuple[str, str], image: dict[str, Any]) -> Markup:
    path = image["path"]
    names = [facts.spec for facts in sides]
    base = f"/pair/{address(names[0])}...{address(names[1])}"
    there = {"old": image["change"] != "added", "new": image["change"] != "removed"}
    there = {side: is_there and side not in image["withdrawn"] for side, is_there in there.items()}
    pictures = {}
    for side, name in zip(("old", "new"), names, strict=True):
        if there[side]:
            try:
                pictures[side] = read_picture(here, name, path)
            except BlastgitError:
                there[side] = False
    drawn = draw_difference(here, pictures["old"], pictures["new"], _SIDE) if len(pictures) == 2 else None
    shown = pictures.get("new") or pictures.get("old")
    facts = {} if shown is None else shown.to_json()
    unit = str(facts.get("unit") or "")
    old, new = (
        Side(
            f"{base}/{side}/{address(path)}.svg" if there[side] else None, f"revision {label}",
            "withdrawn" if side in image["withdrawn"] else unit if side == "old" else "same stretch",
            f"/image/{address(name)}/{address(path)}.f32" if there[side] else "",
        )
        for side, label, name in zip(("old", "new"), labels, names, strict=True)
    )  # fmt: skip
    limit = "" if drawn is None else f"±{number(drawn[1], 2)} {unit}".strip()
    difference = Side(f"{base}/diff/{address(path)}.svg" if drawn else None, f"{labels[1]} − {labels[0]}", limit)  # noqa: RUF001
    geometry = Geometry() if shown is None else Geometry(shown.image.shape, shown.image.factor, unit, facts["wcs"])
    return Markup(viewer(image["filter"], old, new, difference, geometry))  # noqa: S704 (it escapes every text)


def _plots(
    here: Site, sides: tuple[Facts, Facts], labels: tuple[str, str], scope: str, paths: Sequence[str]
) -> dict[str, Any] | None:
    """Return the plots of an aperture, and whether any of its values or files differs."""
    models = [model_of(here, facts, scope) for facts in sides]
    rows = [facts.photometry().get(scope, []) for facts in sides]
    bins = [facts.sfh().get(scope, []) for facts in sides]
    if not any(rows) and not any(bins):
        return None

    def make() -> dict[str, Any]:
        series = [
            sed.Series(photometry, model, style, f"revision {label}")
            for photometry, (_, model), style, label in zip(rows, models, "ab", labels, strict=True)
        ]
        words = f"Spectral energy distribution, {scope} aperture, of revisions {labels[0]} and {labels[1]}"
        return {
            "sed": sed.plot(series, words), "residuals": residuals(rows, labels),
            "sfh": sfh.plot(list(zip(bins, "ab", strict=True)), f"Star formation history, {scope} aperture, of both"),
            "posteriors": posteriors(here, sides, scope),
        }  # fmt: skip

    gone = [sorted(facts.withdrawn) for facts in sides]  # what was drawn of it is not shown any more either
    key = ("compared", sides[0].spec, sides[1].spec, scope, str(gone), here.pool.version())
    drawn = here.figures.get(key, make)
    return {**drawn, "differs": any(is_of(path, scope) for path in paths)}


def pair(old: str, new: str, path: str, which: str) -> Response:
    """Return one picture of a pair, both having the same stretch, or their difference.

    Raises:
        NotFound: The revision or image does not exist.
        Withdrawn: The file was withdrawn.
    """
    here = site()
    repo = here.repo()
    if which not in _SIDES:
        raise NotFound(f"a picture of a pair is one of {', '.join(_SIDES)}")
    sides = {"old": find(repo, old), "new": find(repo, new)}
    if which == "diff":
        pictures = [read_picture(here, each.name, path) for each in sides.values()]
        drawn = draw_difference(here, pictures[0], pictures[1], _SIDE)
        if drawn is None:
            raise NotFound(f"the two images {path[:200]} have not the same shape")
        return sent(svg(pictures[1], drawn[0], []).encode(), "image/svg+xml", f"{request.path}-diff")
    pictures = []
    for each in sides.values():
        try:
            pictures.append(read_picture(here, each.name, path))
        except BlastgitError:
            if each is sides[which]:
                raise
    picture = pictures[0] if which == "old" else pictures[-1]
    stretch = shared_stretch(pictures)
    facts = Facts(repo, sides[which].entry)
    text = svg(picture, draw(here, picture, _SIDE, stretch), ellipses(picture, apertures_of(facts, path)))
    return sent(text.encode(), "image/svg+xml", f"{picture.sha256}-{stretch}-{sides[which].name}")
