"""Failures are data: what is invalid after which failure, and how `get`, `show` and the library treat it."""

import json
from datetime import timedelta

import pygit2
import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import break_off, fail_stage, reprocess, without_host
from blastgit.errors import InvalidData, NotFound
from blastgit.revision.rules import default_rules
from blastgit.workflow.stages import default_stages
from blastgit.workflow.validity import Ending, endings, judge

IMAGE = "cutout_cdn/DES/DES_z.fits"
THUMBNAIL = "cutout_cdn/DES/DES_z.jpg"


def judged(sample, as_export):
    return judge(endings(as_export(sample.export).document, default_rules()), default_stages(), default_rules())


def state(validity, path):
    problem = validity.problem(path)
    return None if problem is None else problem.state


@pytest.fixture
def broken(repo, sample, record):
    """Record 2026dgt, then a later run in which one task failed; revision 1 holds what it left."""

    def call(task, message="failed", **options):
        record(repo, sample)
        again = reprocess(sample, app_version="v1.13.1", export_time="2026-06-02T09:00:00+00:00", seed=1)
        assert record(repo, break_off(again, task, message, **options)).revision == 1
        return DataRepo(repo)

    return call


def test_all_is_valid_when_every_stage_succeeded(sample, as_export):
    validity = judged(sample, as_export)
    assert validity.is_complete
    assert validity.problems([IMAGE, "host.redshift", "sed/global.log_mass_50"]) == {}
    assert validity.failures == []


@pytest.mark.parametrize(
    ("task", "message", "invalid", "valid"),
    [
        # a harmless failure: only the thumbnail itself
        ("Generate thumbnail final", "failed", {THUMBNAIL: "unfinished"}, [IMAGE, "sed/global.log_mass_50"]),
        ("Generate thumbnail SED local", "failed", {"sed_output/2026dgt_local.jpg": "failed"}, ["sed/local.age_50"]),
        # what is made, and what follows; the other branch stands
        (
            "Global host SED inference",
            "failed",
            {"sed/global.log_mass_50": "failed", "sed_output/2026dgt_global.h5": "failed", "sfh/global/0.1.x": "failed",
             "sed_output/2026dgt_global.jpg": "stale"},
            ["sed/local.log_mass_50", "sed_output/2026dgt_local.h5", "photometry/2026dgt_DES_z_global/DES_z.flux"],
        ),
        (
            "Host MWEBV",
            "no host MWEBV",
            {"host.milkyway_dust_reddening": "unfinished", "sed/global.age_50": "stale"},
            ["host.redshift", "sed/local.age_50", IMAGE],
        ),
        (
            "Validate global photometry",
            "phot valid failed",
            {"photometry/2026dgt_DES_z_global/DES_z.is_validated": "unfinished", IMAGE: "unfinished",
             "sed/global.age_50": "stale"},
            ["photometry/2026dgt_DES_z_global/DES_z.flux", "sed/local.age_50"],
        ),
        (
            "Cutout download",
            "failed",
            {IMAGE: "failed", "cutouts/2026dgt_DES_z.fits": "failed", "host.redshift": "stale", THUMBNAIL: "stale",
             "photometry/2026dgt_local/DES_z.flux": "stale", "transient.milkyway_dust_reddening": "stale"},
            ["transient.redshift", "filters/DES_z.survey"],
        ),
        # findings about the sky are no failures: what does not apply is left over, what was made stands
        (
            "Host match",
            "no host match",
            {"host.name": "stale", "host.redshift": "stale", "transient.host": "stale", "sed/local.age_50": "stale"},
            [IMAGE, THUMBNAIL, "transient.milkyway_dust_reddening"],
        ),
        (
            "Validate local photometry",
            "no valid phot",
            {"sed/local.age_50": "stale", "sed_output/2026dgt_local.h5": "stale"},
            ["photometry/2026dgt_local/DES_z.is_validated", "sed/global.age_50", IMAGE],
        ),
        ("Global host SED inference", "redshift too high", {"sed/global.age_50": "stale"}, ["sed/local.age_50"]),
    ],
)  # fmt: skip
def test_what_a_failure_makes_invalid(sample, as_export, task, message, invalid, valid):
    validity = judged(break_off(sample, task, message), as_export)
    assert {path: state(validity, path) for path in invalid} == invalid
    assert {path: state(validity, path) for path in valid} == dict.fromkeys(valid)
    assert [standing.stage.name for standing in validity.failures] == [task]
    assert not validity.is_complete


