"""The history of transients in Blast's own pages, REST API, archive and admin."""

import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import time
from datetime import datetime

import pytest

from blastgit import DataRepo
from blastgit.demo import edit_flux, fail_stage, small
from tests.contrib.conftest import worker_environment
from tests.settings import add_settings

pytestmark = pytest.mark.slow

NAME = "2026history"
WEB = "https://data.example.org"


@pytest.fixture(scope="module")
def sample():
    return small(NAME)


@pytest.fixture(scope="module")
def repo(_django, tmp_path_factory, sample):
    """A data repo with two revisions; the second has another flux."""
    folder = tmp_path_factory.mktemp("django")
    made = DataRepo.init(folder / "repo", simulated=True)
    for number, state in enumerate((sample, edit_flux(sample, "DES_z", 1.5))):
        export, data = state.write(folder / str(number))
        made.record(NAME, export, data)
    return made


@pytest.fixture
def site(_django, repo, monkeypatch, settings):
    """A visitor of the site."""
    from django.test import Client

    monkeypatch.setenv("BLASTGIT_REPO", str(repo.path))
    settings(BLASTGIT={"WEB": WEB, "BASE_TEMPLATE": "host/base.html"})
    return Client(raise_request_exception=True)


@pytest.fixture
def settings():
    from django.test import override_settings

    made = []

    def change(**values):
        made.append(override_settings(**values))
        made[-1].enable()

    yield change
    for each in made[::-1]:
        each.disable()


