"""Many processes record at once: none fails, nothing is lost, and writers of different transients do not wait."""

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import ConfigLevel

from blastgit import DataRepo
from blastgit.demo import Sample, refit, small
from blastgit.errors import Busy
from blastgit.plumbing.locks import Journal, hold
from blastgit.plumbing.process import run_git

pytestmark = pytest.mark.slow

WRITERS = 8
Job = tuple[Path, str, Path, Path]


def one_record(job: Job) -> tuple[str, str, int]:
    repo, name, export, data = job
    result = DataRepo(repo).record(name, export, data)
    return name, result.status, result.revision


def jobs(repo: Path, folder: Path, samples: list[Sample]) -> list[Job]:
    written = []
    for i, sample in enumerate(samples):
        (folder / str(i)).mkdir()
        written.append((repo, sample.name, *sample.write(folder / str(i))))
    return written


def test_eight_on_one_transient_and_eight_on_others(
    tmp_path: Path, repo: Path, sample: Sample, run: Callable[..., str]
) -> None:
    same = [refit(sample, seed=i) for i in range(WRITERS)]
    others = [small(f"2026b{i}", seed=i) for i in range(WRITERS)]
    mixed = [each for pair in zip(same, others, strict=True) for each in pair]
    with multiprocessing.get_context("fork").Pool(2 * WRITERS) as pool:
        results = pool.map(one_record, jobs(repo, tmp_path, mixed), chunksize=1)

    contested = sorted(number for name, status, number in results if name == sample.name and status == "recorded")
    assert contested == list(range(WRITERS))
    assert sorted(name for name, _, _ in results if name != sample.name) == sorted(each.name for each in others)
    assert {status for _, status, _ in results} == {"recorded"}
    opened = DataRepo(repo)
    assert opened.verify().problems == []
    assert [entry.revision.number for entry in opened.log(sample.name)] == list(range(WRITERS))[::-1]
    run("git", "--git-dir", repo, "fsck", "--strict")


GROUP, ACCOUNTS = 54321, (54322, 54323)


@pytest.fixture
def shared(sample: Sample) -> Iterator[Path]:
    """A folder with a repo `repo` that a group may write to, as docs/operators.md says."""
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    folder = Path(tempfile.mkdtemp(prefix="blastgit-test-"))
    folder.chmod(0o755)
    (folder / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
    DataRepo.init(folder / "repo", simulated=True)
    run_git(folder / "repo", "config", "core.sharedRepository", "group")
    for path in (folder / "repo", *(folder / "repo").rglob("*")):
        os.chown(path, -1, GROUP)
        if path.is_dir():
            path.chmod(0o2775)
    yield folder
    shutil.rmtree(folder)


def record_as(account: int, job: Job, home: Path) -> None:
    os.umask(0o022)
    os.setgroups([GROUP])
    os.setgid(GROUP)
    os.setuid(account)
    os.environ["GIT_CONFIG_GLOBAL"] = str(home / ".gitconfig")
    pygit2.settings.search_path[ConfigLevel.GLOBAL] = str(home)
    one_record(job)


def test_two_accounts_of_a_group(shared: Path, tmp_path: Path, repo: Path, sample: Sample) -> None:
    """Whatever their umask: git keeps to `core.sharedRepository`, and so does blastgit."""
    for job in jobs(repo, shared, [sample]):
        one_record(job)  # all is imported here: another account may not read this Python
    DataRepo(repo).record(sample.name, *refit(sample, seed=9).write(tmp_path))
    (shared / "in").mkdir()
    written = jobs(shared / "repo", shared / "in", [refit(sample, seed=i) for i in range(WRITERS)])
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=record_as, args=(ACCOUNTS[i % 2], job, shared)) for i, job in enumerate(written)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * WRITERS
    opened = DataRepo(shared / "repo")
    assert [entry.revision.number for entry in opened.log(sample.name)] == list(range(WRITERS))[::-1]
    assert opened.verify().problems == []
    owners = {path.stat().st_uid for path in (shared / "repo/dvc/files").rglob("*") if path.is_file()}
    assert owners == set(ACCOUNTS)


def test_the_same_state_from_eight_writers_is_one_revision(tmp_path: Path, repo: Path, sample: Sample) -> None:
    with multiprocessing.get_context("fork").Pool(WRITERS) as pool:
        results = pool.map(one_record, jobs(repo, tmp_path, [sample] * WRITERS), chunksize=1)
    assert sorted(status for _, status, _ in results) == ["recorded"] + ["unchanged"] * (WRITERS - 1)
    assert {number for _, _, number in results} == {0}


def test_a_writer_waits_for_nobody_else_and_says_who_it_waited_for(tmp_path: Path, repo: Path, sample: Sample) -> None:
    (job,) = jobs(repo, tmp_path, [sample])
    with hold(repo / "blastgit/locks/2026other", timeout=0):
        assert one_record(job)[1] == "recorded"
    with hold(repo / f"blastgit/locks/{sample.name}", timeout=0) as lock:
        lock.announce(Journal.own())
        with pytest.raises(Busy, match=r"2026dgt has been locked .* by process \d+ on "):
            DataRepo(repo).record(sample.name, job[2], job[3], timeout=0.05)


def test_a_push_that_came_between_is_seen_and_the_decision_made_anew(
    tmp_path: Path, repo: Path, sample: Sample, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = jobs(repo, tmp_path, [sample, refit(sample, seed=1)])
    one_record(first)
    clone = tmp_path / "clone.git"
    run("git", "clone", "--quiet", "--mirror", repo, clone)
    one_record((clone, *second[1:]))  # the same next revision, made elsewhere
    run("git", "--git-dir", repo, "config", "core.hooksPath", "/dev/null")  # ours would wait for the writer's lock

    from blastgit.repository.local import LocalRepository

    real = LocalRepository.update_refs

    def push_first(self: LocalRepository, *arguments: object, **more: object) -> None:
        monkeypatch.setattr(LocalRepository, "update_refs", real)
        run("git", "--git-dir", clone, "push", "--quiet", repo, "refs/heads/2026dgt", "refs/tags/2026dgt/1")
        real(self, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalRepository, "update_refs", push_first)
    assert one_record(second)[1:] == ("unchanged", 1)
    assert DataRepo(repo).verify().problems == []
