"""Branches, tags and markers of a transient: which pushes with plain git are accepted, and which are denied."""

import json
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import refit, small
from blastgit.plumbing.locks import Journal, hold

pytestmark = pytest.mark.slow

EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
BRANCH, TAG = "refs/heads/2026dgt", "refs/tags/2026dgt/1"


OF_DATA = {
    "Rules": f"sha256:{'0' * 64}",
    "Science-Digest": f"sha256:{'1' * 64}",
    "Status": "complete",
    "Recorded-By": "me",
}


def stamped(kind: str, **trailers: object) -> str:
    """A message with the trailers that a marker of this kind must have, and more; None leaves one out."""
    said = {"Marker": kind, **(OF_DATA if kind == "reproduction" else {}), **trailers}
    lines = [f"{key}: {value}" for key, value in said.items() if value is not None]
    return "A marker\n\n" + "\n".join(lines) + "\n"


def test_a_revision_comes_with_its_tag_over_plain_git(clone: Any) -> None:
    assert clone.push("--atomic", BRANCH, TAG) == ""
    clone.record(2)
    assert clone.push(BRANCH, "refs/tags/2026dgt/2") == ""
    report = DataRepo(clone.repo).verify()
    assert report.problems == []
    assert report.revisions == 3


def test_a_revision_is_checked_without_what_is_slow_to_load(clone: Any) -> None:
    """Half a second is what a push may cost; any of these would take that by itself."""
    done = clone._run("push", "--atomic", f"file://{clone.repo}", BRANCH, TAG, env={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = set(re.findall(r"\|\s+([\w.]+)\s*$", done.stderr.decode(), re.MULTILINE))
    assert done.returncode == 0
    assert {"pygit2", "blastgit.guard.receive"} <= loaded
    assert not loaded & {"numpy", "h5py", "astropy", "PIL", "dvc", "dvc.fs", "duckdb", "rich", "asyncio", "hypothesis"}


def test_several_revisions_and_another_transient_in_one_push(clone: Any) -> None:
    clone.record(2)
    other = small("2026abc", seed=5)
    DataRepo(clone.path).record("2026abc", *other.write(clone.path.parent / "other"))
    assert clone.check("refs/heads/*", "refs/tags/2026dgt/*", "refs/tags/2026abc/*") == ""
    assert DataRepo(clone.repo).verify().problems == []


def test_markers_that_are_no_revisions(clone: Any) -> None:
    assert clone.check(BRANCH, TAG) == ""
    tree = clone.git("rev-parse", "good^{tree}")
    again = clone.commit(tree, ["good"], stamped("reproduction", Reproduces=1))
    files = clone.tree("good")
    text = clone.show("good:2026dgt.json").replace(b'"dataset_version": 1', b'"dataset_version": 2')
    files[b"2026dgt.json"] = "100644", clone.blob(text)
    towards = clone.write(files)
    version = clone.git("log", "-1", "--format=%(trailers:key=App-Version,valueonly)", "good").strip()
    match = {"Stage": "Host match", "Owner": "me", "Host": "here", "Began": "2026-07-01T12:00:00.000Z"}
    match["App-Version"] = version
    stage = clone.commit(towards, [again], stamped("stage", Outcome="done", **match))
    assert clone.check(f"{stage}:{BRANCH}") == ""
    old, new, old_version = clone.git("rev-parse", "good^^{tree}"), {"App-Version": "v9"}, match | {"App-Version": "v9"}
    for commit, said in (
        (
            clone.commit(old, [stage], stamped("reproduction", Reproduces=1, **new)),
            "its tree is not that of revision 1",
        ),
        (clone.commit(old, [stage], stamped("reproduction", Reproduces=0)), "it reproduces revision 0, and follows 1"),
        (clone.commit(tree, [stage], stamped("reproduction", Reproduces=1)), "have reproduced revision 1 already"),
        (clone.commit(tree, [stage], stamped("reproduction", Reproduces=1, Rules=None)), "its trailer Rules should be"),
        (
            clone.commit(tree, [stage], stamped("reproduction", Reproduces=1, Status=None)),
            "its trailer Status should be",
        ),
        (clone.commit(tree, [stage], "By hand\n"), "every commit here is a revision, a reproduction, a stage"),
        (clone.commit(tree, [stage], stamped("party")), "a revision, a reproduction, a stage"),
        (clone.commit(tree, [stage], stamped("stage", Revision=2)), "states a revision number"),
        (clone.commit(tree, [stage, "main"], stamped("stage")), "it is a merge"),
        (clone.commit(tree, [stage], stamped("stage", Stage="Host match")), "name Stage, Outcome, Owner, Host"),
        (clone.commit(tree, [stage], stamped("stage", Outcome="done", **match)), "it should be 2"),
        (clone.commit(towards, [stage], stamped("stage", Outcome="begun", **match)), "only stages that ended"),
        (
            clone.commit(towards, [stage], stamped("stage", Outcome="won", **match)),
            "its trailer Outcome should be begun",
        ),
        (
            clone.commit(towards, [stage], stamped("stage", Outcome="done", **old_version)),
            "its trailer App-Version is wrong",
        ),
        (
            clone.commit(towards, [stage], stamped("stage", Outcome="done", Base="none", **match)),
            "to a run in progress",
        ),
        (
            clone.commit(towards, [stage], stamped("stage", Outcome="done", Reason="x", **match)),
            "but the stage did not fail",
        ),
        (
            clone.commit(towards, [stage], stamped("stage", Outcome="done", Until="2026-07-01T13:00:00Z", **match)),
            "until when",
        ),
        (clone.commit(EMPTY, [stage], stamped("stage", Outcome="done", **match)), "it has no 2026dgt.json"),
    ):
        assert said in clone.check(f"{commit}:{BRANCH}")


def test_a_revision_without_its_tag_and_the_reverse(bench: Any, deny: Callable[..., str]) -> None:
    assert "push its tag with it: `git push --atomic REMOTE 2026dgt 2026dgt/1`" in deny(BRANCH)
    assert "refs/tags/2026dgt/1: 2026dgt has no commit there that says Revision: 1" in deny(TAG)


@pytest.mark.parametrize(
    ("left", "follows"),
    [
        pytest.param(f"good:{BRANCH}", [TAG], id="the tag"),
        pytest.param(f"good:{BRANCH}", [BRANCH, TAG], id="both, of which one is there"),
        pytest.param(f"{TAG}:{TAG}", [BRANCH], id="the branch"),
        pytest.param(f"{TAG}:{TAG}", [BRANCH, TAG], id="both, of which the other one is there"),
    ],
)
def test_what_a_broken_push_left_out_may_follow(clone: Any, left: str, follows: list[str]) -> None:
    clone.git("--git-dir", clone.repo, "fetch", "--quiet", "--no-tags", clone.path, left)
    assert clone.check(*follows) == ""
    assert clone.git("rev-parse", TAG) in clone.refs()
    assert DataRepo(clone.repo).verify().problems == []


@pytest.mark.parametrize("is_there", ["branch", "tag"])
def test_half_a_revision_is_completed_when_somebody_pushes_the_next(clone: Any, is_there: str) -> None:
    """Nobody left a journal: a push without `--atomic` broke off, in a repo whose hook was not there yet."""
    left = {"branch": f"good:{BRANCH}", "tag": f"{TAG}:{TAG}"}[is_there]
    clone.git("--git-dir", clone.repo, "fetch", "--quiet", "--no-tags", clone.path, left)
    clone.record(2)
    said = clone.check(BRANCH, "refs/tags/2026dgt/2")
    if is_there == "tag":  # the branch moves while it is pushed to
        assert "it was moved meanwhile by somebody else: fetch it, and push again" in said
        assert clone.check(BRANCH, "refs/tags/2026dgt/2") == ""
    else:
        assert said == ""
    assert [entry.revision.number for entry in DataRepo(clone.repo).log("2026dgt")] == [2, 1, 0]
    assert DataRepo(clone.repo).verify().problems == []


def test_the_numbers_have_no_gap_and_fit(bench: Any, deny: Callable[..., str]) -> None:
    bench.forge(lambda files: None, lambda text: text.replace("Revision: 1", "Revision: 2"))
    bench.tag("2026dgt/2", "2026dgt")
    assert "Revision says 2, and the next revision of 2026dgt is 1" in deny(BRANCH, "refs/tags/2026dgt/2")
    bench.forge(lambda files: None, lambda text: text.replace("Revision: 1", "Revision: 01"))
    assert "its trailer Revision should be a number, and says '01'" in deny(BRANCH, TAG)


def test_tags_are_annotated_bear_their_name_and_stay(bench: Any, deny: Callable[..., str]) -> None:
    bench.git("tag", "--force", "2026dgt/1", "good")
    assert "should be an annotated tag" in deny(BRANCH, TAG)
    bench.tag("other", "good")
    assert "the tag object calls itself 'other'" in deny(f"good:{BRANCH}", f"refs/tags/other:{TAG}")
    bench.git("tag", "-d", "other")
    bench.tag("2026dgt/0", "good")
    assert "refs/tags/2026dgt/0: it exists and never moves" in deny("+refs/tags/2026dgt/0")
    assert "refs/tags/2026dgt/0: it may not be deleted" in deny(":refs/tags/2026dgt/0")
    bench.tag("2026dgt/1", "good^")
    assert "the tag 2026dgt/1 names another commit" in deny(f"good:{BRANCH}", TAG)


def test_branches_only_move_forward(clone: Any) -> None:
    assert clone.check(BRANCH, TAG) == ""
    for key in ("receive.denyNonFastForwards", "receive.denyDeletes"):  # git's own settings are not what holds
        clone.git("--git-dir", clone.repo, "config", key, "false")
    assert "it would not move forward" in clone.check(f"+good^:{BRANCH}")
    assert "it may not be deleted" in clone.check(f":{BRANCH}")
    assert "main: it may not be deleted" in clone.check(":refs/heads/main")


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("refs/heads/feature/x", "its name may have no slash"),
        ("refs/heads/x", "is not a transient name"),
        ("refs/heads/release", "is reserved in a data repo"),
        ("refs/heads/2026DGT", "'2026dgt' is here, and differs only in case"),
        ("refs/heads/aux", "a device name on Windows"),
        ("refs/heads/" + "ab" * 20, "looks like a git object id"),
        ("refs/heads/u/mallory/2026dgt", "u/mallory/2026dgt belongs to mallory"),
        ("refs/heads/u/mallory", "is not a transient name"),
        ("refs/tags/v1.0", "tags here are NAME/N"),
        ("refs/tags/2026dgt/01", "tags here are NAME/N"),
        ("refs/tags/release/v1", "refs/tags/release/COLLECTION/VERSION"),
        ("refs/notes/commits", "a data repo has no refs like"),
        ("refs/replace/" + "ab" * 20, "a data repo has no refs like"),
        ("refs/workflow/a/b", "is not a transient name"),
        ("refs/workflow/2026DGT", "differs only in case"),
    ],
)
def test_refs_outside_of_the_contract(bench: Any, deny: Callable[..., str], ref: str, said: str) -> None:
    assert said in deny(f"good:{ref}")


