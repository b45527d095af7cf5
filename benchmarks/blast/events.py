"""The life of three transients: each event with what it has to come to. They build on one another, in this order."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.blast.life import RUN_SECONDS, A, B, C, Life, object_key
from benchmarks.blast.services import wait_for

_RULES = "rules:\n  tables:\n    sed: {equal_within: {sigma: 0.35}}\n    sfh: {equal_within: {sigma: 0.35}}\n"


@dataclass(frozen=True)
class Event:
    """Something that happens.

    Attributes:
        what: What happens.
        expected: What it has to come to.
        happen: Has it happen, and returns what it came to; raises if that is something else.
    """

    what: str
    expected: str
    happen: Callable[[Life], str]


EVENTS: list[Event] = []


def event(what: str, expected: str) -> Callable[[Callable[[Life], str]], Callable[[Life], str]]:
    """Add a function to the events."""

    def add(happen: Callable[[Life], str]) -> Callable[[Life], str]:
        EVENTS.append(Event(what, expected, happen))
        return happen

    return add


def _same(life: Life, name: str, told: dict[str, Any]) -> str:
    """See that a recording found nothing new; return what it said."""
    assert told["status"] == "unchanged", f"{told}"
    assert told["revision"] == life.latest(name).revision.number
    return f"unchanged: {told['reason']}"


def _new(life: Life, name: str, told: dict[str, Any], *words: str, status: str = "complete") -> str:
    """See that a recording made the latest revision, whose reason has these words; return what it said."""
    assert told["status"] == "recorded", f"{told}"
    latest = life.latest(name)
    assert told["revision"] == latest.revision.number, f"{told}, but the latest is {latest.revision.number}"
    whole = "\n".join([latest.revision.reason, *latest.details, latest.status])
    missing = [word for word in words if word not in whole]
    assert not missing, f"{missing} is not in: {whole}"
    assert latest.status.startswith(status) or (status == "failed" and latest.status != "complete"), latest.status
    return f"{latest.revision.tag}: {latest.revision.reason}"


def _undone(life: Life, name: str) -> dict[str, str]:
    return {task: status for task, status in life.at.ask("tasks", name=name).items() if status != "processed"}


@event("first processing", "revision 0; all tasks of Blast's are processed")
def _(life: Life) -> str:
    told = life.run(A, "new")
    said = _new(life, A, told)
    assert not _undone(life, A), f"{_undone(life, A)}"
    return f"{said}; {len(life.latest(A).files)} files"


@event("another transient with the same host", "revision 0")
def _(life: Life) -> str:
    return _new(life, B, life.run(B, "new"))


@event("a transient without a host", "revision 0, whose status names the task")
def _(life: Life) -> str:
    said = _new(life, C, life.run(C, "new"), "Host match", status="failed")
    return f"{said}; {life.latest(C).status}"


@event("reprocess, nothing changed", "unchanged; a reproduction is noted")
def _(life: Life) -> str:
    said = _same(life, A, life.run(A))
    assert life.latest(A).reproductions, "no reproduction is noted"
    return said


@event("retrigger of a run that is complete", "Blast does nothing, and nothing is noted")
def _(life: Life) -> str:
    before, start = life.latest(A).to_json(), life.worker.place
    life.begin(A, "retrigger")
    life.quiet()
    assert "Transient Workflow" not in life.worker.said(start), "a workflow began"
    assert life.latest(A).to_json() == before, "something is noted"
    return "no workflow, no recording"


@event("an image comes back 3 % brighter", "a revision whose reason names the image")
def _(life: Life) -> str:
    life.tell(brighter={"PanSTARRS_r": 1.03})
    return _new(life, A, life.run(A), "PanSTARRS_r")


@event("the image is as before", "a revision that says whose values these are")
def _(life: Life) -> str:
    return _new(life, A, life.run(A), "the values are those of revision 0 again")


@event("a survey does not answer", "a revision whose status names the download")
def _(life: Life) -> str:
    life.tell(unanswered=["SDSS_g"])
    said = _new(life, B, life.run(B), "Cutout download", status="failed")
    return f"{said}; {life.latest(B).status}"


@event("retrigger, and it answers", "a complete revision")
def _(life: Life) -> str:
    return _new(life, B, life.run(B, "retrigger"))


@event("a task says that it failed", "the chain records it; the status names the fit")
def _(life: Life) -> str:
    life.tell(fit_fails=True)
    return _new(life, A, life.run(A), "SED inference", status="failed")


@event("reprocess, and the fit succeeds", "a complete revision")
def _(life: Life) -> str:
    return _new(life, A, life.run(A))


@event("a task raises, so that the chain ends", "the sweep records it; the status names the task")
def _(life: Life) -> str:
    life.tell(host_match_raises=True)
    told = life.swept(A, lambda: life.begin(A), 200)
    return f"by the sweep, {_new(life, A, told, 'Host match', status='failed')}"


@event("retrigger of what had ended so", "a complete revision")
def _(life: Life) -> str:
    return _new(life, A, life.run(A, "retrigger"))


@event("the sampler draws anew, no rule for it", "a revision that says that no input changed")
def _(life: Life) -> str:
    life.tell(redraws=True)
    return _new(life, A, life.run(A), "no input")


@event("the rule equal_within is set, and it draws anew", "unchanged, redrawn within some sigma")
def _(life: Life) -> str:
    with tempfile.TemporaryDirectory() as folder:
        _git("clone", "--quiet", str(life.location), folder)
        settings = Path(folder, "blastgit.yaml")
        settings.write_text(settings.read_text() + _RULES)
        _git("-C", folder, "commit", "--quiet", "--all", "--message", "Take redrawn fits as equal")
        _git("-C", folder, "push", "--quiet", "origin", "HEAD:main")
    life.tell(redraws=True)
    said = _same(life, A, life.run(A))
    assert "sigma" in said, said
    return said


@event("an image changes while the sampler draws anew", "a revision whose reason names the image first")
def _(life: Life) -> str:
    life.tell(redraws=True, brighter={"PanSTARRS_i": 1.05})
    return _new(life, A, life.run(A), "PanSTARRS_i")


@event("an alias is added through the API", "no task runs; the sweep records it")
def _(life: Life) -> str:
    def alias() -> None:
        status, body = life.at.visit("post", f"/api/alias/SN2099aa/transient/{A}/")
        assert status < 300, f"{status} {body[:200]!r}"

    said = _new(life, A, life.swept(A, alias), "alias")
    assert life.repo.log("SN2099aa"), "the alias does not lead to the transient"
    return said


@event("the class is edited in the admin", "the sweep records it; the reason names the field")
def _(life: Life) -> str:
    edit = {"model": "Transient", "where": {"name": B}, "values": {"spectroscopic_class": "SN Ia-91T"}}
    return _new(life, B, life.swept(B, lambda: life.at.ask("edit", **edit)), "spectroscopic_class")


@event("a flux is edited in the admin", "a signal makes it due; the reason names the flux, the status what is late")
def _(life: Life) -> str:
    where = {"transient__name": B, "filter__name": "SDSS_r", "aperture__type": "local"}
    edit = {"model": "AperturePhotometry", "where": where, "values": {"flux": 1.25}}
    return _new(life, B, life.swept(B, lambda: life.at.ask("edit", **edit)), "flux", status="out of date")


@event("the name server changes class and time", "no workflow runs; the sweep records it")
def _(life: Life) -> str:
    life.tell(**{"class": "SN Ia-91bg-like", "reported_at": "2026-03-01 00:00:00"})
    return _new(life, A, life.swept(A, lambda: life.at.ask("ingest")), "spectroscopic_class")


@event("the update form sets the host's redshift", "the chain records it; the reason names it; so does the other's")
def _(life: Life) -> str:
    start = life.worker.place
    line = f"{A},None,None,None,None,None,None,None,0.031,None,None,None,measured again"
    status, _ = life.at.visit("post", "/add/", data={"update_info": line})
    assert status == 200, status
    said = _new(life, A, life.told(start, A, RUN_SECONDS), "redshift")
    other = _new(life, B, life.told(start, B), "redshift", status="out of date")
    return f"{said}; {other}"


@event("another's run changes the shared host", "the sweep records the transient that did not run")
def _(life: Life) -> str:
    start = life.worker.place
    life.tell(more_dust=0.01)
    _new(life, B, life.run(B), "reddening")
    return _new(life, A, life.told(start, A, 120), "reddening", status="out of date")


@event("a filter is added to the instance", "unchanged")
def _(life: Life) -> str:
    life.tell(more_dust=0.01)
    life.at.ask("add_filter", like="DES_g", name="DES_u")
    life.at.ask("write_curves", folder=life.blast.environment["TRANSMISSION_CURVES_ROOT"])
    return _same(life, B, life.run(B))


@event("deleted with all files, and added again", "its number goes on: unchanged")
def _(life: Life) -> str:
    status, _ = life.at.visit("get", f"/api/transient/delete/{C}/all/")
    assert status == 302, status
    before = len(life.log(C))
    said = _same(life, C, life.run(C, "new"))
    assert len(life.log(C)) == before
    return said


@event("a revision goes back into Blast, by its own importer", "recognised as unchanged")
def _(life: Life) -> str:
    number = life.latest(B).revision.number
    status, archive = life.at.visit("get", f"/api/transient/export/{B}/all/?revision={number}")
    assert status == 200, status
    life.at.visit("get", f"/api/transient/delete/{B}/all/")
    file = life.blast.folder / f"{B}.tar.gz"
    file.write_bytes(archive)

    def upload() -> None:
        answer, page = life.at.visit("post", "/add/", file=str(file))
        assert answer == 200, answer
        assert life.at.ask("tasks", name=B), page[-2000:]

    return _same(life, B, life.swept(B, upload, 120))


@event("a file is gone from the bucket", "not recorded, and the reason names it; after a reprocess unchanged")
def _(life: Life) -> str:
    path = f"cutout_cdn/{B}/2MASS/2MASS_J.fits"
    life.bucket.client.delete_object(Bucket=life.bucket.name, Key=object_key(path))
    start = life.worker.place
    life.at.ask("send", task="blastgit.record_revision", arguments=[B])
    told = life.told(start, B)
    assert told["status"] == "failed", f"{told}"
    assert "2MASS_J" in told["error"], f"{told}"
    life.tell(more_dust=0.01)
    return f"{told['error'][:120]}…; {_same(life, B, life.run(B))}"


@event("the data repo is away for a run", "the chain ends all the same; 'Record now' makes up for it")
def _(life: Life) -> str:
    aside = life.location.with_name("aside")
    life.location.rename(aside)
    try:
        life.tell(more_dust=0.01, brighter={"2MASS_H": 1.04}, redraws=True)
        told = life.run(A)
    finally:
        aside.rename(life.location)
    assert told["status"] == "failed", f"{told}"
    start = life.worker.place
    life.at.ask("send", task="blastgit.record_revision", arguments=[A])
    return f"{told['error'][:100]}…; {_new(life, A, life.told(start, A), '2MASS_H')}"


@event("the worker is killed in the middle of a workflow", "the sweep records what it left; a reprocess mends it")
def _(life: Life) -> str:
    start = life.worker.place
    life.begin(B)
    wait_for(lambda: "Task Image Download[" in life.worker.said(start), 60, "the download")
    life.worker.kill()
    life.restart_worker()
    told = life.told(start, B, 240)
    assert told["status"] in ("recorded", "unchanged"), f"{told}"
    life.tell(more_dust=0.01)
    life.run(B)
    latest = life.latest(B)
    assert latest.status == "complete", latest.status
    return f"{told['status']} ({told['reason'][:80]}…), then {latest.revision.tag} is complete"


@event("Redis is killed with all its messages", "what its database holds is found again, and recorded")
def _(life: Life) -> str:
    port = int(life.blast.environment["REDIS_PORT"])
    life.redis.kill()
    life.redis.start(port)
    life.worker.kill()
    life.restart_worker()
    life.quiet()
    edit = {"model": "Transient", "where": {"name": C}, "values": {"spectroscopic_class": "SN II"}}
    told = life.swept(C, lambda: life.at.ask("edit", **edit))
    return f"nothing was recorded again; {_new(life, C, told, 'class', status='answered')}"


@event("a survey has no image any more", "what Blast makes of that: photometry without its image fails to validate")
def _(life: Life) -> str:
    life.tell(no_image=["WISE_W2"])
    said = _new(life, B, life.run(B), "Validate global photometry", status="failed")
    assert "cutout_cdn/WISE/WISE_W2.fits" in {each["path"] for each in life.latest(B).files}
    return f"{said}; {life.latest(B).status}"


@event("Blast's pages and endpoints", "each shows the latest revision; the export says its number")
def _(life: Life) -> str:
    number = life.latest(A).revision.number
    status, page = life.at.visit("get", f"/transients/{A}/history/")
    assert (status, f"{A}@{number}".encode() in page) == (200, True), f"history answers {status}"
    status, page = life.at.visit("get", f"/transients/{A}/")
    assert (status, b"history" in page) == (200, True), f"the page answers {status}"
    status, body = life.at.visit("get", f"/api/transient/{A}/revisions/")
    assert json.loads(body)["count"] == len(life.log(A))
    status, body = life.at.visit("get", f"/api/transient/export/{A}/")
    assert json.loads(body)["metadata"]["dataset_version"] == number, json.loads(body)["metadata"]
    status, old = life.at.visit("get", f"/api/transient/get/{A}?revision={number}")
    status, now = life.at.visit("get", f"/api/transient/get/{A}")
    differing = set(json.loads(old)) ^ set(json.loads(now))
    assert not differing, f"the flat tables have other keys: {sorted(differing)[:5]}"
    status, page = life.at.visit("get", "/admin/blastgit/recordedtransient/")
    assert (status, f">{number}<".encode() in page) == (200, True), f"the admin answers {status}"
    return f"{A}@{number} in page, endpoints and admin"


@event("all of it, at the end", "sound; each latest revision is had by git clone and dvc pull")
def _(life: Life) -> str:
    report = life.repo.verify()
    assert report.is_sound, f"{report}"
    files = 0
    for name in (A, B, C):
        latest = life.latest(name)
        with tempfile.TemporaryDirectory() as folder:
            _git("clone", "--quiet", "--branch", latest.revision.tag, "--single-branch", str(life.location), folder)
            subprocess.run(
                ["dvc", "pull", "--quiet"], cwd=folder, check=True, capture_output=True, env={**life.blast.environment}
            )
            found = [path for path in Path(folder).rglob("*.dvc") if path.is_file() and path.parent.name != ".dvc"]
            assert all(path.with_suffix("").is_file() for path in found), f"{name}: dvc pull brought not all files"
            files += len(found)
    return f"sound; {files} files pulled"


def _git(*arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=Operator", "-c", "user.email=operator@example.org", *arguments], check=True)
