"""Async queries: the phases of a job, its addresses, and what is not allowed."""

import urllib.parse
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blastgit.errors import Busy, NotFound
from blastgit.serve.tap.jobs import Finished, Jobs, Phase
from blastgit.serve.tap.limits import ServiceLimits
from blastgit.serve.tap.request import Parameters

pytestmark = pytest.mark.slow

UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"
GOOD = "SELECT transient, ra_deg FROM blastgit.transients"
LONG = "SELECT SUM(a.flux * b.flux * c.flux * d.flux * e.flux * f.flux * g.flux * h.flux) AS n FROM " + ", ".join(
    f"blastgit.photometry AS {name}" for name in "abcdefgh"
)


def test_a_job_from_begin_to_end(service):
    job = service.job(GOOD, ("RUNID", "mine"), ("RESPONSEFORMAT", "csv"))
    assert service.ask(f"{job}/phase").text == "PENDING"
    assert service.ask(f"{job}/results/result").status == 404
    said = service.ask(f"{job}/phase", ("PHASE", "RUN"))
    assert (said.status, said.headers["Location"]) == (303, f"{service.base}{job}")
    assert service.ended(job) == "COMPLETED"
    document = ET.fromstring(service.ask(job).body)
    assert document.findtext(f"{UWS}jobId") == job.rpartition("/")[2]
    assert document.findtext(f"{UWS}runId") == "mine"
    assert document.findtext(f"{UWS}phase") == "COMPLETED"
    for name in ("creationTime", "startTime", "endTime", "destruction"):
        datetime.fromisoformat(document.findtext(f"{UWS}{name}"))
    parameters = {each.get("id"): each.text for each in document.iter(f"{UWS}parameter")}
    assert parameters == {"LANG": "ADQL", "QUERY": GOOD, "RUNID": "mine", "RESPONSEFORMAT": "csv"}
    (result,) = document.iter(f"{UWS}result")
    url = result.get("{http://www.w3.org/1999/xlink}href")
    brought = service.ask(url)
    assert brought.headers["Content-Type"] == "text/csv;charset=utf-8;header=present"
    assert brought.text.startswith("transient,ra_deg\n")
    assert int(result.get("size")) == len(brought.body)
    assert service.ask(f"{job}/error").status == 404
    assert service.ask(f"{job}/owner").status == 200
    assert service.ask(f"{job}/quote").status == 200
    gone = service.ask(job, ("ACTION", "DELETE"))
    assert (gone.status, gone.headers["Location"]) == (303, f"{service.tap}/async")
    assert service.ask(job).status == 404
    assert service.ask(url).status == 404


def test_phases_out_of_order(service):
    job = service.job(GOOD, ("PHASE", "RUN"))
    assert service.ended(job) == "COMPLETED"
    again = service.ask(f"{job}/phase", ("PHASE", "RUN"))
    assert again.status == 400
    assert "COMPLETED: only one that is PENDING can be started" in again.text
    assert service.ask(f"{job}/phase", ("PHASE", "ABORT")).status == 303
    assert service.ask(f"{job}/phase").text == "COMPLETED"
    assert service.ask(f"{job}/phase", ("PHASE", "DANCE")).status == 400
    assert service.ask(f"{job}/phase", ("X", "1")).status == 400
    assert service.ask(f"{job}/parameters", ("QUERY", "SELECT 1")).status == 400
    assert service.ask(f"{job}/executionduration", ("EXECUTIONDURATION", 5)).status == 400
    service.ask(job, method="DELETE")


def test_a_job_that_runs_is_aborted_and_deleted(service):
    jobs = [service.job(LONG, ("PHASE", "RUN")) for _ in range(4)]  # more than run at once
    assert {service.ask(f"{job}/phase").text for job in jobs} <= {"QUEUED", "EXECUTING"}
    for job in jobs[1:]:
        assert service.ask(f"{job}/phase", ("PHASE", "ABORT")).status == 303
        assert service.ask(f"{job}/phase").text == "ABORTED"
    service.ask(jobs[0], method="DELETE")
    assert service.ask(jobs[0]).status == 404
    after = service.job(GOOD, ("PHASE", "RUN"))
    assert service.ended(after) == "COMPLETED"


def test_parameters_of_a_job_that_waits(service):
    job = service.job("SELECT nope FROM nowhere")
    assert service.ask(f"{job}/parameters", ("query", GOOD), ("MAXREC", 1)).status == 303
    assert service.ask(f"{job}/executionduration", ("EXECUTIONDURATION", 7)).status == 303
    assert service.ask(f"{job}/executionduration").text == "7"
    assert service.ask(f"{job}/executionduration", ("EXECUTIONDURATION", 999_999)).status == 303
    assert service.ask(f"{job}/executionduration").text == "600"
    for bad in ("-1", "abc", "1e3", "9" * 40):
        assert service.ask(f"{job}/executionduration", ("EXECUTIONDURATION", bad)).status == 400
    service.ask(f"{job}/phase", ("PHASE", "RUN"))
    assert service.ended(job) == "COMPLETED"
    assert "OVERFLOW" in service.ask(f"{job}/results/result").text


