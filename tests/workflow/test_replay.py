"""The end of a run: its markers on the branch, despite concurrent changes, in a clone, remotely and after crashes."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.crash import run_killed_after, run_killed_at
from blastgit import DataRepo
from blastgit.demo import Sample, change_image, edit_flux, reprocess
from blastgit.errors import Busy, LostLease, NotFound, Withdrawn
from blastgit.plumbing import refs
from blastgit.plumbing.process import git_environment, run_git
from blastgit.plumbing.ref_update import RefUpdate
from blastgit.recording.result import Recorded
from blastgit.repository import remote as mirror

NAME = "2026dgt"
Record = Callable[..., Recorded]


def log(repo: Path, *words: str) -> list[str]:
    return run_git(repo, "log", "--reverse", "--format=%s", *(words or (NAME,))).decode().splitlines()


def document(repo: Path, commit: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run_git(repo, "show", f"{commit}:{NAME}.json"))
    return found


def mark(repo: Path | str, *stages: str, owner: str = "run-1", **made: Any) -> None:
    run = DataRepo(repo).workflow(NAME, owner)
    for stage in stages:
        run.begin(stage)
        run.finish(stage, **made)


@pytest.fixture
def changed(states: tuple[Sample, ...]) -> Sample:
    """What a run of July would make of the transient."""
    later = reprocess(states[2], app_version="v1.14.0", export_time="2026-07-01T11:00:00+00:00", seed=8)
    return change_image(later, "DES_g", seed=8)


def test_the_branch_tells_the_stages_then_the_revision(history: Path, changed: Sample, record: Record) -> None:
    mark(history, "Cutout download", "Host match", "Global host SED inference")
    assert record(history, changed).revision == 2
    assert log(history)[-4:-1] == [
        "2026dgt: post Cutout download",
        "2026dgt: post Host match",
        "2026dgt: post Global host SED inference",
    ]
    assert log(history)[-1].startswith("2026dgt revision 2: DES_g image changed")
    assert run_git(history, "for-each-ref", "refs/workflow") == b""
    assert DataRepo(history).verify().problems == []
    said = run_git(history, "log", "-1", "--format=%(trailers:only)", f"{NAME}~1").decode()
    assert "Stage: Global host SED inference\nOutcome: done\nOwner: run-1\nHost: " in said
    assert "Base:" not in said


def test_one_marker_for_each_stage_in_the_order_in_which_they_ended(
    history: Path, changed: Sample, record: Record
) -> None:
    run = DataRepo(history).workflow(NAME, "run-1")
    for _ in range(3):
        run.begin("Host match")
        run.fail("Host match", "the server of hosts does not answer")
    mark(history, "Cutout download")
    run.begin("Host match")
    run.finish("Host match")
    run.begin("Local host SED inference", lease=timedelta(microseconds=1))
    record(history, changed)
    assert log(history)[-4:-1] == [
        "2026dgt: post Cutout download",
        "2026dgt: post Host match",
        "2026dgt: Local host SED inference never ended",
    ]
    stages = DataRepo(history).log(NAME)[0].stages
    assert [(each.mark.stage, each.mark.outcome, each.mark.attempts) for each in stages] == [
        ("Cutout download", "done", 1),
        ("Host match", "done", 4),
        ("Local host SED inference", "unfinished", 1),
    ]


def test_whatever_moved_meanwhile_the_markers_follow_it(
    history: Path, states: tuple[Sample, ...], record: Record, tmp_path: Path
) -> None:
    _, data = change_image(states[2], "DES_g", seed=9).write(tmp_path / "new")
    run = DataRepo(history).workflow(NAME, "run-1")
    run.begin("Cutout download")
    run.finish("Cutout download", data=data, only=["DES_g.fits"])
    run.begin("Host MWEBV")
    other = edit_flux(states[2], "DES_z", 3.0)
    assert record(history, other).revision == 2  # somebody else's, while a stage is at work: the run goes on
    run.finish("Host MWEBV", export={"host": {"fields": {"milkyway_dust_reddening": 0.5}}})
    assert run.status().latest == 2  # type: ignore[union-attr]

    result = run.end()
    assert result.revision == 3
    assert log(history)[-4:-1] == [log(history)[-4], "2026dgt: post Cutout download", "2026dgt: post Host MWEBV"]
    assert "revision 2: flux changed" in log(history)[-4]
    first = run_git(history, "diff", "--name-only", f"{NAME}~3", f"{NAME}~2").decode().split()
    assert first == ["2026dgt.json", "cutout_cdn/DES/DES_g.fits.dvc"]  # nothing of revision 2 is undone
    assert document(history, f"{NAME}~2")["metadata"]["dataset_version"] == 3
    assert document(history, f"{NAME}~1")["host"]["fields"]["milkyway_dust_reddening"] == 0.5
    assert DataRepo(history).verify().problems == []


def test_markers_are_the_very_same_trees_if_nothing_moved(history: Path, changed: Sample, record: Record) -> None:
    mark(history, "Cutout download", "Host match")
    trees = run_git(history, "log", "--format=%T", "-1", f"refs/workflow/{NAME}").decode().split()
    record(history, changed)
    assert run_git(history, "log", "--format=%T", "-1", f"{NAME}~1").decode().split() == trees


def test_main_may_name_another_store_meanwhile(history: Path, changed: Sample, record: Record, tmp_path: Path) -> None:
    mark(history, "Cutout download")
    (history / "dvc").rename(tmp_path / "moved")
    DataRepo(history).stores.move(str(tmp_path / "moved"))
    record(history, changed)
    assert str(tmp_path / "moved") in run_git(history, "show", f"{NAME}~1:.dvc/config").decode()


def test_a_state_at_a_marker_can_be_shown_compared_and_fetched(
    history: Path, states: tuple[Sample, ...], record: Record, tmp_path: Path
) -> None:
    brighter = change_image(states[2], "DES_g", seed=9)
    _, data = brighter.write(tmp_path / "new")
    mark(history, "Cutout download", data=data, only=["DES_g.fits"])
    opened = DataRepo(history)
    in_progress = opened.diff(f"{NAME}@1", f"{NAME}@2:post-cutout-download")
    assert [file.change.path for file in in_progress.files] == ["cutout_cdn/DES/DES_g.fits"]
    record(history, brighter)
    assert opened.diff(f"{NAME}@1", f"{NAME}@2:post-cutout-download").to_json() == in_progress.to_json()
    assert opened.show(f"{NAME}@2:post-cutout-download:metadata.dataset_version").value == 2
    got = opened.get(f"{NAME}:post-cutout-download", tmp_path / "got", only="DES_g.fits", even_invalid=True)
    image = (data / f"cutout_cdn/{NAME}/DES/DES_g.fits").read_bytes()
    assert (got.folder / "cutout_cdn/DES/DES_g.fits").read_bytes() == image
    with pytest.raises(NotFound, match="did you mean post-cutout-download"):
        opened.show(f"{NAME}@2:post-cutout-downlod")
    with pytest.raises(NotFound, match="it has no markers"):
        opened.show(f"{NAME}@1:post-cutout-download")
    with pytest.raises(NotFound, match="has no revision 3"):
        opened.show(f"{NAME}@3:post-cutout-download")


def test_what_was_withdrawn_is_withdrawn_at_a_marker_too(
    history: Path, changed: Sample, record: Record, tmp_path: Path
) -> None:
    mark(history, "Cutout download")
    record(history, changed)
    opened = DataRepo(history)
    for number in (0, 1):
        opened.withdraw(f"{NAME}@{number}:cutout_cdn/DES/DES_g.fits", "licence")
    with pytest.raises(Withdrawn, match="licence"):
        opened.get(f"{NAME}@2:post-cutout-download", tmp_path / "got", even_invalid=True)
    assert opened.verify().problems == []


def test_a_run_that_was_given_up_does_not_come_back(history: Path, states: tuple[Sample, ...], record: Record) -> None:
    run = DataRepo(history).workflow(NAME, "run-1")
    run.begin("Host match", lease=timedelta(seconds=0.5))
    assert record(history, edit_flux(states[2], "DES_z", 3.0)).revision == 2  # it leaves the run alone
    again = DataRepo(history).workflow(NAME, "run-2")
    assert again.begin("Cutout download", wait=60).attempts == 1
    status = again.status()
    assert status is not None
    assert status.towards == 3
    assert [each.stage for each in status.stages if each.state != "not begun"] == ["Cutout download"]
    with pytest.raises(LostLease):
        run.finish("Host match")


# Crashes


def test_killed_at_every_write_step_of_an_end(tmp_path: Path, history: Path, changed: Sample, record: Record) -> None:
    export, data = changed.write(tmp_path / "new")
    mark(history, "Cutout download", "Host match")

    def work() -> None:
        DataRepo(history).record(NAME, export, data)

    step = 0
    while run_killed_at(step, work).killed:
        opened = DataRepo(history)
        assert opened.verify().problems == []
        if len(opened.log(NAME)) == 3:
            assert opened.status() == []
        else:
            assert len(opened.status()) == 1
        step += 1
    assert step > 8
    assert log(history)[-3:-1] == ["2026dgt: post Cutout download", "2026dgt: post Host match"]


@pytest.mark.parametrize("applied", [[0], [1], [0, 1], [1, 2], [2]])
def test_a_half_applied_transaction_is_rolled_forward(
    tmp_path: Path, history: Path, changed: Sample, monkeypatch: pytest.MonkeyPatch, applied: list[int]
) -> None:
    export, data = changed.write(tmp_path / "new")
    mark(history, "Cutout download", "Host match")
    real = refs.update_refs

    def half(directory: Path, updates: list[RefUpdate], *rest: Any, **more: Any) -> None:
        real(directory, [updates[i] for i in applied], *rest, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("blastgit.plumbing.refs.update_refs", half)
    assert run_killed_after(60, lambda: DataRepo(history).record(NAME, export, data)).killed
    monkeypatch.undo()
    opened = DataRepo(history)
    assert opened.verify().problems == []
    if applied == [2]:  # git deletes refs last, so this does not happen; if it did, the revision would come again
        assert opened.record(NAME, export, data).revision == 2
        return
    assert len(opened.log(NAME)) == 3
    assert log(history)[-3:-1] == ["2026dgt: post Cutout download", "2026dgt: post Host match"]
    assert opened.record(NAME, export, data).status == "unchanged"
    assert opened.status() == []


# Elsewhere


@pytest.fixture
def elsewhere(history: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a repo that is pushed to, hooks and all."""
    local = "blastgit.api.session.local_path"
    monkeypatch.setattr(local, lambda location: None if "://" in location else Path(location))
    return f"file://{history}"


