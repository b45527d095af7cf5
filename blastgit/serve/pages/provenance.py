"""`/t/NAME@N/provenance`: what a revision was made from, as a graph and as a list; and what was made from each item."""

from __future__ import annotations

from typing import Any

from flask import Flask, redirect, request

from blastgit.provenance.graph import Graph
from blastgit.serve.facts import history
from blastgit.serve.figures import graph as drawing
from blastgit.serve.page import Page, plain, route
from blastgit.serve.resolve import find
from blastgit.serve.site import site
from blastgit.serve.templating import address

_DEEPEST = 8


def install(app: Flask) -> None:
    """Register the page."""
    route(app, "/t/<spec>/provenance", provenance)


def provenance(spec: str) -> Any:
    """Return the provenance of a revision, or of one item of it (`?of=PATH`).

    Raises:
        NotFound: The revision or item does not exist.
    """
    here = site()
    repo = here.repo()
    found = find(repo, spec)
    if found.name != spec:
        return redirect(f"/t/{address(found.name)}/provenance", 302)
    whole = repo.provenance(spec)
    of = request.args.get("of", "").strip()[:400]
    shown = whole.back_from(of) if of else whole
    data = {
        "transient": str(found.entry.revision.name), "revision": spec, "of": of or None, "about": dict(shown.about),
        "things": [
            {"name": each.name, "kind": each.kind, "facts": plain(each.facts)} for each in shown.things.values()
        ],
        "uses": [{"product": each.product, "source": each.source, "really": each.really} for each in shown.uses],
        "stages": [
            {"stage": each.stage, "outcome": each.outcome, "makes": list(each.makes), "uses": list(each.uses)}
            for each in shown.deeds
        ],
        "made_of_it": whole.downstream(whole.match(of)) if of else {},
        "history": history(found.history),
    }  # fmt: skip
    return Page("provenance.html", data, lambda: {"figure": drawing.plot(shown), "tree": tree(shown)})


def tree(graph: Graph) -> list[dict[str, Any]]:
    """Return the items from which nothing else was made, each with what it was made from below it."""
    sources = {use.source for use in graph.uses if use.really}
    tops = [name for name in graph.things if name not in sources]
    seen: set[str] = set()
    return [_branch(graph, name, seen, 0) for name in tops]


def _branch(graph: Graph, name: str, seen: set[str], depth: int) -> dict[str, Any]:
    thing, maker = graph.things[name], graph.maker(name)
    uses = [use.source for use in graph.sources.get(name, ()) if use.really]
    is_again = name in seen and bool(uses)
    seen.add(name)
    below = [] if is_again or depth >= _DEEPEST else [_branch(graph, each, seen, depth + 1) for each in uses]
    stage = maker.stage if maker else None
    return {"name": name, "kind": thing.kind, "stage": stage, "again": is_again, "below": below}
