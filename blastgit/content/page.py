"""A self-contained HTML page of changed images."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from blastgit.content.viewer import Geometry, Side, script, style, viewer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from blastgit.content.pictures import Pictures

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8882; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
article { border-top: 1px solid var(--line); padding: 1rem 0 1.5rem; }
h2 { font: 600 1rem/1.4 ui-monospace, monospace; margin: 0; overflow-wrap: anywhere; }
p { margin: .25rem 0 1rem; }
.px { background: var(--soft); }
.seg { margin: 0 0 .6rem; }
button { font: inherit; font-size: .875rem; padding: .15rem .7rem; border: 1px solid var(--line); }
button { background: none; color: inherit; }
button[aria-pressed=true] { background: var(--soft); font-weight: 600; }
figcaption { font-size: .875rem; padding-top: .4rem; }
.key { display: inline-block; width: .75em; height: .75em; border-radius: 2px; }
footer { border-top: 1px solid var(--line); padding: 1rem 0; font-size: .875rem; }
"""
_KEY = """<footer>
Before and after are drawn alike, black to white in an asinh stretch; north is not implied, the y axis points up.
In the difference <span class="key" style="background:#b2182b"></span> is brighter than before,
<span class="key" style="background:#2166ac"></span> fainter, near white unchanged; the colour grows with the square
root of the change. <span class="key" style="background:#2e8b57"></span> has no value (NaN),
<span class="key" style="background:#ffb000"></span> gained or lost its value.
</footer>"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One changed file on a page: its dataset path, what changed in one line, and its pictures."""

    path: str
    summary: str
    pictures: Pictures


def page(title: str, entries: Iterable[Entry]) -> str:
    """An HTML page of the pictures, which needs no other file and no network.

    Args:
        title: plain text.
        entries: changed files in the order to show them.
    """
    articles = "\n".join(map(_article, entries)) or "<p>No image changed.</p>"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}{style()}</style>
</head>
<body>
<h1>{escape(title)}</h1>
{articles}
{_KEY}
<script>{script()}</script>
</body>
</html>
"""


def _article(entry: Entry) -> str:
    pictures = entry.pictures
    scale = _scale(pictures)
    old, new = _shape(pictures.old_shape) + scale, _shape(pictures.new_shape) + scale
    shown = viewer(
        entry.path.rpartition("/")[2],
        Side(_source(pictures.before), "Before", old if pictures.before else ""),
        Side(_source(pictures.after), "After", new if pictures.after else ""),
        Side(_source(pictures.difference), "After minus before", _change(pictures) if pictures.difference else ""),
        Geometry(pictures.new_shape or pictures.old_shape, pictures.factor, pictures.unit, pictures.wcs),
    )
    return f"""<article>
<h2>{escape(entry.path)}</h2>
<p>{escape(entry.summary)}</p>
{shown}
</article>"""


def _source(png: bytes | None) -> str | None:
    return None if png is None else f"data:image/png;base64,{b64encode(png).decode('ascii')}"


def _shape(shape: tuple[int, int] | None) -> str:
    return f"{shape[1]:,} × {shape[0]:,} pixels" if shape else ""  # noqa: RUF001


def _scale(pictures: Pictures) -> str:
    if pictures.low is None or pictures.high is None:
        return ", no values"
    reduced = f", means of {pictures.factor} × {pictures.factor}" if pictures.factor > 1 else ""  # noqa: RUF001
    return f"{reduced}, {pictures.low:.4g} to {pictures.high:.4g} {pictures.unit}".rstrip()


def _change(pictures: Pictures) -> str:
    return f"±{pictures.limit or 0.0:.3g} {pictures.unit}".rstrip() if pictures.limit else "no change in value"
