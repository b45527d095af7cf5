import os
from pathlib import Path

import pytest

from benchmarks.crash import run_killed_after
from blastgit import DataRepo
from blastgit.plumbing import refs
from blastgit.plumbing.keeps import keep, let_go, remove_left_keeps
from blastgit.plumbing.process import Waiting

ORDERS = (("repack", "-adq"), ("prune", "--expire=now"), ("gc", "--quiet", "--prune=now"))


@pytest.mark.parametrize("when", ["while all is brought to disk", "when git is ready to move the refs"])
def test_clean_up_beside_a_writer_takes_nothing(history, states, record, run, monkeypatch, when):
    """Git is told to delete all that no ref reaches, at the two instants at which that is a new revision."""
    tidied = []

    def tidy():
        orders = ORDERS if "disk" in when else ORDERS[:2]  # git gc would wait for the locks of the refs
        tidied.extend(run("git", "-C", history, *order) for order in orders)

    if "disk" in when:
        sync = refs.sync_file_systems
        monkeypatch.setattr(refs, "sync_file_systems", lambda paths: (tidy(), sync(paths)))
    else:
        go_on = Waiting.go_on
        monkeypatch.setattr(Waiting, "go_on", lambda self, rest: (tidy(), go_on(self, rest))[1])
    assert record(history, states[0]).revision == 2
    assert tidied
    monkeypatch.undo()
    run("git", "-C", history, "gc", "--quiet", "--prune=now")
    assert DataRepo(history).verify().problems == []
    run("git", "-C", history, "fsck", "--strict")
    assert list((history / "objects/pack").glob("*.keep*")) == []


def test_marks_of_the_dead_go_and_those_of_people_and_the_living_stay(history):
    packs = history / "objects/pack"
    own, left, received, theirs = (packs / f"pack-{name}.pack" for name in ("a", "b", "c", "d"))
    descriptor = keep(own)
    os.close(keep(left))
    received.with_suffix(".keep").write_text("receive-pack 12345 on somewhere\n")
    theirs.with_suffix(".keep").write_text("")
    remove_left_keeps(history)
    assert sorted(path.name for path in packs.glob("*.keep*")) == ["pack-a.keep", "pack-d.keep"]
    let_go(own, descriptor)
    assert [path.name for path in packs.glob("*.keep*")] == ["pack-d.keep"]


def test_a_writer_that_dies_leaves_no_mark_for_long(history, states, record, monkeypatch):
    def die(*_):
        os.kill(os.getpid(), 9)

    monkeypatch.setattr(Waiting, "go_on", die)
    assert run_killed_after(60, lambda: record(history, states[0])).killed
    monkeypatch.undo()
    assert list((history / "objects/pack").glob("*.keep"))
    DataRepo(history)
    assert list(Path(history / "objects/pack").glob("*.keep*")) == []
