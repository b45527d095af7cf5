"""The last task of a workflow on a real worker: what it records, and that nothing stops the chain."""

import logging
import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.s3 import Request
from blastgit import DataRepo
from blastgit.demo import Sample, change_image, reprocess
from tests.contrib.conftest import RUN_TIME, a_worker
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

LATER = "2026-06-02T09:00:00+00:00"


def same_again(sample: Sample) -> Sample:
    return Sample(reprocess(sample, app_version="v1.13.1", export_time=LATER, seed=1).export, sample.files)


def brighter(sample: Sample) -> Sample:
    """Another image of one band, all else as it was."""
    path = f"cutout_cdn/{sample.name}/DES/DES_z.fits"
    return Sample(sample.export, {**sample.files, path: change_image(sample, "DES_z", seed=1).files[path]})


def numbers(blast, name):
    return [entry.revision.number for entry in blast.revisions(name)]


def record(name, **options):
    """Send off a recording, as a chain would, and return what it came to."""
    from blastgit.contrib.blast import record_revision

    return record_revision.apply_async((name,), **options).get(timeout=RUN_TIME)


def test_a_workflow_ends_as_a_revision_and_reprocessing_makes_one_only_of_a_change(blast, sample, tmp_path):
    first = blast.process(sample)
    assert (first.verdict, first.recorded["status"], first.recorded["revision"]) == ("completed", "recorded", 0)
    shown = DataRepo(blast.repo).show(sample.name).value
    assert len(shown["files"]) == len(sample.files)
    assert shown["workflow_tasks"][0]["status"]["message"] == "processed"

    blast.proxy.requests.clear()
    again = blast.process(same_again(sample))
    assert (again.verdict, again.recorded["status"]) == ("completed", "unchanged")
    assert blast.proxy.counts == {"LIST": 2}
    assert [len(entry.reproductions) for entry in blast.revisions(sample.name)] == [1]

    blast.proxy.requests.clear()
    changed = blast.process(brighter(sample))
    assert (changed.verdict, changed.recorded["status"], changed.recorded["revision"]) == ("completed", "recorded", 1)
    assert [each["path"] for each in blast.revisions(sample.name)[1].files] == ["cutout_cdn/DES/DES_z.fits"]
    assert (blast.proxy.counts["COPY"], "PUT" in blast.proxy.counts) == (1, False)
    DataRepo(blast.repo).get(f"{sample.name}@0", tmp_path / "out")
    assert (tmp_path / "out/cutout_cdn/DES/DES_z.fits").read_bytes() == sample.files[
        f"cutout_cdn/{sample.name}/DES/DES_z.fits"
    ]


def test_a_stage_that_says_it_failed_is_recorded_by_the_chain(blast, sample):
    blast.process(sample)
    ended = blast.process(sample, fails="Global host SED inference")
    assert (ended.verdict, ended.recorded["revision"]) == ("blocked", 1)
    assert "Global host SED inference" in blast.revisions(sample.name)[1].revision.trailers["Status"]


def test_what_a_chain_that_raised_left_is_recorded_by_the_sweep(blast, sample):
    blast.show(sample, raises="Crop transient images")
    blast.workflow.start(sample.name)
    wait_until(lambda: "failed" in blast.outcomes(sample.name).values())
    wait_until(lambda: "processing" not in blast.outcomes(sample.name).values())
    assert numbers(blast, sample.name) == []
    assert sample.name in blast.sweep()["asked"]
    entry = blast.wait_for_revision(sample.name, 0)
    assert "Crop transient images" in entry.revision.trailers["Status"]
    wait_until(lambda: sample.name not in blast.sweep()["asked"])
    assert numbers(blast, sample.name) == [0]


def test_what_is_under_way_is_left_alone_until_it_stands_still(blast, sample, monkeypatch):
    monkeypatch.setenv("BLASTGIT_STALLED", "3")
    blast.show(sample)
    blast.workflow.prepare(sample.name)
    blast.workflow.stage(sample.name, "Cutout download")
    assert sample.name not in blast.sweep()["asked"]
    wait_until(lambda: sample.name in blast.sweep()["asked"], 20)


