"""Importing from another data repo: missing data is copied unchanged, if it is of the same kind and names agree."""

import copy
import shutil
import subprocess
import tempfile
from dataclasses import replace

import pytest

from benchmarks.crash import run_killed_at
from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import small
from blastgit.errors import DamagedData, Denied, InvalidInput, InvalidName, NotFound, UsageError, Withdrawn
from blastgit.plumbing.process import git_environment

DES_Z = "cutout_cdn/DES/DES_z.fits"


def refs(repo, pattern="refs/heads/2026* refs/tags"):
    words = ["git", "--git-dir", repo, "for-each-ref", "--format=%(refname) %(objectname)", *pattern.split()]
    return subprocess.run(words, capture_output=True, text=True, check=True, env=git_environment()).stdout


@pytest.fixture
def there(shelf, record):
    """A repo with 2026dgt@0, @1 and 2026abc@0."""
    record(shelf, small("2026abc", seed=5))
    return shelf


@pytest.fixture
def here(tmp_path):
    """An empty repo of the same kind."""
    DataRepo.init(tmp_path / "here", simulated=True)
    return tmp_path / "here"


def test_all_of_it_comes_as_it_is(there, here, tmp_path):
    done = DataRepo(here).take_in(there)
    assert done.revisions == ["2026abc@0", "2026dgt@0", "2026dgt@1"]
    assert refs(here) == refs(there), "the same commits and tags, so a citation of either names the same"
    shutil.move(there, tmp_path / "away")
    repo = DataRepo(here)
    report = repo.verify()
    assert (report.problems, report.revisions) == ([], 3)
    assert DES_Z in repo.get("2026dgt@0", tmp_path / "got").written


def test_only_what_is_new(there, here, tries, record, elsewhere):
    repo = DataRepo(here)
    assert repo.take_in(there, "2026dgt").revisions == ["2026dgt@0", "2026dgt@1"]
    record(there, tries[0])
    trial = repo.take_in(there, dry_run=True)
    assert (trial.revisions, trial.present) == (["2026abc@0", "2026dgt@2"], 0)
    assert "2026abc" not in refs(here)
    assert repo.take_in(elsewhere(there)).revisions == ["2026abc@0", "2026dgt@2"]
    again = repo.take_in(there)
    assert (again.revisions, again.present, again.contents) == ([], 2, 0)
    assert repo.verify().problems == []
    assert record(here, tries[1]).revision == 3, "and work goes on"
    assert DataRepo(there).take_in(here).revisions == ["2026dgt@3"]


def test_both_have_gone_on(there, here, tries, record):
    repo = DataRepo(here)
    repo.take_in(there)
    record(there, tries[0])
    record(here, tries[1])
    record(there, small("2026xyz", seed=9))
    before = refs(here)
    with pytest.raises(InvalidInput, match="recorded 2026dgt since they diverged, to 2026dgt@2 there and 2026dgt@2"):
        repo.take_in(there)
    assert refs(here) == before
    assert repo.take_in(there, "2026x*").revisions == ["2026xyz@0"]
    assert repo.verify().problems == []


def test_real_and_simulated_never_mix(there, tmp_path, capsys):
    DataRepo.init(tmp_path / "real")
    with pytest.raises(InvalidInput, match=r"holds simulated data, and .*real ones: the two never mix"):
        DataRepo(tmp_path / "real").take_in(there)
    assert main(["-C", str(tmp_path / "real"), "import", str(there)]) != 0
    assert "never mix" in capsys.readouterr().err
    assert refs(tmp_path / "real") == ""


def altered(sample, table, name, **fields):
    """Return a sample whose instance defines a filter or survey otherwise."""
    export = copy.deepcopy(sample.export)
    row = next(row for row in export[table] if row["fields"]["name"] == name)
    row["fields"].update(fields)
    return replace(sample, export=export)


def test_definitions_must_agree(there, here, record):
    record(here, altered(small("2026own", seed=3), "filters", "DES_z", magnitude_zero_point=23.1))
    before = refs(here)
    with pytest.raises(
        InvalidInput, match=r"the filter DES_z is defined otherwise there: magnitude_zero_point is .* 23\.1"
    ):
        DataRepo(here).take_in(there)
    assert refs(here) == before


def test_a_definition_that_only_one_knows_is_no_contradiction(there, here, record):
    sample = small("2026own", seed=3)
    export = copy.deepcopy(sample.export)
    for row in export["filters"]:
        row["fields"].pop("ab_offset", None)
    record(here, replace(sample, export=export))
    assert len(DataRepo(here).take_in(there).revisions) == 3


def test_names_that_differ_only_in_case(there, here, record):
    record(here, small("2026ABC", seed=3))
    with pytest.raises(InvalidName, match="only in case"):
        DataRepo(here).take_in(there)


def test_what_was_withdrawn_there_is_so_here(there, here):
    DataRepo(there).withdraw(f"2026dgt@0:{DES_Z}", "a mistake")
    repo = DataRepo(here)
    repo.take_in(there)
    assert repo.verify().problems == []
    with pytest.raises(Withdrawn, match="a mistake"):
        repo.get("2026dgt@0", here.parent / "got", only=DES_Z)


