"""Existing transients become revision 0, as if recorded one by one; bad ones are skipped; imports can be resumed."""

import json
import os
import signal
import subprocess
import sys

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.errors import StoreError, UsageError
from blastgit.plumbing.locks import hold
from blastgit.repository.init import init
from tests.exchange.trees import write_tree

pytestmark = pytest.mark.slow

NAMES = ["2026aa", "2026ab", "2026ac"]


@pytest.fixture
def tree(tmp_path):
    return write_tree(tmp_path / "data", NAMES)


def trees(repo, run):
    return {name: run("git", "-C", repo, "rev-parse", f"{name}/0^{{tree}}") for name in NAMES}


def test_a_tree_becomes_what_recording_would_have_made(repo, tree, tmp_path, run):
    done = DataRepo(repo).import_all(tree)
    assert (done.adopted, done.present, done.skipped) == (3, 0, {})
    assert done.run.startswith("legacy/20")
    one_by_one = DataRepo.init(tmp_path / "other", store=DataRepo(repo).store_url, simulated=True)
    for name in NAMES:
        one_by_one.record(name, tree / "exports" / f"{name}.json", tree)
    assert trees(repo, run) == trees(tmp_path / "other", run)
    assert DataRepo(repo).verify().problems == []
    run("git", "-C", repo, "fsck", "--strict")
    assert run("git", "-C", repo, "log", "-1", "--format=%(trailers:key=Run,valueonly)", NAMES[0]).strip() == done.run
    run("git", "clone", "--quiet", "--branch", "2026ab/0", "--single-branch", repo, tmp_path / "clone")
    run("dvc", "pull", "--quiet", cwd=tmp_path / "clone")
    image = "cutout_cdn/{}DES/DES_z.fits"
    assert (tmp_path / "clone" / image.format("")).read_bytes() == (tree / image.format("2026ab/")).read_bytes()


def test_objects_and_refs_are_packed(repo, tree, run):
    before = run("git", "-C", repo, "count-objects")
    DataRepo(repo).import_all(tree)
    assert run("git", "-C", repo, "count-objects") == before
    assert "packs: 3\n" in run("git", "-C", repo, "count-objects", "-v")
    assert not (repo / "refs/tags/2026aa").exists()


def test_many_packs_become_few(repo, tree, run):
    run("git", "-C", repo, "config", "blastgit.maintainLoose", "6700")
    run("git", "-C", repo, "config", "blastgit.maintainPacks", "1")
    for name in NAMES[:2]:
        DataRepo(repo).record(name, tree / "exports" / f"{name}.json", tree)
    run("git", "-C", repo, "repack", "-d")
    DataRepo(repo).import_all(tree)
    counts = run("git", "-C", repo, "count-objects", "-v")
    assert "packs: 1\n" in counts or "packs: 2\n" in counts, "git leaves a small pack beside a much larger one"


def test_again_changes_nothing(repo, tree, tree_of):
    DataRepo(repo).import_all(tree)
    before = tree_of(repo)
    done = DataRepo(repo).import_all(tree)
    assert (done.adopted, done.present, done.untouched) == (0, 3, 3)
    assert tree_of(repo) == before


def test_what_is_here_is_compared_when_nothing_was_noted(repo, tree):
    record = DataRepo(repo).record
    record("2026aa", tree / "exports/2026aa.json", tree)
    text = (tree / "exports/2026ab.json").read_text()
    (tree / "exports/2026ab.json").write_text(text.replace('"redshift": ', '"redshift": 1'))
    record("2026ab", tree / "exports/2026ab.json", tree)
    (tree / "exports/2026ab.json").write_text(text)
    done = DataRepo(repo).import_all(tree)
    assert (done.adopted, done.present) == (1, 1)
    assert list(done.skipped) == ["2026ab"]
    assert "differs from revision 0" in done.skipped["2026ab"]


