"""What each product of a state was actually made from: its inputs at the time, possibly from earlier states.

A product that was not remade was made from the inputs of an earlier state. If such an input has changed since, its name
includes that state: `2026dgt@0:cutout_cdn/DES/DES_g.fits`, and its own inputs are traced from there. An input that is
still the same has its plain name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.workflow.inputs import Use, Uses
from blastgit.workflow.made import Making, Makings
from blastgit.workflow.made_with import MadeWith, made_with
from blastgit.workflow.stages import Stage, Stages
from blastgit.workflow.steps import steps_back
from blastgit.workflow.view import View

Reader = Callable[[View], Iterable[Use]]
"""Reads the steps inside one state from its document."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An input that has since been replaced.

    Attributes:
        path: Its natural path or file.
        view: The state that has it.
    """

    path: str
    view: View


@dataclass(frozen=True)
class Origins:
    """What the products of a state were made from.

    Attributes:
        uses: The steps, from each product to its sources.
        earlier: The inputs from earlier states, by name.
        made: For each product that was made in an earlier state's run, that state.
        made_with: The references that stages declare to work with, by the name of the product.
    """

    uses: Uses
    earlier: dict[str, Earlier] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    made_with: dict[str, list[MadeWith]] = field(default_factory=dict)


def origins_of(repository: Repository, state: Snapshot, read: Reader = lambda view: view.uses.steps) -> Origins:
    """Return what the products of a state were made from, using its history.

    Raises:
        DamagedData: A state in the history cannot be read.
    """
    makings = Makings(steps_back(repository, state), Stages.of(repository.settings), repository.rules)
    return _Walk(makings, read).origins()


@dataclass(frozen=True, slots=True)
class _Place:
    """A value or file in a state that is `index` states back."""

    path: str
    index: int


class _Walk:
    """Walks from the products of a state to their sources."""

    def __init__(self, makings: Makings, read: Reader) -> None:
        self._makings = makings
        self._read = read
        self._steps: dict[int, dict[str, list[Use]]] = {}
        self._earlier: dict[str, Earlier] = {}
        self._known: dict[_Place, list[tuple[Use, _Place]]] = {}

    def origins(self) -> Origins:
        """Walk all the way."""
        left = deque(_Place(path, 0) for path in self._of(0))
        done: dict[_Place, None] = dict.fromkeys(left)
        steps: list[Use] = []
        while left:
            product = left.popleft()
            for use, source in self._sources(product):
                steps.append(use)
                if source not in done and source.path in self._of(source.index):
                    done[source] = None
                    left.append(source)
        with_ = self._made_with(done)
        named = {step.source for step in steps}
        earlier = {name: each for name, each in self._earlier.items() if name in named}
        return Origins(Uses(tuple(steps)), earlier, self._made(), with_)

    def _made_with(self, places: Collection[_Place]) -> dict[str, list[MadeWith]]:
        found: dict[str, list[MadeWith]] = {}
        for index in {place.index for place in places}:
            for each in made_with(self._makings, index):
                place = _Place(each.product, index)
                if place in places:
                    found.setdefault(self._name(place), []).append(each)
        return found

    def _made(self) -> dict[str, str]:
        found = {path: self._index(path, 0) for path in self._of(0)}
        return {path: self._makings.view(index).label for path, index in found.items() if index}

    def _of(self, index: int) -> dict[str, list[Use]]:
        """Return the steps inside a state, by product."""
        if index not in self._steps:
            found: dict[str, list[Use]] = {}
            for use in self._read(self._makings.view(index)):
                found.setdefault(use.product, []).append(use)
            self._steps[index] = found
        return self._steps[index]

    def _making(self, path: str, index: int) -> Making:
        """Return when something in a state was made; what no stage makes counts as made there."""
        units = self._makings.units(path, index)
        return self._makings.made(units[-1], index) if units else Making(index)

    def _index(self, path: str, index: int) -> int:
        return self._making(path, index).step

    def _sources(self, product: _Place) -> list[tuple[Use, _Place]]:
        """Return the steps from a product to its sources, with the place of each source."""
        if product not in self._known:
            self._known[product] = list(self._find_sources(product))
        return self._known[product]

    def _find_sources(self, product: _Place) -> Iterator[tuple[Use, _Place]]:
        name = self._name(product)
        making = self._making(product.path, product.index)
        at = making.step
        makers = self._makings.makers(product.path)
        stage = makers[-1] if makers else None
        for use in self._of(at).get(product.path, ()):
            index = at if making.again else at + self._is_older(use.source, stage, at)
            source = self._place(use.source, stage, index)
            yield Use(name, self._name(source), use.really), source

    def _is_older(self, path: str, stage: Stage | None, index: int) -> int:
        """Whether a stage read a source before it was remade in the run for a state."""
        late = self._makings.late(stage, index) if stage is not None else frozenset()
        is_late = any(maker.name in late for maker in self._makings.makers(path))
        return int(is_late and self._makings.step(index + 1) is not None)

    def _place(self, path: str, stage: Stage | None, index: int) -> _Place:
        """Return the place of a source: in the newest state, if it is the same there."""
        if not index:
            return _Place(path, 0)
        made = self._index(path, index)
        then = _Place(path, index if self._differs(path, stage, (made, index)) else made)
        is_same = not self._differs(path, stage, (index, 0)) and self._has_same_sources(then)
        return _Place(path, 0) if is_same else then

    def _has_same_sources(self, then: _Place) -> bool:
        """Whether something in an earlier state has the same sources as its present version."""
        if not self._makings.makers(then.path) or self._index(then.path, 0) == self._index(then.path, then.index):
            return True
        return set(self._sources(then)) == {
            (Use(self._name(then), use.source, use.really), place) for use, place in self._sources(_Place(then.path, 0))
        }

    def _differs(self, path: str, stage: Stage | None, between: tuple[int, int]) -> bool:
        """Whether the part of a source that a stage reads differs between two states."""
        if between[0] == between[1]:
            return False
        below = (f"{path}.", f"{path}/")
        changed = (each for each in self._makings.differing(*between) if each == path or each.startswith(below))
        itself = (path, f"{path}.name")  # another host is another input, even at the same position
        return any(stage is None or each in itself or stage.reads.match(each) for each in changed)

    def _name(self, place: _Place) -> str:
        if not place.index:
            return place.path
        view = self._makings.view(place.index)
        name = f"{view.label}:{place.path}"
        self._earlier[name] = Earlier(place.path, view)
        return name