def test_two_pushed_names_that_differ_only_in_case(bench: Any, deny: Callable[..., str]) -> None:
    assert "'2026b' and '2026B' differ only in case" in deny("good:refs/workflow/2026b", "good:refs/workflow/2026B")


def test_one_bad_ref_denies_them_all(bench: Any, deny: Callable[..., str]) -> None:
    assert "is not a transient's" in deny(BRANCH, TAG, "good:refs/heads/feature/x")


def test_a_run_is_made_of_markers_of_stages(clone: Any) -> None:
    assert "nor the commit that its `Base:` names" in clone.check("good:refs/workflow/2026dgt")
    assert "should be a commit" in clone.check(f"{clone.blob(b'x')}:refs/workflow/2026dgt")


def test_a_line_of_ones_own(clone: Any, me: str) -> None:
    own = f"refs/heads/u/{me}/2026dgt"
    assert clone.check(f"good^:{own}") == ""
    foreign = clone.commit(clone.git("rev-parse", "good^{tree}"), [], stamped("stage"))
    assert "does not fork from a revision of 2026abc" in clone.check(f"good^:refs/heads/u/{me}/2026abc")
    assert "it would not move forward" in clone.check(f"+{foreign}:{own}")
    assert "its trailer Line is missing" in clone.check(f"good:{own}")  # it is official

    files = clone.tree("good")
    text = clone.show("good:2026dgt.json").replace(b'"dataset_version": 1', b'"dataset_version": 0')
    files[b"2026dgt.json"] = "100644", clone.blob(text)
    official = clone.git("log", "-1", "--format=%B", "good")
    message = official.replace("Revision: 1", f"Revision: 0\nLine: u/{me}/2026dgt")
    message = message.replace("2026dgt revision 1:", f"u/{me}/2026dgt revision 0:")
    wrong = clone.commit(clone.write(files), ["good^"], message.replace("Revision: 0", "Revision: 1"), like="good")
    assert "the next revision of u/" in clone.check(f"{wrong}:{own}")  # a line of one's own counts from 0
    other = clone.commit(clone.write(files), ["good^"], message.replace(f"u/{me}/", "u/eve/"), like="good")
    assert "its trailer Line says u/eve/2026dgt" in clone.check(f"{other}:{own}")
    commit = clone.commit(clone.write(files), ["good^"], message, like="good")
    assert "its trailer Line says" in clone.check(f"{commit}:refs/heads/2026dgt")
    clone.tag(f"u/{me}/2026dgt/0", commit)
    assert "push its tag with it" in clone.check(f"{commit}:{own}")
    assert clone.check(f"{commit}:{own}", f"refs/tags/u/{me}/2026dgt/0") == ""


