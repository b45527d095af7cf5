"""All verbs that write to a data repo or make another one, and what each acknowledges."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.reliability.scene import NAME, NEW, OTHER, PERSONAL, Scene, Verb, run_verb
from blastgit import DataRepo
from blastgit.plumbing.process import git_environment

_RUN = ("run", "start", "photometry", "v1", "DM-1", "-m", "to try")


def _verb(name: str, words: Callable[[Scene], list[str]], holds: Callable[[Scene], bool]) -> Verb:
    return Verb(name, lambda scene: run_verb(words(scene)), holds)


def _on_repo(name: str, words: Callable[[Scene], list[str]], ref: str) -> Verb:
    """Return a verb whose acknowledgement means that a ref of the repo has moved."""
    return _verb(name, lambda s: [*s.on_repo, *words(s)], lambda s: s.has_moved(ref))


def _push(scene: Scene) -> int:
    refs = f"refs/heads/{NAME}", f"refs/tags/{NAME}/1"
    command = ["git", f"--git-dir={scene.inputs / 'clone.git'}", "push", "--quiet", "--atomic", str(scene.repo), *refs]
    return subprocess.run(command, env=git_environment(), check=False).returncode


def _is_data_repo(path: Path) -> bool:
    return DataRepo(path).list() == []


def _is_copied(scene: Scene) -> bool:
    """Whether the repo beside has every revision."""
    return {each.name for each in DataRepo(scene.beside).list()} == {each.name for each in DataRepo(scene.repo).list()}


def _is_set_up(scene: Scene) -> bool:
    words = ["git", "-C", str(scene.clone), "config", "--get-regexp", r"diff\..*\.textconv"]
    return subprocess.run(words, capture_output=True, check=False, env=git_environment()).returncode == 0


_RECORDING = (
    _verb("record, revision 0", lambda s: s.recording(NEW, NEW), lambda s: s.has_moved(f"refs/tags/{NEW}/0")),
    _verb("record, revision 1", lambda s: s.recording(NAME, "changed"), lambda s: s.has_moved(f"refs/tags/{NAME}/1")),
    _verb("record, unchanged", lambda s: s.recording(NAME, "again"), lambda s: s.has_moved(f"refs/heads/{NAME}")),
    _verb("record, draft", lambda s: s.recording(NAME, "failed"), lambda s: s.has_moved(f"refs/drafts/{NAME}")),
    _verb(
        "record from elsewhere",
        lambda s: ["-C", f"file://{s.repo}", *s.recording(NAME, "changed")[2:]],
        lambda s: s.has_moved(f"refs/tags/{NAME}/1"),
    ),
    _on_repo(
        "record, reference",
        lambda s: ["record", "r/model/sbi", "--file", str(s.inputs / "list"), "--set", "architecture=MAF"],
        "refs/tags/r/model/sbi/0",
    ),
    _on_repo("promote", lambda _: ["promote", f"{PERSONAL}/{NAME}"], f"refs/tags/{NAME}/1"),
    _on_repo("stage", lambda _: ["stage", "begin", NAME, "host-match", "--owner", "a"], f"refs/workflow/{NAME}"),
    _on_repo("end of a run", lambda _: ["stage", "end", OTHER, "--owner", "a"], f"refs/drafts/{OTHER}"),
    _verb(
        "import",
        lambda s: [*s.on_repo, "import", str(s.inputs / "blast"), "--jobs", "1", "--run", "legacy/2026-06-01"],
        lambda s: all(s.has_moved(f"refs/tags/{name}/0") for name in ("2026im1", "2026im2")),
    ),
    Verb("push", _push, lambda s: s.has_moved(f"refs/tags/{NAME}/1")),
)
_ANNOTATIONS, _MAIN = "refs/heads/annotations", "refs/heads/main"
_SAYING = (
    _on_repo("annotate", lambda _: ["annotate", f"{OTHER}@0", "-m", "odd"], _ANNOTATIONS),
    _on_repo("attach", lambda s: ["attach", "run:night/1", str(s.inputs / "list")], _ANNOTATIONS),
    _on_repo("withdraw", lambda s: ["withdraw", s.file(), "--reason", "private"], _MAIN),
    _on_repo("collection", lambda _: ["collection", "add", "nearby", f"{OTHER}@0", "-m", "near"], _MAIN),
    _on_repo("run", lambda _: list(_RUN), _MAIN),
    _on_repo("variant", lambda _: ["variant", "default", "photometry", "again", "--reason", "better"], _MAIN),
    _on_repo("freeze", lambda _: ["collection", "freeze", "nearby", "1", "-m", "paper"], "refs/tags/release/nearby/1"),
)
_CARING = (
    _verb("maintain", lambda s: [*s.on_repo, "maintain"], lambda s: s.before.items() <= s.refs().items()),
    _verb(
        "gc", lambda s: [*s.on_repo, "gc", "--delete", "--grace", "0d"], lambda s: s.before.items() <= s.refs().items()
    ),
    _verb("init", lambda s: ["init", str(s.beside), "--simulated"], lambda s: _is_data_repo(s.beside)),
    _verb(
        "subset",
        lambda s: [*s.on_repo, "subset", str(s.beside), "--from", str(s.inputs / "list")],
        lambda s: bool(DataRepo(s.beside).list()),
    ),
    _verb("migrate", lambda s: [*s.on_repo, "migrate", str(s.beside)], _is_copied),
    _verb("setup", lambda s: [*s.on_repo, "setup", str(s.clone)], _is_set_up),
)
VERBS = (*_RECORDING, *_SAYING, *_CARING)
"""All of them."""