def test_stages_and_the_end_of_a_run_by_push(elsewhere: str, history: Path, changed: Sample, tmp_path: Path) -> None:
    export, data = changed.write(tmp_path / "new")
    run = DataRepo(elsewhere).workflow(NAME, "run-1")
    run.begin("Cutout download")
    run.finish("Cutout download", data=data, only=["DES_g.fits"])
    other = DataRepo(elsewhere).workflow(NAME, "run-1")
    other.begin("Host match")
    other.fail("Host match", "no host match")
    run.begin("Host MWEBV")
    with pytest.raises(Busy, match="Host MWEBV was begun by run-1"):
        DataRepo(elsewhere).workflow(NAME, "run-2").begin("Host match")
    run.finish("Host MWEBV")
    [status] = DataRepo(elsewhere).status()
    assert [each.stage for each in status.stages if each.state == "answered"] == ["Host match"]
    assert str(DataRepo(elsewhere).show(f"{NAME}@2:post-host-mwebv:metadata.dataset_version").value) == "2"
    assert DataRepo(elsewhere).record(NAME, export, data).revision == 2
    assert log(history)[-4:-1] == [
        "2026dgt: post Cutout download",
        "2026dgt: Host match failed: no host match",
        "2026dgt: post Host MWEBV",
    ]
    assert DataRepo(elsewhere).status() == DataRepo(history).status() == []
    assert DataRepo(history).verify().problems == []
    assert DataRepo(elsewhere).verify().problems == []
    shown = DataRepo(elsewhere).show(f"{NAME}@2:post-cutout-download:metadata.dataset_version")
    assert shown.value == 2


