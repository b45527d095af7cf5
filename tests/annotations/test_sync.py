"""Annotations made in two places at once are all kept: by sync, by plain git, and by pushes to a remote repo."""

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.annotations.sync import sync
from blastgit.errors import Denied, NotFound, RepoError
from blastgit.plumbing.locks import hold
from blastgit.plumbing.process import git_environment, run_git

pytestmark = pytest.mark.slow


def tips(*repos: Path) -> set[str]:
    return {run_git(repo, "rev-parse", "annotations").decode() for repo in repos}


@pytest.mark.parametrize("options", [(), ("--bare",), ("--mirror",)])
def test_remarks_of_two_clones_merge(
    history: Path, clone: Callable[..., Path], speak: Callable[..., Any], said: Any, options: tuple[str, ...]
) -> None:
    speak(history, "alice", "2026dgt@0", comment="from the start")
    one, two = clone(history, "one", *options), clone(history, "two", *options)
    speak(one, "alice", ["2026dgt@0", "2026dgt@1"], comment="in one")
    speak(two, "bob", ["2026dgt@0", "run:x"], comment="in two")
    assert said(two) == ["from the start", "in two", "in two"]
    first = sync(DataRepo(one).session.repository)
    assert (first.received, first.sent) == (0, 2)
    second = sync(DataRepo(two).session.repository)
    assert (second.received, second.sent) == (2, 2)
    assert sync(DataRepo(one).session.repository).received == 2
    assert len(tips(history, one, two)) == 1
    assert said(one) == said(history) == ["from the start", *["in one"] * 2, *["in two"] * 2]
    again = sync(DataRepo(one).session.repository)
    assert (again.received, again.sent) == (0, 0)
    assert run_git(history, "fsck", "--strict") == b""


def test_both_begin_at_once(history: Path, clone: Callable[..., Path], speak: Callable[..., Any], said: Any) -> None:
    one, two = clone(history, "one"), clone(history, "two")
    speak(one, "alice", "2026dgt@0", comment="in one")
    speak(two, "bob", "2026dgt@0", comment="in two")
    for each in (one, two, one):
        sync(DataRepo(each).session.repository)
    assert said(one) == said(two) == said(history) == ["in one", "in two"]


def test_plain_git_merges_them_too(
    history: Path, clone: Callable[..., Path], speak: Callable[..., Any], said: Any, run: Callable[..., str]
) -> None:
    speak(history, "alice", "2026dgt@0", comment="from the start")
    away = clone(history, "away")
    speak(away, "bob", "2026dgt@0", comment="away")
    speak(history, "alice", "2026dgt@0", comment="meanwhile")
    work = away.parent
    run("git", "-C", work, "checkout", "-q", "annotations")
    run("git", "-C", work, "pull", "-q", "--no-rebase", "--no-edit", "origin", "annotations")
    assert run("git", "-C", work, "status", "--porcelain") == ""
    run("git", "-C", work, "push", "-q", "origin", "annotations")
    assert said(history) == ["away", "from the start", "meanwhile"]
    with pytest.raises(RepoError, match="is checked out"):
        speak(away, "bob", "2026dgt@0", comment="x")