def test_releases_are_annotated_and_stay(clone: Any) -> None:
    clone.git("tag", "release/nearby/v1", "main")
    assert "should be an annotated tag" in clone.check("refs/tags/release/nearby/v1")
    clone.tag("release/nearby/v1", "main")
    assert "has no release.yaml" in clone.check("refs/tags/release/nearby/v1")
    clone.git("update-ref", "-d", "refs/tags/release/nearby/v1")
    repo = DataRepo(clone.path)
    repo.collections.create("nearby", "TAGGED", "Nearby")
    repo.collections.add("nearby", ["2026dgt@0"], "Nearby")
    repo.releases.freeze("nearby", "v1")
    assert clone.check("refs/heads/main", "refs/tags/release/nearby/v1") == ""
    assert "it may not be deleted" in clone.check(":refs/tags/release/nearby/v1")


def test_a_push_waits_for_a_writer_and_a_writer_for_a_push(clone: Any) -> None:
    result = []
    pushing = threading.Thread(target=lambda: result.append(clone.push("--atomic", BRANCH, TAG)))
    with hold(clone.repo / "blastgit/locks/2026dgt", timeout=0):
        pushing.start()
        pushing.join(1.0)
        assert pushing.is_alive()
        assert "2026dgt/1" not in clone.refs()
    pushing.join()
    assert result == [""]
    clone.record(2, clone.repo)
    assert DataRepo(clone.repo).verify().problems == []


