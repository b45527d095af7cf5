"""The pattern of a dataset type: which paths match, and the keys in a path that distinguish datasets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from blastgit.errors import RepoError

_PART = re.compile(r"\{([a-z][a-z0-9_]*)(?::([A-Za-z0-9_.+|-]+))?\}")
_LITERAL = re.compile(r"[A-Za-z0-9_.+/-]*")
TRANSIENT = "transient"
"""A key that is never used in queries: a file may have the transient's name, or a former one."""


@dataclass(frozen=True)
class Pattern:
    """`cutout_cdn/{survey}/{filter}.fits`.

    Attributes:
        text: The pattern.
    """

    text: str

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys for queries, in the order of the path."""
        return tuple(key for key in self._compiled.groupindex if key != TRANSIENT)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        parts, end = [], 0
        for match in _PART.finditer(self.text):
            values = "[^/]+" if match[2] is None else "|".join(map(re.escape, match[2].split("|")))
            parts += [re.escape(self.text[end : match.start()]), f"(?P<{match[1]}>{values})"]
            end = match.end()
        return re.compile("".join([*parts, re.escape(self.text[end:])]))

    def match(self, path: str) -> dict[str, str] | None:
        """Return the value of each key in a path; None if the path does not match."""
        found = self._compiled.fullmatch(path)
        if found is None:
            return None
        return {key: value for key, value in found.groupdict().items() if key != TRANSIENT}


def read_pattern(text: object, where: str) -> Pattern:
    """Read a pattern.

    Raises:
        RepoError: It is not a pattern; the error gives its location.
    """
    if not isinstance(text, str) or "/" not in text or len(text) > 500 or not _LITERAL.fullmatch(_PART.sub("", text)):
        raise RepoError(
            f"{where} is {text!r}, not a pattern of a path: write it like cutout_cdn/{{survey}}/{{filter}}.fits"
        )
    keys = [match[1] for match in _PART.finditer(text)]
    if len(set(keys)) != len(keys):
        raise RepoError(f"{where} is {text!r}, which has a key twice")
    return Pattern(text)
