import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastgit.errors import Busy, RepoError
from blastgit.plumbing import locks
from blastgit.plumbing.git_locks import release
from blastgit.plumbing.locks import Journal, hold, remove_folders, try_lock

REF = "refs/heads/2026dgt"
ID = "1" * 40

HOLDER = """
import sys, time
from pathlib import Path
from blastgit.plumbing.locks import Journal, hold
with hold(Path(sys.argv[1]), 1) as lock:
    lock.announce(Journal.own([Path(sys.argv[2])], {"refs/heads/2026dgt": "1" * 40}))
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "locks").mkdir()
    return tmp_path / "locks/2026dgt"


@pytest.fixture
def holder(path, tmp_path):
    """Another process that holds the lock."""
    folder = tmp_path / "staging/of-holder"
    arguments = [sys.executable, "-c", HOLDER, str(path), str(folder)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lock_leaves_nothing_behind(path):
    with hold(path, 1) as lock:
        assert lock.left_behind is None
        assert try_lock(path, create=False) is None
    assert not path.exists()


def test_waiting_ends_when_the_lock_is_free(path):
    taken, order = threading.Event(), []

    def first():
        with hold(path, 1):
            taken.set()
            while not waiting.is_set():
                pass
            order.append("first")

    waiting = threading.Event()
    thread = threading.Thread(target=first)
    thread.start()
    taken.wait(5)
    threading.Timer(0.05, waiting.set).start()
    with hold(path, 10) as lock:
        order.append("second")
        assert lock.left_behind is None
    thread.join()
    assert order == ["first", "second"]


def test_many_waiters_never_hold_it_together(path):
    inside, most = [], []

    def work():
        for _ in range(10):
            with hold(path, 30):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (max(most), len(most)) == (1, 40)
    assert not path.exists()


def test_who_waits_too_long_hears_who_holds_it(path, holder):
    start = time.monotonic()
    words = rf"2026dgt has been locked for more than 0\.1 s by process {holder.pid} on "
    with pytest.raises(Busy, match=words), hold(path, 0.1):
        pytest.fail("two hold it")
    assert time.monotonic() - start < 5
    assert path.exists()


def test_a_killed_holder_leaves_its_journal(path, holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with hold(path, 1) as lock:
        assert lock.left_behind is not None
        assert (lock.left_behind.pid, lock.left_behind.refs) == (holder.pid, {REF: ID})
        assert lock.left_behind.folders == (str(tmp_path / "staging/of-holder"),)
    assert not path.exists()


def test_a_lock_that_cannot_be_taken(path):
    assert try_lock(path, create=False) is None
    with pytest.raises(RepoError, match="is this a data repo"):
        try_lock(path.parent / "none/2026dgt", create=True)
    path.symlink_to(path.parent)
    with pytest.raises(RepoError, match="cannot be taken"):
        try_lock(path, create=True)


@given(
    st.binary(max_size=60)
    | st.recursive(st.integers() | st.text() | st.none(), st.lists).map(json.dumps).map(str.encode)
)
def test_a_damaged_journal_says_nothing(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("lock") / "2026dgt"
    path.write_bytes(data)
    with hold(path, 1) as lock:
        assert lock.left_behind is None


@pytest.mark.parametrize(
    "change",
    [{"folders": [5]}, {"folders": "ab"}, {"refs": {"refs/heads/ab": 5}}, {"refs": ["ab"]}, {"host": 5}, {"pid": "x"}],
)
def test_a_journal_of_wrong_types_says_nothing(path, change):
    fields = {"host": "here", "pid": 1, "boot": "", "since": 0.0, "refs": {}, "folders": []}
    path.write_text(json.dumps({**fields, **change}))
    with hold(path, 1) as lock:
        assert lock.left_behind is None


class TestCleanUp:
    @pytest.fixture
    def left(self, tmp_path):
        """What a dead writer may leave: a folder of temporary files and an empty lock of git's."""
        (tmp_path / "staging/dead").mkdir(parents=True)
        (tmp_path / "staging/dead/file").write_text("x")
        (tmp_path / "refs/heads").mkdir(parents=True)
        return tmp_path

    def clean(self, left, journal):
        remove_folders(journal, left, [left / "staging"])
        return release(left, journal.claim)

    def journal(self, left):
        return Journal.own([left / "staging/dead"], {REF: ID})

    def test_folders_and_locks_that_are_provably_its_own_go(self, left):
        lock = left / f"{REF}.lock"
        for content in ("", f"{ID}\n"):
            lock.write_text(content)
            assert self.clean(left, self.journal(left)) == []
            assert not lock.exists()
        assert list((left / "staging").iterdir()) == []

    def test_the_lock_of_a_push_stays(self, left):
        lock = left / f"{REF}.lock"
        lock.write_text("2" * 40 + "\n")
        assert self.clean(left, self.journal(left)) == []
        assert lock.exists()
        lock.write_text("")
        with lock.open():
            assert self.clean(left, self.journal(left)) == [lock]
            assert lock.exists()

    def test_a_lock_that_was_there_before_stays(self, left):
        lock = left / f"{REF}.lock"
        lock.touch()
        os.utime(lock)
        assert self.clean(left, replace(self.journal(left), since=lock.stat().st_ctime + 60)) == []
        assert lock.exists()

    def test_what_another_machine_left_stays(self, left, monkeypatch):
        monkeypatch.setattr(locks, "is_of_one_kernel", lambda _: False)
        remove_folders(replace(self.journal(left), boot="another"), left, [left / "staging"])
        assert (left / "staging/dead/file").exists()

    def test_a_journal_that_names_what_is_not_its_own_is_not_believed(self, left):
        (left / "other").mkdir()
        (left / "x.lock").write_text(ID)
        (left.parent / "x.lock").write_text(ID)
        folders = [left / "other", left / "staging/..", left / "staging", left]
        refs = {"x": ID, "refs/../x": ID, "../x": ID, "refs/heads/../../../x": ID}
        self.clean(left, Journal.own(folders, refs, ["x.lock", "*.lock", "../x.lock"]))
        assert (left / "other").exists()
        assert (left / "staging/dead/file").exists()
        assert (left / "x.lock").exists()
        assert (left.parent / "x.lock").exists()
