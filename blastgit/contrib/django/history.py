"""The revisions of a transient as plain values, for pages and the REST API; read from the data repo each time."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from blastgit.api.repo import DataRepo
from blastgit.contrib.django.options import Options
from blastgit.errors import BlastgitError, NotFound
from blastgit.reading.log import Entry


def revisions(repo: DataRepo, name: str, options: Options) -> list[dict[str, Any]]:
    """Return the revisions of a transient, newest first; none if it was never recorded."""
    try:
        entries = list(repo.log(name))
    except NotFound:
        return []
    older = [*entries[1:], None]
    return [_row(entry, before, options) for entry, before in zip(entries, older, strict=True)]


def _row(entry: Entry, before: Entry | None, options: Options) -> dict[str, Any]:
    revision = entry.revision
    spec = f"{revision.name}@{revision.number}"
    told = entry.to_json()
    kept = ("revision", "time", "recorded", "app_version", "run", "status", "reason", "files", "details")
    return {
        "dataset": spec, **{key: told[key] for key in kept}, "reproductions": told["reproductions"],
        "first": before is None, "flag": entry.flag, "withdrawn": entry.withdrawn, "commit": revision.id,
        "permalink": permalink(str(revision.name), revision.number, options),
        "compare": _compare(before, spec, options),
    }  # fmt: skip


def open_draft(repo: DataRepo, name: str) -> dict[str, Any] | None:
    """Return the draft of a transient whose latest state got no revision number, and why; None if it got one."""
    try:
        return next((each.to_json() for each in repo.drafts(name) if each.is_open), None)
    except NotFound:
        return None


def permalink(name: str, number: int, options: Options) -> str:
    """Return the permanent address of a revision: its page in `blastgit serve`, otherwise in Blast."""
    if options.web:
        return f"{options.web}/t/{quote(f'{name}@{number}', safe='@')}"
    from django.urls import reverse

    return f"{options.site}{reverse('blastgit:history', args=[name])}?revision={number}"


def citations(repo: DataRepo, spec: str) -> dict[str, str]:
    """Return the citation of a revision as text and as BibTeX; empty if it cannot be cited."""
    try:
        return {form: repo.releases.cite(spec, form) for form in ("text", "bibtex")}
    except BlastgitError:
        return {}


def _compare(before: Entry | None, spec: str, options: Options) -> str | None:
    if before is None or not options.web:
        return None
    old = f"{before.revision.name}@{before.revision.number}"
    return f"{options.web}/compare/{quote(old, safe='@')}...{quote(spec, safe='@')}"
