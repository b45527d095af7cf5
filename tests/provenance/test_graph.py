import json
import shutil

import prov.model
import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.cli import main
from blastgit.demo import small
from blastgit.errors import InvalidName, NotFound
from blastgit.provenance.dot import to_dot, to_svg
from blastgit.provenance.prov_json import to_prov

SED_FILE = "sed_output/2026dgt_local.h5"


def test_the_way_leads_from_images_to_files(library):
    graph = DataRepo(library).provenance(f"2026dgt@1:{SED_FILE}")
    assert {"images/DES/DES_z", "cutout_cdn/DES/DES_z.fits", "cutouts/2026dgt_DES_z", "sed/local", "host"} <= set(
        graph.things
    )
    assert "sed/global" not in graph.things
    assert graph.maker("sed/local").stage == "Local host SED inference"
    assert graph.things["cutout_cdn/DES/DES_z.fits"].facts["sha256"] == DataRepo(library).show("2026dgt@1:files").value[
        "cutout_cdn/DES/DES_z.fits"
    ].removeprefix("sha256:")
    assert graph.things["sed/local"].facts["software_version"]
    assert graph.about["app_version"] == "v1.13.1"
    assert graph.about["rules"].startswith("sha256:")


def test_what_was_not_validated_was_not_used(library):
    graph = DataRepo(library).provenance("2026dgt@0")
    rows = json.loads(small("2026dgt").text)["apertures"]
    doubtful = sum(
        row["fields"]["is_validated"] != "true"
        for aperture in rows
        if aperture["fields"]["type"] == "global"
        for row in aperture["aperturephotometry"]
    )
    left = [use for use in graph.sources["sed/global"] if not use.really]
    assert len(left) == doubtful > 0
    reached = graph.downstream([use.source for use in left])
    assert "sed/global" not in reached


def test_every_file_and_stage_is_in_it(library):
    repo = DataRepo(library)
    graph = repo.provenance("2026dgt")
    assert repo.show("2026dgt:files").value.keys() <= graph.things.keys()
    assert len(graph.deeds) == 17
    for deed in graph.deeds:
        assert set(deed.makes) | set(deed.uses) <= graph.things.keys()


def test_the_prov_package_reads_it_back(library):
    text = json.dumps(to_prov(DataRepo(library).provenance("2026dgt@1")))
    document = prov.model.ProvDocument.deserialize(content=text, format="json")
    kinds = {type(record).__name__ for record in document.get_records()}
    assert {"ProvEntity", "ProvActivity", "ProvAgent", "ProvUsage", "ProvGeneration", "ProvDerivation"} <= kinds
    again = json.loads(document.serialize(format="json"))
    for relation in ("used", "wasGeneratedBy", "wasDerivedFrom", "hadMember"):
        assert _ends(again[relation]) == _ends(json.loads(text)[relation])
    assert again["entity"]["data:2026dgt@1:sed/global"]["prov:label"] == "sed/global"


def _ends(relations):
    return sorted(tuple(sorted(ends.items())) for ends in relations.values())


def test_pictures_of_it(library):
    graph = DataRepo(library).provenance("2026dgt@1:sed/global")
    text = to_dot(graph)
    assert text.startswith('digraph "2026dgt@1" {')
    assert "style=dashed" in text
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    assert "<svg" in to_svg(graph)


def test_without_graphviz(library, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    assert main(["-C", str(library), "provenance", "2026dgt@0", "--format", "svg"]) == 6
    assert "--format dot" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json", "dot"])
def test_the_command_line(library, capsys, form):
    assert main(["-C", str(library), "provenance", "2026dgt@1", "--format", form]) == 0
    whole = capsys.readouterr().out
    assert "Cutout download" in whole
    assert main(["-C", str(library), "provenance", f"2026dgt@1:{SED_FILE}", "--format", form]) == 0
    assert "images/DES/DES_z" in capsys.readouterr().out


def test_what_is_not_there(library):
    with pytest.raises(NotFound, match="nothing at"):
        DataRepo(library).provenance("2026dgt@1:sed/other")
    with pytest.raises(NotFound):
        DataRepo(library).provenance("2026dgt@7")


def test_affected_follows_content_and_hosts(history, record):
    other = small("2026abc", seed=5)
    shared = json.loads(other.text)
    first = json.loads(small("2026dgt").text)
    shared["host"]["fields"]["name"] = first["host"]["fields"]["name"]
    record(history, type(other)(shared, other.files))
    repo = DataRepo(history)
    by_path = repo.affected("2026dgt@0:cutout_cdn/DES/DES_g.fits")
    assert {each.revision for each in by_path} == {"2026dgt@0", "2026dgt@1"}
    assert by_path == repo.affected(repo.show("2026dgt@0:files").value["cutout_cdn/DES/DES_g.fits"])
    host = f"host:{first['host']['fields']['name']}"
    assert {each.revision for each in repo.affected(host)} == {"2026dgt@0", "2026dgt@1", "2026abc@0"}
    assert repo.affected("2026abc@0:host") == repo.affected(host)
    image = [each for each in repo.affected("images/DES/DES_z") if each.revision == "2026abc@0"]
    assert [each.distance for each in image] == sorted(each.distance for each in image)
    assert any(each.product == "sed/local" for each in image)
    row = repo.affected("2026dgt@1:photometry/2026dgt_local/DES_g")
    assert {each.revision for each in row} == {"2026dgt@1"}
    assert "sed/global" not in {each.product for each in row}


def test_affected_by_what_a_remark_is_about(history):
    repo = DataRepo(history)
    done = repo.annotations.add(["2026dgt@1:cutout_cdn/DES/DES_z.fits"], AnnotationBody(flag="bad"))
    assert repo.affected(done.ids[0]) == repo.affected("2026dgt@1:cutout_cdn/DES/DES_z.fits")
    with pytest.raises(NotFound, match="does not exist"):
        repo.affected("00000000-0000-5000-8000-000000000000")


def test_subjects_that_are_none(library):
    for text in ("2026dgt", "sha256:abc", "images/DES", "host:"):
        with pytest.raises(InvalidName):
            DataRepo(library).affected(text)
    with pytest.raises(NotFound):
        DataRepo(library).affected("2026dgt@0:photometry/none")
    with pytest.raises(NotFound, match="no revision was made with host:nobody"):
        DataRepo(library).affected("host:nobody")


def test_affected_on_the_command_line(library, capsys):
    assert main(["-C", str(library), "affected", "images/DES/DES_z"]) == 0
    assert "in 2 revisions of images/DES/DES_z" in capsys.readouterr().out
    assert main(["-C", str(library), "affected", "images/DES/DES_z", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0].keys() == {"revision", "product", "distance", "via"}