def test_the_sweep_leaves_alone_what_was_recorded(blast, sample):
    blast.process(sample)
    assert sample.name not in blast.sweep()["asked"]


@pytest.mark.parametrize("off", [timedelta(days=-400), timedelta(days=400)])
def test_clocks_that_disagree_make_no_difference(blast, sample, off):
    blast.process(sample)
    blast.set_clock(sample.name, datetime.now(UTC) + off)  # a worker whose clock is wrong changed a row
    assert sample.name in blast.sweep()["asked"]
    wait_until(lambda: blast.is_settled(sample.name))
    assert sample.name not in blast.sweep()["asked"]
    assert numbers(blast, sample.name) == [0]


def test_a_run_that_begins_while_the_one_before_is_recorded_is_not_mixed_with_it(blast, sample):
    blast.process(sample)
    blast.show(brighter(sample))

    def begin_anew(request: Request) -> None:
        if request.kind == "LIST":
            blast.proxy.trouble = lambda _: None
            blast.workflow.prepare(sample.name)
            blast.workflow.stage(sample.name, "Cutout download")  # another image lies in the bucket now

    blast.proxy.trouble = begin_anew
    told = record(sample.name)
    assert (told["status"], told["kind"]) == ("failed", "busy")
    assert "went on while it was recorded" in told["error"]
    assert numbers(blast, sample.name) == [0]
    assert blast.run(sample.name).recorded["revision"] == 1


def test_what_a_sweep_asks_for_does_not_keep_blast_from_starting_the_workflow(blast, sample, monkeypatch):
    """Blast starts none as long as a task has the transient's name in its `args`."""
    from blastgit.contrib.blast import tasks
    from blastgit.contrib.blast.ledger import Ledger

    blast.process(sample)
    Ledger().edited([sample.name])
    sent = []
    monkeypatch.setattr(tasks.record_revision, "apply_async", lambda *args, **options: sent.append((args, options)))
    assert sample.name in blast.sweep()["asked"]
    assert [args for args, options in sent if sample.name in str(options["kwargs"])] == [()]