def test_a_raised_task_leaves_what_did_not_run_invalid_though_nothing_says_that_it_failed(sample, as_export):
    validity = judged(break_off(sample, "Global host SED inference", raises=True), as_export)
    assert state(validity, "sed/global.age_50") == "failed"
    assert state(validity, "sed/local.age_50") == "stale"
    assert str(validity.problem("sed/local.age_50")) == (
        "left over from an earlier run: Local host SED inference did not run"
    )
    assert state(validity, IMAGE) is None


def test_a_result_that_is_older_than_a_failure_before_it_is_invalid_although_it_says_processed(sample, as_export):
    validity = judged(fail_stage(sample, "Host match"), as_export)
    assert state(validity, "sed/global.age_50") == "stale"


def test_the_reason_names_where_it_began(sample, as_export):
    validity = judged(break_off(sample, "Global aperture construction"), as_export)
    assert str(validity.problem("sed/global.age_50")) == (
        "left over from an earlier run: Global host SED inference could not run, because Global aperture "
        "construction ended with 'failed'"
    )


def test_what_an_older_blast_did_not_know_passes_for_sound(sample, as_export):
    document = {**sample.export, "workflow_tasks": []}
    assert judge(endings(document, default_rules()), default_stages(), default_rules()).is_complete


def test_an_outcome_under_its_former_name_is_understood(sample, as_export):
    validity = judged(break_off(sample, "Host match", "no GHOST match"), as_export)
    assert state(validity, IMAGE) is None


def test_a_remark_tells_that_an_image_is_as_it_was_downloaded(sample, as_export):
    validity = judged(without_host(sample), as_export)
    assert validity.remark(IMAGE).startswith("as Cutout download left it: Crop transient images does not apply")
    assert validity.remark("sed_output/2026dgt_local.h5") is None
    assert judged(sample, as_export).remark(IMAGE) is None


def test_a_stage_of_which_only_a_marker_knows_fails_with_its_reason():
    ends = {"Host match": Ending("failed", True, "the catalogue was down")}
    validity = judge(ends, default_stages(), default_rules())
    assert str(validity.problem("host.name")) == "Host match ended with 'failed' (the catalogue was down)"


# get


def test_get_brings_what_is_valid_names_the_rest_and_fails(broken, sample, tmp_path):
    repo = broken("Global host SED inference")
    with pytest.raises(InvalidData) as told:
        repo.get("2026dgt", tmp_path / "got")
    there = {str(path.relative_to(tmp_path / "got")) for path in (tmp_path / "got").rglob("*") if path.is_file()}
    assert {"2026dgt.json", IMAGE, "sed_output/2026dgt_local.h5"} <= there
    assert not [path for path in there if "_global" in path]
    text = str(told.value)
    assert text.startswith("2026dgt@1 is in part invalid: Global host SED inference ended with 'failed'")
    assert "values (sed/global, sfh/global) and 5 files (sed_output), the same as in 2026dgt@0" in text
    assert f"What is valid (11 files) is in {tmp_path}/got. " in text
    assert "2026dgt@latest-complete" in text


def test_get_brings_everything_when_told_to(broken, sample, tmp_path):
    repo = broken("Cutout download")
    got = repo.get("2026dgt", tmp_path / "got", even_invalid=True)
    revision = repo.show("2026dgt:files").value
    assert set(got.written) == {*revision, "2026dgt.json"}
    assert got.invalid[IMAGE] == "Cutout download ended with 'failed'"
    assert got.to_json()["invalid"] == got.invalid


def test_get_of_a_valid_part_is_no_failure(broken, tmp_path):
    repo = broken("Global host SED inference")
    assert repo.get("2026dgt", tmp_path / "images", only="*.fits").invalid == {}
    assert repo.get("2026dgt@0", tmp_path / "before").invalid == {}


def test_get_of_nothing_but_invalid_files_writes_nothing(broken, tmp_path):
    repo = broken("Global host SED inference")
    with pytest.raises(InvalidData, match=r"2026dgt_global\.h5, which is invalid: Global host SED inference ended"):
        repo.get("2026dgt", tmp_path / "got", only="*_global.h5")
    assert not (tmp_path / "got").exists()


def test_a_transient_without_host_comes_whole_with_a_remark(repo, sample, record, tmp_path):
    record(repo, without_host(sample))
    got = DataRepo(repo).get("2026dgt", tmp_path / "got")
    assert got.invalid == {}
    assert "Crop transient images does not apply" in got.remarks[IMAGE]


