"""A separate repo with some revisions: complete, verified, with the same commits, and usable with plain tools."""

import hashlib
from datetime import UTC, datetime

import pytest

from benchmarks.crash import run_killed_at
from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.demo import small
from blastgit.errors import Busy, DamagedData, InvalidInput, NotFound, RepoError, Withdrawn
from blastgit.maintenance.subset import LEFT_OUT, read_list
from blastgit.repository.init import init
from blastgit.repository.unfinished import UNFINISHED, finished_at_the_end

pytestmark = pytest.mark.slow


@pytest.fixture
def shelf(history, record):
    """Two transients, 2026dgt with two revisions."""
    record(history, small("2026abc", seed=5))
    return history


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.parts and ".dvc" not in path.parts and path.suffix != ".dvc"
    }


def test_it_stands_on_its_own(shelf, tmp_path, run):
    made = DataRepo(shelf).subset(tmp_path / "part", ["2026dgt@1", "2026abc"])
    assert made.revisions == ["2026abc@0", "2026dgt@1"]
    DataRepo(shelf).get("2026dgt@1", tmp_path / "expected")
    shelf.rename(tmp_path / "away")
    part = DataRepo(tmp_path / "part")
    assert part.verify().problems == []
    assert [each.name for each in part.list()] == ["2026abc", "2026dgt"]
    part.get("2026dgt@1", tmp_path / "got")
    assert digests(tmp_path / "got") == digests(tmp_path / "expected")
    run("git", "-C", tmp_path / "part", "fsck", "--strict")
    run("git", "clone", "--quiet", "--branch", "2026dgt/1", "--single-branch", tmp_path / "part", tmp_path / "clone")
    run("dvc", "remote", "modify", "--local", "store", "url", part.store_url, cwd=tmp_path / "clone")
    run("dvc", "pull", "--quiet", cwd=tmp_path / "clone")
    assert run("git", "-C", tmp_path / "clone", "status", "--porcelain") == ""
    assert digests(tmp_path / "got").items() <= digests(tmp_path / "clone").items()


def test_commits_and_tags_are_the_same(shelf, tmp_path, run):
    DataRepo(shelf).subset(tmp_path / "part", ["2026dgt@0"])
    assert run("git", "-C", shelf, "rev-parse", "2026dgt/0") == run(
        "git", "-C", tmp_path / "part", "rev-parse", "2026dgt/0"
    )
    refs = run("git", "-C", tmp_path / "part", "for-each-ref", "--format=%(refname)").split()
    assert refs == ["refs/heads/2026dgt", "refs/heads/main", "refs/tags/2026dgt/0"]


def test_older_revisions_come_without_contents_of_their_own(shelf, tmp_path):
    made = DataRepo(shelf).subset(tmp_path / "part", ["2026dgt@1"])
    changed = DataRepo(shelf).diff("2026dgt@0", "2026dgt@1").files
    assert made.left_out == len(changed) > 0
    part = DataRepo(tmp_path / "part")
    with pytest.raises(Withdrawn, match=LEFT_OUT):
        part.get("2026dgt@0", tmp_path / "old")
    assert part.show("2026dgt@0:host.redshift").value == DataRepo(shelf).show("2026dgt@0:host.redshift").value
    assert part.gc(delete=True).set_aside == []


def test_just_some_files(shelf, tmp_path):
    made = DataRepo(shelf).subset(tmp_path / "part", ["2026dgt", "2026abc"], only="*.fits")
    part = DataRepo(tmp_path / "part")
    assert part.verify().problems == []
    part.get("2026dgt", tmp_path / "got", only="*.fits")
    assert made.files == 2 * len(list((tmp_path / "got").rglob("*.fits")))
    with pytest.raises(Withdrawn, match=LEFT_OUT):
        part.get("2026dgt", tmp_path / "more", only="*.npz")
    one = DataRepo(shelf).subset(tmp_path / "one", ["2026dgt@1:cutout_cdn/DES/DES_z.fits"])
    assert (one.files, one.contents) == (1, 1)


def test_work_goes_on_in_it(shelf, states, record, tmp_path):
    DataRepo(shelf).subset(tmp_path / "part", ["2026dgt@0"])
    assert record(tmp_path / "part", states[0]).status == "unchanged"
    done = record(tmp_path / "part", states[2])
    assert (done.status, done.revision) == ("recorded", 1)
    assert DataRepo(tmp_path / "part").verify().problems == []


def test_what_was_withdrawn_stays_so(shelf, tmp_path):
    DataRepo(shelf).withdraw("2026dgt@1:cutout_cdn/DES/DES_z.fits", "a licence")
    made = DataRepo(shelf).subset(tmp_path / "part", ["2026dgt@1"])
    part = DataRepo(tmp_path / "part")
    with pytest.raises(Withdrawn, match="a licence"):
        part.get("2026dgt@1", tmp_path / "got")
    assert part.verify().problems == []
    assert made.files == len(part.show("2026dgt@1:files").value) - 1


