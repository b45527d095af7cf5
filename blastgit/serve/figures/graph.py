"""The graph of a revision: from the surveys' images on the left to the results on the right."""

from __future__ import annotations

from markupsafe import Markup, escape

from blastgit.provenance.graph import Graph

_COLUMN, _ROW, _BOX, _TOP = 190, 20, 160, 24
_MOST = 160  # the most items that are drawn; a larger graph is shown as a list only
_LETTERS = 24


def plot(graph: Graph) -> Markup | None:
    """Return the drawing; None if there are no items, or too many to be legible."""
    if not graph.things or len(graph.things) > _MOST:
        return None
    levels = _levels(graph)
    columns: dict[int, list[str]] = {}
    for name in sorted(graph.things, key=lambda each: (levels[each], graph.things[each].kind, each)):
        columns.setdefault(levels[name], []).append(name)
    tallest = max(map(len, columns.values()))
    places = {}
    for level, names in columns.items():
        above = (tallest - len(names)) * _ROW / 2
        for row, name in enumerate(names):
            places[name] = (level * _COLUMN + 4, _TOP + above + row * _ROW)
    width, height = (max(columns) + 1) * _COLUMN, _TOP * 2 + tallest * _ROW
    lines = "".join(
        f'<path class="edge{"" if use.really else " not"}" d="{_edge(places[use.source], places[use.product])}"/>'
        for use in graph.uses if use.source in places and use.product in places
    )  # fmt: skip
    boxes = "".join(_box(graph, name, *place) for name, place in places.items())
    words = f"What {graph.revision} was made of: {len(graph.things)} things, also told as a list below"
    return Markup(  # noqa: S704 (names are escaped, the rest are numbers)
        f'<svg class="plot graph" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(words)}">{lines}{boxes}</svg>'
    )


def _box(graph: Graph, name: str, x: float, y: float) -> str:
    above, _, short = name.rpartition("/")
    if short.replace(".", "").replace("e-", "").isdigit():  # a bin of the star formation history
        short = f"{above.rpartition('/')[2]} {float(short):.3g}"
    text = short if len(short) <= _LETTERS else f"…{short[1 - _LETTERS :]}"
    kind = graph.things[name].kind
    return (
        f'<g><rect x="{x}" y="{y:.0f}" width="{_BOX}" height="{_ROW - 4}" rx="3"/>'
        f'<text x="{x + 6}" y="{y + 11.5:.1f}">{escape(text)}</text><title>{escape(kind)}: {escape(name)}</title></g>'
    )


def _edge(source: tuple[float, float], product: tuple[float, float]) -> str:
    x1, y1 = source[0] + _BOX, source[1] + _ROW / 2 - 2
    x2, y2 = product[0], product[1] + _ROW / 2 - 2
    middle = (x1 + x2) / 2
    return f"M{x1:.0f} {y1:.0f}C{middle:.0f} {y1:.0f} {middle:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"


def _levels(graph: Graph) -> dict[str, int]:
    """Return the level of each item: the largest number of steps from an item that was made from nothing."""
    known: dict[str, int] = {}

    def level(name: str, above: tuple[str, ...]) -> int:
        if name not in known:
            sources = [use.source for use in graph.sources.get(name, ()) if use.source in graph.things]
            below = [level(each, (*above, name)) for each in sources if each not in above and each != name]
            known[name] = max((each + 1 for each in below), default=0)
        return known[name]

    for name in graph.things:
        level(name, ())
    return known
