"""The hook checks collections pushed with plain git by the same rules."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.plumbing.process import git_environment
from blastgit.repository.hooks import install_hooks

pytestmark = pytest.mark.slow

SETTINGS = (
    "policy:\n  roles:\n    admin: [root-of-all]\n    curator: [bob, {who: carl, until: 2026-01-01}]\n"
    'collections: {protected: ["best"]}\n'
)


@pytest.fixture
def push(stocked: Path, settle: Callable[[str], object], by_hand: Callable[..., str], tmp_path: Path):
    """Commit files to main in a clone, and push; return "" if it was taken in, else what the other side says."""
    settle(SETTINGS)
    install_hooks(stocked)
    clone = tmp_path / "clone"

    def call(files: dict[str, str | None], who: str = "bob", message: str = "By hand") -> str:
        fresh = ["git", "clone", "-q", "--mirror", str(stocked), str(clone)]
        subprocess.run(["rm", "-rf", str(clone)], check=True)
        subprocess.run(fresh, check=True, env=git_environment())
        data = {f"collections/{name}.yaml": None if text is None else text.encode() for name, text in files.items()}
        by_hand(clone, data, message)
        command = ["git", f"--git-dir={clone}", "push", "--quiet", f"file://{stocked}", "main"]
        env = git_environment({"GL_USER": who})
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        assert "Traceback" not in done.stderr
        return done.stderr if done.returncode else ""

    return call


TAGGED = 'type: TAGGED\nmembers:\n- "2026abc@0"\n- "2026dgt@1"\n'


def test_what_is_right_is_taken_in(push, stocked):
    assert push({"nearby": TAGGED, "top": 'type: CHAINED\nchildren:\n- "nearby"\n'}) == ""
    assert [str(each) for each in DataRepo(stocked).collections.members("top")] == ["2026abc@0", "2026dgt@1"]
    assert push({"top": None}) == ""


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"nearby": 'type: TAGGED\nmembers:\n- "2026dgt@9"\n'}, "no revision 9"),
        ({"nearby": 'type: TAGGED\nmembers:\n- "2026dgt"\n'}, "no dataset"),
        ({"nearby": 'type: TAGGED\nmembers:\n- "2026dgt@0"\n- "2026dgt@1"\n'}, "two datasets of one type"),
        ({"nearby": 'type: TAGGED\nmembers:\n- "2026dgt@1"\n- "2026abc@0"\n'}, "should be sorted"),
        ({"a": 'type: CHAINED\nchildren:\n- "b"\n', "b": 'type: CHAINED\nchildren:\n- "a"\n'}, "in a circle"),
        ({"a": 'type: CHAINED\nchildren:\n- "b"\n'}, "b"),
        ({"DES/raw/all": TAGGED}, "should be RUN and not TAGGED"),
        ({"u/alice/x": TAGGED}, "belongs to alice"),
        ({"calib/DM-1": 'type: CALIBRATION\nmembers:\n- {"dataset": "2026dgt@1", "begin": "x", "end": null}\n'}, "x"),
        ({"best": TAGGED}, "protected"),
    ],
)
def test_what_is_wrong_is_denied(push, stocked, files, said):
    before = DataRepo(stocked).session.repository.main.id
    answer = push(files)
    assert said in answer
    assert "nothing of this push was taken in" in answer
    assert DataRepo(stocked).session.repository.main.id == before


def test_whoever_may_not(push):
    for who in ("eve", "carl"):
        assert f"{who} does not have the role 'curator'" in push({"nearby": TAGGED}, who)


def test_a_collection_keeps_its_type_and_a_child_its_place(push):
    assert push({"nearby": TAGGED, "top": 'type: CHAINED\nchildren:\n- "nearby"\n'}) == ""
    assert "keeps its type" in push({"nearby": "type: RUN\n"})
    assert "is a child of top" in push({"nearby": None})


def test_a_commit_by_hand_can_confirm(push):
    assert "protected" in push({"best": TAGGED}, message="Change it\n\nConfirmed: nearby")
    assert push({"best": TAGGED}, message="Change it\n\nConfirmed: best") == ""
