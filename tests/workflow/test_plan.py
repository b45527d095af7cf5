"""Where to restart: which stages must run again, why, and from which marker."""

import copy
import json

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import Sample, break_off, edit_flux, reprocess
from blastgit.errors import NotFound, UsageError

SED = "Global host SED inference"
IMAGE = "cutout_cdn/DES/DES_z.fits"


def stages(plan):
    return [step.stage for step in plan.steps]


def test_nothing_must_run_again_where_all_succeeded(repo_with, sample):
    plan = repo_with(sample).plan("2026dgt")
    assert plan.steps == []
    assert plan.start == "post-generate-thumbnail-sed-local"


def test_what_failed_and_what_follows_must_run_again(repo_with, sample):
    plan = repo_with(break_off(sample, "Local aperture photometry")).plan("2026dgt")
    assert stages(plan) == [
        "Local aperture photometry", "Validate local photometry", "Crop transient images", "Generate thumbnail final",
        "Local host SED inference", "Generate thumbnail SED local",
    ]  # fmt: skip
    assert plan.steps[0].why == ["ended with 'failed'"]
    assert plan.steps[1].why[0] == "could not run, because Local aperture photometry ended with 'failed'"
    assert plan.start == "post-validate-global-photometry"


def test_a_finding_is_not_planned_again_unless_asked_for(repo_with, sample):
    repo = repo_with(break_off(sample, "Host match", "no host match"))
    assert stages(repo.plan("2026dgt")) == []
    assert stages(repo.plan("2026dgt", ["Host match"]))[0] == "Host match"


def test_a_changed_image_concerns_those_who_read_it_and_nobody_else(repo_with, sample):
    plan = repo_with(sample).plan("2026dgt", [IMAGE])
    assert "Generate thumbnail" in stages(plan)
    assert SED in stages(plan)
    assert not {"Cutout download", "Host match", "Host MWEBV"} & set(stages(plan))
    assert plan.start == "post-cutout-download"
    assert next(step for step in plan.steps if step.stage == SED).why == [
        "reads what Global aperture photometry and Validate global photometry make"
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("host.milkyway_dust_reddening", [SED, "Generate thumbnail SED global"]),
        (SED, [SED, "Generate thumbnail SED global"]),
        ("post-global-host-sed-inference", [SED, "Generate thumbnail SED global"]),
        ("Generate thumbnail final", ["Generate thumbnail final"]),
        ("photometry/2026dgt_DES_z_global/DES_z.magnitude", ["Generate thumbnail SED global"]),
        ("sed_output/2026dgt_local.h5", ["Generate thumbnail SED local"]),
        ("sed_output/2026dgt_local.jpg", []),
        ("transient.spectroscopic_class", []),
    ],
)
def test_what_follows_from_a_change(repo_with, sample, changed, expected):
    assert stages(repo_with(sample).plan("2026dgt", [changed])) == expected


def test_the_redshift_moves_what_hangs_on_it_but_not_the_global_photometry(repo_with, sample):
    found = stages(repo_with(sample).plan("2026dgt", ["transient.redshift"]))
    assert "Local aperture photometry" in found
    assert SED in found
    assert "Global aperture photometry" not in found


def test_what_was_edited_since_a_stage_ran_is_found_without_being_told(repo_with, sample):
    edited = edit_flux(sample, "DES_z", 1.001)
    plan = repo_with(sample, edited).plan("2026dgt")
    assert stages(plan) == [
        "Validate global photometry",
        "Crop transient images",
        SED,
        "Generate thumbnail final",
        "Generate thumbnail SED global",
    ] or SED in stages(plan)
    why = next(step.why for step in plan.steps if step.stage == SED)
    assert why[0] == (
        "reads photometry/2026dgt_DES_z_global/DES_z.flux, which changed since 2026dgt@0, and did not run again"
    )
    assert "Global aperture photometry" not in stages(plan)  # it would overwrite the edit


def test_a_whole_new_run_leaves_nothing_to_do(repo_with, states):
    assert repo_with(*states).plan("2026dgt").steps == []


def test_a_stage_that_ran_before_what_it_reads_was_made_must_run_again(repo_with, sample):
    export = copy.deepcopy(sample.export)
    for task in export["workflow_tasks"]:
        if task["task_name"] == "Host information":
            task["last_modified"] = "2026-06-20T12:00:00+00:00"  # the update form resets some tasks, and not all
    plan = repo_with(Sample(export, sample.files)).plan("2026dgt")
    assert "reads what Host information makes, which ran later" in plan.steps[0].why
    assert "Crop transient images" in stages(plan)


def test_workers_clocks_may_disagree(repo_with, sample):
    export = copy.deepcopy(sample.export)
    tasks = {task["task_name"]: task for task in export["workflow_tasks"]}
    late, early = tasks["Host information"], tasks["Host match"]
    late["last_modified"], early["last_modified"] = early["last_modified"], late["last_modified"]
    assert repo_with(Sample(export, sample.files)).plan("2026dgt").steps == []


