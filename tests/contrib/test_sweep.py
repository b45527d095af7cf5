"""A sweep finds exactly the transients whose current state is not recorded."""

import logging

import pytest

from blastgit import DataRepo
from blastgit.demo import Sample

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def _repo(tmp_path_factory):
    return DataRepo.init(tmp_path_factory.mktemp("sweep") / "repo", simulated=True).path


@pytest.fixture(autouse=True)
def repo(idle, _repo, monkeypatch):
    """A data repo whose store is a folder, which is quicker to write than one in S3."""
    monkeypatch.setenv("BLASTGIT_REPO", str(_repo))
    return DataRepo(_repo)


@pytest.fixture
def asked(idle, monkeypatch):
    """Make a sweep, and return what it asks for; nothing is sent off."""
    from blastgit.contrib.blast import tasks

    monkeypatch.setattr(tasks.record_revision, "apply_async", lambda **_: None)
    return lambda: idle.sweep()["asked"]


@pytest.fixture
def recorded(idle, sample) -> str:
    """A transient that was recorded as it stands."""
    return record(idle, sample)


def record(blast, sample: Sample) -> str:
    blast.show(sample)
    blast.run_here(sample.name)
    assert blast.record_here(sample.name)["status"] == "recorded"
    return sample.name


def with_host(sample: Sample, name: str) -> Sample:
    fields = {**sample.export["host"]["fields"], "name": name}
    return Sample({**sample.export, "host": {**sample.export["host"], "fields": fields}}, sample.files)


def rows(table: str, name: str):
    from django.apps import apps

    return apps.get_model("host", table).objects.filter(transient__name=name)


def test_a_field_that_changes_without_a_task_makes_a_transient_due(idle, recorded, asked):
    from host.models import Transient

    assert recorded not in asked()
    Transient.objects.filter(name=recorded).update(spectroscopic_class="SN IIb")
    assert recorded in asked()
    assert idle.record_here(recorded)["revision"] == 1
    assert recorded not in asked()


@pytest.mark.parametrize("field", ["progress", "update_comment"])
def test_a_field_that_does_not_count_does_not(recorded, asked, field):
    from host.models import Transient

    Transient.objects.filter(name=recorded).update(**{field: "7"})
    assert recorded not in asked()


def test_an_alias_makes_a_transient_due(recorded, asked):
    from host.sky import add_alias

    add_alias(recorded, f"{recorded}x")
    assert recorded in asked()


def test_all_transients_of_a_host_are_due_when_it_changes(idle, sample, asked):
    from host.models import Alias, Host

    from blastgit.demo import small

    shared = f"host of {sample.name}"
    other = small(f"{sample.name}b")
    other = Sample({**other.export, "host": sample.export["host"]}, other.files)
    names = {record(idle, with_host(each, shared)) for each in (sample, other)}
    assert idle.record_here(sample.name)["status"] == "unchanged"  # with the other one, the filters were saved again
    assert not names & set(asked())
    Host.objects.filter(name=shared).update(redshift=0.5)
    assert names <= set(asked())
    assert [idle.record_here(name)["revision"] for name in sorted(names)] == [1, 1]
    assert not names & set(asked())
    Alias.objects.create(alias=f"{sample.name}host", host=Host.objects.get(name=shared))
    assert names <= set(asked())


def test_a_transient_without_a_host_or_a_task_is_due_once_it_stands_still(idle, sample, asked, monkeypatch):
    from host.models import Transient

    Transient.objects.create(name=sample.name, ra_deg=1.0, dec_deg=2.0, tns_id=0, tns_prefix="SN")
    assert sample.name in asked()
    assert idle.record_here(sample.name)["status"] == "recorded"
    assert sample.name not in asked()


def test_after_the_cache_was_emptied_what_is_published_is_not_recorded_again(idle, recorded, asked):
    idle.empty_cache()
    assert recorded not in asked()
    assert idle.is_settled(recorded)


def test_after_the_cache_was_emptied_what_is_not_published_is_recorded(idle, recorded, sample, asked):
    from host.models import Host

    idle.run_here(recorded)  # the message that asks for a recording is lost with the cache
    idle.empty_cache()
    assert recorded in asked()
    idle.record_here(recorded)
    Host.objects.filter(name=sample.export["host"]["fields"]["name"]).update(redshift=0.7)
    idle.empty_cache()
    assert recorded in asked()


