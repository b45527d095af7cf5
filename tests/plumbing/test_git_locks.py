import json
import os
import re
import shlex
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.crash import run_killed_after
from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.errors import Busy
from blastgit.plumbing import evidence, locks
from blastgit.plumbing.evidence import owner_of
from blastgit.plumbing.git_locks import OF_ALL_REFS, OF_PACKED, OF_PACKING, PACKED
from blastgit.plumbing.locks import Journal, hold, try_lock

REF = "refs/heads/2026dgt"
ID = "1" * 40


def leave(repo: Path, name: str, journal: Journal, *files: str, content: str = "") -> Path:
    """Leave the lock of a writer that was killed, and the git locks that it had."""
    path = repo / "blastgit/locks" / name
    path.write_text(json.dumps({**vars(journal), "refs": dict(journal.refs)}) + "\n")
    for file in files:
        (repo / file).parent.mkdir(parents=True, exist_ok=True)
        (repo / file).write_text(content)
    return path


def locks_of(repo: Path) -> list[str]:
    return sorted(str(path.relative_to(repo)) for path in repo.rglob("*.lock"))


@pytest.mark.parametrize(
    ("name", "journal", "files"),
    [
        ("2026dgt", Journal.own(refs={REF: ID}), [f"{REF}.lock"]),
        ("main", Journal.own(refs={"refs/heads/main": ID}), ["refs/heads/main.lock", "HEAD.lock"]),
        (PACKED, Journal.own(locks=OF_PACKED), ["packed-refs.lock", "packed-refs.new"]),
        (PACKED, Journal.own(locks=(*OF_PACKED, OF_ALL_REFS)), ["packed-refs.lock", "refs/tags/2026dgt/1.lock"]),
        (".maintain", Journal.own(locks=OF_PACKING), list(OF_PACKING)),
    ],
)
def test_what_a_dead_writer_announced_goes(repo, name, journal, files):
    leave(repo, name, replace(journal, host="another-name", since=time.time()), *files)
    DataRepo(repo)
    assert locks_of(repo) == []
    assert not (repo / "packed-refs.new").exists()
    assert list((repo / "blastgit/locks").iterdir()) == []


def test_after_another_boot_too_where_one_kernel_has_the_disk(repo, monkeypatch):
    journal = replace(Journal.own(refs={REF: ID}), boot="before", host=socket.gethostname())
    leave(repo, "2026dgt", journal, f"{REF}.lock", content=ID)
    monkeypatch.setattr(locks, "is_of_one_kernel", lambda _: False)
    DataRepo(repo)
    assert locks_of(repo) == [f"{REF}.lock"]  # whatever its name, it may be another machine that shares the folder
    monkeypatch.setattr(locks, "is_of_one_kernel", lambda _: True)
    DataRepo(repo)
    assert locks_of(repo) == []


@pytest.mark.parametrize("ref", [REF, "refs/tags/2026dgt/1"])
def test_where_nobody_can_tell_the_error_says_which_whose_and_what_to_do(repo, record, states, monkeypatch, ref):
    words = rf"{REF}\.lock has been locked since .*process \d+ on far.* `blastgit .* locks --free {REF}\.lock`"
    leave(repo, "2026dgt", replace(Journal.own(refs={ref: ID}), boot="x", host="far"), f"{ref}.lock", content=ID)
    monkeypatch.setattr(locks, "is_of_one_kernel", lambda _: False)
    words = rf"{ref}\.lock has been locked since .*process \d+ on far.* `(blastgit -C .* locks --free {ref}\.lock)`"
    with pytest.raises(Busy, match=words) as caught:
        record(repo, states[2])
    assert locks_of(repo) == [f"{ref}.lock"]
    assert (repo / "blastgit/locks/2026dgt").exists()
    command = re.search(words, str(caught.value))[1]
    assert main(shlex.split(command)[1:]) == 0
    record(repo, states[2])
    assert locks_of(repo) == []
    assert list((repo / "blastgit/locks").iterdir()) == []


