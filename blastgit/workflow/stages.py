"""The stages of the workflow, read from `stages.yaml` and a data repo's own settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blastgit.errors import InvalidName, NotFound, RepoError
from blastgit.naming.keys import check_keys
from blastgit.naming.names import check_line, is_reference, slug
from blastgit.naming.nearest import did_you_mean
from blastgit.safe_yaml import load_shipped
from blastgit.workflow.patterns import Patterns

if TYPE_CHECKING:
    from blastgit.repository.settings import Settings

_NONE = Patterns(())
_WHERE = "blastgit.yaml on main: stages"
_WORDS = ("after", "reads", "makes", "answers", "references", "config", "task")


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: Its name in Blast's `workflow_tasks`.
        after: The stages that must have succeeded before, without their own predecessors.
        reads: What it reads.
        makes: What it writes.
        answers: Its outcomes that are findings, not failures, and whether its output then exists.
        references: The lines of the references that it uses, besides the filters of its images: `r/model/…`.
        config: The settings of a run's configuration that it reads.
        task: The name of its Celery task; "" if it is the stage's name.
    """

    name: str
    after: tuple[str, ...]
    reads: Patterns
    makes: Patterns
    answers: Mapping[str, bool]
    references: tuple[str, ...] = ()
    config: Patterns = _NONE
    task: str = ""

    @property
    def slug(self) -> str:
        """The name for refs and the command line, `host-match`."""
        return slug(self.name)

    @property
    def marker(self) -> str:
        """The name of its marker, `post-host-match`."""
        return f"post-{self.slug}"