def test_uncropped_images_beside_a_failure_are_told_from_those_of_the_run_before(broken, tmp_path):
    repo = broken("Validate global photometry", "phot valid failed")
    with pytest.raises(InvalidData) as told:
        repo.show(f"2026dgt:{IMAGE}")
    assert "unfinished: Crop transient images could not run" in str(told.value)
    assert "the same as" not in str(told.value)


# show


def test_show_refuses_a_value_that_is_left_over_and_says_where_it_comes_from(broken):
    repo = broken("Host match")
    with pytest.raises(InvalidData) as told:
        repo.show("2026dgt:host.redshift")
    assert str(told.value).startswith(
        "2026dgt@1:host.redshift is invalid: Host match ended with 'failed', the same as in 2026dgt@0. "
    )
    assert repo.show("2026dgt@0:host.redshift").invalid == {}


def test_show_gives_it_when_told_to_and_still_says_so(broken):
    repo = broken("Host match")
    shown = repo.show("2026dgt:host.redshift", even_invalid=True)
    assert shown.value == repo.show("2026dgt@0:host.redshift").value
    assert set(shown.to_json()["invalid"]) == {"host.redshift"}


@pytest.mark.parametrize("path", ["host", "sed", "sed/global", "host.fields.redshift", "host.fields", "photometry"])
def test_show_refuses_a_table_of_which_some_is_invalid(broken, path):
    with pytest.raises(InvalidData):
        broken("Host match").show(f"2026dgt:{path}")


@pytest.mark.parametrize("path", ["transient.redshift", "metadata.app_version", "workflow_tasks", "files", "cutouts"])
def test_show_gives_what_no_failed_stage_makes(broken, path):
    assert broken("Host match").show(f"2026dgt:{path}").invalid == {}


def test_show_of_the_document_needs_to_be_told_so(broken):
    repo = broken("Host match")
    with pytest.raises(InvalidData, match="Host match ended with 'failed': "):
        repo.show("2026dgt")
    shown = repo.show("2026dgt", even_invalid=True)
    assert shown.value["metadata"]["dataset_version"] == 1
    assert "host.redshift" in shown.invalid


def test_what_is_not_there_is_explained_by_the_failure(repo, sample, record):
    record(repo, without_host(sample))
    with pytest.raises(NotFound, match="Host match ended with 'no host match'"):
        DataRepo(repo).show("2026dgt:host.redshift")


# the command line


def test_the_command_line_ends_with_13_and_says_how_to_go_on(broken, capsys, tmp_path):
    location = str(broken("Host match").path)
    assert main(["-C", location, "show", "2026dgt:host.redshift"]) == 13
    assert "--even-invalid" in capsys.readouterr().err
    assert main(["-C", location, "show", "2026dgt:host.redshift", "--even-invalid"]) == 0
    output = capsys.readouterr()
    assert float(output.out) > 0
    assert output.err.startswith("blastgit: invalid, because Host match ended with 'failed': host.redshift")
    assert main(["-C", location, "get", "2026dgt", str(tmp_path / "got"), "--json"]) == 13
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "invalid-data"
    assert main(["-C", location, "get", "2026dgt", str(tmp_path / "got"), "--even-invalid", "--json"]) == 0
    assert "host.redshift" in json.loads(capsys.readouterr().out)["invalid"]


# log and list