def test_pushes_that_contend_without_atomic_never_leave_a_half(clone: Any) -> None:
    rivals = []
    for seed in (7, 8, 9):
        rival = clone.path.parent / f"rival{seed}.git"
        clone.git("clone", "--quiet", "--mirror", clone.repo, rival)
        DataRepo(rival).record("2026dgt", *refit(small("2026dgt"), seed=seed).write(clone.path.parent / f"r{seed}"))
        rivals.append(type(clone)(clone.repo, rival))
    results: list[str] = []
    order = [(TAG, BRANCH), (BRANCH, TAG), (TAG, BRANCH)]
    threads = [
        threading.Thread(target=lambda rival=rival, specs=specs: results.append(rival.push(*specs)))
        for rival, specs in zip(rivals, order, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("") == 1
    assert DataRepo(clone.repo).verify().problems == []


def test_a_push_completes_what_a_dead_writer_left(clone: Any) -> None:
    clone.git("--git-dir", clone.repo, "fetch", "--quiet", "--no-tags", clone.path, f"{TAG}:{TAG}")
    journal = Journal(socket.gethostname(), 1, "an earlier boot", 0.0, {BRANCH: clone.git("rev-parse", TAG)})
    (clone.repo / "blastgit/locks/2026dgt").write_text(json.dumps(asdict(journal)))
    clone.record(2)
    assert "it was moved meanwhile by somebody else" in clone.push(BRANCH, "refs/tags/2026dgt/2")
    assert clone.push(BRANCH, "refs/tags/2026dgt/2") == ""
    assert DataRepo(clone.repo).verify().problems == []