def test_somebody_else_is_first(
    history: Path, clone: Callable[..., Path], speak: Callable[..., Any], said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our fetch and our push another remark gets in."""
    from blastgit.annotations import sync as module

    away = clone(history, "away")
    speak(away, "bob", "2026dgt@0", comment="away")
    push, calls = module._push, []

    def late(*words: Any) -> bool:
        if not calls:
            speak(history, "alice", "2026dgt@0", comment="meanwhile")
        calls.append(words)
        return push(*words)

    monkeypatch.setattr(module, "_push", late)
    done = sync(DataRepo(away).session.repository, sleep=lambda _: None)
    assert (len(calls), done.received) == (2, 1)
    assert said(history) == said(away) == ["away", "meanwhile"]


def test_clones_that_sync_at_the_same_time(
    history: Path, clone: Callable[..., Path], said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    clones = [clone(history, f"clone{n}") for n in range(4)]

    def work(number: int) -> None:
        room = DataRepo(clones[number]).annotations
        for turn in range(3):
            room.add(["2026dgt@0", f"run:{number}"], AnnotationBody(comment=f"{number}.{turn}"))
            room.sync()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = sorted(f"{number}.{turn}" for number in range(4) for turn in range(3))
    assert [each for each in said(history) if each] == sorted(expected * 2)
    for each in clones:
        DataRepo(each).annotations.sync()
    assert len(tips(history, *clones)) == 1


def test_a_dry_run_counts(history: Path, clone: Callable[..., Path], speak: Callable[..., Any]) -> None:
    away = clone(history, "away")
    speak(away, "bob", "2026dgt@0", comment="away")
    speak(history, "alice", ["2026dgt@0", "2026dgt@1"], comment="here")
    before = tips(away), tips(history)
    done = DataRepo(away).annotations.sync(dry_run=True)
    assert (done.received, done.sent) == (2, 1)
    assert (tips(away), tips(history)) == before


def test_two_data_repos_by_their_folder(
    history: Path, clone: Callable[..., Path], speak: Callable[..., Any], said: Any
) -> None:
    other = clone(history, "other", "--mirror")
    speak(other, "bob", "2026dgt@0", comment="there")
    DataRepo(history).annotations.sync(str(other))
    assert said(history) == ["there"]
    with pytest.raises(NotFound, match="has no remote 'upstream'"):
        DataRepo(history).annotations.sync("upstream")
    with pytest.raises(RepoError, match="cannot be read"):
        DataRepo(history).annotations.sync("/nowhere/at/all")


def test_the_hook_speaks_through_sync(
    history: Path, clone: Callable[..., Path], speak: Callable[..., Any], set_main: Callable[..., None], me: str
) -> None:
    set_main(history, "policy: {roles: {admin: [root-of-all], annotator: ['*']}}\n")
    away = clone(history, "away")
    speak(away, "bob", "2026dgt@0", comment="x")
    with pytest.raises(Denied, match="bob is named as the author"):
        sync(DataRepo(away).session.repository)
    other = clone(history, "other")
    speak(other, me, "2026dgt@0", comment="x")
    assert sync(DataRepo(other).session.repository).sent == 1
    with hold(history / "blastgit/locks/annotations", 30):  # the push is noted when its refs have moved
        line = json.loads((history / "blastgit/pushes.jsonl").read_text().splitlines()[-1])
    assert (line["who"], line["refs"][0]["ref"]) == (me, "refs/heads/annotations")


@pytest.fixture
def served(history: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A URL of the repo that git treats as one elsewhere."""
    url = "ssh://data.example.org/blast.git"
    subprocess.run(
        ["git", "config", "--global", f"url.file://{history}.insteadOf", url], check=True, env=git_environment()
    )
    return url


def test_a_repo_elsewhere(served: str, history: Path, speak: Callable[..., Any], said: Any) -> None:
    done = speak(
        served,
        "alice",
        ["2026dgt@1", "2026dgt@0:cutout_cdn/DES/DES_g.fits", "2027new"],
        comment="x",
        flag="bad",
        announce=True,
    )
    assert done.subjects == 3
    assert said(history) == said(served) == ["x"] * 3
    assert str(DataRepo(served).annotations.about("2026dgt@1").own) == "bad"
    assert DataRepo(served).annotations.identity == DataRepo(history).annotations.identity
    with pytest.raises(NotFound, match="has no revision 9"):
        speak(served, "alice", "2026dgt@9", comment="x")
    many = [f"2026x{number}@0" for number in range(30)]
    with pytest.raises((Denied, NotFound), match=r"no revision|no transient"):
        speak(served, "alice", ["2026dgt@0", *many], comment="x")
    assert said(history) == ["x"] * 3


def test_writers_elsewhere_and_here_at_once(
    served: str, history: Path, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_COMMITTER_DATE")

    def work(place: str | Path, word: str) -> None:
        for turn in range(3):
            DataRepo(place).annotations.add(["2026dgt"], AnnotationBody(comment=f"{word}{turn}"))

    threads = [
        threading.Thread(target=work, args=(place, word))
        for place, word in ((served, "a"), (served, "b"), (history, "c"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said(history) == sorted(f"{word}{turn}" for word in "abc" for turn in range(3))
