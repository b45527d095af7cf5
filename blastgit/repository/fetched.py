"""Which refs of a remote repo have been fetched for the current query."""

from __future__ import annotations

from dataclasses import dataclass, field

from blastgit.naming.refs import copied


@dataclass(frozen=True, slots=True)
class Pattern:
    """One ref, or all refs with a common prefix.

    Attributes:
        start: The name of the ref, or the prefix.
        is_open: Whether `start` is a prefix.
        but: The prefix of refs to leave out; "" for none.
    """

    start: str
    is_open: bool = False
    but: str = ""

    @property
    def specs(self) -> list[str]:
        """The refspecs that fetch the refs."""
        return [copied(f"{self.start}*" if self.is_open else self.start), *([f"^{self.but}*"] if self.but else ())]

    def has(self, ref: str) -> bool:
        """Whether a ref matches the pattern."""
        if self.but and ref.startswith(self.but):
            return False
        return ref.startswith(self.start) if self.is_open else ref == self.start

    def includes(self, other: Pattern) -> bool:
        """Whether all refs of another pattern match this one."""
        if not other.is_open:
            return self.has(other.start)
        if not self.is_open or not other.start.startswith(self.start):
            return False
        meets = bool(self.but) and (other.start.startswith(self.but) or self.but.startswith(other.start))
        return not meets or other.but == self.but


@dataclass
class Fetched:
    """What one query has fetched.

    Attributes:
        tips: The refs that are up to date, or known not to exist.
        whole: Those of them that were fetched with their whole history.
        steps: How many commits the next fetch beyond the end of a history brings.
    """

    tips: set[Pattern] = field(default_factory=set)
    whole: set[Pattern] = field(default_factory=set)
    steps: dict[Pattern, int] = field(default_factory=dict)

    def has(self, wanted: Pattern) -> bool:
        """Whether all refs of a pattern are up to date."""
        return any(each.includes(wanted) for each in self.tips)

    def is_whole(self, ref: str) -> bool:
        """Whether the whole history of a ref is here."""
        return any(each.has(ref) for each in self.whole)

    def group(self, ref: str) -> Pattern:
        """Return the refs that were fetched together with a ref: what is needed of one will be needed of all."""
        open_ones = [each for each in self.tips if each.is_open and each.has(ref)]
        return min(open_ones, key=lambda each: len(each.start), default=Pattern(ref))
