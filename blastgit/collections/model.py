"""The four types of collections, as frozen values. The name of a collection is not part of it, as with a file.

Members are kept as the sorted lines of the file and parsed on access, so that a collection of fifty thousand can be
searched by bisection and added to without parsing it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from blastgit.collections.datasets import Dataset, Member, dataset_line, member_line, parse_dataset, parse_member

_LAST = "\U0010ffff"


@dataclass(frozen=True)
class Collection:
    """What all collections have.

    Attributes:
        about: What it is for, in one line.
    """

    kind: ClassVar[str]
    about: str = ""


@dataclass(frozen=True)
class Run(Collection):
    """Datasets made together. Their own commits state their membership (`Run:`), so that it never changes.

    Attributes:
        validated: The check that it passed before general use; "" if none yet.
        main: The commit of main whose collections it reads, so that later changes do not matter; or "".
        inputs: The collections that it reads.
        config: The configuration that it was started with, `sha256:…`; or "".
    """

    kind: ClassVar[str] = "RUN"
    validated: str = ""
    main: str = ""
    inputs: tuple[str, ...] = ()
    config: str = ""


@dataclass(frozen=True)
class Chained(Collection):
    """An ordered list of collections, searched until one has the dataset. With one child, it is a pointer.

    Attributes:
        children: Their names.
    """

    kind: ClassVar[str] = "CHAINED"
    children: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listed(Collection, ABC):
    """A collection that lists its datasets.

    Attributes:
        lines: Each dataset as a line of the file, sorted.
    """

    lines: tuple[str, ...] = ()
    _start: ClassVar[str]

    def __len__(self) -> int:
        return len(self.lines)

    def members(self) -> Iterator[Member]:
        """Yield all members."""
        return map(self.parse, self.lines)

    def of(self, name: str) -> list[Member]:
        """Return the members about one transient, including those of personal lines of work."""
        official = _beginning(self.lines, f'{self._start}"{name}@')
        personal = [line for line in _beginning(self.lines, f'{self._start}"u/') if f"/{name}@" in line]
        return [member for member in map(self.parse, [*official, *personal]) if member.dataset.name == name]

    @staticmethod
    @abstractmethod
    def parse(line: str) -> Member:
        """Read one line."""

    @staticmethod
    @abstractmethod
    def line(member: Member) -> str:
        """Write one line."""


@dataclass(frozen=True)
class Tagged(Listed):
    """An explicit list of datasets."""

    kind: ClassVar[str] = "TAGGED"
    _start: ClassVar[str] = ""

    @staticmethod
    def parse(line: str) -> Member:
        """Read one line."""
        return Member(parse_dataset(line))

    @staticmethod
    def line(member: Member) -> str:
        """Write one line."""
        return dataset_line(member.dataset)

    def datasets(self) -> list[Dataset]:
        """Return the datasets of all members."""
        return list(map(parse_dataset, self.lines))


@dataclass(frozen=True)
class Calibration(Listed):
    """Datasets, each with the time during which it is valid."""

    kind: ClassVar[str] = "CALIBRATION"
    _start: ClassVar[str] = '{"dataset": '

    @staticmethod
    def parse(line: str) -> Member:
        """Read one line."""
        return parse_member(line)

    @staticmethod
    def line(member: Member) -> str:
        """Write one line."""
        return member_line(member)


KINDS: dict[str, type[Collection]] = {each.kind: each for each in (Run, Tagged, Chained, Calibration)}
"""Every type by its name."""


def beyond(collection: Collection | None, other: Collection | None) -> list[str]:
    """Return what a collection itself lists and another one does not, as text."""
    items = lines_beyond(collection, other)
    return [str(collection.parse(line)) for line in items] if isinstance(collection, Listed) else items


def lines_beyond(collection: Collection | None, other: Collection | None) -> list[str]:
    """Return the lines, or names of children, of a collection that another one does not have."""
    items, others = _items(collection), _items(other)
    start = _common(items, others)
    end = _common(items[:start:-1], others[:start:-1])
    there = set(others[start : len(others) - end])
    return [item for item in items[start : len(items) - end] if item not in there]


def _items(collection: Collection | None) -> tuple[str, ...]:
    return collection.lines if isinstance(collection, Listed) else tuple(getattr(collection, "children", ()))


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Return the length of the common prefix of two tuples; comparing slices is much faster than comparing items."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high) // 2
        if one[low : middle + 1] == other[low : middle + 1]:
            low = middle + 1
        else:
            high = middle
    return low


def _beginning(lines: Sequence[str], start: str) -> Sequence[str]:
    return lines[bisect_left(lines, start) : bisect_left(lines, start + _LAST)]
