"""Draw a provenance graph: in the DOT language of Graphviz, and by its program `dot` as SVG."""

from __future__ import annotations

import subprocess

from blastgit.errors import RepoError
from blastgit.provenance.graph import Graph

_SHAPES = {"remote image": "cds", "file": "note", "cutout": "box", "SED result": "ellipse"}
_LONGEST = 120.0  # seconds


def to_dot(graph: Graph) -> str:
    """Return the graph in DOT: from left to right, edges labelled by their stage, unused inputs dashed."""
    numbers = {name: f"n{number}" for number, name in enumerate(graph.things)}
    lines = [f"digraph {_quoted(graph.revision)} {{", "  rankdir=LR;", "  node [fontname=Helvetica, fontsize=10];"]
    lines.append("  edge [fontname=Helvetica, fontsize=8];")
    for name, thing in graph.things.items():
        shape = _SHAPES.get(thing.kind, "box")
        lines.append(f"  {numbers[name]} [label={_quoted(name)}, shape={shape}, tooltip={_quoted(thing.kind)}];")
    for use in graph.uses:
        if use.source in numbers and use.product in numbers:
            deed = graph.maker(use.product)
            notes = [f"label={_quoted(deed.stage)}"] if deed else []
            notes += [] if use.really else ["style=dashed", "color=gray"]
            lines.append(f"  {numbers[use.source]} -> {numbers[use.product]} [{', '.join(notes)}];")
    return "\n".join([*lines, "}", ""])


def to_svg(graph: Graph) -> str:
    """Return the graph as SVG.

    Raises:
        RepoError: Graphviz is not installed, or fails.
    """
    try:
        done = subprocess.run(
            ["dot", "-Tsvg"], input=to_dot(graph), capture_output=True, text=True, check=False, timeout=_LONGEST
        )
    except FileNotFoundError:
        raise RepoError("SVG needs Graphviz, which is not installed: install it, or take `--format dot`") from None
    except subprocess.TimeoutExpired:
        raise RepoError(f"Graphviz did not end within {_LONGEST:g} s: take `--format dot`, or a part of it") from None
    if done.returncode:
        raise RepoError(f"Graphviz failed: {done.stderr.strip()}")
    return done.stdout


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
