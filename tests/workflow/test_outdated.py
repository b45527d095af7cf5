"""Out of date: a product whose inputs have changed since it was made."""

import copy
import json

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import Sample, change_image, edit_flux, flip_validation, refit, reprocess
from blastgit.demo.tables import TASKS
from blastgit.repository.init import init
from tests.reruns import new_image, ran

NAME = "2026dgt"
GLOBAL, LOCAL = "Global host SED inference", "Local host SED inference"
PHOTOMETRY = "Global aperture photometry"
IMAGE = "cutout_cdn/DES/DES_g.fits"  # the global fit of the sample was made without DES_z, which is contaminated


def outdated(repo, spec=NAME):
    standings = repo.validity(spec).validity.standings.values()
    return {each.stage.name for each in standings if each.state.value == "out of date"}


def test_all_is_up_to_date_in_a_first_revision_and_after_a_whole_new_run(repo_with, states):
    repo = repo_with(*states)
    assert [outdated(repo, f"{NAME}@{n}") for n in (0, 1)] == [set(), set()]
    assert [each.status for each in repo.log(NAME)] == ["complete", "complete"]


def test_a_fit_under_a_new_image_is_out_of_date_and_so_is_all_between(repo_with, sample):
    repo = repo_with(sample, new_image(sample))
    late = outdated(repo)
    assert {PHOTOMETRY, GLOBAL, LOCAL} <= late
    assert not {"Cutout download", "Host match", "Host MWEBV"} & late
    told = repo.validity(NAME).to_json()
    assert told["invalid"] == {}
    fit = told["out_of_date"]["sed/global.log_mass_50"]
    assert fit == {
        "state": "out of date", "stage": GLOBAL, "because": f"{IMAGE} changed since {NAME}@0", "changed": IMAGE,
        "since": f"{NAME}@0", "through": fit["through"],
    }  # fmt: skip
    assert IMAGE not in told["out_of_date"]
    assert "photometry/2026dgt_DES_z_global/DES_z.flux" not in told["out_of_date"]
    assert "photometry/2026dgt_DES_g_global/DES_g.flux" in told["out_of_date"]
    assert outdated(repo, f"{NAME}@0") == set()


def test_a_run_of_which_no_time_is_known_is_told_by_what_changed(repo_with, sample):
    assert outdated(repo_with(sample, change_image(sample, seed=2))) == set()


@pytest.mark.parametrize("change", [lambda s: refit(s, seed=3), lambda s: ran(refit(s, seed=3), *TASKS)])
def test_new_fits_of_the_same_photometry_are_up_to_date(repo_with, sample, change):
    assert outdated(repo_with(sample, change(sample))) == set()


def test_an_edited_flux_leaves_the_fit_behind_but_not_the_other_one(repo_with, sample):
    repo = repo_with(sample, edit_flux(sample, "DES_g", 1.001))
    assert GLOBAL in outdated(repo)
    assert LOCAL not in outdated(repo)


def test_what_a_fit_did_not_use_does_not_make_it_out_of_date(repo_with, sample):
    repo = repo_with(sample, edit_flux(sample, "DES_z", 1.5))
    assert not {GLOBAL, LOCAL} & outdated(repo)
    assert "Validate global photometry" in outdated(repo)


def test_the_image_of_a_contaminated_filter_concerns_the_fit_that_used_it(repo_with, sample):
    late = outdated(repo_with(sample, new_image(sample, "DES_z")))
    assert GLOBAL not in late
    assert {PHOTOMETRY, LOCAL} <= late


def test_a_photometry_that_a_fit_would_newly_use_does(repo_with, sample):
    assert GLOBAL in outdated(repo_with(sample, flip_validation(sample, ["DES_z"])))


@pytest.mark.parametrize(
    ("table", "field", "value", "late"),
    [
        ("transient", "spectroscopic_class", "SN Ic", False),
        ("transient", "software_version", "9.9.9", False),
        ("transient", "redshift", 0.07, True),
        ("host", "redshift_err", 0.5, False),
        ("host", "object_id", "77", False),
        ("host", "milkyway_dust_reddening", 0.5, True),
    ],
)
def test_only_what_a_stage_reads_counts(repo_with, sample, table, field, value, late):
    export = copy.deepcopy(sample.export)
    export[table]["fields"][field] = value
    export["transient"]["fields"]["photometric_class"] = "SN"
    assert (GLOBAL in outdated(repo_with(sample, Sample(export, sample.files)))) is late


