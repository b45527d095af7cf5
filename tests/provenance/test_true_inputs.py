"""The inputs that were really used, as they were when a product was made, after partial reruns of the workflow."""

import copy
import json

import prov.model
import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.demo import Sample, change_image, refit, reprocess
from blastgit.demo.tables import TASKS
from blastgit.provenance.prov_json import to_prov
from tests.reruns import new_image, ran

IMAGE = "cutout_cdn/DES/DES_g.fits"
OLD = f"2026dgt@0:{IMAGE}"


@pytest.fixture
def imaged(sample):
    """The sample with a new image, and nothing that follows from it."""
    return ran(new_image(sample), "Cutout download", "Crop transient images")


def inputs(graph, product):
    found, left = set(), [product]
    while left:
        for use in graph.sources.get(left.pop(), ()):
            if use.really and use.source not in found:
                found.add(use.source)
                left.append(use.source)
    return found


def test_an_old_fit_was_made_of_the_old_image(repo_with, sample, imaged):
    repo = repo_with(sample, imaged)
    graph = repo.provenance("2026dgt@1")
    found = inputs(graph, "sed/global")
    assert OLD in found
    assert IMAGE not in found
    assert graph.things[OLD].facts["sha256"] == repo.show("2026dgt@0:files").value[IMAGE].removeprefix("sha256:")
    assert graph.things[IMAGE].facts["sha256"] == repo.show("2026dgt@1:files").value[IMAGE].removeprefix("sha256:")
    assert "cutout_cdn/DES/DES_z.fits" in inputs(graph, "sed/local")
    assert graph.things["sed/global"].facts["made_for"] == "2026dgt@0"
    assert OLD not in repo.provenance("2026dgt@0").things


def test_a_fit_that_was_made_again_was_made_of_the_new_one(sample, imaged, record, repo):
    assert record(repo, sample).status == "recorded"
    assert record(repo, imaged).revision == 1
    again = ran(imaged, *TASKS, hours=50)
    assert record(repo, again).marker
    assert IMAGE in inputs(DataRepo(repo).provenance("2026dgt@1"), "sed/global")
    assert not [name for name in DataRepo(repo).provenance("2026dgt@1").things if "@" in name]


def test_the_fit_of_a_later_run_on_photometry_of_the_old_image_is_of_that(repo_with, sample, imaged):
    fitted = ran(refit(imaged, seed=4), "Global host SED inference", hours=48)
    found = inputs(repo_with(sample, imaged, fitted).provenance("2026dgt@2"), "sed/global")
    assert OLD in found
    assert IMAGE not in found


def test_prov_names_the_same_entity_as_the_graph_of_the_earlier_revision(repo_with, sample, imaged):
    repo = repo_with(sample, imaged)
    told = to_prov(repo.provenance("2026dgt@1"))
    earlier = to_prov(repo.provenance("2026dgt@0"))
    name = f"data:2026dgt@0:{IMAGE}"
    assert told["entity"][name]["blastgit:sha256"] == earlier["entity"][name]["blastgit:sha256"]
    members = {each["prov:entity"] for each in told["hadMember"].values()}
    assert name not in members
    assert f"data:2026dgt@1:{IMAGE}" in members
    prov.model.ProvDocument.deserialize(content=json.dumps(told), format="json")


def test_a_flag_on_the_old_image_reaches_the_old_fit_and_one_on_the_new_does_not(repo_with, sample, imaged):
    repo = repo_with(sample, imaged)
    repo.annotations.add([OLD], AnnotationBody(flag="bad", comment="a satellite"))
    repo.annotations.add([f"2026dgt@1:{IMAGE}"], AnnotationBody(flag="suspect", comment="a cloud"))
    told = repo.annotations.about("2026dgt@1:sed/global", inherited=True)
    assert [note.event.remark.comment for note in told.notes] == ["a satellite"]
    assert told.inherited == "bad"
    files = repo.annotations.about("2026dgt@1:sed_output/2026dgt_global.h5", inherited=True)
    assert files.inherited == "bad"
    assert repo.annotations.about("2026dgt@1:sed/global").notes == ()


def test_what_was_said_of_a_value_then_reaches_what_was_made_of_it(repo_with, sample, imaged):
    repo = repo_with(sample, ran(change_image(imaged, "DES_g", seed=6), *[t for t in TASKS if "SED" not in t]))
    row = "photometry/2026dgt_local/DES_g"
    repo.annotations.add([f"2026dgt@0:{row}"], AnnotationBody(comment="blended"))
    told = repo.annotations.about("2026dgt@0:sed/local", inherited=True)
    assert "blended" in [note.event.remark.comment for note in told.notes]


def test_affected_finds_the_old_fit_by_the_old_image_and_not_by_the_new(repo_with, sample, imaged):
    repo = repo_with(sample, imaged)
    by_old = {(each.revision, each.product) for each in repo.affected(OLD)}
    assert {("2026dgt@0", "sed/global"), ("2026dgt@1", "sed/global"), ("2026dgt@1", "sed/local")} <= by_old
    by_new = {(each.revision, each.product) for each in repo.affected(f"2026dgt@1:{IMAGE}")}
    assert ("2026dgt@1", IMAGE) in by_new
    assert not {product for _, product in by_new if product.startswith("sed")}


def test_a_host_that_was_another_one_then_is_an_input_of_what_was_made_of_it(repo_with, sample):
    export = copy.deepcopy(sample.export)
    export["host"]["fields"] |= {"name": "another", "redshift": 0.5}
    changed = ran(Sample(export, sample.files), "Host match", "Host information")
    repo = repo_with(sample, changed)
    old = sample.export["host"]["fields"]["name"]
    assert ("2026dgt@1", "sed/global") in {(each.revision, each.product) for each in repo.affected(f"host:{old}")}
    assert ("2026dgt@1", "sed/global") not in {(e.revision, e.product) for e in repo.affected("host:another")}


def test_a_whole_new_run_has_no_earlier_inputs(repo_with, sample):
    again = reprocess(
        change_image(sample, seed=2), app_version="v1.13.1", export_time="2026-06-05T00:00:00+00:00", seed=1
    )
    graph = repo_with(sample, again).provenance("2026dgt@1")
    assert not [name for name in graph.things if "@" in name]