def test_from_a_repo_elsewhere(shelf, tmp_path):
    made = DataRepo(shelf.as_uri()).subset(tmp_path / "part", ["2026dgt@1"])
    assert made.revisions == ["2026dgt@1"]
    assert DataRepo(tmp_path / "part").verify().problems == []


def test_what_cannot_be_made(shelf, tmp_path):
    repo = DataRepo(shelf)
    for chosen, error in ((["2026dgt@7"], NotFound), (["2026dgt@1:nothing"], NotFound), (["2026zzz"], NotFound)):
        with pytest.raises(error):
            repo.subset(tmp_path / "none", chosen)
        assert not (tmp_path / "none").exists()
    with pytest.raises(RepoError, match="not empty"):
        repo.subset(shelf, ["2026dgt"])
    for content in (shelf / "dvc/files/md5").rglob("*"):
        if content.is_file():
            content.chmod(0o644)
            content.write_bytes(b"rotten")
    with pytest.raises(DamagedData):
        repo.subset(tmp_path / "rotten", ["2026dgt"])


@pytest.mark.slow
def test_half_of_one_is_never_taken_for_a_whole(shelf, tmp_path):
    target, step = tmp_path / "part", 1
    while run_killed_at(step, lambda: DataRepo(shelf).subset(target, ["2026dgt@1", "2026abc"])).killed:
        if (target / UNFINISHED).exists():
            with pytest.raises(RepoError, match=r"`blastgit subset` is still making it|is not a data repo"):
                DataRepo(target)
        elif (target / "HEAD").exists():
            break  # it died when all was there
        step += 97
    assert step > 50
    if not (target / "HEAD").exists() or (target / UNFINISHED).exists():
        DataRepo(shelf).subset(target, ["2026dgt@1", "2026abc"])
    assert DataRepo(target).verify().problems == []
    assert [each.revision for each in DataRepo(target).list()] == [0, 1]


def test_nobody_builds_where_another_process_does(shelf, tmp_path):
    init(tmp_path / "part", simulated=True, is_whole=False)
    with finished_at_the_end(tmp_path / "part"), pytest.raises(Busy, match="another process is making a data repo"):
        DataRepo(shelf).subset(tmp_path / "part", ["2026dgt@1"])
    assert DataRepo(tmp_path / "part").list() == []


def test_lists():
    assert read_list("# mine\n2026dgt@0\n\n 2026abc@1:x.fits # bad seeing\n") == ["2026dgt@0", "2026abc@1:x.fits"]
    with pytest.raises(InvalidInput):
        read_list("# nothing\n")


@pytest.mark.usefixtures("shared_references")
def test_references_that_were_used_come_along(repo, record, tmp_path, run):
    model = tmp_path / "sbi.pt"
    model.write_bytes(b"weights")
    source = DataRepo(repo)
    source.references.record("r/model/sbi-global", files=[model], time=datetime(2020, 1, 1, tzinfo=UTC))
    source.references.record("r/model/sbi-global", changed={"seed": 2}, time=datetime(2020, 1, 2, tzinfo=UTC))
    source.references.record("r/model/sbi-local", files=[model])  # after the export
    record(repo, small("2026dgt"), used=["r/model/sbi-global@0"])
    (tmp_path / "curve.dat").write_text("9000 0.8")
    source.references.record("r/filter/DES_z", files=[tmp_path / "curve.dat"])
    source.annotations.add(["filter:DES_z"], AnnotationBody(flag="suspect"))
    source.annotations.add([f"host:{_host(source)}"], AnnotationBody(comment="two galaxies"))
    made = source.subset(tmp_path / "part", ["2026dgt"], only="*.fits")
    assert {"r/filter/DES_z@0", "r/survey/DES@0", "r/model/sbi-global@0"} <= set(made.references)
    assert not {"r/model/sbi-global@1", "r/filter/DES_z@1"} & set(made.references)
    repo.rename(tmp_path / "away")
    part = DataRepo(tmp_path / "part")
    assert part.verify().problems == []
    assert [each.name for each in part.list()] == ["2026dgt"]
    assert part.provenance("2026dgt:sed/global").things.keys() >= {"r/model/sbi-global@0", "r/filter/DES_z@0"}
    assert part.annotations.about("2026dgt@0", inherited=True).inherited == "suspect"
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", "--branch", "r/model/sbi-global/0", "--single-branch", tmp_path / "part", clone)
    run("dvc", "remote", "modify", "--local", "store", "url", part.store_url, cwd=clone)
    run("dvc", "pull", "--quiet", cwd=clone)
    assert (clone / "files" / "sbi.pt").read_bytes() == b"weights"


def _host(repo: DataRepo) -> str:
    things = repo.provenance("2026dgt").things
    return next(name for name, thing in things.items() if thing.kind == "galaxy").removeprefix("host:")