@pytest.mark.parametrize(
    ("field", "value", "late"),
    [
        ("magnitude_zero_point", 30.5, {PHOTOMETRY, GLOBAL}),
        ("vosa_id", "other", set()),
        ("hips_id", "CDS/P/other", {"Cutout download", PHOTOMETRY}),
    ],
)
def test_of_a_filter_each_stage_reads_what_it_uses(repo_with, sample, field, value, late):
    export = copy.deepcopy(sample.export)
    row = next(each for each in export["filters"] if each["fields"]["name"] == "DES_g")
    row["fields"][field] = value
    found = outdated(repo_with(sample, Sample(export, sample.files)))
    assert late <= found
    assert bool(late) == bool(found)
    assert ("Cutout download" in found) == ("Cutout download" in late)


def test_a_run_that_gives_the_values_again_is_evidence_that_they_were_made_again(repo_with, sample, record, repo):
    changed = new_image(sample)
    repo_with(sample, changed)
    again = reprocess(changed, app_version="v1.13.1", export_time="2026-06-09T09:00:00+00:00", seed=1)
    assert record(repo, again).status == "unchanged"
    data = DataRepo(repo)
    assert outdated(data) == set()
    assert [t.status for t in data.list()] == ["complete"]


def test_a_run_of_some_stages_is_evidence_of_these(repo_with, sample, record, repo):
    changed = new_image(sample)
    repo_with(sample, changed)
    done = record(repo, ran(changed, "Generate thumbnail", "Generate thumbnail final"))
    assert done.status == "unchanged"
    assert done.marker
    assert GLOBAL in outdated(DataRepo(repo))
    chain = [task for task in TASKS if task != "Cutout download"]
    done = record(repo, ran(changed, *chain, hours=48))
    assert done.marker, "the same version gave the values again, and ran more this time"
    assert outdated(DataRepo(repo)) == set()
    assert not record(repo, ran(changed, *chain, hours=72)).marker
    assert main(["-C", str(repo), "verify"]) == 0


def test_a_new_image_after_a_reproduction_leaves_the_fit_behind(repo_with, states):
    first, second, _ = states
    repo = repo_with(first, second, new_image(second))
    assert GLOBAL in outdated(repo, f"{NAME}@1")


def test_times_tell_which_stages_ran(repo_with, sample):
    stages = "Cutout download", "Crop transient images", "Generate thumbnail", "Generate thumbnail final"
    assert {PHOTOMETRY, GLOBAL, LOCAL} <= outdated(repo_with(sample, ran(new_image(sample), *stages)))


def test_an_image_that_was_only_cropped_otherwise_concerns_nobody_before(repo_with, sample):
    changed = ran(new_image(sample), "Crop transient images", "Generate thumbnail final")
    assert outdated(repo_with(sample, changed)) == set()


def test_a_stage_that_ran_and_found_the_same_is_up_to_date(repo_with, sample):
    assert outdated(repo_with(sample, ran(new_image(sample), *TASKS))) == set()


def test_a_stage_that_ran_before_what_it_reads_did_not_use_it(repo_with, sample):
    early = ran(new_image(sample), *TASKS)
    late = outdated(repo_with(sample, ran(early, "Cutout download", hours=5)))
    assert {PHOTOMETRY, GLOBAL} <= late


def test_an_image_that_comes_back_as_it_was_makes_the_fit_right_again(repo_with, sample):
    repo = repo_with(sample, new_image(sample), ran(sample, "Cutout download", "Crop transient images", hours=3))
    assert outdated(repo, f"{NAME}@1")
    assert outdated(repo, f"{NAME}@2") == set()


def test_a_fit_of_old_photometry_is_out_of_date_however_new_it_is(repo_with, sample):
    image = ran(new_image(sample), "Cutout download")
    fitted = ran(refit(image, seed=8), GLOBAL, hours=48)
    late = outdated(repo_with(sample, image, fitted), f"{NAME}@2")
    assert {PHOTOMETRY, GLOBAL} <= late