def test_a_run_here_that_moves_while_it_ends_elsewhere_is_looked_at_again(
    elsewhere: str, history: Path, changed: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export, data = changed.write(tmp_path / "new")
    mark(history, "Cutout download")
    opened = DataRepo(elsewhere)
    real, pushes = mirror.push_refs, []

    def push(*arguments: Any) -> None:
        if not pushes:
            mark(history, "Host match")
        pushes.append(1)
        real(*arguments)

    monkeypatch.setattr(mirror, "push_refs", push)
    opened.session.repository._sleep = lambda _: None  # type: ignore[attr-defined]
    assert opened.record(NAME, export, data).revision == 2
    assert log(history)[-3:-1] == ["2026dgt: post Cutout download", "2026dgt: post Host match"]
    assert DataRepo(history).status() == []


def test_the_hook_holds_leases_against_whoever_pushes(elsewhere: str, history: Path) -> None:
    run = DataRepo(elsewhere).workflow(NAME, "run-1")
    run.begin("Host match")
    forged = Forger(history)
    assert "2026dgt: post Host match" not in log(history, f"refs/workflow/{NAME}")
    for trailers, said in (
        ({"Owner": "run-2", "Outcome": "done"}, "run-2 cannot end Host match: Host match was begun by run-1"),
        ({"Owner": "run-2"}, "another run is under way: Host match was begun by run-1"),
        ({"Stage": "Host MWEBV", "Outcome": "done"}, "run-1 cannot end Host MWEBV: it was never started"),
        ({"Outcome": "unfinished"}, "only be recorded when its run ends"),
        ({"Until": "2199-01-01T00:00:00Z"}, "should end within 30 days"),
        ({"Began": "2001-01-01T00:00:00Z", "Until": "2001-01-01T01:00:00Z"}, "the clock of "),
        ({"Began": "yesterday"}, "name Stage, Outcome"),
        ({"Base": "none"}, "do not name the same `Base:`"),
        ({"Revision": "2"}, "it states a revision number"),
    ):
        assert said in forged.push(trailers)
    assert "should be 2" in forged.push({}, tree=f"{NAME}/1^{{tree}}")
    assert forged.push({}) == ""  # the owner renews
    assert forged.push({"Outcome": "done"}) == ""
    assert forged.push({"Owner": "run-2"}) == ""


class Forger:
    """Somebody with plain git who makes up markers on top of a run."""

    def __init__(self, repo: Path) -> None:
        self.repo, self.ref = repo, f"refs/workflow/{NAME}"
        self.clone = repo.with_name("forger.git")
        subprocess.run(["git", "clone", "-q", "--mirror", repo, self.clone], check=True, env=git_environment())

    def push(self, trailers: dict[str, str], tree: str = "") -> str:
        run_git(self.clone, "fetch", "-q", "origin", f"+{self.ref}:{self.ref}")
        message = run_git(self.clone, "log", "-1", "--format=%B", self.ref).decode().rstrip("\n")
        now = datetime.now(UTC)
        fresh = {"Outcome": "begun", "Began": now.isoformat(), "Until": (now + timedelta(hours=1)).isoformat()}
        head, _, tail = message.rpartition("\n\n")
        block = dict(line.split(": ", 1) for line in tail.splitlines()) | fresh | trailers
        if block["Outcome"] != "begun" and "Until" not in trailers:
            del block["Until"]  # only what begins says until when
        text = head + "\n\n" + "\n".join(f"{key}: {value}" for key, value in block.items()) + "\n"
        words = ["commit-tree", tree or f"{self.ref}^{{tree}}", "-p", self.ref]
        commit = run_git(self.clone, *words, stdin=text.encode()).decode().strip()
        done = subprocess.run(
            ["git", "-C", self.clone, "push", "-q", f"file://{self.repo}", f"{commit}:{self.ref}"],
            capture_output=True, text=True, env=git_environment(), check=False,
        )  # fmt: skip
        return done.stderr if done.returncode else ""


def test_a_push_may_not_promise_what_the_store_lacks(
    elsewhere: str, history: Path, tmp_path: Path, sample: Sample
) -> None:
    clone = tmp_path / "clone.git"
    subprocess.run(["git", "clone", "-q", "--mirror", history, clone], check=True, env=git_environment())
    _, data = change_image(sample, "DES_g", seed=9).write(tmp_path / "new")
    run = DataRepo(clone).workflow(NAME, "run-1")
    run.begin("Cutout download")
    md5 = run.finish("Cutout download", data=data, only=["DES_g.fits"]).pointer("cutout_cdn/DES/DES_g.fits").md5
    content = history / f"dvc/files/md5/{md5[:2]}/{md5[2:]}"
    aside = content.rename(tmp_path / "aside")
    push = ["git", "-C", clone, "push", "-q", f"file://{history}", f"refs/workflow/{NAME}"]
    done = subprocess.run(push, capture_output=True, text=True, env=git_environment(), check=False)
    assert "lacks the content of commit" in done.stderr
    aside.rename(content)
    assert subprocess.run(push, capture_output=True, env=git_environment(), check=False).returncode == 0
