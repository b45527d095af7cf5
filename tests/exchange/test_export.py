"""A revision is exported for Blast, or in the original layout of the project."""

import hashlib
import json
import math
import tarfile

import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.cli import main
from blastgit.demo import small
from blastgit.errors import RepoError, Withdrawn, WouldOverwrite
from blastgit.exchange.to_blast import adapt
from blastgit.workflow.stages import default_stages

pytestmark = pytest.mark.slow

TASKS = default_stages().by_name


def unpacked(path):
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def test_what_went_out_comes_back_equal(history, states, tmp_path):
    repo = DataRepo(history)
    for number, state in ((0, states[0]), (1, states[2])):
        done = repo.export(f"2026dgt@{number}", tmp_path / f"{number}.tar.gz")
        members = unpacked(done.path)
        assert members["cutouts/DES/DES_z.fits"] == state.files["cutout_cdn/2026dgt/DES/DES_z.fits"]
        assert done.files == len(members) == len(state.files) + 1
    assert repo.record_archive(tmp_path / "1.tar.gz").status == "unchanged"
    other = DataRepo.init(tmp_path / "other", simulated=True)
    assert [other.record_archive(tmp_path / f"{n}.tar.gz").revision for n in (0, 1)] == [0, 1]
    ours, theirs = (each.show("2026dgt@1:files").value for each in (repo, other))
    assert ours == theirs