def test_convenient_names_give_the_latest_good_one(repo_with, sample):
    repo = repo_with(sample, new_image(sample))
    for word in ("best-sed", "latest-complete", "latest-valid", "best-photometry"):
        assert repo.show(f"{NAME}@{word}:files").revision == f"{NAME}@0", word


def test_every_surface_says_so(repo_with, sample, capsys):
    repo = repo_with(sample, new_image(sample))
    at = ["-C", str(repo.path)]
    [listed] = repo.list()
    assert listed.status.startswith("out of date: ")
    assert main([*at, "list"]) == 0
    assert "out of date: " in capsys.readouterr().out
    assert main([*at, "show", NAME, "--validity"]) == 0
    shown = capsys.readouterr().out
    assert "out of date" in shown.splitlines()[0]
    assert f"{IMAGE} changed since {NAME}@0" in shown
    assert main([*at, "log", NAME]) == 0
    assert f"out of date, because {IMAGE} changed since {NAME}@0" in capsys.readouterr().out


def test_get_warns_and_is_strict_when_told_to(repo_with, sample, tmp_path, capsys):
    repo = repo_with(sample, new_image(sample))
    at = ["-C", str(repo.path)]
    assert main([*at, "get", NAME, str(tmp_path / "a")]) == 0
    assert f"out of date, because {IMAGE} changed since {NAME}@0" in capsys.readouterr().err
    assert main([*at, "get", NAME, str(tmp_path / "b"), "--only", "*.fits", "--strict"]) == 0
    assert main([*at, "get", NAME, str(tmp_path / "c"), "--strict"]) == 13
    assert "out of date" in capsys.readouterr().err
    assert (tmp_path / "c" / IMAGE).exists()
    assert not list((tmp_path / "c").rglob("*_global.h5"))
    assert main([*at, "show", f"{NAME}:sed/global.log_mass_50"]) == 0
    assert "out of date" in capsys.readouterr().err
    assert main([*at, "show", f"{NAME}:sed/global.log_mass_50", "--strict"]) == 13
    assert main([*at, "show", f"{NAME}:host.redshift", "--strict"]) == 0
    capsys.readouterr()
    assert main([*at, "get", NAME, str(tmp_path / "d"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert f"{IMAGE} changed since {NAME}@0" in told["out_of_date"]["sed_output/2026dgt_global.h5"]


def test_the_index_and_find_know_it_and_follow_when_a_run_made_it_again(repo_with, sample, record, repo, capsys):
    pytest.importorskip("duckdb", reason="the extra `index` is not installed")
    changed = new_image(sample)
    data = repo_with(sample, changed)
    columns = ("dataset", "is_complete", "is_out_of_date")
    assert [*data.find(columns=columns, all_revisions=True)] == [(f"{NAME}@0", True, False), (f"{NAME}@1", False, True)]
    assert [row[0] for row in data.find(out_of_date="global-host-sed-inference", columns=("dataset",))] == [f"{NAME}@1"]
    assert not [*data.find(out_of_date="Cutout download")]
    assert main(["-C", str(repo), "find", "--out-of-date", "any", "--format", "names"]) == 0
    assert capsys.readouterr().out == f"{NAME}@1\n"
    record(repo, reprocess(changed, app_version="v1.13.1", export_time="2026-06-09T09:00:00+00:00", seed=1))
    data = DataRepo(repo)
    assert not [*data.find(out_of_date="any")]
    assert [*data.find(columns=columns)] == [(f"{NAME}@1", True, False)]


def test_a_repo_elsewhere_tells_the_same(repo_with, sample):
    here = repo_with(sample, new_image(sample))
    there = DataRepo(here.path.as_uri())
    assert there.validity(NAME).to_json() == here.validity(NAME).to_json()
    assert [each.status for each in there.list()] == [each.status for each in here.list()]


@pytest.mark.slow
def test_no_real_rerun_raises_a_false_alarm(cases, repo):
    init(real := repo.parent / "real")
    for case in ("a_first", "b2_reprocess_new_version", "c1_one_image_changed"):
        folder = cases / "2010H" / case
        DataRepo(real).record("2010H", folder / "export.json", folder / "data")
        assert DataRepo(real).validity("2010H").validity.status == "complete", case