def test_one_command_lists_and_frees_them(repo, record, states, monkeypatch, capsys):
    record(repo, states[0])
    (repo / f"{REF}.lock").touch()
    journal = replace(Journal.own(refs={"refs/heads/main": ID}), boot="x", host="far", pid=7)
    leave(repo, "main", journal, "refs/heads/main.lock", "HEAD.lock", content=ID)
    monkeypatch.setattr(locks, "is_of_one_kernel", lambda _: False)
    words = ["-C", str(repo), "locks"]
    assert main([*words, "--json"]) == 0
    found = {each["file"]: each for each in json.loads(capsys.readouterr().out)}
    assert set(found) == {"blastgit/locks/main", "HEAD.lock", "refs/heads/main.lock", f"{REF}.lock"}
    assert found["blastgit/locks/main"]["owner"] == "process 7 on far"
    assert {each["state"] for each in found.values()} == {"left"}
    for file in (f"{REF}.lock", "blastgit/locks/main"):
        assert main([*words, "--free", file]) == 0
    assert capsys.readouterr().out.endswith("nothing is locked\n")
    assert locks_of(repo) == []
    record(repo, states[2])
    for file in (f"{REF}.lock", "HEAD", "blastgit/locks/2026dgt", "../x.lock"):
        assert main([*words, "--free", file]) == 5
    with hold(repo / "blastgit/locks/2026dgt", 1), (repo / f"{REF}.lock").open("x"):
        for file in (f"{REF}.lock", "blastgit/locks/2026dgt"):
            assert main([*words, "--free", file]) == 7


def test_a_lock_of_plain_git_is_named_at_once(repo, record, states):
    record(repo, states[0])
    (repo / f"{REF}.lock").touch()
    words = rf"{REF}\.lock has been locked since .* a git that was killed left it.*--free {REF}\.lock"
    with pytest.raises(Busy, match=words):
        record(repo, states[2])
    assert list((repo / "blastgit/locks").iterdir()) == []


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/workflow/2026dgt"])
def test_a_live_git_keeps_a_lock_that_a_dead_writer_announced(repo, run, ref):
    """`HEAD.lock` and `packed-refs.lock` are empty and closed, whoever has them: only the process tells."""
    tip = run("git", "-C", repo, "rev-parse", "main").strip()
    if ref != "refs/heads/main":
        run("git", "-C", repo, "update-ref", ref, tip)
    line = f"delete {ref} {tip}" if ref != "refs/heads/main" else f"update {ref} {tip} {tip}"
    command = ["git", "--git-dir", str(repo), "update-ref", "--stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as git:
        git.stdin.write(f"start\n{line}\nprepare\n")
        git.stdin.flush()
        assert [git.stdout.readline() for _ in range(2)] == ["start: ok\n", "prepare: ok\n"]
        held = locks_of(repo)
        assert len(held) == 2
        names = {"main": Journal.own(refs={"refs/heads/main": ID}), PACKED: Journal.own(locks=OF_PACKED)}
        for name, journal in names.items():
            leave(repo, name, journal)
        DataRepo(repo)
        assert locks_of(repo) == held
        git.kill()
    DataRepo(repo)
    assert locks_of(repo) == [f"{ref}.lock"] if ref != "refs/heads/main" else not (repo / "HEAD.lock").exists()


def test_a_writer_and_git_killed_while_main_moves_leave_nothing(history, monkeypatch):
    def die():
        monkeypatch.setattr("blastgit.plumbing.refs.sync_file_systems", lambda _: os.killpg(0, 9))
        DataRepo(history).withdraw("2026dgt@0:cutout_cdn/DES/DES_z.fits", "x")

    assert run_killed_after(60, die).killed
    assert "HEAD.lock" in locks_of(history) or not locks_of(history)
    DataRepo(history)
    assert locks_of(history) == []
    DataRepo(history).withdraw("2026dgt@0:cutout_cdn/DES/DES_z.fits", "x")


def test_the_journal_stays_while_a_child_of_its_writer_lives(repo):
    path = repo / "blastgit/locks/2026dgt"
    children = []

    def fail():
        with hold(path, 1) as lock:
            lock.announce(Journal.own(refs={REF: ID}))
            children.append(subprocess.Popen(["sleep", "60"], pass_fds=(lock.descriptor,)))
            raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        fail()
    (child,) = children
    assert path.exists()
    assert try_lock(path, create=False) is None
    child.kill()
    child.wait()
    with hold(path, 1) as lock:
        assert lock.left_behind is not None
    assert not path.exists()


def test_who_may_own_a_lock(repo):
    lock = repo / "refs/heads/x.lock"
    lock.touch()
    assert owner_of(lock, repo) is None
    with lock.open():
        assert owner_of(lock, repo) == f"process {os.getpid()} ({evidence._words(Path('/proc/self'))})"
    lock.unlink()
    assert owner_of(lock, repo) is None
    assert evidence.is_of_one_kernel(repo) in (True, False)