def test_the_same_revision_gives_the_same_bytes(library, tmp_path):
    for name in "ab":
        DataRepo(library).export("2026dgt@0", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_numbers_are_blasts_again(repo, record, tmp_path):
    sample = small("2026dgt")
    sample.export["transient"]["fields"]["redshift"] = math.nan
    record(repo, sample)
    DataRepo(repo).export("2026dgt", tmp_path / "a.tar.gz")
    document = json.loads(unpacked(tmp_path / "a.tar.gz")["transient.json"])
    assert math.isnan(document["transient"]["fields"]["redshift"])
    assert document["metadata"].keys() == {"app_version", "export_time", "simulated"}
    assert "files" not in document


@pytest.mark.slow
def test_real_cases_come_back_equal(cases, tmp_path):
    repo = DataRepo.init(tmp_path / "repo")
    for export in sorted(cases.glob("*/*/export.json")):
        if (export.parent / "data").is_dir():
            name = export.parent.parent.name
            done = repo.record(name, export, export.parent / "data")
            archive = tmp_path / f"{export.parent.name}.tar.gz"
            repo.export(f"{name}@{done.revision}", archive, force=True)
            importable(json.loads(unpacked(archive)["transient.json"]))
            assert repo.record_archive(archive).status == "unchanged", export


def importable(document):
    """Read a document as Blast's importer does; raises where that would stop."""
    for table in ("surveys", "filters", "cutouts"):
        for row in document[table]:
            _ = row["pk"], row["fields"]["name"]
    for row in document["cutouts"]:
        _ = row["fields"]["message"], row["fields"]["cropped"], row["fields"]["fits"].replace(".fits", ".jpg")
    _ = document["transient"]["fields"]["display_name"], document["transient"]["fields"]["processing_status"]
    for aperture in document["apertures"]:
        histories = {row["pk"]: row for row in aperture["starformationhistoryresult"]}
        for row in aperture["sedfittingresults"]:
            _ = [histories[pk] for pk in row["fields"]["logsfh"]]
            _ = [row["fields"][f"log_age_{age}"] for age in (16, 50, 84)]
    assert {task["task_name"] for task in document["workflow_tasks"]} <= TASKS.keys()


def test_what_the_importer_would_stumble_over_is_adapted():
    document = json.loads(small("2026dgt").text)
    del document["transient"]["fields"]["display_name"]
    document["cutouts"][0]["fields"]["fits"] = None
    globals_ = [row for row in document["apertures"] if row["fields"]["type"] == "global"]
    fit = next(row for row in globals_ if row["sedfittingresults"])
    other = next(row for row in globals_ if row is not fit)
    other["starformationhistoryresult"] = fit["starformationhistoryresult"][:2]
    fit["starformationhistoryresult"] = fit["starformationhistoryresult"][2:]
    for age in (16, 50, 84):
        fit["sedfittingresults"][0]["fields"].pop(f"log_age_{age}", None)
    document["workflow_tasks"].append({**document["workflow_tasks"][0], "task_name": "Dataset revision"})
    before = json.dumps(document)
    adapted = adapt(document, TASKS)
    importable(adapted.document)
    assert len(adapted.notes) == 3
    assert json.dumps(document) == before
    importable(adapt(json.loads(small("2026dgt").text), TASKS).document)


def test_a_renamed_transients_files_are_named_as_the_importer_places_them():
    document = json.loads(small("2026dgt").text.replace('"name": "2026dgt"', '"name": "2026new"'))
    adapted = adapt(document, TASKS)
    paths = [row["fields"]["fits"] for row in adapted.document["cutouts"] if row["fields"]["fits"]]
    assert paths
    assert all(path.startswith("/data/cutout_cdn/2026new/") for path in paths)
    assert "instead of a former name" in adapted.notes[0]


def test_the_first_layout(history, tmp_path):
    repo = DataRepo(history)
    tree = tmp_path / "tree"
    done = repo.export("2026dgt", tree, form="tree")
    root = tree / "revisions/2026dgt"
    assert sorted(path.name for path in root.iterdir()) == ["0", "1"]
    kept = {str(path.relative_to(root / "0")) for path in (root / "0").rglob("*") if path.is_file()}
    old, new = (repo.show(f"2026dgt@{number}:files").value for number in (0, 1))
    assert kept == {"2026dgt.json", *(path for path in old if new.get(path) != old[path])}
    assert "cutout_cdn/DES/DES_z.fits" in kept
    assert "cutout_cdn/DES/DES_g.fits" not in kept
    assert done.files == sum(path.is_file() for path in tree.rglob("*"))
    for number in (0, 1):
        for path, digest in repo.show(f"2026dgt@{number}:files").value.items():
            first, _, rest = path.partition("/")
            places = [root / str(n) / path for n in range(number, 1)] + [tree / first / "2026dgt" / rest]
            found = next(place for place in places if place.exists())
            assert f"sha256:{hashlib.sha256(found.read_bytes()).hexdigest()}" == digest


def test_the_first_layout_up_to_a_revision(history, tmp_path):
    DataRepo(history).export("2026dgt@0", tmp_path, form="tree")
    assert sorted(path.name for path in (tmp_path / "revisions/2026dgt").iterdir()) == ["0"]


def test_what_is_in_the_way(library, tmp_path):
    repo = DataRepo(library)
    (tmp_path / "a").write_text("mine")
    with pytest.raises(WouldOverwrite):
        repo.export("2026dgt", tmp_path / "a")
    assert (tmp_path / "a").read_text() == "mine"
    repo.export("2026dgt", tmp_path / "a", force=True)
    with pytest.raises(RepoError):
        repo.export("2026dgt", tmp_path / "none/a")
    repo.export("2026dgt", tmp_path / "tree", form="tree")
    (tmp_path / "tree/cutout_cdn/2026dgt/DES/DES_z.fits").write_text("mine")
    with pytest.raises(WouldOverwrite):
        repo.export("2026dgt", tmp_path / "tree", form="tree")


def test_what_was_withdrawn_is_not_handed_out(history, tmp_path):
    DataRepo(history).withdraw("2026dgt@1:cutout_cdn/DES/DES_z.fits", "a licence")
    for form in ("blast", "tree"):
        with pytest.raises(Withdrawn):
            DataRepo(history).export("2026dgt@1", tmp_path / form, form=form)
    assert not (tmp_path / "blast").exists()


def test_the_command_line(library, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["-C", str(library), "export", "2026dgt@0"]) == 0
    assert (tmp_path / "2026dgt.tar.gz").exists()
    assert main(["-C", str(library), "export", "2026dgt", "--format", "tree", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.partition("\n")[2])["format"] == "tree"


def test_what_was_said_goes_along(history, tmp_path, capsys):
    repo = DataRepo(history)
    silent = repo.export("2026dgt@1", tmp_path / "silent.tar.gz")
    assert (silent.annotations, silent.to_json()["annotations"]) == (None, None)
    assert [path.name for path in tmp_path.glob("silent*")] == ["silent.tar.gz"]
    for subject in ("2026dgt@1", "2026dgt@0:cutout_cdn/DES/DES_g.fits", "2026dgt", "2026dgt@0", "2026other"):
        repo.annotations.add([subject], AnnotationBody(comment=f"said of {subject}"), announce=True)
    first = next(
        note.event.id for note in repo.annotations.about("2026dgt@1").notes if "@1" in note.event.remark.comment
    )
    repo.annotations.add(["2026dgt@1"], AnnotationBody(comment="taken back", supersedes=(first,)))
    assert main(["-C", str(history), "export", "2026dgt@1", str(tmp_path / "a.tar.gz")]) == 0
    beside = tmp_path / "a.annotations.jsonl"
    assert str(beside) in capsys.readouterr().out
    said = {json.loads(line)["comment"] for line in beside.read_text().splitlines()}
    assert said == {"said of 2026dgt@1", "said of 2026dgt@0:cutout_cdn/DES/DES_g.fits", "said of 2026dgt", "taken back"}
    tree = repo.export("2026dgt@1", tmp_path / "tree", form="tree")
    assert tree.annotations == tmp_path / "tree/annotations/2026dgt.jsonl"
    assert len(tree.annotations.read_text().splitlines()) == 5, "of all revisions that are there"
    repo.annotations.add(["2026dgt@1"], AnnotationBody(comment="more"))
    with pytest.raises(WouldOverwrite):
        repo.export("2026dgt@1", tmp_path / "tree", form="tree")


def test_what_went_along_is_taken_in_again(history, tmp_path):
    repo = DataRepo(history)
    repo.annotations.add(["2026dgt@1"], AnnotationBody(flag="bad", comment="trail"))
    done = repo.export("2026dgt@1", tmp_path / "a.tar.gz")
    other = DataRepo.init(tmp_path / "other", simulated=True)
    other.take_in(history)
    assert other.annotations.take_in(done.annotations.read_bytes()).subjects == 1
    assert other.annotations.flag_of("2026dgt@1") == "bad"
