"""Two versions of an image and their difference as HTML: the same on a page of the server and in a file by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_MODES = (("side", "Side by side"), ("blink", "Blink"), ("wipe", "Wipe"), ("difference", "Difference"))


@dataclass(frozen=True)
class Side:
    """One of the pictures.

    Attributes:
        source: The address of the picture; None if there is none.
        label: Its name.
        caption: Further text below it.
        values: The address of its pixel values; "" for none.
    """

    source: str | None
    label: str
    caption: str = ""
    values: str = ""


@dataclass(frozen=True)
class Geometry:
    """Where the pixels lie.

    Attributes:
        shape: (height, width) of the image.
        factor: Pixels of the image along one side of a value.
        unit: The unit of the values.
        wcs: Where it lies on the sky: ra_deg, dec_deg, x, y, cd; None if that is not known.
    """

    shape: tuple[int, int] | None = None
    factor: int = 1
    unit: str = ""
    wcs: dict[str, Any] | None = None


@cache
def style() -> str:
    """The style sheet of a viewer."""
    return (_HERE / "viewer.css").read_text("utf-8")


@cache
def script() -> str:
    """The script of a viewer: without it, the three stand side by side."""
    return (_HERE / "viewer.js").read_text("utf-8")


def viewer(name: str, old: Side, new: Side, difference: Side, geometry: Geometry = Geometry()) -> str:
    """HTML of three pictures and what switches between them; every text is escaped.

    Args:
        name: what they show, for those who cannot see it.
        old: the first version.
        new: the second, in the same stretch.
        difference: new less old.
        geometry: where the pixels lie.
    """
    buttons = "".join(
        f'<button type="button" value="{mode}" aria-pressed="{str(mode == "side").lower()}">{label}</button>'
        for mode, label in _MODES
    )
    figures = "".join(_figure(kind, name, side) for kind, side in (("old", old), ("new", new), ("diff", difference)))
    return (
        f'<div class="viewer" data-mode="side" role="group" aria-label="{escape(name)}"{_data(old, new, geometry)}>'
        f'<p class="seg" role="group" aria-label="How to compare">{buttons}</p>'
        f'<div class="three">{figures}</div>'
        '<input class="wipe" type="range" min="0" max="100" value="50" aria-label="Where the wipe is">'
        '<output aria-live="off"></output></div>'
    )


def _figure(kind: str, name: str, side: Side) -> str:
    label, caption = escape(side.label), escape(side.caption)
    shown = f'<div class="px none">{"not comparable" if kind == "diff" else "no image"}</div>'
    if side.source is not None:
        words = f"{escape(name)}, {label}"
        shown = f'<div class="px"><img src="{escape(side.source)}" alt="{words}" decoding="async"></div>'
    return f'<figure class="{kind}">{shown}<figcaption><b>{label}</b> <span>{caption}</span></figcaption></figure>'


def _data(old: Side, new: Side, geometry: Geometry) -> str:
    if geometry.shape is None:
        return ""
    height, width = geometry.shape
    facts = {
        "height": height, "width": width, "factor": geometry.factor, "unit": geometry.unit, "old-label": old.label,
        "new-label": new.label, "old-values": old.values, "new-values": new.values,
        "wcs": "" if geometry.wcs is None else json.dumps(geometry.wcs),
    }  # fmt: skip
    return "".join(f' data-{key}="{escape(str(value))}"' for key, value in facts.items())