def test_when_a_job_is_forgotten(service):
    job = service.job(GOOD)
    soon = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert service.ask(f"{job}/destruction", ("DESTRUCTION", soon)).status == 303
    assert service.ask(f"{job}/destruction").text == soon
    service.ask(f"{job}/destruction", ("DESTRUCTION", "9999-01-01T00:00:00Z"))
    assert service.ask(f"{job}/destruction").text < "9999"
    for bad in ("tomorrow", "", "2026-99-99"):
        assert service.ask(f"{job}/destruction", ("DESTRUCTION", bad)).status == 400
    service.ask(f"{job}/destruction", ("DESTRUCTION", "2020-01-01T00:00:00"))
    assert service.ask(job).status == 404


def test_waiting(service):
    job = service.job(GOOD)
    assert service.ask(f"{job}?WAIT=0").status == 200
    assert service.ask(f"{job}?WAIT=30&PHASE=EXECUTING").status == 200  # it is in another phase: nothing to wait for
    for bad in ("WAIT=abc", "WAIT=1.5", "WAIT=1&PHASE=DANCING"):
        assert service.ask(f"{job}?{bad}").status == 400
    service.ask(f"{job}/phase", ("PHASE", "RUN"))
    assert service.ended(job) == "COMPLETED"
    assert service.ask(f"{job}?WAIT=-1").status == 200  # it has ended: nothing to wait for


def test_no_job_is_told_to_others(service):
    job = service.job(GOOD)
    listed = service.ask("/tap/async")
    assert ET.fromstring(listed.body).tag == f"{UWS}jobs"
    assert job.rpartition("/")[2] not in listed.text
    assert service.ask("/tap/async?LAST=5&PHASE=COMPLETED&AFTER=2026-01-01").status == 200
    assert service.ask("/tap/async?LAST=x").status == 400


@pytest.mark.parametrize("path", ["", "/phase", "/results/result", "/error", "/parameters"])
def test_jobs_that_there_are_not(service, path):
    for name in ("0" * 32, "..", "%2e%2e%2fetc", "'; DROP TABLE x"):
        said = service.ask(f"/tap/async/{urllib.parse.quote(name, safe='%')}{path}")
        assert said.status == 404
    assert service.ask("/tap/async/" + "0" * 32 + "/phase", ("PHASE", "RUN")).status == 404


def test_what_a_job_has_not(service):
    job = service.job(GOOD)
    for path in ("/nothing", "/results/other", "/phase/more"):
        assert service.ask(f"{job}{path}").status == 404
    assert service.ask(f"{job}/results", method="DELETE").status == 405


def nothing(_):
    return Finished(Path("none"), "", 0)


def test_only_so_many_jobs_are_kept():
    jobs = Jobs(nothing, ServiceLimits(jobs=2))
    first, second = (jobs.create(Parameters(), "") for _ in range(2))
    third = jobs.create(Parameters(), "")
    with pytest.raises(NotFound):  # the oldest that was never started made room
        jobs.get(first.id)
    for job in (second, third):
        jobs.start(job)
        jobs.wait(job, 60, "QUEUED")
        jobs.wait(job, 60, "EXECUTING")
        assert job.phase == Phase.COMPLETED
    with pytest.raises(Busy, match="delete one of yours"):
        jobs.create(Parameters(), "")
    jobs.delete(second)
    jobs.create(Parameters(), "")
    jobs.close()


def test_only_so_many_results_are_kept(tmp_path):
    def large(job):
        (tmp_path / job.id).write_bytes(b"x" * 100)
        return Finished(tmp_path / job.id, "", 100)

    jobs = Jobs(large, ServiceLimits(results=50))
    one, other = (jobs.create(Parameters(), "") for _ in range(2))
    for job in (one, other):
        jobs.start(job)
        jobs.wait(job, 60, "QUEUED")
        jobs.wait(job, 60, "EXECUTING")
    assert (one.phase, other.phase) == (Phase.COMPLETED, Phase.ERROR)
    assert "too many results" in other.error
    jobs.delete(one)
    assert list(tmp_path.iterdir()) == []
    jobs.close()


def test_a_job_that_fails_in_no_expected_way_says_so():
    def fail(_):
        raise ValueError("secret")

    jobs = Jobs(fail, ServiceLimits())
    job = jobs.create(Parameters(), "")
    jobs.start(job)
    jobs.wait(job, 60, "QUEUED")
    jobs.wait(job, 60, "EXECUTING")
    assert job.phase == Phase.ERROR
    assert "secret" not in job.error
    jobs.close()
