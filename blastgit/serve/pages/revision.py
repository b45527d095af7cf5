"""`/t/NAME` and `/t/NAME@N`: a revision, and a list of all revisions of the transient."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Flask, redirect
from markupsafe import Markup

from blastgit.errors import BlastgitError, NotFound
from blastgit.naming.trailers import Trailer
from blastgit.releases.cite import FORMS, Cited
from blastgit.serve.facts import Facts, history
from blastgit.serve.figures import sed, sfh
from blastgit.serve.page import Page, route
from blastgit.serve.quantities import SCOPES
from blastgit.serve.resolve import Found, find, read_spec
from blastgit.serve.site import Site, site
from blastgit.serve.templating import address
from blastgit.serve.threads import thread


def install(app: Flask) -> None:
    """Register the page."""
    route(app, "/t/<spec>", transient)


def transient(spec: str) -> Any:
    """Return the page of a revision; aliases redirect to it."""
    wanted = read_spec(spec)
    here = site()
    try:
        found = find(here.repo(), spec)
    except NotFound:
        if wanted.is_latest and here.repo().drafts(wanted.name):
            return redirect(f"/t/{address(wanted.name)}/drafts", 302)  # nothing of it has a number yet
        raise
    name = str(found.entry.revision.name)
    proper = name if wanted.is_latest else found.name
    if proper != spec:
        return redirect(f"/t/{address(proper)}", 302)
    facts = Facts(here.repo(), found.entry)
    data = document(facts, found)
    return Page("revision.html", data, lambda: _view(here, facts, data))


def document(facts: Facts, found: Found) -> dict[str, Any]:
    """Return the content of a revision, under stable keys."""
    revision = found.entry.revision
    past = history(found.history)
    return {
        "transient": str(revision.name), "revision": found.name, "number": revision.number,
        "latest": past[0]["revision"], "is_latest": found.is_latest,
        "newer": None if found.is_latest else _newer(past, found.name),
        "draft": _draft(facts, found), "about": facts.transient(), "host": facts.host(),
        "simulated": revision.dr.export.document["metadata"].get("simulated") is True,
        "export_time": revision.time, "recorded_time": revision.recorded, "app_version": revision.app_version,
        "status": found.entry.status, "reason": revision.reason,
        "run": revision.trailers.get(Trailer.RUN),
        "commit": revision.id, "tag": revision.tag, "science_digest": revision.trailers.get(Trailer.SCIENCE_DIGEST),
        "flag": found.entry.flag, "failures": [str(each) for each in found.entry.failures],
        "invalid": [each.to_json() | {"what": each.what} for each in found.entry.invalid],
        "out_of_date": [each.to_json() | {"what": each.what} for each in found.entry.out_of_date],
        "withdrawn": facts.withdrawn, "images": facts.images(), "apertures": facts.apertures(),
        "photometry": facts.photometry(), "inference": facts.inference(), "sfh": facts.sfh(),
        "stages": facts.stages(), "files": facts.files(), "history": past,
        "annotations": thread(facts.repo, found.name),
    }  # fmt: skip


def _draft(facts: Facts, found: Found) -> dict[str, Any] | None:
    """Return the draft after the latest revision, if the page shows the latest revision."""
    if not found.is_latest:
        return None
    kept = facts.repo.drafts(str(found.entry.revision.name))
    return next((each.to_json() for each in kept if each.is_open), None)


def _newer(past: list[dict[str, Any]], name: str) -> dict[str, Any]:
    at = next(place for place, each in enumerate(past) if each["revision"] == name)
    return {key: past[at - 1][key] for key in ("revision", "number", "reason", "export_time")} | {"count": at}


def _view(here: Site, facts: Facts, data: dict[str, Any]) -> dict[str, Any]:
    shown = [scope for scope in SCOPES if data["photometry"].get(scope) or data["inference"].get(scope)]
    return {
        "figures": {scope: _figures(here, facts, data, scope) for scope in shown},
        "scopes": shown or ["global"],
        "cited": _cited(facts),
        "clone_url": here.source,
        "total": sum(each["bytes"] for each in data["files"]),
    }


def _cited(facts: Facts) -> dict[str, str]:
    """Return how the revision is cited, in each form that main says enough for."""
    found = {}
    with suppress(BlastgitError):
        cited = facts.repo.releases.cited(facts.spec)
        found["aastex"] = aastex(facts.spec, cited)
        for form in FORMS:
            with suppress(BlastgitError):
                found[form] = cited.write(form).strip()
    return found


def aastex(spec: str, cited: Cited) -> str:
    """Return how an article in AASTeX refers to the data: the citation, and the statement of the data used."""
    key = f"blast-{spec.replace('@', '-')}"
    return (
        f"\\facility{{Blast}}\n\\dataset[Blast {spec}]{{{cited.place}}}\n"
        f"\\citep{{{key}}}  % with the BibTeX entry of this page"
    )


def _figures(here: Site, facts: Facts, data: dict[str, Any], scope: str) -> dict[str, Markup | None]:
    path, model = model_of(here, facts, scope)
    key = (path, data["revision"], scope)

    def make() -> dict[str, Markup | None]:
        words = f"Spectral energy distribution, {scope} aperture: photometry with errors, and the model with its band"
        history = f"Star formation rate against look-back time, {scope} aperture, with the band from 16 to 84 percent"
        return {
            "sed": sed.plot([sed.Series(data["photometry"].get(scope, []), model)], words),
            "sfh": sfh.plot([(data["sfh"].get(scope, []), "b")], history),
        }

    return here.figures.get(("figures", *key), make)


def model_of(here: Site, facts: Facts, scope: str) -> tuple[str, sed.Model | None]:
    """Return the checksum of the file with the model of a fit, and the model; None if there is none to show."""
    path = f"sed_output/{facts.name}_{scope}_modeldata.npz"
    held = facts.entry.revision.held
    if path not in held or path in facts.entry.withdrawn or path in facts.invalid:
        return "", None
    redshift = redshift_of(facts)
    if redshift is None:
        return "", None
    sha256 = facts.entry.revision.sha256(path)

    def read() -> sed.Model | None:
        try:
            arrays = facts.repo.dataset("sed_model", facts.name, revision=facts.entry.revision.number, aperture=scope)
        except BlastgitError:
            return None  # the page of the file explains what is wrong
        return sed.read_model(arrays, redshift)

    return f"{sha256} {redshift}", here.figures.get(("model", sha256, redshift), read)


def redshift_of(facts: Facts) -> float | None:
    """Return the redshift that Blast uses: that of the transient, otherwise that of its host."""
    row, host = facts.row("transient"), facts.row("host")
    found = (row.get("redshift"), host.get("redshift"), host.get("photometric_redshift"))
    return next((float(each) for each in found if isinstance(each, int | float)), None)
