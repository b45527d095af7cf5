"""Rules that send kinds of files to separate stores, as seen by a writer, a reader with plain DVC, and an admin."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.crash import run_killed_at
from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import Sample, change_image, refit
from blastgit.errors import DamagedData, InvalidName, RepoError, UsageError
from blastgit.plumbing.process import run_git
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.local import LocalRepository

pytestmark = pytest.mark.slow

NAME = "2026dgt"
RULES = "storage:\n  posterior: {store: archive}\n  cutout: {store: images}\n"


def settle(repo: Path, rules: str) -> None:
    """Put rules into `blastgit.yaml` on main, as an admin would in a clone."""
    repository = LocalRepository(repo)
    kept = repository.main_file("blastgit.yaml").decode().partition("\nstorage:")[0]
    commit_to_branch(
        repository, "main", lambda _: BranchEdit({"blastgit.yaml": f"{kept}\n{rules}".encode()}, "Rules of storage"), 10
    )


@pytest.fixture
def stores(repo: Path, tmp_path: Path) -> dict[str, Path]:
    """Two stores beside the default one, which rules send posteriors and cutouts to."""
    folders = {name: tmp_path / f"store-{name}" for name in ("archive", "images")}
    for name, folder in folders.items():
        DataRepo(repo).stores.add(name, str(folder))
    settle(repo, RULES)
    return folders


def held(folder: Path) -> set[str]:
    return {path.parent.name + path.name for path in (folder / "files/md5").rglob("*") if path.is_file()}


def pulled(repo: Path, tag: str, folder: Path) -> dict[str, bytes]:
    """What plain git and plain DVC bring back."""
    run_git(None, "clone", "-q", "--branch", tag, "--single-branch", f"file://{repo}", str(folder))
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    for words in (["pull", "-q"], ["status", "-q"]):
        subprocess.run([sys.executable, "-m", "dvc", *words], cwd=folder, env=environment, check=True)
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".dvc"]
    kept = ("cutout_cdn", "sed_output")
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in files if path.relative_to(folder).parts[0] in kept
    }


def published(sample: Sample) -> dict[str, bytes]:
    return {path.replace(f"/{NAME}/", "/", 1): data for path, data in sample.files.items()}


def test_each_kind_goes_to_its_store_and_plain_dvc_brings_all_back(
    repo: Path, stores: dict[str, Path], sample: Sample, record: Any, tmp_path: Path
) -> None:
    record(repo, sample)
    revision = DataRepo(repo).session.history.latest(NAME)
    by_store: dict[str, set[str]] = {"": set(), "archive": set(), "images": set()}
    for pointer in revision.pointers.values():
        by_store[pointer.remote].add(pointer.md5)
    assert all(by_store.values())
    assert {name: held(folder) for name, folder in stores.items()} == {name: by_store[name] for name in stores}
    assert held(repo / "dvc") == by_store[""]
    assert pulled(repo, f"{NAME}/0", tmp_path / "clone") == published(sample)
    DataRepo(repo).get(f"{NAME}@0", tmp_path / "got")
    assert DataRepo(repo).verify().problems == []


def test_without_rules_a_pointer_names_no_store(repo: Path, sample: Sample, record: Any) -> None:
    record(repo, sample)
    latest = DataRepo(repo).session.history.latest(NAME)
    assert {pointer.remote for pointer in latest.pointers.values()} == {""}
    assert not any(b"remote" in pointer.write() for pointer in latest.pointers.values())


def test_a_changed_rule_leaves_published_pointers_and_move_brings_their_contents(
    repo: Path, sample: Sample, record: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def cli(*words: object) -> str:
        assert main(["-C", str(repo), *map(str, words)]) == 0
        return capsys.readouterr().out

    record(repo, sample)
    tags = run_git(repo, "show-ref", "--tags")
    archive = tmp_path / "archive"
    cli("store", "add", "archive", archive)
    settle(repo, "storage:\n  posterior: {store: archive}\n")
    assert "2 contents would be copied to archive" in cli("store", "move", "--dry-run")
    assert held(archive) == set()
    assert "2 contents copied to archive" in cli("store", "move")
    assert "every content is where the storage rules send it" in cli("store", "move")
    assert len(held(archive)) == 2
    assert held(archive) < held(repo / "dvc")
    assert run_git(repo, "show-ref", "--tags") == tags
    assert pulled(repo, f"{NAME}/0", tmp_path / "old") == published(sample)
    changed = refit(sample, seed=3)
    assert record(repo, changed).revision == 1
    assert pulled(repo, f"{NAME}/1", tmp_path / "new") == published(changed)
    assert pulled(repo, f"{NAME}/0", tmp_path / "again") == published(sample)
    assert f"archive: {archive}" in cli("store")


def test_what_is_not_kept_is_no_part_of_the_dataset(repo: Path, sample: Sample, record: Any, tmp_path: Path) -> None:
    settle(repo, "storage:\n  posterior: {keep: false}\n  sed_plot: {keep: false}\n")
    assert record(repo, sample).revision == 0
    left = {path: data for path, data in published(sample).items() if not path.endswith(".h5") and "sed_output" in path}
    got = pulled(repo, f"{NAME}/0", tmp_path / "clone")
    assert not [path for path in got if path.endswith(".h5")]
    assert {path for path in got if path.endswith(".npz")} == {path for path in left if path.endswith(".npz")}
    assert DataRepo(repo).verify().problems == []
    assert record(repo, sample).status == "unchanged"
    _, data = change_image(sample, "DES_g", seed=9).write(_made(tmp_path / "in"))
    run = DataRepo(repo).workflow(NAME, "one")
    run.begin("Cutout download")
    run.finish("Cutout download", data=data)
    assert run.end().status == "recorded"
    assert not [path for path in DataRepo(repo).session.history.latest(NAME).pointers if path.endswith(".h5")]
    settle(repo, "")
    again = record(repo, sample)
    assert {file.path for file in again.files if file.change == "added"} >= {f"sed_output/{NAME}_global.h5"}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_what_one_store_lost_another_still_has(repo: Path, sample: Sample, record: Any, tmp_path: Path) -> None:
    record(repo, sample)
    DataRepo(repo).stores.add("archive", str(tmp_path / "archive"))
    settle(repo, "storage:\n  posterior: {store: archive}\n")
    DataRepo(repo).stores.bring()
    for md5 in held(tmp_path / "archive"):
        path = repo / "dvc/files/md5" / md5[:2] / md5[2:]
        path.chmod(0o644)
        path.unlink()
    DataRepo(repo).get(f"{NAME}@0", tmp_path / "got")
    shutil.rmtree(tmp_path / "archive")
    with pytest.raises(DamagedData, match="lack"):
        DataRepo(repo).get(f"{NAME}@0", tmp_path / "not-got")
    assert len(DataRepo(repo).verify(fast=True).problems) == 2


def test_a_store_on_another_disk(repo: Path, sample: Sample, record: Any, other_disk: Path) -> None:
    DataRepo(repo).stores.add("archive", str(other_disk))
    settle(repo, "storage:\n  posterior: {store: archive}\n")
    record(repo, sample)
    assert len(held(other_disk)) == 2
    assert DataRepo(repo).verify().problems == []
    assert all(path.stat().st_mode & 0o222 == 0 for path in (other_disk / "files").rglob("*") if path.is_file())


def test_gc_and_quarantine_over_all_stores(
    repo: Path, stores: dict[str, Path], sample: Sample, record: Any, tmp_path: Path
) -> None:
    record(repo, sample)
    stray = stores["archive"] / "files/md5/aa" / ("b" * 30)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"nobody needs this")
    os.utime(stray, (0, 0))
    DataRepo(repo).gc(delete=True)
    assert not stray.exists()
    DataRepo(repo).gc(restore=True)
    assert stray.exists()
    assert DataRepo(repo).verify().problems == []


def test_a_stage_and_the_end_of_its_run(
    repo: Path, stores: dict[str, Path], sample: Sample, record: Any, tmp_path: Path
) -> None:
    record(repo, sample)
    changed = change_image(sample, "DES_g", seed=9)
    (tmp_path / "in").mkdir()
    _, data = changed.write(tmp_path / "in")
    run = DataRepo(repo).workflow(NAME, "one")
    run.begin("Cutout download")
    run.finish("Cutout download", data=data)
    brought = held(stores["images"])
    settle(repo, "storage:\n  cutout: {store: archive}\n")
    assert run.end().status == "recorded"
    assert brought <= held(stores["images"]), "the marker of the stage points there"
    assert DataRepo(repo).verify().problems == []
    assert pulled(repo, f"{NAME}/1", tmp_path / "clone") == published(changed)


def test_move_is_killed_at_each_step(repo: Path, sample: Sample, record: Any, tmp_path: Path) -> None:
    record(repo, sample)
    DataRepo(repo).stores.add("archive", str(tmp_path / "archive"))
    settle(repo, "storage:\n  posterior: {store: archive}\n")
    steps = 0
    while run_killed_at(steps, DataRepo(repo).stores.bring).killed:
        steps += 1
        assert DataRepo(repo).verify(fast=True).problems == []
        assert list((repo / "dvc/tmp").glob("*")) == []
    assert steps > 5
    assert len(held(tmp_path / "archive")) == 2
    assert list((repo / "blastgit/locks").iterdir()) == []


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("storage: [posterior]\n", "should map dataset types"),
        ("storage:\n  posterior: archive\n", "should have `store`, the name of a remote"),
        ("storage:\n  posterior: {}\n", "should have `store`"),
        ("storage:\n  posterior: {store: 5}\n", "store should be the name of a remote"),
        ("storage:\n  posterior: {git: true, keep: false}\n", "or `keep: false` alone"),
        ("storage:\n  posterior: {git: false}\n", "git should be true, or the greatest size"),
        ("storage:\n  posterior: {git: 1048577}\n", "1 to 1048576"),
        ("storage:\n  posterior: {git: small}\n", "git should be true"),
        ("storage:\n  posterior: {store: nowhere}\n", "has no remote 'nowhere', only store"),
        ("storage:\n  nonsense: {store: store}\n", "'nonsense' is not a dataset type of files; there is cutout"),
        ("storage:\n  host: {store: store}\n", "'host' is not a dataset type of files"),
    ],
)
def test_rules_without_sense(repo: Path, sample: Sample, record: Any, rules: str, words: str) -> None:
    settle(repo, rules)
    with pytest.raises(RepoError, match=words):
        record(repo, sample)
    assert DataRepo(repo).list() == []


def test_a_push_of_rules_and_remotes_is_checked(repo: Path, stores: dict[str, Path], tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    run_git(None, "clone", "-q", "--branch", "main", f"file://{repo}", str(clone))

    def push(path: str, text: str) -> str:
        (clone / path).write_text(text)
        git = ["git", "-C", str(clone)]
        subprocess.run([*git, "commit", "-qam", "A change"], check=True)
        done = subprocess.run([*git, "push", "-q", "origin", "main"], capture_output=True, text=True, check=False)
        subprocess.run([*git, "reset", "-q", "--hard", "origin/main"], check=True)
        return done.stderr

    settings, config = (clone / "blastgit.yaml").read_text(), (clone / ".dvc/config").read_text()
    assert "no remote 'tape'" in push("blastgit.yaml", settings.replace("archive", "tape"))
    assert "would lose the remote 'archive'" in push(".dvc/config", config.replace('"archive"', '"renamed"'))
    assert push("blastgit.yaml", settings.replace("  cutout: {store: images}\n", "")) == ""


def test_a_push_of_a_revision_whose_store_lacks_its_content(
    repo: Path, stores: dict[str, Path], sample: Sample, record: Any, tmp_path: Path
) -> None:
    other = tmp_path / "other.git"
    run_git(None, "clone", "-q", "--mirror", f"file://{repo}", str(other))
    record(repo, sample)
    shutil.move(stores["archive"], tmp_path / "gone")
    (other / "hooks").mkdir(exist_ok=True)
    shutil.copy(repo / "hooks/pre-receive", other / "hooks/pre-receive")
    words = ["push", "-q", str(other), f"refs/heads/{NAME}", f"refs/tags/{NAME}/0"]
    done = subprocess.run(["git", f"--git-dir={repo}", *words], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"the store {stores['archive']} lacks the content of {NAME}@0:sed_output" in done.stderr


@pytest.mark.parametrize(("name", "error"), [("Tape", InvalidName), ("a b", InvalidName), ("store", UsageError)])
def test_a_store_that_cannot_be_added(repo: Path, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        DataRepo(repo).stores.add(name, "/nowhere")