@pytest.fixture
def user(_django):
    """Make a user with some permissions, logged in."""
    from django.contrib.auth.models import Permission, User
    from django.test import Client

    made = []

    def make(*permissions):
        user = User.objects.create_user(f"u{len(made)}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        made.append(user)
        client = Client()
        client.force_login(user)
        return client

    yield make
    for each in made:
        each.delete()


@pytest.fixture
def transient(_django):
    """A transient in Blast's database, with a host, a cutout and photometry."""
    from host.models import Aperture, AperturePhotometry, Cutout, Filter, Host, SEDFittingResult, Survey, Transient

    host = Host.objects.create(name=f"host of {NAME}", ra_deg=1.0, dec_deg=2.0)
    made = Transient.objects.create(name=NAME, ra_deg=1.0, dec_deg=2.0, tns_id=0, tns_prefix="SN", host=host)
    survey, _ = Survey.objects.get_or_create(name="DES")
    band, _ = Filter.objects.get_or_create(name="DES_q", survey=survey)
    cutout = Cutout.objects.create(name=f"{NAME}_q", filter=band, transient=made)
    where = {"ra_deg": 1.0, "dec_deg": 2.0, "orientation_deg": 0.0}
    aperture = Aperture.objects.create(
        name=f"{NAME}_local", type="local", transient=made, cutout=cutout, semi_major_axis_arcsec=1.0,
        semi_minor_axis_arcsec=1.0, **where,
    )  # fmt: skip
    AperturePhotometry.objects.create(aperture=aperture, filter=band, transient=made, flux=1.0)
    SEDFittingResult.objects.create(aperture=aperture, transient=made)
    yield made
    made.delete()
    host.delete()
    band.delete()


def is_due() -> bool:
    from blastgit.contrib.blast.ledger import Ledger
    from blastgit.contrib.blast.standing import standings

    (standing,) = Ledger().with_edits(list(standings([NAME])))
    return Ledger().recorded([NAME]).get(NAME) != standing.state


def settle() -> None:
    from blastgit.contrib.blast.ledger import Ledger
    from blastgit.contrib.blast.standing import standings

    Ledger().done(Ledger().with_edits(list(standings([NAME])))[0])
    assert not is_due()


def test_the_page_shows_all_revisions_and_of_one_all_that_there_is_to_know(site):
    page = site.get(f"/transients/{NAME}/history/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "a page of the small Blast" in text  # its base template
    assert text.index(f"{NAME}@1") < text.index(f"{NAME}@0")
    assert "flux" in re.search(r"What changed</h5>(.*?)</ul>", text, re.DOTALL)[1]
    assert f'href="{WEB}/t/{NAME}@1"' in text
    assert f'href="{WEB}/compare/{NAME}@0...{NAME}@1"' in text
    assert f'href="/api/transient/export/{NAME}/all/?revision=1"' in text
    assert "Version 1." in text
    assert "BibTeX" in text


def test_the_page_of_an_older_revision(site, settings):
    settings(BLASTGIT={"SITE": "https://blast.example.org", "BASE_TEMPLATE": "host/base.html"})
    text = site.get(f"/transients/{NAME}/history/?revision=0").content.decode()
    assert "This is the first revision, with" in text
    assert f'href="https://blast.example.org/transients/{NAME}/history/?revision=0"' in text
    assert "/compare/" not in text
    assert site.get(f"/transients/{NAME}/history/?revision=7").status_code == 404


def test_the_page_of_what_was_never_recorded_and_of_a_data_repo_that_is_away(site, monkeypatch):
    assert "No revision of 2026new" in site.get("/transients/2026new/history/").content.decode()
    monkeypatch.setenv("BLASTGIT_REPO", "/nowhere/at/all")
    page = site.get(f"/transients/{NAME}/history/")
    assert page.status_code == 503
    assert "cannot be read now" in page.content.decode()


def test_the_tab_leads_to_the_page(site):
    from django.template import Context, Template

    tab = Template("{% load blastgit %}{% history_tab name %}").render(Context({"name": NAME}))
    assert f'href="/transients/{NAME}/history/"' in tab


def test_the_list_of_revisions(site):
    told = site.get(f"/api/transient/{NAME}/revisions/").json()
    assert (told["transient"], told["count"]) == (NAME, 2)
    assert [each["revision"] for each in told["revisions"]] == [1, 0]
    assert told["revisions"][0]["compare"] == f"{WEB}/compare/{NAME}@0...{NAME}@1"
    missing = site.get("/api/transient/2026new/revisions/")
    assert (missing.status_code, "2026new" in missing.json()["message"]) == (404, True)


def test_the_export_of_a_revision(site, sample):
    first, second = (site.get(f"/api/transient/export/{NAME}/?revision={number}").json() for number in (0, 1))
    assert [each["metadata"]["dataset_version"] for each in (first, second)] == [0, 1]
    assert first["metadata"]["permalink"] == f"{WEB}/t/{NAME}@0"
    assert first["transient"]["fields"] == sample.export["transient"]["fields"]
    assert first["apertures"] != second["apertures"]


def test_the_archive_of_a_revision_has_its_files(site, sample):
    answer = site.get(f"/api/transient/export/{NAME}/all/?revision=0")
    assert f'filename="{NAME}@0.tar.gz"' in answer["Content-Disposition"]
    with tarfile.open(fileobj=io.BytesIO(b"".join(answer.streaming_content))) as archive:
        names = archive.getnames()
        assert json.load(archive.extractfile("transient.json"))["transient"]["fields"]["name"] == NAME
    assert len(names) == 1 + len(sample.files)


@pytest.mark.parametrize(("asked", "status"), [("revision=9", 404), ("revision=one", 400), ("revision=-1", 400)])
@pytest.mark.parametrize("address", [f"export/{NAME}/", f"export/{NAME}/all/", f"get/{NAME}"])
def test_what_is_no_revision_is_answered_as_blast_answers(site, address, asked, status):
    answer = site.get(f"/api/transient/{address}?{asked}")
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)


def test_the_flat_table_of_a_revision(site, sample):
    told = site.get(f"/api/transient/get/{NAME}?revision=0").json()
    fields = sample.export["transient"]["fields"]
    assert (told["transient_name"], told["transient_redshift"]) == (NAME, fields["redshift"])
    assert told["host_name"] == sample.export["host"]["fields"]["name"]
    assert "transient_tns_id" not in told
    (local,) = [each for each in sample.export["apertures"] if each["fields"]["type"] == "local"]
    assert told["local_aperture_semi_major_axis_arcsec"] == local["fields"]["semi_major_axis_arcsec"]
    band = {row["pk"]: row["fields"]["name"] for row in sample.export["filters"]}
    for row in local["aperturephotometry"]:
        assert told[f"local_aperture_{band[row['fields']['filter']]}_flux"] == row["fields"]["flux"]
    assert told["local_aperture_host_log_mass_50"] == local["sedfittingresults"][0]["fields"]["log_mass_50"]


def test_without_a_revision_blast_answers_itself(site, transient):
    assert site.get(f"/api/transient/get/{NAME}").json() == {"asked of Blast": NAME}
    assert site.get(f"/api/transient/export/{NAME}/").json()["transient"]["fields"]["name"] == NAME


def test_what_the_site_exports_says_which_revision_it_is_as_long_as_it_is_one(site, transient):
    from host.models import Transient

    settle()
    metadata = site.get(f"/api/transient/export/{NAME}/").json()["metadata"]
    assert (metadata["dataset_version"], metadata["permalink"]) == (1, f"{WEB}/t/{NAME}@1")
    Transient.objects.filter(name=NAME).update(redshift=0.9)
    metadata = site.get(f"/api/transient/export/{NAME}/").json()["metadata"]
    assert (metadata["dataset_version"], metadata["permalink"]) == (None, None)


def test_the_number_and_the_permalink_are_no_part_of_what_is_recorded(site, repo, sample, tmp_path):
    _, data = sample.write(tmp_path)
    published = site.get(f"/api/transient/export/{NAME}/?revision=0").json()
    published.pop("files")
    stamped = {**published, "metadata": {**published["metadata"], "dataset_version": None}}
    other = DataRepo.init(tmp_path / "repo", simulated=True)
    other.record(NAME, json.dumps(stamped).encode(), data)
    metadata = other.show(NAME).value["metadata"]
    assert (metadata["dataset_version"], "permalink" in metadata) == (0, False)


def test_an_export_does_not_depend_on_the_data_repo(site, transient, monkeypatch):
    settle()
    monkeypatch.setenv("BLASTGIT_REPO", "/nowhere/at/all")
    assert site.get(f"/api/transient/export/{NAME}/").json()["metadata"]["dataset_version"] is None


def test_blasts_permissions_hold(site, user, monkeypatch):
    from rest_framework import permissions
    from rest_framework.views import APIView

    from blastgit.contrib.django import api

    for view in (api.list_revisions, api._export, api._get):
        monkeypatch.setattr(view.cls, "permission_classes", [permissions.IsAuthenticated])
    assert APIView.permission_classes
    addresses = [f"{NAME}/revisions/", f"export/{NAME}/?revision=0", f"get/{NAME}?revision=0"]
    assert {site.get(f"/api/transient/{each}").status_code for each in addresses} == {403}
    assert {user().get(f"/api/transient/{each}").status_code for each in addresses} == {200}


EDITS = {
    "a row saved": lambda rows: rows("AperturePhotometry").get().save(),
    "a row deleted": lambda rows: rows("AperturePhotometry").get().delete(),
    "a fit saved": lambda rows: rows("SEDFittingResult").get().save(),
    "bins linked": lambda rows: rows("SEDFittingResult").get().logsfh.add(rows("StarFormationHistoryResult").create()),
    "a filter of its cutouts saved": lambda rows: rows("Cutout").get().filter.save(),
    "the transient": lambda rows: rows("Transient").update(redshift=0.77),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_makes_the_transient_due_at_once(transient, edit):
    from host import models

    def rows(table):
        own = {"name": NAME} if table == "Transient" else {"transient": transient}
        found = getattr(models, table).objects.filter(**own)
        found.create = lambda: getattr(models, table).objects.create(**own)
        return found

    settle()
    EDITS[edit](rows)
    assert is_due()


def test_an_edit_that_is_rolled_back_makes_nothing_due(transient):
    from django.db import transaction
    from host.models import Cutout

    settle()
    with transaction.atomic():
        Cutout.objects.get(transient=transient).save()
        transaction.set_rollback(True)
    assert not is_due()


def test_an_edit_does_not_depend_on_the_cache(transient, settings):
    from host.models import Cutout

    away = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    settings(CACHES={"default": away})
    Cutout.objects.filter(transient=transient).get().save()


def test_the_admin_lists_what_is_recorded_due_and_failing(site, user, transient):
    from blastgit.contrib.blast.ledger import Ledger

    client = user("view_transient")
    settle()
    text = client.get("/admin/blastgit/recordedtransient/").content.decode()
    row = re.search(rf"<tr>(?:(?!</tr>).)*{NAME}.*?</tr>", text, re.DOTALL)[0]
    assert re.search(r'field-revision">1<', row)
    assert "recorded" in row
    transient.redshift = 0.5
    transient.save()
    Ledger().failed(NAME, "the store is away")
    text = client.get("/admin/blastgit/recordedtransient/").content.decode()
    row = re.search(rf"<tr>(?:(?!</tr>).)*{NAME}.*?</tr>", text, re.DOTALL)[0]
    assert "failing" in row
    assert "the store is away" in row
    assert re.search(r'field-failing_since[^>]*">2\d{3}-', row)


def test_record_now_is_for_those_who_may_retrigger(site, user, transient, monkeypatch):
    from blastgit.contrib.blast import tasks

    sent = []
    monkeypatch.setattr(tasks.record_revision, "apply_async", lambda **options: sent.append(options["kwargs"]))
    data = {"action": "record_now", "_selected_action": [str(transient.pk)]}
    user("view_transient").post("/admin/blastgit/recordedtransient/", data)
    assert sent == []
    user("view_transient", "retrigger_transient").post("/admin/blastgit/recordedtransient/", data)
    assert sent == [{"transient_name": NAME}]


def test_no_migration_is_wanted(site):
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


MIGRATE = """
import django, os, sys
from django.conf import settings
from app import settings as small
sys.path.insert(0, os.environ["MIGRATIONS"])
given = {name: getattr(small, name) for name in dir(small) if name.isupper()}
settings.configure(**given, MIGRATION_MODULES={"host": "migrations_of_host"})
django.setup()
from django.core.management import call_command
call_command("makemigrations", "host", verbosity=0)
call_command("migrate", "host", verbosity=0)  # the tables of beat are not there yet
call_command("migrate", verbosity=0)
call_command("makemigrations", check=True, dry_run=True, verbosity=0)
from django.contrib import admin
from blastgit.contrib.django.models import RecordedTransient
print(admin.site.is_registered(RecordedTransient), RecordedTransient.objects.count())
"""


def test_it_migrates_beside_an_app_that_has_migrations_as_blasts_own_has(environment, tmp_path):
    (tmp_path / "migrations_of_host").mkdir()
    (tmp_path / "migrations_of_host" / "__init__.py").touch()
    told = worker_environment(environment) | {"DB_NAME": str(tmp_path / "db"), "MIGRATIONS": str(tmp_path)}
    del told["DJANGO_SETTINGS_MODULE"]
    done = subprocess.run([sys.executable, "-c", MIGRATE], env=told, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["True", "0"]), done.stderr


def test_migrating_has_the_sweep_scheduled(site):
    from django.core.management import call_command
    from django_celery_beat.models import PeriodicTask

    from blastgit.contrib.blast.schedule import NAME as SWEEP

    PeriodicTask.objects.filter(name=SWEEP).delete()
    call_command("migrate", run_syncdb=True, verbosity=0)
    assert PeriodicTask.objects.filter(name=SWEEP).count() == 1


@pytest.fixture
def drafted(site, repo, sample, tmp_path, monkeypatch):
    """The site over a copy of the data repo in which a later run failed, and only complete states get a number."""
    copy = tmp_path / "copy"
    shutil.copytree(repo.path, copy)
    add_settings(copy, "publish: complete")
    (tmp_path / "in").mkdir()
    export, data = fail_stage(sample, "Global host SED inference").write(tmp_path / "in")
    assert DataRepo(copy).record(sample.name, export, data).status == "draft"
    monkeypatch.setenv("BLASTGIT_REPO", str(copy))
    return site


def test_a_draft_is_said_to_be_one(drafted, sample):
    page = drafted.get(f"/transients/{sample.name}/history/").content.decode()
    assert "kept as a draft" in page
    assert "Global host SED inference failed" in page
    told = drafted.get(f"/api/transient/{sample.name}/revisions/").json()
    assert told["draft"]["open"] is True
    assert all("draft" not in each["dataset"] for each in told["revisions"])


def test_prometheus_reads_how_recordings_and_sweeps_went(site, tmp_path, monkeypatch):
    from blastgit.contrib.blast.metrics import Metrics, write
    from blastgit.contrib.blast.standing import Standing

    before = figures(site)
    metrics = Metrics()
    metrics.recorded("recorded", 1.5)
    metrics.recorded("failed", 400)
    moment = "2026-06-01T00:00:00+00:00"
    metrics.swept([Standing("a", "", ""), Standing("b", "2026-07-01T00:00:00+00:00", ""), Standing("c", moment, "")], 1)
    now = figures(site)
    grown = {key: now[key] - before.get(key, 0) for key in now}
    assert grown['blastgit_recording_seconds_count{outcome="recorded"}'] == 1
    assert grown['blastgit_recording_seconds_sum{outcome="recorded"}'] == pytest.approx(1.5)
    assert grown['blastgit_recording_seconds_bucket{outcome="recorded",le="1"}'] == 0
    assert grown['blastgit_recording_seconds_bucket{outcome="recorded",le="2"}'] == 1
    assert grown['blastgit_recording_seconds_bucket{outcome="failed",le="600"}'] == 1
    assert now["blastgit_unrecorded_transients"] == 3
    assert now["blastgit_failing_transients"] == 1
    assert now["blastgit_oldest_unrecorded_timestamp_seconds"] == datetime.fromisoformat(moment).timestamp()
    assert now["blastgit_last_sweep_timestamp_seconds"] == pytest.approx(time.time(), abs=60)
    monkeypatch.setenv("BLASTGIT_METRICS", str(tmp_path / "blastgit.prom"))
    write(metrics.text())
    assert (tmp_path / "blastgit.prom").read_text() == site.get("/blastgit/metrics").content.decode()
    assert len(list(tmp_path.iterdir())) == 1


def figures(site):
    text = site.get("/blastgit/metrics").content.decode()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}