def test_what_was_written_anew_since_is_compared_again(repo, tree):
    DataRepo(repo).import_all(tree)
    export = tree / "exports/2026ab.json"
    export.write_text(export.read_text().replace('"redshift": ', '"redshift": 1'))
    done = DataRepo(repo).import_all(tree)
    assert (done.adopted, done.present, list(done.skipped)) == (0, 2, ["2026ab"])
    assert "differs from revision 0" in done.skipped["2026ab"]


IMAGE = "cutout_cdn/2026ab/DES/DES_z.fits"


def _rewritten(tree):
    file = tree / IMAGE
    times = file.stat()
    file.write_bytes((tree / IMAGE.replace("DES_z", "DES_g")).read_bytes())
    return file, times


def _of_another_size(tree):
    _rewritten(tree)


def _with_its_old_times(tree):
    file, times = _rewritten(tree)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def _renamed_over(tree):
    file, times = _rewritten(tree)
    new = file.with_suffix(".new")
    new.write_bytes(file.read_bytes())
    os.utime(new, ns=(times.st_atime_ns, times.st_mtime_ns))
    new.rename(file)


def _removed(tree):
    (tree / "sed_output/2026ab/2026ab_global.h5").unlink()


def _added(tree):
    (tree / IMAGE.replace("DES_z", "DES_x")).write_bytes(b"new")


def _added_flat(tree):
    (tree / "sed_output/2026ab_global_extra.npz").write_bytes(b"new")


@pytest.mark.parametrize(
    "change", [_of_another_size, _with_its_old_times, _renamed_over, _removed, _added, _added_flat]
)
def test_data_files_that_changed_are_noticed_though_the_export_did_not(repo, tree, change):
    DataRepo(repo).import_all(tree)
    change(tree)
    for _ in range(2):
        done = DataRepo(repo).import_all(tree)
        assert (done.adopted, done.present, done.untouched, list(done.skipped)) == (0, 2, 2, ["2026ab"])


def test_files_that_were_only_touched_are_compared_and_equal(repo, tree, capsys):
    DataRepo(repo).import_all(tree)
    (tree / IMAGE).touch()
    assert main(["-C", str(repo), "import", str(tree)]) == 0
    assert "3 were here already: 1 equal, 2 not read again" in capsys.readouterr().out
    done = DataRepo(repo).import_all(tree)
    assert (done.present, done.untouched) == (3, 3)
    assert done.to_json()["untouched"] == 3


def test_what_other_programs_left_is_passed_over_and_counted(repo, tree, capsys):
    for path in (
        "cutout_cdn/.DS_Store", "cutout_cdn/__MACOSX/x", "exports/._2026ab.json", "exports/.DS_Store",
        f"{IMAGE}~", "sed_output/2026ab_global.h5~",
    ):  # fmt: skip
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).write_bytes(b"Bud1")
    assert main(["-C", str(repo), "import", str(tree)]) == 0
    assert "6 leftovers of other programs ignored" in capsys.readouterr().out
    done = DataRepo(repo).import_all(tree)
    assert (done.adopted, done.untouched, done.ignored, done.skipped) == (0, 3, 4, {})


def test_an_archive_goes_by_what_it_holds_and_not_by_its_name(repo, tree, tmp_path):
    DataRepo(repo).import_all(tree)
    archives = tmp_path / "archives"
    archives.mkdir()
    DataRepo(repo).export("2026aa", archives / "first.tar.gz")
    other = DataRepo.init(tmp_path / "other", simulated=True)
    assert other.import_all(archives).adopted == 1
    DataRepo(repo).export("2026ab", archives / "2026aa.tar.gz")
    done = other.import_all(archives)
    assert (done.adopted, done.present) == (1, 1)
    assert [each.name for each in other.list()] == ["2026aa", "2026ab"]


