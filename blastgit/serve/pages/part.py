"""`/t/NAME@N/part/PATH`: one value, row or file of a revision: its content, since when, and its annotations."""

from __future__ import annotations

from typing import Any

from flask import Flask, redirect

from blastgit.errors import BlastgitError, NotFound
from blastgit.serve.facts import Facts, history
from blastgit.serve.page import Page, plain, route
from blastgit.serve.resolve import find, read_spec
from blastgit.serve.site import site
from blastgit.serve.templating import address
from blastgit.serve.threads import thread

_MOST = 400  # rows per page


def install(app: Flask) -> None:
    """Register the page."""
    route(app, "/t/<spec>/part/<path:path>", part)


def part(spec: str, path: str) -> Any:
    """Return the value, row or file at a path of a revision.

    Raises:
        NotFound: There is nothing at that path.
    """
    read_spec(spec)
    here = site()
    repo = here.repo()
    found = find(repo, spec)
    if found.name != spec:
        return redirect(f"/t/{address(found.name)}/part/{address(path)}", 302)
    facts = Facts(repo, found.entry)
    shown = repo.show(f"{spec}:{path}", even_invalid=True)
    is_file = shown.kind == "file"
    rows = shown.value if isinstance(shown.value, dict) and not is_file else {}
    data = {
        "transient": facts.name, "revision": spec, "path": path, "kind": shown.kind,
        "value": plain(shown.value) if not rows else None,
        "rows": {key: plain(value) for key, value in list(rows.items())[:_MOST]}, "count": len(rows),
        "invalid": sorted(set(shown.invalid.values())), "withdrawn": facts.withdrawn.get(path),
        "out_of_date": sorted(set(shown.out_of_date.values())),
        "is_image": is_file and path.endswith(".fits"), "since": _since(facts, path),
        "history": history(found.history), "annotations": thread(repo, f"{spec}:{path}"),
    }  # fmt: skip
    return Page("part.html", data)


def _since(facts: Facts, path: str) -> list[dict[str, Any]]:
    """Return for each value below a path the revision that last changed it."""
    try:
        blamed = facts.repo.blame(facts.name, path)
    except (NotFound, BlastgitError):
        return []
    return [each.to_json() for each in blamed][:_MOST]
