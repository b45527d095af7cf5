"""Which refs of a repo elsewhere have been fetched for the question that is being answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from blastgit.naming.refs import copied


@dataclass(frozen=True, slots=True)
class Pattern:
    """One ref, or all that begin alike.

    Attributes:
        start: The name of the ref, or what the names begin with.
        is_open: Whether it stands for all names that begin so.
        but: What the names of those begin with that are left out; "" for none.
    """

    start: str
    is_open: bool = False
    but: str = ""

    @property
    def specs(self) -> list[str]:
        """The refspecs that fetch them."""
        return [copied(f"{self.start}*" if self.is_open else self.start), *([f"^{self.but}*"] if self.but else ())]

    def has(self, ref: str) -> bool:
        """Whether a ref is one of them."""
        if self.but and ref.startswith(self.but):
            return False
        return ref.startswith(self.start) if self.is_open else ref == self.start

    def includes(self, other: Pattern) -> bool:
        """Whether all refs of another pattern are among them."""
        if not other.is_open:
            return self.has(other.start)
        if not self.is_open or not other.start.startswith(self.start):
            return False
        meets = bool(self.but) and (other.start.startswith(self.but) or self.but.startswith(other.start))
        return not meets or other.but == self.but


@dataclass
class Fetched:
    """What one question has fetched.

    Attributes:
        tips: The refs that are as they are now, or are known not to exist.
        whole: Those of them that came with all that led to them.
        steps: How many commits the next look beyond the end of some history fetches.
    """

    tips: set[Pattern] = field(default_factory=set)
    whole: set[Pattern] = field(default_factory=set)
    steps: dict[Pattern, int] = field(default_factory=dict)

    def has(self, wanted: Pattern) -> bool:
        """Whether all refs of a pattern are as they are now."""
        return any(each.includes(wanted) for each in self.tips)

    def is_whole(self, ref: str) -> bool:
        """Whether all that led to a ref is here."""
        return any(each.has(ref) for each in self.whole)

    def group(self, ref: str) -> Pattern:
        """Return the refs that a ref was asked for together with: what is wanted of one will be wanted of all."""
        open_ones = [each for each in self.tips if each.is_open and each.has(ref)]
        return min(open_ones, key=lambda each: len(each.start), default=Pattern(ref))
