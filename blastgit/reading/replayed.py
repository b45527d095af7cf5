"""Compares the results of a replay with what was recorded: by value, allowing for replaced inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from blastgit.collections.datasets import Dataset
from blastgit.collections.runs import Held, holdings
from blastgit.errors import NotFound
from blastgit.reading.diff import State, diff
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.history import History
from blastgit.revision.normalise import normalise
from blastgit.workflow.inputs import Uses, read_uses
from blastgit.workflow.patterns import Patterns
from blastgit.workflow.stages import Stages
from blastgit.workflow.wish import effect_of

EXACT, ALMOST, DIFFERENT, ALONE = "exact", "almost exact", "different", "alone"
"""Verdicts: every value is equal; equal except for replaced inputs and what is made from them; neither; nothing to
compare with."""


@dataclass(frozen=True)
class Replayed:
    """The comparison of one transient.

    Attributes:
        dataset: The dataset in the run; "" if it lacks what was recorded.
        recorded: The dataset that it is compared with; "" if there is none.
        verdict: One of the verdicts above.
        differing: The values and files that differ unexpectedly, by path.
        following: Those that differ because an input was replaced.
        evidence: The commit of the reproduction, if the run reproduced the values.
    """

    dataset: str
    recorded: str
    verdict: str
    differing: tuple[str, ...] = ()
    following: tuple[str, ...] = ()
    evidence: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "dataset": self.dataset or None, "recorded": self.recorded or None, "verdict": self.verdict,
            "differing": list(self.differing), "following": list(self.following), "evidence": self.evidence or None,
        }  # fmt: skip


@dataclass(frozen=True)
class Replay:
    """The comparison of a whole run.

    Attributes:
        run: The run.
        of: The run that it is compared with; "" for the previous revisions.
        replaced: The inputs that were replaced.
        results: A result for each transient, sorted by name.
    """

    run: str
    of: str
    replaced: tuple[str, ...]
    results: tuple[Replayed, ...]

    @property
    def is_faithful(self) -> bool:
        """Whether nothing differs unexpectedly."""
        return all(each.verdict in (EXACT, ALMOST) for each in self.results)

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "run": self.run, "of": self.of or None, "replaced": list(self.replaced), "faithful": self.is_faithful,
            "results": [each.to_json() for each in self.results],
        }  # fmt: skip


def check(repository: Repository, run: str, of: str = "", replaced: Sequence[str] = ()) -> Replay:
    """Compare the results of a replay with what was recorded.

    Args:
        repository: The data repo.
        run: The run.
        of: The run that it repeats; "" to compare each revision with its predecessor, from which it was made.
        replaced: The files and values that were replaced, as named in the plan.

    Raises:
        NotFound: A run is empty.
        DamagedData: The store lacks a file.
    """
    made = {each.dataset.name: each for each in _held(repository, run)}
    recorded = {each.dataset.name: each.dataset for each in _held(repository, of)} if of else {}
    follows = _Follows(repository, replaced)
    results = [
        _result(repository, made.get(name), _recorded(made.get(name), recorded.get(name), of), follows)
        for name in sorted({*made, *recorded})
    ]
    return Replay(run, of, tuple(replaced), tuple(results))


def _held(repository: Repository, run: str) -> list[Held]:
    held = holdings(repository, run)
    if not held:
        raise NotFound(f"the run {run} is empty or does not exist; `blastgit run list` lists all runs")
    return held


def _recorded(made: Held | None, other: Dataset | None, of: str) -> Dataset | None:
    """Return the dataset to compare the result of a run with."""
    if of or made is None:
        return other
    dataset = made.dataset
    if not made.is_born:
        return dataset
    return Dataset(dataset.line, dataset.number - 1) if dataset.number else None


def _result(repository: Repository, made: Held | None, recorded: Dataset | None, follows: _Follows) -> Replayed:
    if made is None or recorded is None:
        return Replayed("" if made is None else str(made.dataset), "" if recorded is None else str(recorded), ALONE)
    evidence = "" if made.is_born else made.marker.id
    if made.dataset == recorded:
        return Replayed(str(made.dataset), str(recorded), EXACT, evidence=evidence)
    new = _revision(repository, made.dataset)
    paths = list(_differing(repository, _revision(repository, recorded), new))
    following = tuple(follows.of(new, paths))
    differing = tuple(path for path in paths if path not in set(following))
    verdict = DIFFERENT if differing else ALMOST if following else EXACT
    return Replayed(str(made.dataset), str(recorded), verdict, differing, following, evidence)


def _revision(repository: Repository, dataset: Dataset) -> Revision:
    found = History(repository).tagged(dataset.line, dataset.number)
    if found is None:
        raise NotFound(f"{dataset} no longer exists")
    return found


def _differing(repository: Repository, old: Revision, new: Revision) -> Iterator[str]:
    before, after = (State(str(each), each.dr.export, each) for each in (old, new))
    found = diff(repository, before, after, repository.rules)
    yield from (each.path for each in found.fields)
    yield from (each.change.path for each in found.files if each.change.counts)


class _Follows:
    """What may differ if some inputs were replaced: the inputs, and everything made from them."""

    def __init__(self, repository: Repository, replaced: Iterable[str]) -> None:
        self._given = tuple(each.rstrip("/") for each in replaced)
        self._rules = repository.rules
        stages = Stages.of(repository.settings)
        again = {name for each in self._given for name in effect_of(stages, each).reasons}
        for stage in stages:
            if any(before.name in again for before in stages.feeders(stage.name)):
                again.add(stage.name)
        self._stages = [stage for stage in stages if stage.name in again]

    def of(self, new: Revision, paths: Iterable[str]) -> list[str]:
        """Return the paths, among those given, that may differ in a revision."""
        if not self._given:
            return []
        uses = read_uses(normalise(new.dr.export, self._rules), new.dr.files)
        return [path for path in paths if self._is_given(path) or (self._is_made(path) and self._is_used(path, uses))]

    def _is_given(self, path: str) -> bool:
        return Patterns(self._given).match(path)

    def _is_made(self, path: str) -> bool:
        """Whether a stage that must run makes it; a file that a stage only edits depends on itself alone."""
        return any(stage.makes.match(path) and not stage.reads.match(path) for stage in self._stages)

    def _is_used(self, path: str, uses: Uses) -> bool:
        """Whether a product was made from a replaced file; for replaced values, only the stages are known."""
        products = [step.product for step in uses.steps if path == step.product or path.startswith(f"{step.product}.")]
        if not products or not all("/" in each and "." in each.rpartition("/")[2] for each in self._given):
            return True
        return any(map(self._is_given, _considered(products, uses)))


def _considered(products: Iterable[str], uses: Uses) -> set[str]:
    """Return the inputs that products were made from, or that were considered: rejected inputs matter, too."""
    known, level = set[str](), set(products)
    while level:
        known |= level
        level = {step.source for step in uses.steps if step.product in level} - known
    return known
