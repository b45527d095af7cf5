"""Real and simulated data never mix: every way into a data repo refuses the other kind."""

import json
import subprocess

import pytest

from blastgit import DataRepo
from blastgit.annotations.sync import sync
from blastgit.cli.main import main
from blastgit.demo import small
from blastgit.errors import Denied, InvalidExport, InvalidInput
from blastgit.plumbing.process import git_environment


def git(*words):
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False, env=git_environment())


@pytest.fixture
def real(tmp_path, record):
    """A repo of real data, with a transient of its own."""
    DataRepo.init(tmp_path / "real")
    record(tmp_path / "real", small("2026real"))
    return tmp_path / "real"


@pytest.fixture
def simulated(shelf):
    """A repo of simulated data: 2026dgt@0 and @1."""
    return shelf


def refs(repo):
    return git("--git-dir", repo, "for-each-ref").stdout


def test_documents_say_what_they_are(real, simulated):
    assert DataRepo(simulated).show("2026dgt@1:metadata.simulated").value is True
    assert "simulated" not in DataRepo(real).show("2026real@0").value["metadata"]


@pytest.mark.parametrize("stated", [True, False])
def test_an_export_that_says_the_other(real, simulated, tmp_path, stated):
    sample = small("2026new")
    export = {**sample.export, "metadata": {**sample.export["metadata"], "simulated": stated}}
    _, data = sample.write(tmp_path / "new")
    good, wrong = (simulated, real) if stated else (real, simulated)
    with pytest.raises(InvalidExport, match="the two must not be mixed"):
        DataRepo(wrong).record("2026new", json.dumps(export).encode(), data)
    assert DataRepo(good).record("2026new", json.dumps(export).encode(), data).revision == 0
    nonsense = {**export, "metadata": {**export["metadata"], "simulated": "perhaps"}}
    with pytest.raises(InvalidExport, match="should be true or false"):
        DataRepo(good).record("2026new", json.dumps(nonsense).encode(), data)


def test_a_published_document_of_real_data(real, simulated, tmp_path):
    DataRepo(real).get("2026real@0", tmp_path / "got")
    _, data = small("2026real").write(tmp_path / "real-files")
    with pytest.raises(InvalidExport, match=r"are real, but .* holds simulated"):
        DataRepo(simulated).record("2026real", tmp_path / "got/2026real.json", data)


def test_an_archive(real, simulated, tmp_path, capsys):
    archives = tmp_path / "archives"
    archives.mkdir()
    DataRepo(simulated).export("2026dgt@1", archives / "2026dgt.tar.gz")
    with pytest.raises(InvalidExport, match="are simulated"):
        DataRepo(real).record_archive(archives / "2026dgt.tar.gz")
    before = refs(real)
    assert main(["-C", str(real), "import", str(archives), "--jobs", "1"]) == 4
    assert "are simulated" in capsys.readouterr().out
    assert refs(real) == before


def test_a_stage(real, simulated):
    document = DataRepo(simulated).show("2026dgt@1").value
    document["transient"]["fields"]["name"] = "2026real"
    workflow = DataRepo(real).workflow("2026real", owner="w")
    workflow.begin("Host match")
    with pytest.raises(InvalidExport, match="are simulated"):
        workflow.finish("Host match", export={"metadata": document["metadata"]})


@pytest.mark.parametrize("to_real", [True, False])
def test_a_push(real, simulated, tmp_path, to_real):
    source, target, name = (simulated, real, "2026dgt") if to_real else (real, simulated, "2026real")
    config = git("--git-dir", target, "show", "main:.dvc/config").stdout
    other = DataRepo.init(tmp_path / "other", store=DataRepo(target).store_url, simulated=to_real)
    assert git("--git-dir", other.path, "show", "main:.dvc/config").stdout == config
    sample = small(name if to_real else "2026sky")
    export, data = sample.write(tmp_path / "pushed")
    other.record(sample.name, export, data)
    name = sample.name
    before = refs(target)
    specs = [f"refs/heads/{name}", f"refs/tags/{name}/0"]
    done = git("--git-dir", other.path, "push", "--atomic", f"file://{target}", *specs)
    assert done.returncode != 0
    assert ("its data are simulated" if to_real else "does not say that its data are simulated") in done.stderr
    assert refs(target) == before
    assert source.exists()


def test_main_cannot_be_made_the_other(simulated, tmp_path):
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--branch", "main", simulated, clone)
    text = (clone / "blastgit.yaml").read_text().replace("kind: simulated", "kind: real")
    (clone / "blastgit.yaml").write_text(text)
    git("-C", clone, "commit", "--quiet", "--all", "-m", "real")
    assert "real and simulated data never mix" in git("-C", clone, "push", f"file://{simulated}", "main").stderr


def test_another_repo_and_what_is_said_of_it(real, simulated):
    for one, other in ((real, simulated), (simulated, real)):
        with pytest.raises(InvalidInput, match="never mix"):
            DataRepo(one).take_in(other)
        with pytest.raises(InvalidInput, match="does not mix either"):
            sync(DataRepo(one).session.repository, str(other))


def test_a_subset_is_of_the_same_kind(real, simulated, tmp_path):
    for number, (repo, spec) in enumerate(((real, "2026real@0"), (simulated, "2026dgt@0"))):
        DataRepo(repo).subset(tmp_path / f"part{number}", [spec])
        part = DataRepo(tmp_path / f"part{number}")
        assert part.session.repository.settings.simulated == DataRepo(repo).session.repository.settings.simulated
        assert part.verify().problems == []


def test_a_promotion_cannot_mix(simulated, tries, record_own, me):
    record_own(simulated, tries[0])
    with pytest.raises(Denied, match="belongs to"):
        record_own(simulated, tries[1], user="somebody")
    assert DataRepo(simulated).personal.promote(f"u/{me}/2026dgt@0").revision == 2
    assert DataRepo(simulated).show("2026dgt@2:metadata.simulated").value is True
