"""Plans of many transients, with other settings, from markers, for programs; and whether a rerun gave the same."""

import json
import subprocess
from datetime import UTC, datetime

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.collections.start import Start
from blastgit.demo import break_off, change_image, edit_flux, reprocess, small
from blastgit.errors import InvalidInput, NotFound, UsageError
from blastgit.plumbing.process import run_git
from tests.settings import add_settings

SED = "Global host SED inference"
IMAGE = "cutout_cdn/DES/DES_z.fits"
CONFIG = b"# how we fit\ndynesty:\n  nlive: 500\nhost: {radius: 5.0}\n"
LATER = {"app_version": "v1.14.0", "export_time": "2026-08-01T00:00:00+00:00", "seed": 3}


@pytest.fixture
def three(repo, record):
    """Three transients: one whole, one whose local photometry failed, one without a host."""
    record(repo, small("2026abc"))
    record(repo, break_off(small("2026bad"), "Local aperture photometry"))
    record(repo, break_off(small("2026not"), "Host match", "no host match"))
    return DataRepo(repo)


@pytest.fixture
def configured(repo, record, tmp_path):
    """A repo with a run that was begun with a configuration, and 2026dgt@0 in it."""
    made = DataRepo(repo)
    (tmp_path / "fit.yaml").write_bytes(CONFIG)
    start = Start("hosts", "v1", "DM-7", run="runs/hosts/v1/DM-7/first", config=tmp_path / "fit.yaml")
    made.collections.start_run(start, "to fit")
    record(repo, small("2026dgt"), run=start.run)
    return made


