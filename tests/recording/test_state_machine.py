"""Whatever happens in whatever order, what was ever published comes back identical: the model is a dictionary.

HYPOTHESIS_PROFILE=search looks for orders that nobody has tried yet.
"""

import hashlib
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from benchmarks.crash import run_killed_after, run_killed_at, switch_off_maintenance
from blastgit import DataRepo
from blastgit.demo import Sample, refit, reprocess, small
from blastgit.errors import Withdrawn
from blastgit.naming.paths import dataset_path
from blastgit.plumbing.process import git_environment
from blastgit.plumbing.ref_update import RefUpdate
from blastgit.plumbing.refs import update_refs

pytestmark = pytest.mark.slow

NAMES = ("2026dgt", "2026dix")
STATES = 3
NOW = timedelta(0)

names = st.sampled_from(NAMES)
states = st.integers(0, STATES - 1)
picks = st.integers(0, 999)
"""One of the things that there are by then, whose number may depend on when a process was killed."""


@cache
def sample(name: str, state: int) -> Sample:
    """Return a state of a transient; any two of them differ in the samples of their fits."""
    base = small(name, seed=NAMES.index(name))
    return refit(base, seed=state) if state else base


@cache
def again(name: str, state: int) -> Sample:
    """Return the same state as Blast would give it after another run: other keys, order, times and last digits."""
    return reprocess(
        sample(name, state), app_version="v1.13.1", export_time=f"2026-08-0{state + 1}T00:00:00+00:00", seed=9
    )


@cache
def sums(name: str, state: int) -> dict[str, set[str]]:
    """Return the SHA-256 of each file of a state; an HDF5 file may have either of two, for both say the same."""
    found: dict[str, set[str]] = {}
    for each in (sample(name, state), again(name, state)):
        for path, content in each.files.items():
            found.setdefault(dataset_path(path), set()).add(hashlib.sha256(content).hexdigest())
    return found


