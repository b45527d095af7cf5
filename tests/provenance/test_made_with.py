"""Which trained model a fit was made with, and other shared inputs: in the graph, in annotations, in the index."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.cli.main import main
from blastgit.demo import Sample, refit, small
from blastgit.errors import InvalidInput, NotFound, RepoError
from blastgit.plumbing.process import run_git
from blastgit.provenance.graph import Graph
from blastgit.provenance.prov_json import to_prov
from tests.reruns import new_image, ran
from tests.settings import add_settings

MODEL, NAME, FIT = "r/model/sbi-global", "2026dgt", "sed/global"
GLOBAL = "Global host SED inference"


def trained(repo: Path, seed: int, day: str, line: str = MODEL) -> None:
    """Record a revision of a model that holds from a day on."""
    time = datetime.fromisoformat(day).replace(tzinfo=UTC)
    DataRepo(repo).references.record(line, values={"seed": seed}, time=time)


def models(graph: Graph, product: str = FIT) -> list[str]:
    return [use.source for use in graph.sources[product] if use.source.startswith("r/model/")]


@pytest.fixture
def fitted(repo: Path, record: Callable[..., Any], sample: Sample) -> Path:
    """A fit, and a model of which a second revision came after that fit."""
    trained(repo, 1, "2020-01-01")
    record(repo, sample)
    day = datetime.fromisoformat(sample.export["metadata"]["export_time"]).date()
    trained(repo, 2, f"{day}T23:59:59")
    return repo


def test_a_fit_leads_to_the_model_that_was_the_latest_then(fitted, record, sample):
    repo = DataRepo(fitted)
    assert models(repo.provenance(f"{NAME}@0")) == [f"{MODEL}@0"]
    graph = repo.provenance(f"{NAME}@0:sed_output/{NAME}_global.h5")
    assert graph.things[f"{MODEL}@0"].kind == "model"
    assert f"{MODEL}@0" in graph.maker(FIT).uses
    record(fitted, ran(new_image(sample), "Cutout download"))  # the fit did not run again
    assert models(DataRepo(fitted).provenance(NAME)) == [f"{MODEL}@0"]
    record(fitted, ran(refit(new_image(sample), seed=3), GLOBAL, hours=90))
    graph = DataRepo(fitted).provenance(NAME)
    assert models(graph) == [f"{MODEL}@1"]
    assert "sed/local" in graph.things  # whose model nobody recorded
    assert not models(graph, "sed/local")


def test_a_model_makes_no_fit_out_of_date_by_being_there(fitted):
    assert DataRepo(fitted).log(NAME)[0].status == "complete"
    assert DataRepo(fitted).plan(NAME).steps == []
    planned = DataRepo(fitted).plan(NAME, [MODEL]).steps
    assert [step.stage for step in planned] == [GLOBAL, "Generate thumbnail SED global"]


def test_a_run_says_which_model_it_used(fitted, record, sample, capsys):
    again = ran(refit(sample, seed=3), GLOBAL, hours=90)
    record(fitted, again, used=[f"{MODEL}@0"])
    assert models(DataRepo(fitted).provenance(NAME)) == [f"{MODEL}@0"]
    assert record(fitted, again).marker is None
    assert record(fitted, again, used=[MODEL]).marker is not None  # what it says is new
    assert models(DataRepo(fitted).provenance(NAME)) == [f"{MODEL}@1"]
    assert record(fitted, again, used=[MODEL]).marker is None
    assert DataRepo(fitted).verify().problems == []


def test_a_stage_says_which_model_it_used(fitted, sample, tmp_path):
    export, data = refit(sample, seed=3).write(tmp_path / "again")
    run = DataRepo(fitted).workflow(NAME, "night-7")
    run.begin(GLOBAL)
    run.finish(GLOBAL, export=export, data=data, used=[f"{MODEL}@0"])
    assert models(DataRepo(fitted).provenance(f"{NAME}@1:post-global-host-sed-inference")) == [f"{MODEL}@0"]
    assert run.end(used=[f"{MODEL}@1"]).revision == 1
    assert models(DataRepo(fitted).provenance(NAME)) == [f"{MODEL}@0"]
    assert "Used: r/model/sbi-global@0" in run_git(fitted, "log", "-1", "--format=%B", f"{NAME}~1").decode()


def test_the_command_line_takes_it(fitted, sample, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BLASTGIT_REPO", str(fitted))
    export, data = map(str, refit(sample, seed=3).write(tmp_path / "again"))
    assert main(["record", NAME, "--export", export, "--data", data, "--used", f"{MODEL}@0"]) == 0
    assert main(["stage", "begin", NAME, "host-match"]) == 0
    assert main(["stage", "finish", NAME, "host-match", "--used", f"{MODEL}@7"]) == 5
    assert "did you mean" not in capsys.readouterr().out
    assert main(["provenance", f"{NAME}:{FIT}"]) == 0
    assert f"{MODEL}@0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("used", "error", "why"),
    [
        (["r/model/sbi-globl@0"], InvalidInput, "did you mean r/model/sbi-global"),
        ([f"{MODEL}@9"], NotFound, "has no revision 9"),
        (["2026dgt@0"], InvalidInput, "is not a revision of a reference"),
        ([f"{MODEL}@0", f"{MODEL}@1"], InvalidInput, "cannot both"),
        ([f"{MODEL}@0:reference.seed"], InvalidInput, "is not a revision of a reference"),
    ],
)
def test_what_cannot_have_been_used_is_refused(fitted, record, sample, used, error, why):
    before = run_git(fitted, "for-each-ref")
    with pytest.raises(error, match=why):
        record(fitted, refit(sample, seed=3), used=used)
    assert run_git(fitted, "for-each-ref") == before


def test_stages_declare_what_they_work_with(fitted, record):
    trained(fitted, 1, "2020-01-01", "r/catalogue/glade")
    add_settings(fitted, "stages: {Host match: {references: [r/catalogue/glade]}}")
    graph = DataRepo(fitted).provenance(f"{NAME}@0:{FIT}")
    assert "r/catalogue/glade@0" in [use.source for use in graph.sources["host"]]


def test_a_mistake_in_what_a_stage_works_with(fitted):
    add_settings(fitted, "stages: {Host match: {references: [glade]}}")
    with pytest.raises(RepoError, match="should have lines like r/model/sbi-global"):
        DataRepo(fitted).provenance(NAME)


@pytest.mark.usefixtures("shared_references")
def test_the_graph_has_what_transients_share(repo, record):
    record(repo, small("2026aaa"))
    graph = DataRepo(repo).provenance("2026aaa@0")
    [photometry] = [name for name in graph.things if name.endswith("_local/DES_z")]
    assert "r/filter/DES_z@0" in [use.source for use in graph.sources[photometry]]
    assert [use.source for use in graph.sources["r/filter/DES_z@0"]] == ["r/survey/DES@0"]
    [host] = [use.source for use in graph.sources["host"] if use.source.startswith("host:")]
    assert graph.things[host].kind == "galaxy"
    prov = to_prov(graph)
    assert prov["entity"]["data:r/filter/DES_z@0"]["prov:type"] == "filter"
    members = {each["prov:entity"] for each in prov["hadMember"].values()}
    assert "data:2026aaa@0:host" in members
    assert not members & {"data:r/filter/DES_z@0", f"data:{host}"}


def test_a_flag_on_a_model_reaches_the_fits_that_it_made(fitted, record, sample):
    pytest.importorskip("duckdb", reason="the extra `index` is not installed")
    record(fitted, ran(refit(sample, seed=3), GLOBAL, hours=90))
    record(fitted, small("2026aaa"), used=[f"{MODEL}@1"])
    repo = DataRepo(fitted)
    trained(fitted, 1, "2020-01-01", "r/model/other")
    with pytest.raises(NotFound, match="no revision was made with"):
        repo.affected("r/model/other")
    repo.annotations.add([f"{MODEL}@1"], AnnotationBody(flag="bad"))
    assert [str(each) for each in repo.annotations.flags()] == [f"revision:{MODEL}@1"]
    assert repo.annotations.about(f"{NAME}@1", inherited=True).inherited == "bad"
    assert repo.annotations.about(f"{NAME}@1:{FIT}", inherited=True).notes[0].distance == 1
    assert repo.annotations.about(f"{NAME}@0", inherited=True).notes == ()
    assert repo.find(inherited="bad").names == ["2026aaa@0", f"{NAME}@1"]
    found = repo.affected(f"{MODEL}@0")
    assert {each.revision for each in found} == {f"{NAME}@0"}
    assert (found[0].product, found[0].distance) == (FIT, 1)
    assert f"sed_output/{NAME}_global.h5" in {each.product for each in found if each.distance == 2}
    assert {each.revision for each in repo.affected(MODEL)} == {"2026aaa@0", f"{NAME}@0", f"{NAME}@1"}


def test_the_index_learns_of_a_run_that_made_a_fit_again(fitted, record, sample, capsys):
    pytest.importorskip("duckdb", reason="the extra `index` is not installed")

    def used() -> list[Any]:
        with DataRepo(fitted).index.open() as db:
            sql = "SELECT reference_revision FROM reference_uses WHERE reference = 'r/model/sbi-global'"
            return [row[0] for row in db.query(sql).rows]

    assert used() == [0]
    record(fitted, ran(sample, GLOBAL, hours=90))
    assert used() == [1] == [int(each.partition("@")[2]) for each in models(DataRepo(fitted).provenance(NAME))]
    assert main(["-C", str(fitted), "provenance", NAME, "--format", "json"]) == 0
    assert f"data:{MODEL}@1" in json.loads(capsys.readouterr().out)["entity"]