def test_many_are_planned_and_what_is_left_out_is_said(three, capsys):
    found = three.plan_all(["2026abc", "2026bad", "2026not"])
    assert [plan.revision for plan in found.plans] == ["2026bad@0"]
    assert found.left_out == {"2026abc@0": "no stage must run again", "2026not@0": "no stage must run again"}
    assert main(["-C", str(three.path), "plan", "2026abc", "2026bad", "2026not"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("2026bad@0: 6 of 17 stages, from post-")
    assert said.endswith("left out: 2026abc@0, 2026not@0, no stage must run again\n")
    one, same = three.plan("2026bad"), found.plans[0]
    assert [(step.stage, step.why) for step in one.steps] == [(step.stage, step.why) for step in same.steps]


def test_a_plan_says_which_stages_are_left_out_and_why(three):
    left = three.plan("2026not").left_out
    assert "no host match" in left["Host match"]
    assert "Host match" in left["Host information"]
    assert left["Cutout download"] == "nothing that it reads has changed"


def test_flags_choose_what_is_planned(repo, record, capsys):
    pytest.importorskip("duckdb", reason="the extra `index` is not installed")
    record(repo, break_off(small("2026aaa"), "Local aperture photometry"))
    record(repo, break_off(small("2026bad"), "Local aperture photometry"))
    made = DataRepo(repo)
    made.references.record("r/model/sbi-global", values={"seed": 1}, time=datetime(2020, 1, 1, tzinfo=UTC))
    both = ["2026aaa", "2026bad@0", "2026bad"]
    assert main(["-C", str(repo), "annotate", "2026bad", "--flag", "bad"]) == 0
    found = made.plan_all(both, inherited=["!bad"])
    assert [plan.revision for plan in found.plans] == ["2026aaa@0"]
    assert found.left_out == {"2026bad@0": "its flags are not !bad"}
    assert [plan.revision for plan in made.plan_all(both, inherited=["bad"]).plans] == ["2026bad@0"] * 2
    assert main(["-C", str(repo), "annotate", "r/model/sbi-global@0", "--flag", "suspect"]) == 0
    capsys.readouterr()
    assert main(["-C", str(repo), "plan", "2026aaa", "--without-flag", "suspect"]) == 0
    assert capsys.readouterr().out == "left out: 2026aaa@0, its flags are not !suspect\n"
    with pytest.raises(InvalidInput, match="there is no flag 'worse'"):
        made.plan_all(both, inherited=["worse"])


def test_a_collection_is_planned(three, capsys):
    made = three.collections
    made.create("sample/1", "TAGGED", "to be done again")
    made.add("sample/1", ["2026abc@0", f"2026bad@0:{IMAGE}"], "chosen")
    found = three.plan_all(collection="sample/1", changed=["Host match"])
    assert [plan.revision for plan in found.plans] == ["2026abc@0"]
    assert found.left_out == {f"2026bad@0:{IMAGE}": "sample/1 has only this file of it, but plans are for revisions"}
    assert main(["-C", str(three.path), "plan", "--in", "sample/1", "--changed", "Host match", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plans"][0]["stages"][0]["stage"] == "Host match"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["plan"], UsageError),
        (["plan", "2026abc", "2026nix"], NotFound),
        (["plan", "--in", "nowhere"], NotFound),
        (["plan", "2026abc", "2026bad", "--changed", "host.redshfit"], NotFound),
        (["plan", "2026abc", "--set", "dynesty.nlive=1000"], NotFound),
        (["plan", "2026abc", "--set", "dynesty"], UsageError),
        (["plan", f"2026abc@0:{IMAGE}"], UsageError),
    ],
)
def test_what_cannot_be_planned(three, words, error):
    assert main(["-C", str(three.path), *words]) == error.exit_code


def test_for_a_shell_and_for_celery(three, tmp_path, capsys):
    words = ["-C", str(three.path), "plan", "2026abc", "2026bad", "--emit"]
    assert main([*words, "sh"]) == 0
    script = capsys.readouterr().out
    shell = ["sh", "-c", script]
    done = subprocess.run(shell, env={"RUN_STAGE": "echo run"}, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "run 2026bad Local aperture photometry"
    assert len(done.stdout.splitlines()) == 6
    assert subprocess.run(shell, env={}, capture_output=True, check=False).returncode != 0
    assert main([*words, "celery"]) == 0
    [chain] = json.loads(capsys.readouterr().out)
    assert chain["kwargs"]["tasks"][1]["task"] == "Validate local photometry"
    celery = pytest.importorskip("celery")
    signature = celery.Signature.from_dict(chain)
    assert [task.args for task in signature.tasks] == [["2026bad"]] * 6
    assert main([*words, "json"]) == 0
    [plan] = json.loads(capsys.readouterr().out)["plans"]
    assert plan["stages"][0]["inputs"]


def test_from_a_marker_what_comes_after_it_must_run(repo, record):
    made = DataRepo(repo)
    record(repo, small("2026dgt"))
    workflow = made.workflow("2026dgt", owner="w")
    for stage in ("Cutout download", "Transient MWEBV", "Host match"):
        workflow.begin(stage)
        workflow.finish(stage)
    plan = made.plan("2026dgt@1:post-host-match")
    names = [step.stage for step in plan.steps]
    assert plan.state == "2026dgt@1:post-host-match"
    assert plan.start == "post-host-match"
    assert "Host information" in names
    assert not {"Cutout download", "Transient MWEBV", "Host match"} & set(names)


def test_a_run_records_its_configuration(configured, run, tmp_path):
    assert configured.collections.configuration("runs/hosts/v1/DM-7/first") == CONFIG
    trailers = configured.log("2026dgt")[0].revision.trailers
    digest = trailers["Config"]
    assert run_git(configured.path, "show", f"main:configurations/{digest[7:9]}/{digest[9:]}") == CONFIG
    assert configured.verify().is_sound
    configured.subset(tmp_path / "part", "runs/hosts/v1/DM-7/first")
    part = DataRepo(tmp_path / "part")
    assert part.collections.configuration("runs/hosts/v1/DM-7/first") == CONFIG
    assert part.verify().is_sound


@pytest.mark.parametrize(
    ("data", "why"), [(b"", "is empty"), (b"\xff\xfe", "not UTF-8"), (b"a" * 2_000_000, "more than")]
)
def test_a_configuration_that_cannot_be_kept(repo, tmp_path, data, why):
    (tmp_path / "fit.yaml").write_bytes(data)
    before = run_git(repo, "show-ref")
    with pytest.raises(InvalidInput, match=why):
        DataRepo(repo).collections.start_run(Start("hosts", "v1", "DM-7", config=tmp_path / "fit.yaml"), "to fit")
    with pytest.raises(InvalidInput, match="cannot be read"):
        DataRepo(repo).collections.start_run(Start("hosts", "v1", "DM-7", config=tmp_path / "none"), "to fit")
    assert run_git(repo, "show-ref") == before


def test_another_setting_is_planned(configured):
    plan = configured.plan("2026dgt", settings={"dynesty.nlive": "1000"})
    assert len(plan.steps) == 17  # no stage declares what it reads, so that any may
    assert plan.settings == {"dynesty.nlive": (500, "1000")}
    why = "may read (no stage declares it) the setting dynesty.nlive, which is to be 1000 and was 500"
    assert why in plan.steps[0].why
    same = configured.plan("2026dgt", settings={"dynesty.nlive": "500"})
    assert same.steps == []
    assert same.left_out["dynesty.nlive"] == "it was 500 already"
    with pytest.raises(NotFound, match=r"did you mean dynesty.nlive\?"):
        configured.plan("2026dgt", settings={"dynesty.nlve": "1000"})


def test_only_the_stages_that_declare_a_setting_run(configured):
    add_settings(configured.path, f"stages:\n  {SED}:\n    config: [dynesty]")
    plan = DataRepo(configured.path).plan("2026dgt", settings={"dynesty.nlive": "1000"})
    assert [step.stage for step in plan.steps] == [SED, "Generate thumbnail SED global"]


def test_a_rerun_that_gives_the_same_is_exact(repo, record, capsys):
    record(repo, small("2026dgt"), run="first/1")
    record(repo, reprocess(small("2026dgt"), **LATER), run="again/1")
    found = DataRepo(repo).replay_check("again/1")
    assert found.is_faithful
    [result] = found.results
    assert (result.verdict, result.dataset, bool(result.evidence)) == ("exact", "2026dgt@0", True)
    assert main(["-C", str(repo), "replay", "--check", "again/1", "--of", "first/1"]) == 0
    assert capsys.readouterr().out == "again/1: 1 exact\n  2026dgt@0 exact\n"


def test_a_rerun_with_a_replaced_input_is_almost_exact(repo, record, capsys):
    record(repo, small("2026dgt"), run="first/1")
    changed = change_image(reprocess(small("2026dgt"), **LATER), "DES_z", seed=2)
    record(repo, changed, run="again/1")
    made = DataRepo(repo)
    assert made.replay_check("again/1", replaced=[IMAGE]).results[0].verdict == "almost exact"
    assert made.replay_check("again/1", of="first/1", replaced=[IMAGE]).is_faithful
    other = made.replay_check("again/1", replaced=["cutout_cdn/DES/DES_g.fits"]).results[0]
    assert (other.verdict, IMAGE in other.differing) == ("different", True)
    assert main(["-C", str(repo), "replay", "--check", "again/1"]) == 1
    assert "2026dgt@1 different, compared with 2026dgt@0" in capsys.readouterr().out
    with pytest.raises(NotFound, match="is empty"):
        made.replay_check("nowhere")


def test_what_was_not_made_from_the_replaced_input_may_not_differ(repo, record):
    record(repo, small("2026dgt"), run="first/1")
    changed = edit_flux(change_image(reprocess(small("2026dgt"), **LATER), "DES_z", seed=2), "DES_g", 1.1)
    record(repo, changed, run="again/1")
    [result] = DataRepo(repo).replay_check("again/1", replaced=[IMAGE]).results
    assert result.verdict == "different"
    assert {path.split("/")[0] for path in result.differing} == {"photometry"}
    assert all("DES_g" in path for path in result.differing)
    assert "photometry/2026dgt_local/DES_z.flux" in result.following


def test_what_only_one_of_two_runs_holds_is_said(repo, record):
    record(repo, small("2026dgt"), run="first/1")
    record(repo, small("2026abc"), run="first/1")
    record(repo, reprocess(small("2026dgt"), **LATER), run="again/1")
    found = DataRepo(repo).replay_check("again/1", of="first/1")
    assert [(each.recorded, each.verdict) for each in found.results] == [("2026abc@0", "alone"), ("2026dgt@0", "exact")]
    assert not found.is_faithful