def test_the_digest_of_a_document_is_that_of_the_database(repo, recorded):
    from blastgit.contrib.blast.standing import standing_of, standings

    (standing,) = standings([recorded])
    assert standing_of(repo.show(recorded).value).state == standing.state


def test_nonfinite_numbers_and_times_have_the_same_digest_in_the_database_and_in_a_document(idle, repo, recorded):
    from datetime import UTC, datetime

    from host.models import Transient

    from blastgit.contrib.blast.standing import standing_of, standings

    moment = datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    Transient.objects.filter(name=recorded).update(public_timestamp=moment, redshift=float("inf"))
    assert idle.record_here(recorded)["revision"] == 1
    (standing,) = standings([recorded])
    assert standing_of(repo.show(recorded).value).state == standing.state


def test_an_edit_that_was_noticed_while_a_transient_is_recorded_is_looked_at_again(idle, recorded, asked, monkeypatch):
    from blastgit.contrib.blast import instance
    from blastgit.contrib.blast.ledger import Ledger

    export = instance.export_of

    def export_of(name):
        exported = export(name)
        Ledger().edited([name])
        return exported

    Ledger().edited([recorded])
    assert recorded in asked()
    monkeypatch.setattr(instance, "export_of", export_of)
    idle.record_here(recorded)
    assert recorded in asked()
    monkeypatch.setattr(instance, "export_of", export)
    idle.record_here(recorded)
    assert recorded not in asked()


def test_a_failure_is_logged_once_as_long_as_it_is_the_same(idle, recorded, asked, caplog, monkeypatch):
    from blastgit.contrib.blast.ledger import Ledger

    Ledger().edited([recorded])
    with caplog.at_level(logging.ERROR, "blastgit.blast"):
        monkeypatch.setenv("BLASTGIT_REPO", "/nowhere/at/all")
        assert idle.record_here(recorded)["tries"] == 1
        assert idle.record_here(recorded)["tries"] == 2
        assert idle.sweep()["failing"][recorded]
        idle.sweep()
        assert [recorded in record.getMessage() for record in caplog.records].count(True) == 1
        monkeypatch.setenv("S3_BUCKET", "")
        idle.record_here(recorded)
        assert [recorded in record.getMessage() for record in caplog.records].count(True) == 2


def test_a_failure_that_lasts_is_logged_once_a_day(idle, recorded, caplog, monkeypatch):
    from django.core.cache import cache

    from blastgit.contrib.blast.ledger import Ledger

    Ledger().edited([recorded])
    monkeypatch.setenv("BLASTGIT_REPO", "/nowhere/at/all")
    idle.record_here(recorded)
    assert 86000 < _seconds_left(cache, f"blastgit:reported:{recorded}") <= 86400
    cache.delete(f"blastgit:reported:{recorded}")  # a day later
    caplog.clear()
    with caplog.at_level(logging.ERROR, "blastgit.blast"):
        idle.sweep()
    assert [recorded in record.getMessage() for record in caplog.records].count(True) == 1


def _seconds_left(cache, key):
    return cache._cache.get_client(key).ttl(cache.make_key(key))


def test_a_worker_without_its_data_repo_is_not_advised_to_make_one(idle, recorded, monkeypatch):
    monkeypatch.setenv("BLASTGIT_REPO", "/nowhere/at/all")
    error = idle.record_here(recorded)["error"]
    assert "/nowhere/at/all" in error
    assert "mounted" in error
    assert "init" not in error


def test_what_an_operator_changed_in_the_schedule_stays(idle):
    pytest.importorskip("django_celery_beat")
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    from blastgit.contrib.blast.schedule import NAME, schedule_sweep

    PeriodicTask.objects.filter(name=NAME).delete()
    assert schedule_sweep()
    (task,) = PeriodicTask.objects.filter(name=NAME)
    assert (task.task, task.interval.every, task.enabled) == ("blastgit.sweep", 300, True)
    task.interval, _ = IntervalSchedule.objects.get_or_create(every=60, period=IntervalSchedule.SECONDS)
    task.enabled = False
    task.save()
    assert not schedule_sweep()
    (task,) = PeriodicTask.objects.filter(name=NAME)
    assert (task.interval.every, task.enabled) == (60, False)