@dataclass(frozen=True)
class Stages:
    """All stages of a workflow.

    Attributes:
        ordered: The stages, each behind its predecessors, otherwise in the order of the file.
    """

    ordered: tuple[Stage, ...]

    @classmethod
    def of(cls, settings: Settings) -> Stages:
        """Read the section `stages` of the settings.

        Raises:
            RepoError: The section has a mistake.
        """
        return settings.read("stages", read_stages)

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.ordered)

    def __len__(self) -> int:
        return len(self.ordered)

    @cached_property
    def by_name(self) -> Mapping[str, Stage]:
        """Each stage by its name."""
        return {stage.name: stage for stage in self.ordered}

    @cached_property
    def _by_slug(self) -> Mapping[str, Stage]:
        return {stage.slug: stage for stage in self.ordered}

    def get(self, name: str) -> Stage | None:
        """Return a stage by its name in Blast, its slug or its marker, or None."""
        word = slug(name)
        return self._by_slug.get(word) or self._by_slug.get(word.removeprefix("post-"))

    def find(self, name: str) -> Stage:
        """Return a stage by its name in Blast, its slug or its marker.

        Raises:
            NotFound: It does not exist; the error names the nearest.
        """
        stage = self.get(name)
        if stage is None:
            raise NotFound(f"there is no stage {name!r}{_near(name, self.by_name)}")
        return stage

    @cached_property
    def _before(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for stage in self.ordered:
            found[stage.name] = frozenset(stage.after).union(*(found[name] for name in stage.after))
        return found

    @cached_property
    def references(self) -> frozenset[str]:
        """The lines of all references that some stage works with."""
        return frozenset(line for stage in self.ordered for line in stage.references)

    def before(self, name: str) -> frozenset[str]:
        """Return the names of all direct and indirect predecessors of a stage."""
        return self._before[name]

    @cached_property
    def _feeders(self) -> Mapping[str, tuple[Stage, ...]]:
        return {
            stage.name: tuple(
                each
                for each in self.ordered
                if each.name in self._before[stage.name] and stage.reads.meet(each.makes.texts)
            )
            for stage in self.ordered
        }

    def feeders(self, name: str) -> tuple[Stage, ...]:
        """Return the predecessors of a stage that make something it reads, in order."""
        return self._feeders[name]

    def after(self, name: str) -> list[Stage]:
        """Return all direct and indirect successors of a stage, in order."""
        return [stage for stage in self.ordered if name in self._before[stage.name]]

    def makers(self, path: str) -> list[Stage]:
        """Return the stages that make a value or file, in order; the last one determines its state."""
        return [stage for stage in self.ordered if stage.makes.match(path)]

    def readers(self, path: str) -> list[Stage]:
        """Return the stages that read a value or file, in order."""
        return [stage for stage in self.ordered if stage.reads.match(path)]


@cache
def default_text() -> str:
    """Return the text of the shipped stages."""
    return Path(__file__).with_name("stages.yaml").read_text("utf-8")


@cache
def default_stages() -> Stages:
    """Return the shipped stages."""
    return read_stages(None)


def read_stages(section: Any) -> Stages:
    """Return the shipped stages, overridden and extended by a data repo's own.

    Args:
        section: The value of `stages` in `blastgit.yaml`, or None.

    Raises:
        RepoError: It is not valid; the error says where.
    """
    specs = _merge(section)
    stages = [_stage(name, spec) for name, spec in specs.items()]
    _check_names(stages)
    return Stages(_ordered(stages))


def _merge(section: Any) -> dict[str, dict[str, Any]]:
    if section is None:
        section = {}
    if not isinstance(section, dict) or not all(isinstance(name, str) for name in section):
        raise RepoError(f"{_WHERE} should map the names of stages to what they read and make")
    inherit = section.get("inherit", True)
    if not isinstance(inherit, bool):
        raise RepoError(f"{_WHERE}.inherit is {inherit!r}, neither true nor false")
    merged = {name: dict(spec) for name, spec in load_shipped(__file__, "stages.yaml").items()} if inherit else {}
    for name, spec in section.items():
        if name == "inherit":
            continue
        if spec is None:
            merged.pop(name, None)
        elif isinstance(spec, dict):
            merged[name] = {**merged.get(name, {}), **spec}
        else:
            raise RepoError(f"{_WHERE}.{name} is {spec!r:.60}, but should say what the stage reads and makes")
    return merged


def _stage(name: str, spec: Mapping[str, Any]) -> Stage:
    check_keys(spec, f"{_WHERE}.{name}", _WORDS)
    after, reads, makes, references, config = (
        _words(spec.get(word, []), f"{name}.{word}") for word in ("after", "reads", "makes", "references", "config")
    )
    for line in references:
        _check_reference(line, name)
    task = spec.get("task", "")
    if not isinstance(task, str):
        raise RepoError(f"{_WHERE}.{name}.task is {task!r:.60}, but should be the name of a Celery task")
    answers = _answers(spec.get("answers", {}), name)
    return Stage(name, after, Patterns(reads), Patterns(makes), answers, references, Patterns(config), task)


def _words(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
        raise RepoError(f"{_WHERE}.{where} is {value!r:.60}, but should be a list of words")
    return tuple(value)


def _check_reference(line: str, name: str) -> None:
    try:
        is_line = is_reference(line) and check_line(line) == line
    except InvalidName:
        is_line = False
    if not is_line:
        raise RepoError(f"{_WHERE}.{name}.references has {line!r:.60}, and should have lines like r/model/sbi-global")


def _answers(value: Any, name: str) -> dict[str, bool]:
    if not isinstance(value, dict) or not all(isinstance(end, str) for end in value):
        raise RepoError(f"{_WHERE}.{name}.answers is {value!r:.60}, but should map outcomes to made or nothing")
    for end, left in value.items():
        if left not in ("made", "nothing"):
            raise RepoError(f"{_WHERE}.{name}.answers.{end} is {left!r:.60}, neither made nor nothing")
    return {end: left == "made" for end, left in value.items()}


def _check_names(stages: Iterable[Stage]) -> None:
    names: dict[str, str] = {}
    for stage in stages:
        if not stage.slug:
            raise RepoError(f"{_WHERE}.{stage.name}: a stage needs a name with a letter or digit in it")
        twin = names.setdefault(stage.slug, stage.name)
        if twin != stage.name:
            raise RepoError(f"{_WHERE}.{stage.name} and {twin} would have the same marker, {stage.marker}")
    known = set(names.values())
    for stage in stages:
        for name in stage.after:
            if name not in known:
                raise RepoError(f"{_WHERE}.{stage.name}.after: there is no stage {name!r}{_near(name, known)}")


def _near(name: str, known: Iterable[str]) -> str:
    listed = [*known]
    return did_you_mean(name, listed, f"there are {', '.join(listed) or 'none'}", count=2)


def _ordered(stages: list[Stage]) -> tuple[Stage, ...]:
    sorter = TopologicalSorter({stage.name: stage.after for stage in stages})
    try:
        sorter.prepare()
    except CycleError as error:
        round_trip = " comes before ".join(error.args[1])
        raise RepoError(f"{_WHERE} form a circle: {round_trip}") from None
    left, done, ordered = list(stages), set[str](), list[Stage]()
    while left:  # keep the order of the file as far as possible
        stage = next(stage for stage in left if done.issuperset(stage.after))
        left.remove(stage)
        done.add(stage.name)
        ordered.append(stage)
    return tuple(ordered)