TROUBLES = {
    "denies": lambda request: 403 if request.kind == "LIST" else None,
    "throttles": lambda request: 503 if request.kind in ("LIST", "GET") else None,
    "breaks off": lambda request: "drop" if request.kind == "LIST" else None,
    "takes nothing in": lambda request: 403 if request.kind in ("COPY", "PUT") else None,
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_bucket_in_trouble_does_not_stop_the_workflow_and_the_sweep_makes_up_for_it(blast, sample, trouble):
    blast.proxy.trouble = TROUBLES[trouble]
    ended = blast.process(sample)
    assert (ended.verdict, ended.recorded["status"], ended.recorded["kind"]) == ("completed", "failed", "store")
    assert "s3://" in ended.recorded["error"]
    assert f"{sample.name} was not recorded (try 1); the sweep will try again" in blast.worker.log.read_text()
    blast.proxy.trouble = lambda _: None
    told = blast.sweep()
    assert sample.name in told["asked"]
    assert "s3://" in told["failing"][sample.name]
    blast.wait_for_revision(sample.name, 0)
    wait_until(lambda: sample.name not in blast.sweep()["failing"])


def test_a_data_repo_out_of_reach_does_not_stop_the_workflow(blast, sample):
    away = blast.repo.rename(blast.repo.with_name("away"))
    try:
        ended = blast.process(sample)
    finally:
        away.rename(blast.repo)
    assert (ended.verdict, ended.recorded["kind"]) == ("completed", "repo")
    blast.sweep()
    blast.wait_for_revision(sample.name, 0)


def test_a_recording_that_takes_too_long_is_given_up_and_the_chain_goes_on(blast, sample):
    blast.process(sample)
    go = threading.Event()

    def stall(request: Request) -> None:
        if request.kind == "LIST":
            go.wait(RUN_TIME)

    blast.proxy.trouble = stall
    started = time.monotonic()
    try:
        told = record(sample.name, soft_time_limit=3)
    finally:
        go.set()
    assert (told["status"], told["kind"]) == ("failed", "busy")
    assert time.monotonic() - started < 20  # though the bucket alone would be given 30 s to answer, four times


def test_a_task_without_a_transient_is_no_failure(blast):
    assert record("2026nosuch") == {"status": "gone", "transient": "2026nosuch"}
    from blastgit.contrib.blast import record_revision

    assert record_revision.delay().get(timeout=RUN_TIME)["status"] == "gone"
    assert record_revision.delay(None).get(timeout=RUN_TIME)["status"] == "gone"


def test_an_unknown_version_of_blast_is_recorded_with_a_word_about_it(blast, sample):
    (blast.sky / "app_version").write_text("v7.0.0")
    ended = blast.process(sample)
    assert (ended.verdict, ended.recorded["status"]) == ("completed", "recorded")
    assert "tested with 1.9 to 1.13" in ended.recorded["doubt"]
    assert blast.revisions(sample.name)[0].revision.app_version == "v7.0.0"


def test_two_deliveries_of_a_task_are_one_revision_and_no_reproduction(blast, sample):
    from celery import group

    from blastgit.contrib.blast import record_revision

    blast.process(sample)
    told = group(record_revision.si(sample.name) for _ in range(4))().get(timeout=RUN_TIME)
    assert [each["status"] for each in told] == ["unchanged"] * 4
    (entry,) = blast.revisions(sample.name)
    assert entry.reproductions == []


def test_a_worker_killed_in_the_middle_is_replaced_and_the_chain_goes_on(blast, sample):
    """Acks late: the message is delivered anew."""
    reached, go, killed = threading.Event(), threading.Event(), []

    def hold(request: Request) -> None:
        if request.kind == "GET" and not killed:
            reached.set()
            go.wait(RUN_TIME)

    blast.proxy.trouble = hold
    blast.show(sample)
    result = blast.workflow.start(sample.name)
    assert reached.wait(RUN_TIME)
    killed.append(blast.child_at_work())
    os.kill(killed[0], signal.SIGKILL)
    go.set()
    assert result.get(timeout=RUN_TIME) == "completed"
    assert numbers(blast, sample.name) == [0]
    assert DataRepo(blast.repo).verify(sample.name).problems == []


def test_a_recording_that_kills_its_worker_again_and_again_is_left_out_of_the_chain(blast, sample, monkeypatch):
    from blastgit.contrib.blast import tasks

    class Delivery:
        id = f"delivery of {sample.name}"
        delivery_info = {"redelivered": True}  # noqa: RUF012 (a stand-in)

    for _ in range(2):
        tasks._check_deaths(Delivery)
    with pytest.raises(Exception, match="3 workers died"):
        tasks._check_deaths(Delivery)


def test_a_broker_that_goes_away_loses_nothing_for_good(blast, sample, caplog):
    blast.show(sample)
    blast.run_here(sample.name)  # the message that asks for a recording is lost with the broker
    blast.redis.stop()
    with caplog.at_level(logging.ERROR, "blastgit.blast"):
        assert blast.sweep()["status"] == "failed"  # and does not raise
    assert "the next one goes on" in caplog.text
    blast.redis.start()
    wait_until(lambda: sample.name in blast.sweep().get("asked", []))
    blast.wait_for_revision(sample.name, 0)  # the worker found its broker again


def test_settings_that_make_no_sense_do_not_keep_a_worker_from_starting(blast, sample, environment, tmp_path):
    blast.show(sample)
    blast.run_here(sample.name)
    odd = {**environment, "BLASTGIT_TIME_LIMIT": "two minutes", "BLASTGIT_REPO": ""}
    with a_worker(tmp_path, odd, "odd"):
        told = record(sample.name, queue="odd")
    assert (told["status"], told["kind"]) == ("failed", "usage")
    assert "BLASTGIT_REPO" in told["error"]


def test_an_alias_alone_is_a_revision_once_somebody_asks(blast, sample):
    blast.process(sample)
    from host.sky import add_alias

    add_alias(sample.name, f"{sample.name}x")
    assert record(sample.name)["revision"] == 1
