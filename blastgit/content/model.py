"""Values that say whether two versions of a file agree and how they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

Kind = Literal["fits", "arrays", "bytes"]
How = Literal["content", "bytes"]
State = Literal["added", "removed", "changed"]
Value = str | int | float | complex | bool | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far apart two floats may be and still agree.

    Attributes:
        relative: relative to the larger magnitude.
        absolute: in the unit of the values; it only ever narrows the relative bound.
        fields: bounds of a table's columns, or of the members of a compound type; others have those of the whole.
    """

    relative: float
    absolute: float = math.inf
    fields: Mapping[str, Bounds] = field(default_factory=lambda: MappingProxyType({}))

    def near(self, old: float, new: float) -> bool:
        """Whether two finite numbers agree."""
        return abs(old - new) <= min(self.relative * max(abs(old), abs(new)), self.absolute)

    def of(self, name: str) -> Bounds:
        """Bounds of a field."""
        return self.fields.get(name, self)


def _no_limit(_: str) -> float:
    return math.inf


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What counts as equal.

    Attributes:
        relative: floats ``a`` and ``b`` agree if ``|a - b| <= relative * max(|a|, |b|)``.
        volatile_cards: FITS keywords whose values say nothing about the content.
        limit: how far apart floats of a name (a card, column or array) may be at most, in their own unit: absolute
            times and positions, whose zero is arbitrary, have such a limit.
    """

    relative: float = 1e-12
    volatile_cards: frozenset[str] = frozenset({"DATE", "CHECKSUM", "DATASUM", "ZHECKSUM", "ZDATASUM"})
    limit: Callable[[str], float] = field(default=_no_limit, repr=False, compare=False)

    def bounds(self, name: str, fields: Iterable[tuple[str, str]] = ()) -> Bounds:
        """Bounds of values of one name.

        Args:
            name: the keyword of a card, or the last name of an array.
            fields: if the values have fields: how each is called here, and its name.
        """
        inner = {field: self._lone(name) for field, name in fields}
        whole = self._lone(name)
        return Bounds(whole.relative, whole.absolute, inner) if inner else whole

    def _lone(self, name: str) -> Bounds:
        return Bounds(self.relative, self.limit(name))


class Search(NamedTuple):
    """How to look for differences: the tolerance, and whether to go on after the first."""

    tolerance: Tolerance
    thorough: bool


class Verdict(NamedTuple):
    """Whether two versions agree, and whether that was found by content or by bytes."""

    equal: bool
    how: How
    note: str | None = None


class Layout(NamedTuple):
    """Type and shape (slowest axis first) of an array; byte order is not part of it."""

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        """Text such as ``float32 157 x 158``."""
        return f"{self.dtype} {' x '.join(map(str, self.shape)) or 'scalar'}"

    def to_json(self) -> dict[str, Any]:
        """Keys ``dtype`` and ``shape``."""
        return {"dtype": self.dtype, "shape": list(self.shape)}


class Numbers(NamedTuple):
    """How the elements of one array changed, in the units of the array.

    Attributes:
        unit: what an element is: ``pixels``, ``rows``, ``values`` or ``bytes``.
        changed: elements that differ by more than the tolerance.
        total: elements in all.
        largest: largest absolute change; None if no change can be expressed as a finite number.
        median: median absolute change (of the first million changes).
        largest_relative: largest ``|a - b| / max(|a|, |b|)``, between 0 and 2.
        undefined: changes to or from NaN or infinity; they are left out of the three above.
    """

    unit: str
    changed: int
    total: int
    largest: float | None = None
    median: float | None = None
    largest_relative: float | None = None
    undefined: int = 0

    def __str__(self) -> str:
        """Text such as ``1,234 of 40,000 pixels, largest 0.031, median 0.0012``."""
        text = f"{self.changed:,} of {self.total:,} {self.unit}"
        if self.largest is not None:
            text += f", largest {self.largest:.2g}"
        if self.median is not None:
            text += f", median {self.median:.2g}"
        if self.undefined:
            text += f", {self.undefined:,} to or from NaN or infinity"
        return text

    def to_json(self) -> dict[str, Any]:
        """One key per attribute."""
        return {
            "unit": self.unit,
            "changed": self.changed,
            "total": self.total,
            "largest": self.largest,
            "median": self.median,
            "largest_relative": self.largest_relative,
            "undefined": self.undefined,
        }


class CardChange(NamedTuple):
    """One FITS card that changed.

    Attributes:
        keyword: its keyword.
        old: value before; text where there is no value.
        new: value after, likewise.
        present: in which of (old, new) it exists.
        shown: both as FITS writes them, which never look alike.
    """

    keyword: str
    old: Value
    new: Value
    present: tuple[bool, bool] = (True, True)
    shown: tuple[str, str] = ("", "")

    def __str__(self) -> str:
        """Text such as ``EXPTIME: 30.0 -> 30.1``."""
        old, new = self.shown
        if self.present == (True, True):
            return f"{self.keyword or '(blank keyword)'}: {old} -> {new}"
        return f"{self.keyword or '(blank keyword)'}: {f'{new} added' if self.present[1] else f'{old} removed'}"

    def to_json(self) -> dict[str, Any]:
        """Keys ``keyword``, ``state``, ``old``, ``new``, and ``shown``, the two as FITS writes them."""
        states: dict[tuple[bool, bool], State] = {(False, True): "added", (True, False): "removed"}
        return {
            "keyword": self.keyword,
            "state": states.get(self.present, "changed"),
            "old": _plain(self.old),
            "new": _plain(self.new),
            "shown": list(self.shown),
        }


@dataclass(frozen=True, slots=True)
class Part:
    """What happened to one HDU, array or attribute.

    Attributes:
        name: array path, ``path@attribute``, or name of the HDU.
        state: added, removed or changed.
        old: layout before, None if there is none (added, or an HDU without data).
        new: layout after.
        numbers: how the elements changed; None if they agree or the layouts differ.
        cards: FITS cards that changed.
        index: number of the HDU; None for arrays.
    """

    name: str
    state: State
    old: Layout | None = None
    new: Layout | None = None
    numbers: Numbers | None = None
    cards: tuple[CardChange, ...] = ()
    index: int | None = None

    def __str__(self) -> str:
        """Text such as ``sampling/chain: changed, 3 of 40 values``."""
        what = [self.state, *([f"{self.old or 'no data'} -> {self.new or 'no data'}"] if self.reshaped else [])]
        return f"{self.name}: {', '.join(what + ([str(self.numbers)] if self.numbers else []))}"

    @property
    def reshaped(self) -> bool:
        """Whether type or shape changed."""
        return self.state == "changed" and self.old != self.new

    def to_json(self) -> dict[str, Any]:
        """Keys ``name``, ``state``, ``old``, ``new``, ``numbers``; for an HDU ``index``, ``cards``."""
        plain: dict[str, Any] = {
            "name": self.name,
            "state": self.state,
            "old": self.old and self.old.to_json(),
            "new": self.new and self.new.to_json(),
            "numbers": self.numbers and self.numbers.to_json(),
        }
        if self.index is not None:
            plain |= {"index": self.index, "cards": [card.to_json() for card in self.cards]}
        return plain


class Bytes(NamedTuple):
    """How two byte strings differ: sizes and where the first difference is (None if nowhere)."""

    old_size: int
    new_size: int
    first: int | None

    def __str__(self) -> str:
        """Text such as ``bytes differ from offset 80; 2,880 -> 5,760 bytes``."""
        if self.first is None:
            return "no difference"
        sizes = f"{self.old_size:,}"
        if self.new_size != self.old_size:
            sizes += f" -> {self.new_size:,}"
        return f"bytes differ from offset {self.first:,}; {sizes} bytes"


@dataclass(frozen=True, slots=True)
class Difference:
    """The whole story of how two versions of a file differ.

    Attributes:
        kind: ``fits`` and ``arrays`` fill ``parts``; ``bytes`` fills ``raw``.
        note: why content could not be compared, or what is sloppy about a file whose content was; else None.
        parts: HDUs or arrays that changed.
        raw: sizes and first differing offset.
    """

    kind: Kind
    note: str | None = None
    parts: tuple[Part, ...] = ()
    raw: Bytes | None = None

    def to_json(self) -> dict[str, Any]:
        """Keys ``kind``, ``note`` and ``hdus`` (fits), ``arrays`` (arrays) or the sizes (bytes)."""
        plain: dict[str, Any] = {"kind": self.kind, "note": self.note}
        if self.raw is not None:
            plain["old_size"] = self.raw.old_size
            plain["new_size"] = self.raw.new_size
            plain["first_difference"] = self.raw.first
        if self.kind != "bytes":
            plain["hdus" if self.kind == "fits" else "arrays"] = [part.to_json() for part in self.parts]
        return plain

    def summary(self) -> str:
        """One line for people."""
        if self.raw is not None:
            text = str(self.raw)
        else:
            text = "; ".join(_phrases(self.parts, "HDU" if self.kind == "fits" else "array")) or "no difference"
        return f"{text} ({self.note})" if self.note else text


class Format(Protocol):
    """A file format that can be compared by content.

    Methods may raise `OSError`, `ValueError` and the like for files they cannot read or refuse to
    read; the caller then compares bytes. A plug-in offers such an object, or a class to call for
    one, under the entry point group ``blastgit.content``.
    """

    suffixes: frozenset[str]
    """Lower-case suffixes with their dot, such as ``.fits``."""

    def probe(self, path: Path) -> str | None:
        """Say what is structurally wrong with a file as a sentence fragment, None if nothing."""

    def same(self, old: Path, new: Path, tolerance: Tolerance) -> bool:
        """Whether two files agree in content; stops at the first difference."""

    def describe(self, old: Path, new: Path, tolerance: Tolerance) -> Difference:
        """All differences in content."""


@runtime_checkable
class Remarking(Protocol):
    """A format that has something to say of files that are sloppy in form, and yet can be read completely."""

    def remark(self, path: Path) -> str | None:
        """What is sloppy about a sound file as a sentence fragment, None if nothing."""


def _plain(value: Value) -> str | int | float | bool | None:
    """A value JSON can hold."""
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return value


def _phrases(parts: tuple[Part, ...], noun: str) -> list[str]:
    numbers = [part.numbers for part in parts if part.numbers]
    phrases = [str(_together(numbers))] if numbers else []
    if len(numbers) > 1:
        phrases[0] += f" in {len(numbers)} {noun}s"
    phrases += [_reshaped(part, noun) for part in parts if part.reshaped]
    cards = sum(len(part.cards) for part in parts)
    if cards:
        phrases.append(f"{cards:,} card{'s' * (cards > 1)}")
    for state in ("added", "removed"):
        names = [part.name for part in parts if part.state == state]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            phrases.append(f"{noun}{'s' * (len(names) > 1)} {state}: {', '.join(names[:3])}{more}")
    return phrases or [f"{noun} {part.name} changed" for part in parts]


def _reshaped(part: Part, noun: str) -> str:
    return f"{noun} {part.name}: {part.old or 'no data'} -> {part.new or 'no data'}"


def _together(numbers: list[Numbers]) -> Numbers:
    """Numbers of several arrays as one; medians cannot be joined, so only a lone array keeps its own."""
    if len(numbers) == 1:
        return numbers[0]
    units = {each.unit for each in numbers}
    return Numbers(
        unit=units.pop() if len(units) == 1 else "elements",
        changed=sum(each.changed for each in numbers),
        total=sum(each.total for each in numbers),
        largest=max((each.largest for each in numbers if each.largest is not None), default=None),
        undefined=sum(each.undefined for each in numbers),
    )
