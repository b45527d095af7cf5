"""Escapes untrusted text that could control a terminal, forge a line of a log, or hide other text.

Names, comments, exports, commit messages and answers of servers are untrusted. Three kinds of Unicode characters are
dangerous: controls (C0, C1, DEL), which control terminals; bidirectional marks, which change the apparent order of
text; and separators of lines and paragraphs.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI}\ud800-\udfff]")
_KEPT = re.compile("[\n\t]|\x1b\\[[01]m")  # line ends, tabs, and switching bold on and off: our own output


def hidden_in(text: str, allowed: str = "") -> str:
    """Return the first unsafe character of a text, as `U+001B`; "" if there is none."""
    if text.isprintable():
        return ""
    return next((f"U+{ord(c):04X}" for c in _UNSAFE.findall(text) if c not in allowed), "")


def escaped(text: str) -> str:
    r"""Return text with unsafe characters escaped as in JSON (`\u001b`); line ends and tabs stay.

    Within JSON the meaning does not change, so that this works for both text and JSON.
    """
    return text if text.isprintable() else _UNSAFE.sub(_written, text)


def one_line(text: str) -> str:
    """Return text as a single safe line, with unprintable characters replaced."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def lines_of(text: str) -> str:
    """Return the lines of text that are not empty, without unprintable characters."""
    lines = ("".join(letter for letter in line if letter.isprintable()).rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def is_control(letter: str) -> bool:
    """Whether a character is a control or a lone surrogate."""
    return unicodedata.category(letter) in ("Cc", "Cs")


def _written(match: re.Match[str]) -> str:
    letter = match[0]
    return letter if letter in "\n\t" else f"\\u{ord(letter):04x}"


class SafeStream:
    """A text stream that escapes everything that could control a terminal, except our own bold text.

    Bytes written to its `buffer` are data, and are passed on unchanged.
    """

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`, available as `raw`."""
        self.raw = stream

    def write(self, text: str) -> int:
        """Write escaped text."""
        if text.isprintable():
            return self.raw.write(text)
        ours = [match.span() for match in _KEPT.finditer(text)]
        parts, at = [], 0
        for begin, end in ours:
            parts += [escaped(text[at:begin]), text[begin:end]]
            at = end
        self.raw.write("".join([*parts, escaped(text[at:])]))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


def raw_stream(stream: TextIO) -> TextIO:
    """Return the stream behind a safe one, for code that draws on a terminal."""
    return stream.raw if isinstance(stream, SafeStream) else stream


@contextmanager
def safe_streams() -> Iterator[None]:
    """Escape everything printed to stdout and stderr within the context."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (SafeStream(raw_stream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
