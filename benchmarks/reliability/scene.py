"""A data repo with data of all kinds, and checks of what must hold after any treatment."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pygit2

from benchmarks.crash import wait_for_group
from blastgit import BlastgitError, DataRepo
from blastgit.demo import fail_stage, refit, reprocess, small
from blastgit.plumbing.evidence import owner_of
from blastgit.plumbing.locks import journals
from blastgit.plumbing.process import git_environment
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.format import FILE
from blastgit.repository.local import LocalRepository
from blastgit.repository.policy import current_identity
from blastgit.repository.unfinished import UNFINISHED

NAME, OTHER, NEW = "2026dgt", "2026abc", "2026new"
PERSONAL = f"u/{current_identity()}"
_SETTINGS = b"""
publish: complete
stages: {Recalibration: {after: [Local aperture photometry], makes: [photometry/*_local/*.flux]}}
variants: {photometry: {names: {first: {app_version: v1.*}, again: {made_by: Recalibration}}}}
"""
Refs = dict[str, str]


class Scene:
    """The repo, or a copy of it, and the inputs of the verbs.

    Attributes:
        repo: The data repo. A copy must have the same path, because the path of its store is configured in it.
        beside: The folder where verbs make other repos.
        clone: A clone with files.
        inputs: The folder of the inputs, which are never changed.
    """

    def __init__(self, place: Path, inputs: Path) -> None:
        """Set the paths, without creating anything."""
        self.repo, self.beside, self.clone, self.inputs = place / "repo", place / "other", place / "clone", inputs
        self.before: Refs = {}

    def make(self) -> None:
        """Make the repo and the inputs."""
        repo = DataRepo.init(self.repo, simulated=True)
        first = small(NAME)
        for sample in (first, small(OTHER, seed=1)):
            repo.record(sample.name, *self._write(sample.name, sample))
        self._write("changed", refit(first, seed=5))
        self._write(
            "again", reprocess(first, app_version="v9", export_time="2026-06-20T10:00:00+00:00", seed=3, all_keys=True)
        )
        self._write(NEW, small(NEW, seed=2))
        self._write("failed", fail_stage(refit(first, seed=6), "Global host SED inference"))
        for name in ("2026im1", "2026im2"):
            _as_blast_keeps(*self._write(name, small(name, seed=3)), name, self.inputs / "blast")
        for words in (
            ("collection", "create", "nearby", "--type", "TAGGED", "-m", "to try"),
            ("collection", "add", "nearby", f"{NAME}@0", "-m", "to try"),
            ("annotate", f"{NAME}@0", "-m", "seen"),
            ("record", NAME, "--as", PERSONAL, *self._given("changed")),
            ("stage", "begin", OTHER, "host-match", "--owner", "a"),
            ("stage", "fail", OTHER, "host-match", "--owner", "a", "--reason", "no luck"),
        ):
            with redirect_stdout(StringIO()):
                assert run_verb([*self.on_repo, *words]) == 0
        self._add_settings()
        (self.inputs / "list").write_text(f"{NAME}@0\n")
        clone = self.inputs / "clone.git"
        _clone("--mirror", self.repo, clone)
        _clone("--branch", f"{NAME}/0", self.repo, self.clone)
        DataRepo(clone).record(NAME, *self.input("changed"))
        self.before = self.refs()

    @property
    def on_repo(self) -> list[str]:
        """The arguments of the command line that name the repo."""
        return ["-C", str(self.repo)]

    def input(self, name: str) -> tuple[Path, Path]:
        """Return the export and the data of a state."""
        return self.inputs / name / "export.json", self.inputs / name / "data"

    def recording(self, name: str, state: str) -> list[str]:
        """Return the command that records a state."""
        return [*self.on_repo, "record", name, *self._given(state)]

    def file(self) -> str:
        """Return a file of revision 0."""
        return f"{NAME}@0:{min(DataRepo(self.repo).show(f'{NAME}@0:files').value)}"

    def refs(self) -> Refs:
        """Return all refs of the repo."""
        git = pygit2.Repository(str(self.repo))
        return {name: str(git.references[name].target) for name in git.references}

    def has_moved(self, ref: str) -> bool:
        """Whether a ref exists and has moved from its initial commit."""
        now = self.refs().get(ref)
        return now is not None and now != self.before.get(ref)

    def problem(self, verb: Verb, *, acknowledged: bool) -> str:
        """Open the repo as the next command does, and return what is wrong; "" if everything is correct."""
        try:
            found = _unsound(self.repo) or (_unsound(self.beside) if self._has_other() else "")
            found = found or self._lost()
        except BlastgitError as error:
            return f"the next command fails: {error}"
        if found:
            return found
        if acknowledged and not verb.holds(self):
            return "what was acknowledged is not there"
        return ""

    def _has_other(self) -> bool:
        """Whether there is another repo that claims to be complete."""
        return (self.beside / "HEAD").exists() and not (self.beside / UNFINISHED).exists()

    def _lost(self) -> str:
        now, git = self.refs(), pygit2.Repository(str(self.repo))
        for ref, target in self.before.items():
            if ref not in now:
                if ref == f"refs/workflow/{OTHER}" and self.has_moved(f"refs/drafts/{OTHER}"):
                    continue  # its run has ended
                return f"{ref} is gone"
            is_there = now[ref] == target or (
                ref.startswith("refs/heads/") and git.descendant_of(pygit2.Oid(hex=now[ref]), pygit2.Oid(hex=target))
            )
            if not is_there:
                return f"{ref} was moved from {target} to {now[ref]}"
        locks = [*(self.repo / "refs").rglob("*.lock"), *self.repo.glob("*.lock")]
        return f"{locks[0]} is left ({_told(locks[0], self.repo)})" if locks else ""

    def _given(self, state: str) -> list[str]:
        export, data = self.input(state)
        return ["--export", str(export), "--data", str(data)]

    def _add_settings(self) -> None:
        repository = LocalRepository(self.repo)
        data = repository.main_file(FILE) + _SETTINGS
        commit_to_branch(repository, "main", lambda _: BranchEdit({FILE: data}, "Number complete states only"))

    def _write(self, name: str, sample: object) -> tuple[Path, Path]:
        (self.inputs / name).mkdir()
        sample.write(self.inputs / name)  # type: ignore[attr-defined]
        return self.input(name)


@dataclass(frozen=True)
class Verb:
    """A way to write to a data repo.

    Attributes:
        name: Its name in the table.
        run: Runs it, and returns its exit code.
        holds: Returns whether the acknowledged data is in the repo.
    """

    name: str
    run: Callable[[Scene], int]
    holds: Callable[[Scene], bool]


def run_verb(words: list[str]) -> int:
    """Run a command of blastgit in this process, and return its exit code."""
    from blastgit.cli import main

    return main(words)


def _clone(*words: str | Path) -> None:
    subprocess.run(["git", "clone", "--quiet", *words], check=True, capture_output=True, env=git_environment())


def _told(lock: Path, repo: Path) -> str:
    """Return a description of a lock that is left: its content, possible owners, and entries of journals."""
    try:
        content = lock.read_text().strip()
    except OSError as error:
        content = str(error)
    said = [f"{path.name}: {journal}, {dict(journal.refs)}" for path, journal in journals(repo / "blastgit/locks")]
    return f"it holds {content!r}, its owner may be {owner_of(lock, repo)}, journals: {said}"


def in_child(action: Callable[[], int], said: Path) -> int:
    """Start an action in its own process group, with output to a file, and return its process id."""
    pid = os.fork()
    if pid:
        with suppress(OSError):  # it has ended already
            os.setpgid(pid, pid)
        return pid
    code = 99
    try:
        os.setpgid(0, 0)
        with said.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            sys.stdout, sys.stderr = file, file
            code = action()
    finally:
        os._exit(code)


def end_of(pid: int) -> int:
    """Wait for a process of `in_child`, end the rest of its group, and return its exit code; -1 if it was killed."""
    _, status = os.waitpid(pid, 0)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    wait_for_group(pid)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1


def apart(action: Callable[[], str]) -> str:
    """Run an action in a child process and return its result, so that this process keeps no file of the repo open."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        text = "it failed"
        try:
            text = action()
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
            raise
        finally:
            os.write(writing, text.encode()[:60_000])
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(pid, 0)
    return text


def _unsound(repo: Path) -> str:
    found = DataRepo(repo).verify()
    if not found.is_sound:
        return f"unsound: {found.problems[0].where}: {found.problems[0].text}"
    fsck = ["git", f"--git-dir={repo}", "fsck", "--strict", "--no-dangling"]
    done = subprocess.run(fsck, capture_output=True, text=True, check=False, env=git_environment())
    return f"git fsck: {done.stderr or done.stdout}" if done.returncode else ""


def _as_blast_keeps(export: Path, data: Path, name: str, target: Path) -> None:
    (target / "exports").mkdir(parents=True, exist_ok=True)
    shutil.copy(export, target / "exports" / f"{name}.json")
    for root in ("cutout_cdn", "sed_output"):
        if (data / root).exists():
            shutil.copytree(data / root, target / root, dirs_exist_ok=True)
