"""Two layers of names: components that are made in several ways, and the revisions that have them."""

import copy
import json
import subprocess

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import Sample, change_image
from blastgit.errors import InvalidName, NotFound, RepoError
from blastgit.plumbing.process import run_git
from blastgit.workflow.variants import read_variants
from tests.settings import add_settings

NAME = "2026dgt"
FLUX = f"photometry/{NAME}_local/DES_g.flux"
SETTINGS = """
stages:
  Local recalibration:
    after: [Local aperture photometry]
    makes: [photometry/*_local/*.flux]
variants:  # how the photometry is made
  photometry:
    default: single-frame  # for now
    names:
      single-frame: {app_version: v1.12.*}
      local-recalibration: {made_by: Local recalibration}
      jointcal: {run: u/alice/jointcal*}
      chosen: {pinned: {2026dgt: 1}}
  fits:
    paths: [sed, sfh, sed_output]
    default: both
    names: {both: {complete: [Global host SED inference, Local host SED inference]}}
"""


def settings(repo, text, tmp_path):
    """Push settings that somebody wrote by hand."""
    clone = tmp_path / "clone"
    if not clone.exists():
        subprocess.run(["git", "clone", "-q", "--branch", "main", repo, clone], check=True)
    else:
        subprocess.run(["git", "-C", clone, "pull", "-q"], check=True)
    file = clone / "blastgit.yaml"
    file.write_text(file.read_text() + text)
    subprocess.run(["git", "-C", clone, "commit", "-qam", "Say how the photometry is made"], check=True)
    return subprocess.run(["git", "-C", clone, "push", "-q"], check=False, capture_output=True, text=True)


@pytest.fixture
def recalibrated(repo, sample, record, tmp_path):
    """Three revisions: single frame, the same recalibrated without touching images, and a new image."""
    record(repo, sample)
    assert settings(repo, SETTINGS, tmp_path).returncode == 0
    run = DataRepo(repo).workflow(NAME, "calibrator")
    run.begin("Local recalibration")
    local = next(a for a in sample.export["apertures"] if a["fields"]["type"] == "local")
    rows = copy.deepcopy(local["aperturephotometry"])
    for row in rows:
        row["fields"]["flux"] *= 1.01
    part = {"apertures": [{"fields": {"name": f"{NAME}_local"}, "aperturephotometry": rows}]}
    run.finish("Local recalibration", export=part)
    assert run.end().revision == 1
    later = change_image(sample, "DES_g", seed=4)
    later.export["metadata"]["export_time"] = "2026-06-20T00:00:00+00:00"
    record(repo, Sample(later.export, later.files))
    return DataRepo(repo)


def test_a_later_improvement_of_one_component_touches_no_image(recalibrated):
    told = recalibrated.diff(f"{NAME}@0", f"{NAME}@1")
    assert told.files == []
    assert {change.path.partition("/")[0] for change in told.fields} == {"photometry", "workflow_tasks"}


@pytest.mark.parametrize(
    ("spec", "real"),
    [
        ("photometry@local-recalibration", 1),
        ("photometry@single-frame", 2),
        ("photometry@default", 2),
        ("photometry@chosen", 1),
    ],
)
def test_a_variant_stands_for_the_latest_revision_that_has_it(recalibrated, spec, real, capsys):
    shown = recalibrated.show(f"{NAME}:{spec}")
    assert (shown.revision, shown.path) == (f"{NAME}@{real}", "photometry")
    assert shown.value == recalibrated.show(f"{NAME}@{real}:photometry").value
    assert main(["-C", str(recalibrated.path), "show", f"{NAME}:{spec}"]) == 0
    assert f"{NAME}:{spec} is {NAME}@{real}" in capsys.readouterr().err


def test_of_a_revision_it_is_what_was_made_of_the_same_files(recalibrated):
    assert recalibrated.show(f"{NAME}@0:photometry@local-recalibration").revision == f"{NAME}@1"
    assert recalibrated.show(f"{NAME}@1:photometry@local-recalibration").revision == f"{NAME}@1"
    assert recalibrated.show(f"{NAME}@0:photometry@single-frame").revision == f"{NAME}@0"
    with pytest.raises(NotFound, match=r"cutout_cdn/DES/DES_g.fits is not that of 2026dgt@2"):
        recalibrated.show(f"{NAME}@2:photometry@local-recalibration")
    assert recalibrated.show(f"{NAME}@latest:photometry@single-frame").revision == f"{NAME}@2"


def test_one_value_of_a_variant(recalibrated):
    rest = FLUX.removeprefix("photometry")
    new = recalibrated.show(f"{NAME}:photometry@local-recalibration{rest}")
    old = recalibrated.show(f"{NAME}@0:photometry@single-frame{rest}")
    assert new.path == FLUX
    assert new.value == pytest.approx(old.value * 1.01)


def test_variants_are_compared(recalibrated, capsys):
    told = recalibrated.diff(f"{NAME}@0:photometry@single-frame", f"{NAME}@0:photometry@local-recalibration")
    assert (told.old.label, told.new.label) == (f"{NAME}@0", f"{NAME}@1")
    assert {change.path.partition("/")[0] for change in told.fields} == {"photometry"}
    whole = recalibrated.diff(f"{NAME}@1", f"{NAME}@2:photometry@single-frame")
    assert whole.files == []