def test_a_note_that_was_cut_off_or_spoiled_is_no_hindrance(repo, tree):
    DataRepo(repo).import_all(tree)
    (note,) = (repo / "blastgit/imports").iterdir()
    note.write_bytes(b'\xff\n"2026aa"\n[1]\n7\n' + note.read_bytes()[:-20])
    done = DataRepo(repo).import_all(tree)
    assert (done.adopted, done.present, done.skipped) == (0, 3, {})


def test_a_bad_one_does_not_keep_the_others(repo, tree, tmp_path):
    (tree / "exports/2026ab.json").write_text("{")
    (tree / "cutout_cdn/2026ac/DES/DES_z.fits").unlink()
    (tree / "cutout_cdn/main/x").mkdir(parents=True)
    (tree / "cutout_cdn/2026zz").mkdir()
    done = DataRepo(repo).import_all(tree)
    assert done.adopted == 1
    assert done.skipped.keys() == {"2026ab", "2026ac", "main", "2026zz"}
    assert "no export" in done.skipped["2026zz"]
    assert [each.name for each in DataRepo(repo).list()] == ["2026aa"]
    assert DataRepo(repo).verify().problems == []
    assert not list((repo / "dvc/tmp").glob("*"))


def test_a_file_of_no_transient_is_told(repo, tree):
    for path in ("cutout_cdn/notes.txt", "sed_output/2026zz_global.h5", "sed_output/2026aa_local_old.h5"):
        (tree / path).write_text("?")
    done = DataRepo(repo).import_all(tree)
    assert done.adopted == 3
    assert list(done.skipped) == ["cutout_cdn/notes.txt", "sed_output/2026zz_global.h5"]
    assert "sed_output/2026aa_local_old.h5" in DataRepo(repo).show("2026aa:files").value


def test_some_of_a_source(repo, tree):
    (tree / "cutout_cdn/notes.txt").write_text("?")
    done = DataRepo(repo).import_all(tree, only="2026a[ab]")
    assert (done.adopted, done.skipped) == (2, {})
    assert [each.name for each in DataRepo(repo).list()] == ["2026aa", "2026ab"]


def test_some_of_a_source_are_left_out(repo, tree, capsys):
    assert main(["-C", str(repo), "import", str(tree), "--without", "*[bc]"]) == 0
    assert capsys.readouterr().out.startswith("1 transient adopted")
    assert [each.name for each in DataRepo(repo).list()] == ["2026aa"]


def test_a_dry_run_says_what_would_come_and_writes_nothing(repo, tree, tree_of, capsys):
    DataRepo(repo).import_all(tree, only="2026aa")
    (tree / "exports/2026ab.json").write_text("{")
    (tree / "exports/2026aa.json").touch()
    before = tree_of(repo)
    for jobs in ("1", "2"):
        assert main(["-C", str(repo), "import", str(tree), "--dry-run", "--jobs", jobs]) == 4
        said = capsys.readouterr().out
        assert said.startswith("1 transient would be adopted into legacy/")
        assert "1 were here already" in said
        assert "skipped 2026ab: " in said
    after = {path: digest for path, digest in tree_of(repo).items() if path != "blastgit/packed-names"}  # a cache
    assert after == before
    assert DataRepo(repo).import_all(tree).adopted == 1


def test_an_import_goes_on_while_somebody_else_packs(repo, tree):
    with hold(repo / "blastgit/locks/.maintain", 1):
        assert DataRepo(repo).import_all(tree).adopted == 3


def test_archives(repo, tree, tmp_path):
    DataRepo(repo).import_all(tree)
    (tmp_path / "archives").mkdir()
    for name in NAMES:
        DataRepo(repo).export(name, tmp_path / "archives" / f"{name}.tar.gz")
    (tmp_path / "archives/broken.tar.gz").write_bytes(b"no archive")
    other = DataRepo.init(tmp_path / "other", simulated=True)
    done = other.import_all(tmp_path / "archives", run="my/run")
    assert (done.adopted, done.run, list(done.skipped)) == (3, "my/run", ["broken"])
    assert [each.name for each in other.list()] == NAMES


