"""Patterns of natural paths and of files, by which stages declare what they read and make."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property


@dataclass(frozen=True)
class Patterns:
    """Several patterns; each also matches everything below it: `host` matches `host.redshift`.

    Attributes:
        texts: The patterns, with `*`, `?` and `[…]`; `*` also matches `/`.
    """

    texts: tuple[str, ...]

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile("|".join(translate(text + end) for text in self.texts for end in ("", ".*", "/*")) or r"(?!)")

    def match(self, path: str) -> bool:
        """Whether a path matches one of the patterns."""
        return self._compiled.match(path) is not None

    def meet(self, others: Iterable[str]) -> bool:
        """Whether some path may match both these patterns and one of `others`.

        Each pattern is tried on the text of the other. This finds patterns of which one is more general, but misses
        those with wildcards in different places (`a/*_x`, `a/b_*`).
        """
        other = Patterns(tuple(others))
        return any(self.match(text) for text in other.texts) or any(other.match(text) for text in self.texts)
