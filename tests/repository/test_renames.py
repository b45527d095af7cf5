"""A renamed transient is found by either name, and has one history."""

import json

import pytest

from blastgit import DataRepo
from blastgit.demo import Sample, small
from blastgit.errors import NotFound, RepoError
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.local import LocalRepository
from blastgit.repository.renames import Renames, read_renames


@pytest.fixture
def renamed(history):
    """2026dgt is called 2026new now."""
    repository = LocalRepository(history)
    settings = repository.main_file("blastgit.yaml") + b"renames:\n  2026dgt: 2026new\n"
    commit_to_branch(repository, "main", lambda _: BranchEdit({"blastgit.yaml": settings}, "A rename"))
    return history


def test_either_name_finds_what_there_is(renamed, tmp_path):
    for place in (renamed, renamed.as_uri()):
        repo = DataRepo(place)
        assert repo.show("2026new@1:host.redshift").value == repo.show("2026dgt@1:host.redshift").value
        assert repo.show("2026new").asked == "2026new"
        assert [entry.revision.number for entry in repo.log("2026new")] == [1, 0]
        assert repo.diff("2026new@0", "2026dgt@0").reason
        assert repo.blame("2026new", "host.redshift")
        with pytest.raises(NotFound):
            repo.show("2026other")
    DataRepo(renamed).get("2026new@0", tmp_path / "got")


def test_history_goes_on_under_the_new_name(renamed, record, run):
    sample = small(
        "2026dgt",
    )
    text = sample.text.replace('"name": "2026dgt"', '"name": "2026new"')
    done = record(renamed, Sample(json.loads(text), sample.files))
    assert (done.transient, done.revision) == ("2026new", 0)
    repo = DataRepo(renamed)
    assert [str(entry.revision) for entry in repo.log("2026new")] == ["2026new@0", "2026dgt@1", "2026dgt@0"]
    assert [str(entry.revision) for entry in repo.log("2026dgt")] == ["2026dgt@1", "2026dgt@0"]
    said = run("git", "-C", renamed, "log", "-1", "--format=%(trailers:key=Formerly,valueonly)", "2026new")
    assert said.strip() == "2026dgt@1"
    assert repo.verify().problems == []


def test_an_alias_finds_its_transient(repo, record):
    sample = small("2026dgt")
    sample.export["transient"]["fields"] |= {"aliases": ["SN2026dgt", "ZTF26abc"], "display_name": "Dgt-star"}
    record(repo, sample)
    record(repo, small("2026abc", seed=5))
    for alias in ("sn2026DGT", "ZTF26abc", "Dgt-star"):
        assert DataRepo(repo).show(f"{alias}@0").revision == "2026dgt@0"
        assert [entry.revision.name for entry in DataRepo(repo).log(alias)] == ["2026dgt"]
    with pytest.raises(NotFound):
        DataRepo(repo).show("ZTF26ab")


def test_an_alias_finds_its_transient_among_very_many_by_the_index(repo, record, monkeypatch):
    monkeypatch.setattr("blastgit.api.aliases.LIMIT", 0)
    sample = small("2026dgt")
    sample.export["transient"]["fields"] |= {"aliases": ["SN2026dgt"], "display_name": "Dgt-star"}
    record(repo, sample)
    with pytest.raises(NotFound):
        DataRepo(repo).show("SN2026dgt")
    DataRepo(repo).index.update()
    for alias in ("sn2026DGT", "Dgt-star"):
        assert DataRepo(repo).show(alias).revision == "2026dgt@0"
    sample.export["transient"]["fields"]["aliases"] = []
    record(repo, sample)
    with pytest.raises(NotFound):
        DataRepo(repo).show("SN2026dgt")


def test_chains_of_names():
    renames = Renames({"a1": "b1", "b1": "c1", "x1": "c1"})
    assert renames.former("c1") == ["b1", "a1", "x1"]
    assert renames.others("b1") == ["c1", "a1", "x1"]
    assert renames.others("other") == []


@pytest.mark.parametrize("loaded", [["a"], {"2026a": "main"}, {"2026a": "2026b", "2026b": "2026a"}, {"2026a": "2026a"}])
def test_what_makes_no_sense(loaded):
    with pytest.raises(RepoError, match="renames"):
        read_renames(loaded)