def test_in_several_processes(repo, tmp_path, monkeypatch):
    monkeypatch.setattr("blastgit.exchange.run.BATCH", 2)
    names = [f"2026b{letter}" for letter in "abcde"]
    done = DataRepo(repo).import_all(write_tree(tmp_path / "data", names), jobs=2)
    assert done.adopted == 5
    assert DataRepo(repo).verify().problems == []


def test_processes_that_cannot_start_are_told(repo, tmp_path):
    names = [f"2026b{letter}" for letter in "abc"]
    tree = write_tree(tmp_path / "data", names)
    script = tmp_path / "script.py"  # without `if __name__ == "__main__":`, so that each process would begin anew
    script.write_text(
        "import blastgit.exchange.run as r; from blastgit import DataRepo; r.BATCH = 2\n"
        f"DataRepo({str(repo)!r}).import_all({str(tree)!r}, jobs=2)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True, check=False)
    assert ended.returncode
    assert "BlastgitError: a process of the import died or could not start" in ended.stderr
    assert DataRepo(repo).import_all(tree, jobs=1).adopted == 3


def test_killed_at_any_moment_and_resumed(tmp_path, run):
    """Killed again and again, it comes to the same end, and no transient is half there at any time."""
    names = [f"2026c{letter}" for letter in "abcdefgh"]
    tree = write_tree(tmp_path / "data", names)
    init(tmp_path / "repo", simulated=True)
    script = "import blastgit.exchange.run as r, sys; r.BATCH = 2; from blastgit.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", script, "-C", tmp_path / "repo", "import", tree, "--jobs", "1"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = False
    for attempt in range(12):
        process = subprocess.Popen(list(map(str, command)), env=env, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            process.wait(0.4 + 0.15 * attempt)
            ended = True
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert DataRepo(tmp_path / "repo").verify().problems == []
        if ended:
            break
    done = DataRepo(tmp_path / "repo").import_all(tree)
    assert done.adopted + done.present == len(names)
    assert [each.name for each in DataRepo(tmp_path / "repo").list()] == names


def test_writers_of_the_same_transients_at_once(repo, tree):
    script = f"from blastgit import DataRepo; DataRepo({str(repo)!r}).import_all({str(tree)!r})"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    both = [subprocess.Popen([sys.executable, "-c", script], env=env) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert [each.name for each in DataRepo(repo).list()] == NAMES
    assert DataRepo(repo).verify().problems == []


def test_what_is_no_source(repo, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bare/cutout_cdn").mkdir(parents=True)
    for source in ("none", "empty", "bare"):
        with pytest.raises(UsageError):
            DataRepo(repo).import_all(tmp_path / source)


def test_the_command_line(repo, tree, tmp_path, capsys):
    assert main(["-C", str(repo), "import", str(tree), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["adopted"] == 3
    (tree / "cutout_cdn/2026zz").mkdir()
    assert main(["-C", str(repo), "import", str(tree), "--skipped", str(tmp_path / "skipped")]) == 4
    said = capsys.readouterr().out
    assert "3 were here already" in said
    assert "skipped 2026zz: " in said
    assert (tmp_path / "skipped").read_text().startswith("2026zz\t")


def test_blocks_are_shared_where_the_file_system_can(repo, tree, monkeypatch):
    def clone(target, request, source):  # as Btrfs and XFS answer
        assert request == 0x40049409
        os.write(target, os.pread(source, 1 << 30, 0))

    monkeypatch.setattr("blastgit.store.hashing.fcntl.ioctl", clone)
    assert DataRepo(repo).import_all(tree, reflink=True).adopted == 3
    assert DataRepo(repo).verify().problems == []


def test_where_it_cannot_that_is_said(repo, tree, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("blastgit.store.hashing.fcntl.ioctl", refuse)
    with pytest.raises(StoreError, match="with --mode copy"):
        DataRepo(repo).import_all(tree, reflink=True)
    assert DataRepo(repo).list() == []
