"""Personal lines: recorded separately from the official ones, numbered separately, and supported by every verb."""

import json
import subprocess
from datetime import timedelta

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.errors import Denied, InvalidExport, InvalidInput, InvalidName, NotFound
from blastgit.naming.names import parse_spec
from blastgit.plumbing.process import git_environment

DES_Z = "cutout_cdn/DES/DES_z.fits"


def git(repo, *words):
    done = subprocess.run(
        ["git", "--git-dir", repo, *words], capture_output=True, text=True, check=True, env=git_environment()
    )
    return done.stdout.strip()


def official(repo):
    return git(repo, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/2026dgt", "refs/tags/2026dgt")


def test_a_line_forks_from_the_latest_and_leaves_the_official_one_alone(shelf, tries, record_own, me):
    before = official(shelf)
    done = record_own(shelf, tries[0])
    assert (done.status, done.tag, done.before) == ("recorded", f"u/{me}/2026dgt/0", "2026dgt@1")
    assert git(shelf, "rev-parse", f"u/{me}/2026dgt/0^{{commit}}~") == git(shelf, "rev-parse", "2026dgt/1^{commit}")
    trailers = git(shelf, "log", "-1", "--format=%(trailers)", f"refs/heads/u/{me}/2026dgt")
    assert f"Line: u/{me}/2026dgt\nForked-From: 2026dgt@1\nMarker: revision" in trailers
    second = record_own(shelf, tries[1])
    assert (second.tag, second.before) == (f"u/{me}/2026dgt/1", f"u/{me}/2026dgt@0")
    assert official(shelf) == before
    assert DataRepo(shelf).verify().problems == []


def test_what_does_not_differ_begins_no_line(shelf, states, tries, record_own, me):
    done = record_own(shelf, states[2])
    assert (done.status, done.transient, done.revision, done.marker) == ("unchanged", "2026dgt", 1, None)
    assert DataRepo(shelf).personal.lines() == []
    record_own(shelf, tries[0])
    again = record_own(shelf, tries[0])
    assert (again.status, again.transient, again.revision) == ("unchanged", f"u/{me}/2026dgt", 0)
    back = record_own(shelf, states[2])
    assert (back.status, back.revision) == ("recorded", 1), "the official values are news to a line that has others"


def test_it_forks_from_any_revision(shelf, tries, record_own, me):
    assert record_own(shelf, tries[0], fork="2026dgt@0", dry_run=True).before == "2026dgt@0"
    assert DataRepo(shelf).personal.lines() == []
    record_own(shelf, tries[0], fork="2026dgt@0")
    assert str(DataRepo(shelf).personal.origin(f"u/{me}/2026dgt")) == "2026dgt@0"
    assert record_own(shelf, tries[1], fork="2026dgt@0").revision == 1
    with pytest.raises(InvalidInput, match="forks from 2026dgt@0"):
        record_own(shelf, tries[2], fork="2026dgt@1")
    assert DataRepo(shelf).verify().problems == []


def test_it_forks_from_somebody_elses(shelf, tries, record_own, me, monkeypatch):
    monkeypatch.setenv("GL_USER", "bob")
    record_own(shelf, tries[0], user="bob")
    monkeypatch.delenv("GL_USER")
    assert record_own(shelf, tries[1], fork="u/bob/2026dgt@0").before == "u/bob/2026dgt@0"
    repo = DataRepo(shelf)
    assert str(repo.personal.origin(f"u/{me}/2026dgt")) == "u/bob/2026dgt@0"
    assert [entry.revision.number for entry in repo.log(f"u/{me}/2026dgt")] == [0]
    assert repo.verify().problems == []
    assert repo.personal.lines("bob") == ["u/bob/2026dgt"]


def test_what_cannot_be_forked(repo, tries, record_own, record, sample, me):
    with pytest.raises(NotFound, match="could fork from: record it officially"):
        record_own(repo, tries[0])
    record(repo, sample)
    with pytest.raises(NotFound, match="no revision 7"):
        record_own(repo, tries[0], fork="2026dgt@7")
    with pytest.raises(InvalidName, match="cannot be a user's name"):
        record_own(repo, tries[0], user="a b")
    with pytest.raises(InvalidName, match="not a name of a collection"):
        record_own(repo, tries[0], run="two\nlines")
    assert DataRepo(repo).personal.lines() == []


def test_a_line_belongs_to_its_user(own, tries, record_own, me, monkeypatch):
    with pytest.raises(Denied, match=f"u/alice/2026dgt belongs to alice, so {me} may not"):
        record_own(own, tries[2], user="alice")
    monkeypatch.setenv("GATEWAY_INTERFACE", "CGI/1.1")
    with pytest.raises(Denied, match="anonymous may not"):
        record_own(own, tries[2], user="anonymous")
    monkeypatch.delenv("GATEWAY_INTERFACE")
    monkeypatch.setenv("GL_USER", me.upper())
    with pytest.raises(InvalidName, match="only in case"):
        record_own(own, tries[2], user=me.upper())


def test_no_role_is_needed_for_ones_own(shelf, tries, record_own, record, me, commit_settings):
    commit_settings(shelf, "policy: {roles: {admin: [root-of-all], writer: [blast]}}")
    with pytest.raises(Denied, match="'writer'"):
        record(shelf, tries[0])
    assert record_own(shelf, tries[0]).tag == f"u/{me}/2026dgt/0"
    with pytest.raises(Denied, match="'writer' for 2026dgt"):
        DataRepo(shelf).personal.promote(f"u/{me}/2026dgt@0")


def test_every_verb_takes_it(own, tries, me, tmp_path, capsys):
    repo, line = DataRepo(own), f"u/{me}/2026dgt"
    assert [(each.name, each.revision) for each in repo.list()] == [("2026dgt", 1)]
    assert [(each.name, each.revision) for each in repo.list("u/*")] == [(line, 1)]
    assert repo.list(f"u/{me}/x*") == []
    assert [str(entry.revision) for entry in repo.log(line)] == [f"{line}@1", f"{line}@0"]
    first = repo.log(line)[-1]
    assert first.files
    assert all(file["change"] == "changed" for file in first.files), "it is told from what it forks from"
    assert repo.show(f"{line}@0:metadata.dataset_version").value == 0
    assert repo.show(f"{line}/1:transient.name").value == "2026dgt"
    assert repo.show(f"{line}@latest").revision == f"{line}@1"
    assert repo.diff("2026dgt@1", f"{line}@1").files
    assert repo.diff(f"{line}@0", f"{line}@0").files == []
    got = repo.get(f"{line}@0", tmp_path / "got")
    assert "2026dgt.json" in got.written
    assert json.loads((tmp_path / "got/2026dgt.json").read_text())["metadata"]["dataset_version"] == 0
    origins = {str(each.revision) for each in repo.blame(line)}
    assert {"2026dgt@0", f"{line}@1"} <= origins
    assert repo.verify(line).revisions == 2
    assert repo.verify().problems == []
    assert repo.provenance(f"{line}@0").things
    assert repo.validity(f"{line}@0").invalid == {}
    repo.export(f"{line}@0", tmp_path / "own.tar.gz")
    assert (tmp_path / "own.tar.gz").stat().st_size
    repo.export(f"{line}@1", tmp_path / "tree", form="tree")
    assert (tmp_path / "tree/revisions/2026dgt/1/2026dgt.json").is_file()
    assert [path.name for path in (tmp_path / "tree/revisions").iterdir()] == ["2026dgt"]
    for words in (["list", "u/*"], ["log", line], ["blame", line, "host"], ["annotate", f"{line}@0", "-m", "mine"]):
        assert main(["-C", str(own), *words]) == 0
    assert "forks from 2026dgt@1" in capsys.readouterr().out
    assert main(["-C", str(own), "notes", f"{line}@0"]) == 0
    assert "mine" in capsys.readouterr().out


def test_a_file_of_it_can_be_annotated_and_withdrawn(own, me, capsys):
    line = f"u/{me}/2026dgt"
    assert main(["-C", str(own), "annotate", f"{line}@0:{DES_Z}", "-m", "blurred"]) == 0
    assert main(["-C", str(own), "notes", f"2026dgt@1:{DES_Z}"]) == 0
    assert "blurred" in capsys.readouterr().out, "the same content is in both"
    repo = DataRepo(own)
    done = repo.withdraw(f"{line}@0:{DES_Z}", "a mistake")
    assert done.kept == [DES_Z], "the official revision needs it too"
    assert repo.verify().problems == []
    assert repo.list("u/*")[0].revision == 1


def test_contents_of_it_are_kept(own, me):
    repo = DataRepo(own)
    repo.gc(delete=True, grace=timedelta())
    assert repo.verify(f"u/{me}/2026dgt").problems == []


def test_collections_of_ones_own_take_it(own, tries, record_own, me):
    collections = DataRepo(own).collections
    collections.create(f"u/{me}/best", "TAGGED", "mine")
    collections.add(f"u/{me}/best", [f"u/{me}/2026dgt@latest"], "the better fit")
    assert str(collections.resolve(f"u/{me}/best", "2026dgt")) == f"u/{me}/2026dgt@1"
    collections.create("sample/one", "TAGGED", "for all")
    with pytest.raises(Denied, match="promote it first"):
        collections.add("sample/one", [f"u/{me}/2026dgt@0"], "no")


def test_its_run_is_ones_own(own, tries, record_own, me):
    with pytest.raises(Denied, match="is a run for all"):
        record_own(own, tries[2], run="night-7")
    done = record_own(own, tries[2], run=f"u/{me}/fits")
    assert done.revision == 2
    assert DataRepo(own).log(f"u/{me}/2026dgt")[0].revision.trailers["Run"] == f"u/{me}/fits"


@pytest.mark.parametrize(
    "text", ["u/alice", "u//2026dgt", "u/alice/", "u/a b/2026dgt@0", "u/alice/x@1", "u/../2026dgt", "u/al.lock/2026dgt"]
)
def test_names_that_are_none(text):
    with pytest.raises(InvalidName):
        parse_spec(text)


def test_specs_of_ones_own():
    spec = parse_spec(f"u/alice/2026dgt@3:{DES_Z}")
    assert (spec.name, spec.number, spec.path) == ("u/alice/2026dgt", 3, DES_Z)
    assert str(spec) == f"u/alice/2026dgt@3:{DES_Z}"
    assert parse_spec("u/alice/2026dgt/3").number == 3
    assert parse_spec("u/alice/2026dgt").is_latest


def test_bad_words_on_the_command_line(own, capsys):
    for words, said in (
        (["record", "2026dgt", "--from", "2026dgt@0", "--export", "x", "--data", "y"], "give the line with --as"),
        (["record", "2026dgt", "--as", "alice", "--export", "x", "--data", "y"], "u/USER, not 'alice'"),
        (["promote", "2026dgt@0"], "is not a revision of a user's own line"),
        (["log", "u/nobody/2026dgt"], "users' own lines"),
    ):
        assert main(["-C", str(own), *words]) in (2, 3, 4, 5)
        assert said in capsys.readouterr().err


def test_real_data_are_told_from_simulated(shelf, tries, record_own, tmp_path, record):
    DataRepo.init(tmp_path / "real")
    record(tmp_path / "real", tries[0])
    document = DataRepo(shelf).show("2026dgt@0").value
    assert document["metadata"]["simulated"] is True
    _, data = tries[0].write(tmp_path / "again")
    with pytest.raises(InvalidExport, match=r"simulated, but .*real holds real data"):
        DataRepo(tmp_path / "real").record("2026dgt", json.dumps(document).encode(), data)