def test_a_component_of_several_parts(recalibrated, tmp_path):
    shown = recalibrated.show(f"{NAME}:fits")
    assert shown.revision == f"{NAME}@2"
    assert {path.split("/")[0] for path in shown.value} == {"sed", "sfh", "sed_output"}
    got = recalibrated.get(f"{NAME}:fits@both", tmp_path / "got")
    assert {path.split("/")[0] for path in got.written} == {"sed_output"}
    with pytest.raises(InvalidName, match="has the parts sed, sfh, sed_output"):
        recalibrated.show(f"{NAME}:fits@both/global")
    with pytest.raises(NotFound, match="no file of that component"):
        recalibrated.get(f"{NAME}:photometry@chosen", tmp_path / "none")


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("photometry@jointcla", "did you mean jointcal"),
        ("photometri@jointcal", "did you mean photometry"),
        ("photometry@jointcal", "its run is none, not u/alice/jointcal"),
    ],
)
def test_what_there_is_not(recalibrated, spec, hint):
    with pytest.raises(NotFound, match=hint):
        recalibrated.show(f"{NAME}:{spec}")


def test_the_verb(recalibrated, capsys, tmp_path):
    at = ["-C", str(recalibrated.path)]
    assert main([*at, "variant", "list"]) == 0
    assert "photometry@single-frame         default" in capsys.readouterr().out
    assert main([*at, "variant", "list", f"{NAME}@0", "--json"]) == 0
    told = {each["name"]: each["real"] for each in json.loads(capsys.readouterr().out)}
    assert told["photometry@local-recalibration"] == f"{NAME}@1:photometry"
    assert told["photometry@jointcal"] is None
    assert main([*at, "variant", "default", "photometry"]) == 0
    assert capsys.readouterr().out == "photometry@single-frame\n"
    assert main([*at, "variant", "default", "photometry", "local-recalibration"]) == 2
    assert main([*at, "variant", "default", "photometry", "local-recalibration", "--reason", "validated"]) == 0
    capsys.readouterr()
    data = DataRepo(recalibrated.path)
    assert data.show(f"{NAME}:photometry@default").revision == f"{NAME}@1"
    text = data.session.repository.main_file("blastgit.yaml").decode()
    assert "default: local-recalibration  # for now" in text
    assert main([*at, "variant", "log"]) == 0
    log = capsys.readouterr().out
    assert "Let photometry@local-recalibration be the default: validated" in log
    assert "Say how the photometry is made (default: photometry@single-frame, fits@both)" in log
    assert main([*at, "variant", "default", "photometry", "none-such", "--reason", "x"]) == 5
    assert main([*at, "verify"]) == 0


def test_the_hook_refuses_variants_that_make_no_sense(repo, sample, record, tmp_path):
    record(repo, sample)
    done = settings(repo, "variants: {photometry: {default: none, names: {}}}\n", tmp_path)
    assert done.returncode
    assert "variants.photometry.default is 'none'" in done.stderr


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ([], "should map components"),
        ({"photometry": []}, "variants.photometry is"),
        ({"a b": {}}, "a component has letters"),
        ({"photometry": {"name": {}}}, "unknown key 'name'"),
        ({"photometry": {"paths": "x"}}, "list of beginnings"),
        ({"photometry": {"names": {"JointCal": {"valid": True}}}}, "lower-case letters"),
        ({"photometry": {"names": {"default": {"valid": True}}}}, "reserved for the default variant"),
        ({"photometry": {"names": {"x": {"valid": True}}, "default": "y"}}, "should be one of its names: x"),
        ({"photometry": {"names": {"x": {"valid": True}}, "default": ["x"]}}, "should be one of its names: x"),
        ({"photometry": {"names": {"x": {"runs": "a"}}}}, "unknown key 'runs'"),
        ({"photometry": {"names": {"x": {"run": 3}}}}, "a pattern of RUN collections"),
    ],
)
def test_settings_that_make_no_sense(section, words):
    with pytest.raises(RepoError, match=words):
        read_variants(section)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "variants: {photometry: {names: {single-frame: {app_version: v1.12.*}}}}  # for now\n",
        "variants:  # for now\n  photometry:\n    names:\n      single-frame: {app_version: v1.12.*}\n",
        "variants:  # for now\n  photometry:\n    paths: [photometry]\n",
        "variants:  # for now\n  sed:\n    paths: [sed]\n",
    ],
)
def test_a_variant_is_defined_by_a_command(repo, capsys, text):
    add_settings(repo, text)
    before = DataRepo(repo).variants.list()
    words = ["-C", str(repo), "variant", "define", "photometry", "jointcal", "--reason", "DM-7"]
    assert main([*words, "--is", "run=runs/*/jointcal/*", "--is", "complete=[Host match]"]) == 0
    assert "photometry@jointcal is declared" in capsys.readouterr().out
    found = DataRepo(repo)
    assert {each.name for each in found.variants.list()} == {"photometry@jointcal", *(each.name for each in before)}
    settings = run_git(repo, "show", "main:blastgit.yaml").decode()
    assert ("# for now" in settings) == ("# for now" in text)
    assert found.variants.log()[0].subject == "Declare photometry@jointcal: DM-7"
    assert main([*words, "--is", "run=x"]) == 4
    assert main([*words[:5], "other", *words[6:], "--is", "rum=x"]) != 0