def test_log_shows_what_failed_and_what_is_invalid_therefore(broken, capsys):
    repo = broken("Global host SED inference")
    after, before = repo.log("2026dgt")
    assert (before.failures, before.invalid) == ([], [])
    assert [str(failure) for failure in after.failures] == ["Global host SED inference ended with 'failed'"]
    [finding] = after.to_json()["invalid"]
    assert "sed/global.log_mass_50" in finding["values"]
    assert "sed_output/2026dgt_global.h5" in finding["files"]
    assert main(["-C", str(repo.path), "log", "2026dgt"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  Global host SED inference ended with 'failed'" in lines
    [told] = [line for line in lines if line.startswith("  invalid: ")]
    assert "5 files (sed_output), the same as in 2026dgt@0" in told


def test_a_run_that_broke_off_without_an_error_is_not_called_complete(repo, sample, record):
    export = json.loads(json.dumps(sample.export))
    for task in export["workflow_tasks"]:
        if task["task_name"] == "Local host SED inference":
            task["status"] = {"type": "warning", "message": "processing"}
    record(repo, type(sample)(export, sample.files))
    [entry] = DataRepo(repo).log("2026dgt")
    assert [str(failure) for failure in entry.failures] == ["Local host SED inference did not end"]
    assert [found.status for found in DataRepo(repo).list()] == ["not run: Local host SED inference"]


def test_log_tells_several_failures_apart(repo, sample, record, capsys):
    record(repo, fail_stage(fail_stage(sample, "Host MWEBV", "no host MWEBV"), "Validate local photometry"))
    assert main(["-C", str(repo), "log", "2026dgt"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  invalid, because ")]
    assert [line.split(" ended")[0] for line in told] == [
        "  invalid, because Host MWEBV", "  invalid, because Validate local photometry",
    ]  # fmt: skip


# markers


@pytest.fixture
def at_host_match(repo, sample, record):
    """Begin a run over a published transient, which has come as far as the host match; how that ends is asked for."""

    def call(reason=None):
        record(repo, sample)
        run = DataRepo(repo).workflow("2026dgt", "a run")
        for stage in ("Cutout download", "Transient MWEBV"):
            run.begin(stage)
            run.finish(stage)
        run.begin("Host match")
        _ = run.finish("Host match") if reason is None else run.fail("Host match", reason)
        return DataRepo(repo)

    return call


MADE_LATER = (
    "apertures", "photometry", "photometry/2026dgt_local", "sed", "sed/global", "sed/local.age_50", "sfh", "sed_output",
    "sed_output/2026dgt_local.h5", "sed_output/2026dgt_global_chain.npz",
)  # fmt: skip


def test_the_state_at_a_marker_holds_what_was_made_by_then_and_nothing_older(at_host_match, tmp_path):
    data = at_host_match()
    at = "2026dgt@1:post-host-match"
    got = data.get(at, tmp_path / "got")
    assert {path.split("/")[0] for path in got.written} == {"cutout_cdn", "2026dgt.json"}
    assert got.remarks[IMAGE] == "as Cutout download left it: Crop transient images had not run yet"
    assert got.not_made["sed_output/2026dgt_local.h5"] == "Local host SED inference had not run yet"
    for path in MADE_LATER:
        with pytest.raises(NotFound, match="not made yet"):
            data.show(f"{at}:{path}")
        assert data.show(f"{at}:{path}", even_invalid=True).value
    for path in ("host.name", "cutouts", IMAGE, "transient.ra_deg", "metadata.app_version"):
        assert data.show(f"{at}:{path}").value
    with pytest.raises(NotFound, match="not made yet"):
        data.show(at)
    assert "sed/local.age_50" in data.validity(at).to_json()["not_made"]
    told = data.diff("2026dgt@0", at)
    assert (told.fields, told.files) == ([], [])
    assert "sed/local.age_50" in told.not_compared
    whole = data.get(at, tmp_path / "whole", even_invalid=True)
    assert set(whole.written) == {*data.show("2026dgt@0:files").value, "2026dgt.json"}


@pytest.mark.parametrize("reason", ["failed", "the catalogue was down", "no host match", "no GHOST match"])
def test_where_a_stage_failed_at_a_marker_nothing_of_an_earlier_run_shows_through(at_host_match, reason, tmp_path):
    data = at_host_match(reason)
    at = "2026dgt@1:post-host-match"
    for path in ("host.name", "host", "host.redshift", "host.milkyway_dust_reddening", "transient.host", *MADE_LATER):
        with pytest.raises(InvalidData):
            data.show(f"{at}:{path}")
        assert path not in data.diff("2026dgt@0", at).to_json()["fields"]
    assert data.show("2026dgt@1:post-cutout-download:cutouts").value
    for path in ("host.name", *MADE_LATER):
        with pytest.raises(NotFound, match="not made yet"):
            data.show(f"2026dgt@1:post-cutout-download:{path}")
    with pytest.raises(InvalidData):
        data.get(at, tmp_path / "got")
    assert not (tmp_path / "got/sed_output").exists()


def test_what_a_rerun_of_a_part_did_not_touch_is_there_at_its_markers(repo, sample, record):
    record(repo, sample)
    run = DataRepo(repo).workflow("2026dgt", "a run")
    run.begin("Local aperture photometry")
    run.finish("Local aperture photometry")
    data, at = DataRepo(repo), "2026dgt@1:post-local-aperture-photometry"
    for path in ("host", "sed/global", "photometry/2026dgt_local/DES_z.flux", "sed_output/2026dgt_global.h5"):
        assert data.show(f"{at}:{path}").value
    with pytest.raises(NotFound, match="Local host SED inference had not run yet"):
        data.show(f"{at}:sed/local")


def test_a_stage_that_failed_by_its_marker_makes_what_follows_invalid_with_its_reason(repo, sample, record, capsys):
    record(repo, sample)
    data = DataRepo(repo)
    run = data.workflow("2026dgt", "a run")
    run.begin("Host information")
    run.fail("Host information", "the catalogue was down")
    with pytest.raises(InvalidData, match="Host information ended with 'the catalogue was down'"):
        data.show("2026dgt@1:post-host-information:host.redshift")
    run.end()
    with pytest.raises(InvalidData, match="could not run, because Host information ended with"):
        data.show("2026dgt@1:sed/global.age_50")
    assert main(["-C", str(repo), "log", "2026dgt"]) == 0
    assert "  Host information ended with 'the catalogue was down'" in capsys.readouterr().out.splitlines()


def test_a_stage_that_began_and_never_ended_has_made_nothing_to_rely_on(repo, sample, record):
    record(repo, sample)
    data = DataRepo(repo)
    run = data.workflow("2026dgt", "a run")
    run.begin("Host match")
    run.finish("Host match", export={"host": {"fields": {"redshift_err": 0.1}}})
    run.begin("Local host SED inference")
    assert run.end().revision == 1
    for location in (str(repo), repo.as_uri()):
        with pytest.raises(InvalidData, match="Local host SED inference did not end"):
            DataRepo(location).show("2026dgt:sed/local.age_50")
    assert [str(failure) for failure in data.log("2026dgt")[0].failures] == ["Local host SED inference did not end"]


def test_what_blast_says_after_a_marker_counts_more(repo, sample, record):
    run = DataRepo(repo).workflow("2026dgt", "a run")
    run.begin("Local host SED inference", lease=timedelta(microseconds=1))
    later = reprocess(sample, app_version="v1.13.1", export_time="2099-01-01T00:00:00+00:00", seed=1)
    export, folder = later.write(repo.parent / "later")
    DataRepo(repo).record("2026dgt", export, folder)
    assert (
        "Outcome: unfinished" in pygit2.Repository(str(repo)).references["refs/heads/2026dgt"].peel().parents[0].message
    )
    assert DataRepo(repo).validity("2026dgt").validity.is_complete


# pieces


def test_each_piece_tells_how_it_stands(broken, capsys):
    repo = broken("Global host SED inference")
    told = repo.validity("2026dgt").to_json()
    assert (told["revision"], told["complete"], len(told["stages"])) == ("2026dgt@1", False, 17)
    assert told["invalid"]["sed_output/2026dgt_global.jpg"] == {
        "state": "stale",
        "stage": "Generate thumbnail SED global",
        "because": "Global host SED inference ended with 'failed'",
        "as_before": True,
    }
    assert main(["-C", str(repo.path), "show", "2026dgt", "--validity", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == told
    assert main(["-C", str(repo.path), "show", "2026dgt", "--validity"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["Host", "match", "ok", "processed"] in lines
    assert ["sed_output/2026dgt_global.h5", "failed,", "as", "before"] in lines


def test_validity_of_a_sound_revision_names_no_piece(broken, capsys):
    repo = broken("Global host SED inference")
    assert repo.validity("2026dgt@0").to_json()["invalid"] == {}
    assert main(["-C", str(repo.path), "show", "2026dgt@0", "--validity"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 18


def test_rows_of_a_former_name_beside_those_of_the_present_one_are_left_over(repo, sample, record):
    text = json.dumps(break_off(sample, "Global host SED inference").export)
    export = json.loads(text)
    old = json.loads(text.replace("2026dgt_", "2025abc_"))
    for table in ("cutouts", "apertures"):
        for row in old[table]:
            row["pk"] += 10_000
            for child in row.get("aperturephotometry", []):
                child["pk"] += 10_000
            if table == "apertures":
                row["sedfittingresults"], row["starformationhistoryresult"] = [], []
        export[table] += old[table]
    record(repo, type(sample)(export, sample.files))
    data = DataRepo(repo)
    with pytest.raises(InvalidData, match="left over from an earlier run: the transient had another name then"):
        data.show("2026dgt:photometry/2025abc_DES_z_global/DES_z.flux")
    assert data.show("2026dgt:photometry/2026dgt_DES_z_global/DES_z.flux").invalid == {}
    stale = data.validity("2026dgt").invalid_values
    assert {path.split("/")[0] for path in stale if "2025abc" in path} == {"cutouts", "apertures", "photometry"}