def test_an_exact_rerun_knows_its_inputs_and_what_replaces_them(repo_with, sample):
    repo = repo_with(sample)
    plan = repo.plan("2026dgt@0", given={IMAGE: "brighter.fits"}, everything=True)
    assert len(plan.steps) == plan.total == 17
    assert plan.start is None
    assert plan.app_version == "v1.12.0"
    assert plan.to_json()["given"] == {IMAGE: "brighter.fits"}
    first = plan.steps[0].inputs
    assert first["transient.ra_deg"] == repo.show("2026dgt:transient.ra_deg").value
    assert IMAGE not in next(step for step in plan.steps if step.stage == "Generate thumbnail").inputs
    [partial] = repo.plan("2026dgt", ["Generate thumbnail final"]).steps
    assert partial.inputs[IMAGE] == repo.show("2026dgt:files").value[IMAGE]


def test_a_stage_of_ones_own_takes_part(repo_with, sample):
    pytest.importorskip("blastgit.repository.edit")
    from blastgit.repository.edit import BranchEdit, commit_to_branch
    from blastgit.repository.local import LocalRepository

    repo = repo_with(sample)
    own = {"Spectrum": {"after": ["Host match"], "reads": ["host.name"], "makes": ["spectra/*"]}}
    text = json.dumps({"format": 1, "kind": "simulated", "stages": own}).encode()
    commit_to_branch(LocalRepository(repo.path), "main", lambda _: BranchEdit({"blastgit.yaml": text}, "Add a stage"))
    assert "Spectrum" in stages(DataRepo(repo.path).plan("2026dgt", ["Host match"]))


@pytest.mark.parametrize(("text", "hint"), [("host.redshif", "host.redshift"), ("Host mach", "Host match")])
def test_what_is_nothing_is_not_found(repo_with, sample, text, hint):
    with pytest.raises(NotFound, match=f"did you mean .*{hint}"):
        repo_with(sample).plan("2026dgt", [text])


def test_a_plan_is_about_a_revision(repo_with, sample):
    with pytest.raises(UsageError):
        repo_with(sample).plan("2026dgt:host")


def test_an_older_revision_is_planned_as_it_was(repo_with, sample):
    again = reprocess(sample, app_version="v1.13.1", export_time="2026-06-02T09:00:00+00:00", seed=1)
    repo = repo_with(sample, break_off(again, SED))
    assert stages(repo.plan("2026dgt@0")) == []
    assert stages(repo.plan("2026dgt@1")) == [SED, "Generate thumbnail SED global"]
    assert stages(repo.plan("2026dgt@latest-complete")) == []


def test_through_a_url(repo_with, sample):
    repo = repo_with(sample, edit_flux(sample, "DES_z", 1.001))
    assert SED in stages(DataRepo(repo.path.as_uri()).plan("2026dgt"))


def test_the_command_line(repo_with, sample, capsys):
    location = str(repo_with(sample).path)
    assert main(["-C", location, "plan", "2026dgt"]) == 0
    assert capsys.readouterr().out == "2026dgt@0: no stage must run again\n"
    assert main(["-C", location, "plan", "2026dgt", "--changed", SED]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.startswith("2026dgt@0: 2 of 17 stages must run again, from post-generate-thumbnail-final")
    assert first.split("  ")[1] == SED
    assert second.endswith(f"reads what {SED} makes")
    assert main(["-C", location, "plan", "2026dgt", "--replace", f"{IMAGE}=x.fits", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["given"] == {IMAGE: "x.fits"}
    assert plan["from"] == "post-cutout-download"
    assert set(plan["stages"][0]) == {"stage", "why", "inputs"}
    assert main(["-C", location, "plan", "2026dgt", "--replace", "x"]) == 2


def test_a_run_that_left_markers_is_taken_up_at_one_of_them(repo_with, sample, tmp_path):
    repo = repo_with(sample)
    run = repo.workflow("2026dgt", "a run")
    for stage in ("Cutout download", "Transient MWEBV", "Host match"):
        run.begin(stage)
        run.finish(stage)
    run.begin("Host information")
    run.fail("Host information", "the catalogue was down")
    assert run.end().revision == 1
    plan = repo.plan("2026dgt")
    assert stages(plan)[0] == "Host information"
    assert (plan.start, plan.state) == ("post-host-match", "2026dgt@1:post-host-match")
    assert repo.get(plan.state, tmp_path / "start").revision == plan.state
    assert repo.validity(plan.state).revision.id == plan.commit


def test_a_stage_of_which_markers_say_more_than_the_tasks_is_planned(repo_with, sample):
    repo = repo_with(sample)
    run = repo.workflow("2026dgt", "a run")
    run.begin("Host match")
    run.finish("Host match", export={"host": {"fields": {"redshift_err": 0.1}}})
    run.begin("Generate thumbnail SED local")
    run.end()
    assert "Generate thumbnail SED local" in stages(repo.plan("2026dgt"))