def test_damage_is_not_taken_in(there, here):
    md5 = DataRepo(there).show(f"2026dgt@1:{DES_Z}").value["md5"]
    path = there / "dvc/files/md5" / md5[:2] / md5[2:]
    path.chmod(0o644)
    path.write_bytes(b"x" + path.read_bytes()[1:])
    with pytest.raises(DamagedData):
        DataRepo(here).take_in(there)
    assert refs(here) == ""
    assert list((here / "dvc/tmp").iterdir()) == []


def test_what_is_damaged_here_is_mended(there, here):
    repo = DataRepo(here)
    repo.take_in(there, "2026dgt")
    for path in (here / "dvc/files/md5").glob("*/*"):
        path.chmod(0o644)
        path.write_bytes(b"x" + path.read_bytes()[1:])
    for refs_of in ("heads/2026dgt", "tags/2026dgt/0", "tags/2026dgt/1"):
        words = ["git", "--git-dir", here, "update-ref", "-d", f"refs/{refs_of}"]
        subprocess.run(words, check=True, env=git_environment())
    DataRepo(here).take_in(there, "2026dgt")
    assert DataRepo(here).verify().problems == []


def test_forged_history_is_not_taken_in(there, here):
    env = git_environment()
    words = ["git", "--git-dir", there, "commit-tree", "2026dgt/1^{tree}", "-p", "2026dgt/1^{commit}", "-m", "forged"]
    commit = subprocess.run(words, capture_output=True, text=True, check=True, env=env).stdout.strip()
    subprocess.run(["git", "--git-dir", there, "update-ref", "refs/heads/2026dgt", commit], check=True, env=env)
    with pytest.raises(DamagedData, match="is not sound"):
        DataRepo(here).take_in(there)
    assert refs(here) == ""


@pytest.mark.slow
def test_killed_at_many_write_steps(there, here, tmp_path, monkeypatch):
    def work():
        DataRepo(here).take_in(there)

    for step in range(0, 2000, 5):
        folder = tmp_path / f"tmp{step}"  # or the next one would clean up in it first, and never come further
        folder.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        if not run_killed_at(step, work).killed:
            break
        assert DataRepo(here).verify().problems == []
        assert list((here / "dvc/tmp").iterdir()) == []
    assert step > 20
    assert refs(here) == refs(there)
    assert DataRepo(here).verify().problems == []


def test_on_the_command_line(there, here, capsys, tmp_path):
    assert main(["-C", str(here), "import", str(there), "--only", "2026abc", "--dry-run"]) == 0
    assert "1 revision would come from" in capsys.readouterr().out
    assert main(["-C", str(here), "import", str(there), "--json"]) == 0
    assert '"2026dgt@1"' in capsys.readouterr().out
    assert main(["-C", str(here), "import", str(there)]) == 0
    assert "2 transients had nothing new" in capsys.readouterr().out
    assert main(["-C", str(here), "import", str(there), "--jobs", "2"]) == UsageError.exit_code
    (tmp_path / "archives").mkdir()
    assert main(["-C", str(here), "import", str(tmp_path / "archives"), "--only", "x"]) == UsageError.exit_code
    with pytest.raises(NotFound, match="no transient"):
        DataRepo(here).take_in(there, "1999*")


def test_ones_own_lines_come_when_asked_for(own, here, me, elsewhere, capsys):
    repo, pattern = DataRepo(here), f"u/{me}/*"
    with pytest.raises(InvalidInput, match=f"u/{me}/2026dgt forks from 2026dgt@1, which is not here"):
        repo.take_in(own, pattern)
    assert repo.take_in(own).staying == [f"u/{me}/2026dgt"]
    assert refs(here, "refs/heads/u") == ""
    assert main(["-C", str(here), "import", str(own)]) == 0
    assert f"not brought: 1 line of users' own, such as u/{me}/2026dgt" in capsys.readouterr().out
    assert repo.take_in(own, pattern, dry_run=True).revisions == [f"u/{me}/2026dgt@0", f"u/{me}/2026dgt@1"]
    done = repo.take_in(elsewhere(own), pattern)
    assert (done.revisions, done.staying) == ([f"u/{me}/2026dgt@0", f"u/{me}/2026dgt@1"], [])
    assert refs(here, "refs/heads/u refs/tags/u") == refs(own, "refs/heads/u refs/tags/u")
    assert repo.take_in(own, pattern).present == 1
    assert repo.take_in(own).staying == []
    report = repo.verify()
    assert (report.problems, report.revisions) == ([], 4)


def test_nobody_brings_anothers_lines(own, here, me, monkeypatch):
    repo = DataRepo(here)
    repo.take_in(own)
    monkeypatch.setenv("GL_USER", "somebody-else")
    with pytest.raises(Denied, match=f"u/{me}/2026dgt belongs to {me}"):
        repo.take_in(own, "u/*")
    assert refs(here, "refs/heads/u") == ""
