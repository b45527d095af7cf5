"""Flagged data leaves the collections that a rule names, in a commit on main with the reason."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.plumbing.process import git_environment
from blastgit.repository.edit import BranchEdit, commit_to_branch

pytest.importorskip("blastgit.collections.text")

CHECKOUT = Path(__file__).parents[2]
IMAGE, OTHER = "cutout_cdn/DES/DES_g.fits", "cutout_cdn/DES/DES_z.fits"
RULES = 'flags: {rules: ["bad leaves <instrument>/defaults", "bad leaves best", "disputed leaves best"]}\n'
BEST = f'type: TAGGED\nmembers:\n- "2026abc@0"\n- "2026dgt@0"\n- "2026dgt@1"\n- "2026dgt@1:{IMAGE}"\n'
CALIBRATION = (
    "type: CALIBRATION\nmembers:\n"
    f'- {{"dataset": "2026dgt@0:{IMAGE}", "begin": "2026-01-01T00:00:00Z", "end": null}}\n'
    f'- {{"dataset": "2026dgt@0:{OTHER}", "begin": "2026-01-01T00:00:00Z", "end": null}}\n'
)


@pytest.fixture
def shelves(history: Path, set_main: Callable[..., None]) -> Path:
    """A repo with rules and collections."""
    set_main(history, RULES)
    files = {
        "best": BEST,
        "DES/defaults": 'type: CHAINED\nchildren:\n- "DES/defaults/calib"\n- "shared"\n- "runs/x"\n',
        "DES/defaults/calib": CALIBRATION,
        "shared": 'type: TAGGED\nmembers:\n- "2026dgt@1"\n',
        "a/b/defaults": BEST,
    }
    commit_to_branch(
        DataRepo(history).session.repository,
        "main",
        lambda _: BranchEdit(
            {f"collections/{name}.yaml": text.encode() for name, text in files.items()}, "Collections"
        ),
    )
    return history


def members(repo: Path, name: str) -> list[str]:
    lines = DataRepo(repo).session.repository.main_file(f"collections/{name}.yaml").decode().splitlines()
    return [line[2:] for line in lines if line.startswith("- ")]


def test_a_revision_leaves(shelves: Path, speak: Callable[..., Any], run: Callable[..., str]) -> None:
    done = speak(shelves, "alice", "2026dgt@1", flag="bad", comment="wrong field")
    assert members(shelves, "best") == ['"2026abc@0"', '"2026dgt@0"']
    assert len(members(shelves, "a/b/defaults")) == 4
    assert done.moved == (f"2026dgt@1, 2026dgt@1:{IMAGE} leaves best: bad (bad leaves best)",)
    assert done.waiting == ("DES/defaults has 2026dgt@1 by shared, which is not its own: a rule may name that",)
    message = run("git", "-C", shelves, "log", "-1", "--format=%B", "main")
    assert message.startswith(f"Flags: 2026dgt@1, 2026dgt@1:{IMAGE} leaves best: bad")
    before = run("git", "-C", shelves, "rev-parse", "main")
    speak(shelves, "alice", "2026dgt@1", flag="bad", comment="still")
    assert run("git", "-C", shelves, "rev-parse", "main") == before


def test_a_content_leaves_wherever_it_is_listed_as_a_file(shelves: Path, speak: Callable[..., Any]) -> None:
    speak(shelves, "alice", f"2026dgt@0:{IMAGE}", flag="bad")
    assert members(shelves, "best") == ['"2026abc@0"', '"2026dgt@0"', '"2026dgt@1"']
    assert [OTHER in line for line in members(shelves, "DES/defaults/calib")] == [True]


def test_a_child_leaves_a_chain(shelves: Path, speak: Callable[..., Any]) -> None:
    speak(shelves, "alice", ["collection:shared", "run:runs/x"], flag="bad")
    assert members(shelves, "DES/defaults") == ['"DES/defaults/calib"']


@pytest.mark.parametrize("said", [{"flag": "suspect"}, {"comment": "x"}])
def test_other_words_change_nothing(shelves: Path, speak: Callable[..., Any], said: dict[str, str]) -> None:
    speak(shelves, "alice", ["2026dgt@1", "2026dgt"], **said)
    assert len(members(shelves, "best")) == 4


def test_a_dispute_has_a_rule_of_its_own(shelves: Path, speak: Callable[..., Any]) -> None:
    speak(shelves, "alice", "2026dgt@0", flag="good")
    assert len(members(shelves, "best")) == 4
    speak(shelves, "bob", "2026dgt@0", flag="suspect")
    assert '"2026dgt@0"' not in members(shelves, "best")


def test_rules_wait_for_a_curator(
    shelves: Path, speak: Callable[..., Any], set_main: Callable[..., None], me: str
) -> None:
    set_main(shelves, f"policy: {{roles: {{admin: [root-of-all], annotator: [{me}], curator: [carol]}}}}\n")
    done = speak(shelves, me, "2026dgt@1", flag="bad")
    assert (done.subjects, done.moved) == (1, ())
    assert "a rule was not applied, for a curator to do" in done.waiting[0]
    assert len(members(shelves, "best")) == 4
    repository = DataRepo(shelves).session.repository
    text = repository.main_file("blastgit.yaml").replace(b"carol", me.encode())
    commit_to_branch(repository, "main", lambda _: BranchEdit({"blastgit.yaml": text}, "Set"))
    room = DataRepo(shelves).annotations
    assert len(room.apply_rules(dry_run=True).moved) == 1
    assert len(members(shelves, "best")) == 4
    assert len(room.apply_rules().moved) == 1
    assert len(members(shelves, "best")) == 2
    assert room.apply_rules().moved == ()


def test_a_server_applies_rules_to_what_is_pushed(
    shelves: Path, speak: Callable[..., Any], set_main: Callable[..., None], tmp_path: Path, me: str
) -> None:
    set_main(shelves, f"policy: {{roles: {{admin: [root-of-all], annotator: [{me}], curator: [flag-bot]}}}}\n")
    page = (CHECKOUT / "docs/annotations.md").read_text("utf-8")
    script = page.partition("post-receive <<'END'\n")[2].partition("> END\n")[0]
    hook = shelves / "hooks/post-receive"
    hook.write_text("".join(line.removeprefix("> ") for line in script.splitlines(keepends=True)))
    hook.chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/blastgit").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m blastgit "$@"\n')
    (tmp_path / "bin/blastgit").chmod(0o755)
    environment = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(CHECKOUT)}
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", shelves, clone], check=True, env=git_environment())
    done = speak(clone / ".git", me, "2026dgt@1", flag="bad")
    assert (len(members(shelves, "best")), done.moved) == (4, ())
    command = ["git", "-C", clone, "push", "origin", "annotations"]
    pushed = subprocess.run(command, capture_output=True, text=True, check=True, env=git_environment(environment))
    assert "leaves best: bad" in pushed.stderr
    assert len(members(shelves, "best")) == 2
