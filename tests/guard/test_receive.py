"""The order in which a push is checked, its cost, and the log of pushes."""

import json
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from blastgit.errors import BlastgitError, Denied
from blastgit.guard import budget
from blastgit.guard.pushes import FILE
from blastgit.guard.receive import admit, place_of
from blastgit.naming.refs import read_changes
from blastgit.plumbing.locks import hold

pytestmark = pytest.mark.slow

BRANCH, TAG = "refs/heads/2026dgt", "refs/tags/2026dgt/1"
ROLES = b"format: 1\nkind: simulated\npolicy: {roles: {admin: [alice], writer: [bob]}}\n"


def logged(repo: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (repo / FILE).read_text().splitlines()]


def test_a_denied_push_stands_in_the_log_with_its_reason(clone: Any) -> None:
    assert "should be an annotated tag" in clone.push(BRANCH, f"good:{TAG}", env={"GL_USER": "eve"})
    assert "is not a transient's" in clone.push("good:refs/heads/feature/x")
    first, second = logged(clone.repo)
    assert first["who"] == "eve"
    assert "should be an annotated tag" in first["denied"]
    assert {each["ref"] for each in first["refs"]} == {BRANCH, TAG}
    assert "is not a transient's" in second["denied"]
    assert clone.push(BRANCH, TAG) == ""
    give_up = time.monotonic() + 30
    while len(logged(clone.repo)) < 3 and time.monotonic() < give_up:  # it is noted when git has moved the refs
        threading.Event().wait(0.02)
    assert "denied" not in logged(clone.repo)[2]


def test_a_denied_push_says_no_more_than_its_first_fault_and_fills_no_disk(clone: Any) -> None:
    many = [f"good:refs/heads/feature/{'x' * 150}{n}" for n in range(150)]
    said = clone.push(*many)
    assert said.count("blastgit:") == 2  # the fault, and that nothing was taken in
    assert len((clone.repo / FILE).read_bytes()) < 60_000
    assert len(logged(clone.repo)[0]["refs"]) == 100


def test_whom_the_policy_stops_waits_for_no_lock_and_reads_nothing(clone: Any) -> None:
    clone.edit_main({"blastgit.yaml": ROLES})
    assert clone.check("refs/heads/main") == ""
    clone.forge(lambda files: files.update({b"2026dgt.json": ("100644", clone.blob(b" " * 20_000_000))}))
    with hold(clone.repo / "blastgit/locks/2026dgt", timeout=0):  # a push that waited would end no sooner than this
        assert "eve does not have the role 'writer' for 2026dgt" in clone.check(BRANCH, TAG, who="eve")
        assert "2026dgt.json" in clone.check(BRANCH, TAG, who="bob")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the end of time in a destructor
@pytest.mark.parametrize(("key", "said"), [("pushBytes", "more than 20,000 bytes"), ("pushSeconds", "longer than 1 s")])
def test_a_push_has_a_budget(clone: Any, key: str, said: str) -> None:
    if key == "pushBytes":
        clone.git("--git-dir", clone.repo, "config", "blastgit.pushBytes", "20000")
    else:
        clone.git("--git-dir", clone.repo, "config", "blastgit.pushSeconds", "1")
        deep = b'{"a":[' + b",".join([b'{"b":[1.5,2.5,3.5]}'] * 2_000_000) + b"]}\n"
        clone.forge(lambda files: files.update({b"2026dgt.json": ("100644", clone.blob(deep))}))
    answer = clone.check(BRANCH, TAG)
    assert said in answer
    assert "push in smaller parts" in answer
    assert not list((clone.repo / "blastgit/locks").iterdir())


def test_nothing_on_the_way_mistakes_the_end_of_time_for_a_fault() -> None:
    assert not issubclass(budget._OutOfTime, Exception)


def admitted(clone: Any, lines: str, who: str = "me") -> ExitStack:
    """Check a push in this process, of objects that the repo has by now, and return the locks that it holds."""
    changes = read_changes(lines.encode())
    locks = ExitStack()
    admit(clone.repo, {change: place_of(change) for change in changes}, who, locks)
    return locks


@pytest.fixture
def pushed(clone: Any) -> Any:
    """A clone whose objects the repo has, though no ref names them: as the hook finds them."""
    clone.git("--git-dir", clone.repo, "fetch", "--quiet", "--no-tags", clone.path, f"{TAG}:refs/x")
    clone.git("--git-dir", clone.repo, "update-ref", "-d", "refs/x")
    return clone


def changes(clone: Any) -> str:
    old, new, tag = (clone.git("rev-parse", each) for each in ("good^", "good", TAG))
    return f"{old} {new} {BRANCH}\n{'0' * 40} {tag} {TAG}\n"


def test_main_that_moves_meanwhile_has_it_checked_again(pushed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from blastgit.guard import receive

    checks = []

    def check_contents(*_: object) -> None:
        checks.append(1)
        if len(checks) == 1:
            pushed.edit_main({"blastgit.yaml": ROLES})
            pushed.git(
                "--git-dir",
                pushed.repo,
                "fetch",
                "--quiet",
                "--no-tags",
                pushed.path,
                "refs/heads/main:refs/heads/main",
            )

    monkeypatch.setattr(receive, "check_contents", check_contents)
    with pytest.raises(Denied, match="eve does not have the role 'writer'"):
        admitted(pushed, changes(pushed), "eve")
    assert len(checks) == 1
    with admitted(pushed, changes(pushed), "bob"):
        assert [path.name for path in (pushed.repo / "blastgit/locks").iterdir()] == ["2026dgt"]


def test_a_ref_that_moves_meanwhile_ends_it(pushed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from blastgit.guard import receive

    def check_contents(*_: object) -> None:
        pushed.git("--git-dir", pushed.repo, "update-ref", BRANCH, "refs/heads/main")

    monkeypatch.setattr(receive, "check_contents", check_contents)
    with pytest.raises(BlastgitError, match=r"moved meanwhile by somebody else|has diverged since"):
        admitted(pushed, changes(pushed))
    assert not list((pushed.repo / "blastgit/locks").iterdir())
