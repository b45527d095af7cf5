"""Patterns of natural paths and of files, as stages declare what they read and make."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property


@dataclass(frozen=True)
class Patterns:
    """Some patterns; each also stands for what lies below it: `host` for `host.redshift`.

    Attributes:
        texts: The patterns, with `*`, `?` and `[…]`; `*` goes across `/`, too.
    """

    texts: tuple[str, ...]

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile("|".join(translate(text + end) for text in self.texts for end in ("", ".*", "/*")) or r"(?!)")

    def match(self, path: str) -> bool:
        """Whether a path is one of those that are meant."""
        return self._compiled.match(path) is not None

    def meet(self, others: Iterable[str]) -> bool:
        """Whether some path may be meant by these patterns and by one of `others` alike.

        Each pattern is tried on the text of the other, which finds all that differ in how much they name; two that
        have their stars in different places (`a/*_x`, `a/b_*`) are missed.
        """
        other = Patterns(tuple(others))
        return any(self.match(text) for text in other.texts) or any(other.match(text) for text in self.texts)
