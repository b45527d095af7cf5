"""The page of a transient's history, and the metrics for Prometheus."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from blastgit.api.repo import DataRepo
from blastgit.contrib.django.history import citations, open_draft, revisions
from blastgit.contrib.django.options import options
from blastgit.errors import BlastgitError


def history(request: Any, transient_name: str) -> Any:
    """Return the page: a list of all revisions, and the revision that `?revision=` names, or the latest one."""
    told = None
    try:
        told = options()
        repo = DataRepo(told.repo)
        found, draft = revisions(repo, transient_name, told), open_draft(repo, transient_name)
        chosen = _chosen(found, request.GET.get("revision"))
        cite = citations(repo, chosen["dataset"]) if chosen else {}
    except BlastgitError as error:
        return render(request, "blastgit/history.html", _context(transient_name, told, error=str(error)), status=503)
    context = _context(transient_name, told, revisions=found, chosen=chosen, cite=cite, draft=draft)
    return render(request, "blastgit/history.html", context)


def metrics(request: Any) -> HttpResponse:  # noqa: ARG001 (Django's signature)
    """Return the metrics of recordings and sweeps, which contain no names."""
    from blastgit.contrib.blast.metrics import Metrics

    return HttpResponse(Metrics().text(), content_type="text/plain; version=0.0.4")


def _chosen(found: list[dict[str, Any]], wanted: str | None) -> dict[str, Any] | None:
    if wanted is None:
        return found[0] if found else None
    for each in found:
        if str(each["revision"]) == wanted:
            return each
    raise Http404(f"there is no revision {wanted}")


def _context(name: str, told: Any, **more: Any) -> dict[str, Any]:
    base = told.base_template if told else "host/base.html"
    return {"transient_name": name, "base_template": base, "web": told.web if told else "", **more}