class Published(RuleBasedStateMachine):
    """What happens to a data repo, and what is published in it by then.

    Attributes:
        model: For each transient, the states that were published, in order.
        promised: For each revision, the SHA-256 of each file, as its document told when it was first seen.
        withdrawn: The files that were taken down.
    """

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="blastgit-test-"))
        self.repo, self.clone, self.backup = (self.folder / name for name in ("repo", "clone.git", "backup"))
        DataRepo.init(self.repo, simulated=True)
        switch_off_maintenance(self.repo)  # there is a rule for it
        (self.backup / "files/md5").mkdir(parents=True)
        self.git("init", "--quiet", "--bare", self.clone)
        self.daemon, self.url = serve(self.folder, self.repo.name)
        self.model: dict[str, list[int]] = {name: [] for name in NAMES}
        self.promised: dict[str, dict[str, str]] = {}
        self.withdrawn: set[str] = set()
        self.turn = 0

    def teardown(self) -> None:
        if hasattr(self, "repo"):
            try:
                for name, published in self.model.items():
                    for number in range(len(published)):
                        self.comes_back(f"{name}@{number}")
            finally:
                self.daemon.kill()
                self.daemon.wait()
                shutil.rmtree(self.folder, ignore_errors=True)

    @rule(name=names, state=states, reprocessed=st.booleans(), elsewhere=st.booleans())
    def record(self, name: str, state: int, reprocessed: bool, elsewhere: bool) -> None:
        inputs = self.inputs((again if reprocessed else sample)(name, state))
        expected = self.after(name, state)
        if self.is_refused(name, state):
            with pytest.raises(Withdrawn):
                DataRepo(self.url if elsewhere else self.repo).record(name, *inputs)
            return
        found = DataRepo(self.url if elsewhere else self.repo).record(name, *inputs)
        is_new = len(expected) > len(self.model[name])
        assert (found.status, found.revision) == ("recorded" if is_new else "unchanged", len(expected) - 1)
        self.learn(name, expected)

    @rule(name=names, state=states, step=st.integers(0, 60))
    def crash_at_a_step(self, name: str, state: int, step: int) -> None:
        if self.is_refused(name, state):
            return
        inputs = self.inputs(sample(name, state))
        run_killed_at(step, lambda: DataRepo(self.repo).record(name, *inputs))
        self.learn(name, self.model[name], self.after(name, state))

    @rule(name=names, state=states, seconds=st.floats(0, 0.1))
    def crash_at_an_instant(self, name: str, state: int, seconds: float) -> None:
        if self.is_refused(name, state):
            return
        inputs = self.inputs(sample(name, state))
        run_killed_after(seconds, lambda: DataRepo(self.repo).record(name, *inputs))
        self.learn(name, self.model[name], self.after(name, state))

    @rule(name=names, state=states, moved=st.integers(0, 1))
    def crash_between_two_refs(self, name: str, state: int, moved: int) -> None:
        """Git does not move two refs at once: it is killed when it has moved one of them."""
        if self.is_refused(name, state):
            return
        inputs = self.inputs(sample(name, state))

        def half(folder: Path, updates: list[RefUpdate], *rest: Any, **more: Any) -> None:
            update_refs(folder, updates[:1] if moved == 0 else updates[-1:], *rest, **more)
            os.kill(os.getpid(), signal.SIGKILL)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("blastgit.plumbing.refs.update_refs", half)
            run_killed_after(60, lambda: DataRepo(self.repo).record(name, *inputs))
        self.learn(name, self.after(name, state))

    @rule(
        wanted=st.lists(st.tuples(names, states), min_size=2, max_size=3),
        beside=st.sampled_from(["elsewhere", "nothing", "gc", "maintain"]),
    )
    def record_at_once(self, wanted: list[tuple[str, int]], beside: str) -> None:
        jobs: list[Callable[[], object]] = []
        wanted = [each for each in wanted if not self.is_refused(*each)]
        for name, state in wanted:
            where = self.url if beside == "elsewhere" and len(jobs) > 0 else self.repo
            jobs.append(partial(record_in, where, name, *self.inputs(sample(name, state))))
        jobs += {
            "nothing": [],
            "elsewhere": [],
            "gc": [lambda: DataRepo(self.repo).gc(delete=True, grace=timedelta(hours=1))],
            "maintain": [lambda: DataRepo(self.repo).maintain()],
        }[beside]
        at_once(jobs)
        for name in NAMES:
            ours = [state for each, state in wanted if each == name]
            self.learn(name, *(self.after(name, *order) for order in permutations(ours)))

    @rule(name=names, state=states, overtaken=st.booleans())
    def push(self, name: str, state: int, overtaken: bool) -> None:
        """Record in a clone and push with plain git, perhaps when somebody else was first."""
        self.git("-C", self.clone, "fetch", "--quiet", "--prune", "--force", self.repo, "+refs/*:refs/*")
        # what was recorded here and lost the race is taken back by force, so the clone's ledger goes with it
        shutil.rmtree(self.clone / "blastgit/ledger", ignore_errors=True)
        if self.is_refused(name, state):
            return
        expected = self.after(name, state)
        found = DataRepo(self.clone).record(name, *self.inputs(sample(name, state)))
        before = self.tip(name)
        if overtaken:
            self.record(name, (state + 1) % STATES, reprocessed=False, elsewhere=False)
        specs = [f"refs/heads/{name}", *([f"refs/tags/{found.tag}"] if found.status == "recorded" else [])]
        done = self.git("-C", self.clone, "push", "--quiet", "--atomic", f"file://{self.repo}", *specs, check=False)
        assert (done.returncode == 0) == (self.tip(name) == self.tip(name, self.clone)), done.stderr
        if self.tip(name, self.clone) == before or done.returncode == 0:
            assert done.returncode == 0 or overtaken
        self.learn(name, expected if done.returncode == 0 else self.model[name])

    @rule(delete=st.booleans(), restore=st.booleans())
    def gc(self, delete: bool, restore: bool) -> None:
        if restore:
            DataRepo(self.repo).gc(restore=True)
        report = DataRepo(self.repo).gc(delete=delete, grace=NOW)
        if delete:
            assert DataRepo(self.repo).gc(grace=NOW).set_aside == []
        assert report.acted == delete

    @rule()
    def maintain(self) -> None:
        DataRepo(self.repo).maintain()

    @rule(which=picks, how=st.sampled_from(["gone", "cut short", "altered"]), needed=st.booleans())
    def rot(self, which: int, how: str, needed: bool) -> None:
        """Damage a content. If it is needed, that is seen and can be mended; else the next writer replaces it."""
        contents = sorted(path for path in (self.repo / "dvc/files").rglob("*") if path.is_file())
        left_over = DataRepo(self.repo).gc(grace=NOW).set_aside
        if not needed:
            contents = [path for path in contents if path.parent.name + path.name in left_over] or contents
        if not contents:
            return
        path = contents[which % len(contents)]
        whole = path.read_bytes()
        copy = self.backup / path.relative_to(self.repo / "dvc")
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(whole)
        path.unlink()
        if how != "gone":
            path.write_bytes(whole[:-1] if how == "cut short" else whole[:-1] + bytes([whole[-1] ^ 1]))
            path.chmod(0o444)
        kinds = {problem.kind for problem in DataRepo(self.repo).verify().problems}
        is_needed = path.parent.name + path.name not in left_over
        assert kinds == ({"missing" if how == "gone" else "damaged"} if is_needed else set())
        if kinds:
            assert DataRepo(self.repo).verify(repair=True, sources=[str(self.backup)]).is_sound

    @rule(which=picks)
    def withdraw(self, which: int) -> None:
        files = sorted(f"{spec}:{path}" for spec, files in self.promised.items() for path in files)
        if files:
            DataRepo(self.repo).withdraw(files[which % len(files)], "A mistake")
            self.withdrawn.add(files[which % len(files)])

    @rule(which=picks)
    def get(self, which: int) -> None:
        if self.promised:
            self.comes_back(sorted(self.promised)[which % len(self.promised)])

    @invariant()
    def everything_published_is_there_and_sound(self) -> None:
        if not hasattr(self, "repo"):
            return
        opened = DataRepo(self.repo)
        assert {each.name: each.revision + 1 for each in opened.list()} == {
            name: len(published) for name, published in self.model.items() if published
        }
        report = opened.verify()
        assert report.problems == []
        left_over = [*(self.repo / "blastgit/locks").iterdir(), *(self.repo / "dvc/tmp").glob("*")]
        assert left_over == []
        assert set(report.withdrawn) == self.withdrawn

    def comes_back(self, spec: str) -> None:
        """Every file has the bytes that were promised when the revision was published, or was taken down."""
        self.turn += 1
        target = self.folder / f"out{self.turn}"
        gone = {path for path in self.promised[spec] if f"{spec}:{path}" in self.withdrawn}
        try:
            DataRepo(self.repo).get(spec, target)
            assert not gone
        except Withdrawn:
            assert gone
        found = {
            str(path.relative_to(target)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in target.rglob("*")
            if path.is_file() and path.parent != target
        }
        assert found == {path: sha256 for path, sha256 in self.promised[spec].items() if path not in gone}

    def is_refused(self, name: str, state: int) -> bool:
        """Whether a state is new and has bytes that were withdrawn: it is refused then."""
        if self.model[name] and self.model[name][-1] == state:
            return False
        gone = [each.partition(":") for each in self.withdrawn if each.startswith(f"{name}@")]
        digests = {self.promised[spec][path] for spec, _, path in gone}
        return any(hashlib.sha256(content).hexdigest() in digests for content in sample(name, state).files.values())

    def after(self, name: str, *order: int) -> list[int]:
        """Return what is published of a transient when these states were recorded, one after the other."""
        published = list(self.model[name])
        for state in order:
            published += [] if published and published[-1] == state else [state]
        return published

    def learn(self, name: str, *allowed: list[int]) -> None:
        """Take what is published of a transient into the model; it must be one of these sequences of states."""
        opened = DataRepo(self.repo)
        count = sum(each.revision + 1 for each in opened.list(name))
        for number in range(count):
            document = opened.show(f"{name}@{number}", even_invalid=True).value
            files = {path: digest.removeprefix("sha256:") for path, digest in document["files"].items()}
            assert self.promised.setdefault(f"{name}@{number}", files) == files
        found = [self.state_of(name, number) for number in range(count)]
        assert found in allowed
        self.model[name] = found

    def state_of(self, name: str, number: int) -> int:
        """Return which state a revision is: that whose files it names."""
        files = self.promised[f"{name}@{number}"]
        (state,) = [
            state
            for state in range(STATES)
            if files.keys() == sums(name, state).keys() and all(files[p] in s for p, s in sums(name, state).items())
        ]
        return state

    def inputs(self, state: Sample) -> tuple[Path, Path]:
        self.turn += 1
        folder = self.folder / f"in{self.turn}"
        folder.mkdir()
        return state.write(folder)

    def tip(self, name: str, repo: Path | None = None) -> str:
        return self.git("-C", repo or self.repo, "for-each-ref", f"refs/heads/{name}").stdout

    def git(self, *args: Any, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *map(str, args)], capture_output=True, text=True, env=git_environment(), check=check
        )


