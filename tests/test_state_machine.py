"""Whatever happens in whatever order, what was ever published comes back identical: the model is a dictionary."""

import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from benchmarks.crash import run_killed_at
from blastgit import DataRepo
from blastgit.demo import Sample, refit, reprocess, small
from blastgit.sources import dataset_path

NAMES = ("2026dgt", "2026dix")
STATES = 3

names = st.sampled_from(NAMES)
states = st.integers(0, STATES - 1)


@cache
def sample(name: str, state: int) -> Sample:
    """Return a state of a transient; any two of them differ."""
    base = small(name, seed=NAMES.index(name))
    return refit(base, seed=state) if state else base


@cache
def again(name: str, state: int) -> Sample:
    """Return the same state as Blast would give it after another run: other keys, order, times and last digits."""
    return reprocess(
        sample(name, state), app_version="v1.13.1", export_time=f"2026-08-0{state + 1}T00:00:00+00:00", seed=9
    )


class Published(RuleBasedStateMachine):
    """The model: for each transient, the states that were published, in order, and the bytes of each that came back."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="blastgit-test-"))
        self.repo = self.folder / "repo"
        DataRepo.init(self.repo, simulated=True)
        self.model: dict[str, list[int]] = {name: [] for name in NAMES}
        self.bytes: dict[str, dict[str, str]] = {}
        self.turn = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def inputs(self, state: Sample) -> tuple[Path, Path]:
        self.turn += 1
        folder = self.folder / f"in{self.turn}"
        folder.mkdir()
        return state.write(folder)

    @rule(name=names, state=states, reprocessed=st.booleans())
    def record(self, name: str, state: int, reprocessed: bool) -> None:
        found = DataRepo(self.repo).record(name, *self.inputs((again if reprocessed else sample)(name, state)))
        published = self.model[name]
        expected = "unchanged" if published and published[-1] == state else "recorded"
        if expected == "recorded":
            published.append(state)
        assert (found.status, found.revision) == (expected, len(published) - 1)

    @rule(name=names, state=states, step=st.integers(0, 60))
    def crash(self, name: str, state: int, step: int) -> None:
        inputs = self.inputs(sample(name, state))
        run_killed_at(step, lambda: DataRepo(self.repo).record(name, *inputs))
        opened = DataRepo(self.repo)
        count = len(opened.log(name)) if opened.list(name) else 0
        if count > len(self.model[name]):
            self.model[name].append(state)
        assert count == len(self.model[name])

    @precondition(lambda self: any(self.model.values()))
    @rule(data=st.data())
    def get(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([name for name in NAMES if self.model[name]]))
        number = data.draw(st.integers(0, len(self.model[name]) - 1))
        spec = f"{name}@{number}"
        self.turn += 1
        got = DataRepo(self.repo).get(spec, self.folder / f"out{self.turn}")
        found = {path: hashlib.sha256((got.folder / path).read_bytes()).hexdigest() for path in got.written}
        expected = {dataset_path(path) for path in sample(name, self.model[name][number]).files}
        assert set(found) == expected | {f"{name}.json"}
        assert self.bytes.setdefault(spec, found) == found

    @invariant()
    def everything_published_is_there_and_sound(self) -> None:
        if not hasattr(self, "repo"):
            return
        opened = DataRepo(self.repo)
        assert {each.name: each.revision + 1 for each in opened.list()} == {
            name: len(published) for name, published in self.model.items() if published
        }
        assert opened.verify().problems == []


Published.TestCase.settings = settings(max_examples=12, stateful_step_count=12, deadline=None, derandomize=True)
TestPublished = Published.TestCase