def serve(folder: Path, name: str) -> tuple[subprocess.Popen[bytes], str]:
    """Serve a folder by a `git daemon`, a process of its own; return it, and the URL of one repository."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--export-all", "--enable=receive-pack", f"--base-path={folder}", "--listen=127.0.0.1", f"--port={port}"]
    programs = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    # The program itself: `git daemon` would be its parent, and leave it behind when it is killed.
    process = subprocess.Popen(
        [f"{programs}/git-daemon", "--reuseaddr", *options], stderr=subprocess.DEVNULL, env=git_environment()
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, f"git://127.0.0.1:{port}/{name}"
    process.kill()
    pytest.fail("git daemon did not start")


def record_in(where: Path | str, *inputs: Any) -> None:
    DataRepo(where).record(*inputs)


def at_once(jobs: list[Callable[[], object]]) -> None:
    """Do all jobs at the same time, each in a process of its own."""
    processes = [multiprocessing.get_context("fork").Process(target=job) for job in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(jobs)


Published.TestCase.settings = settings(
    max_examples=100 if os.environ.get("HYPOTHESIS_PROFILE") == "search" else 12,
    stateful_step_count=16,
    deadline=None,
    derandomize=os.environ.get("HYPOTHESIS_PROFILE") != "search",
    suppress_health_check=[HealthCheck.too_slow],
)
TestPublished = Published.TestCase
