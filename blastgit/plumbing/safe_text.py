"""Text of strangers made safe: what could steer a terminal, forge a line of a log, or hide other text is written out.

Names, comments, exports, commit messages and what servers answer come from people whom nobody knows. Unicode has
three kinds of characters that do more than show themselves: controls (C0, C1, DEL), which steer terminals; marks that
turn the direction of writing, with which text reads otherwise than it is; and separators of lines and paragraphs.
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
_KEPT = re.compile("[\n\t]|\x1b\\[[01]m")  # line ends, tabs, and bold and its end: what we ourselves write


def hidden_in(text: str, allowed: str = "") -> str:
    """Return the first character of a text that must not be shown as it is, as `U+001B`; "" if there is none."""
    if text.isprintable():
        return ""
    return next((f"U+{ord(c):04X}" for c in _UNSAFE.findall(text) if c not in allowed), "")


def escaped(text: str) -> str:
    r"""Return text with such characters written as JSON writes them (`\u001b`); lines and tabs stay.

    Within JSON it means the same as before, so that text and JSON can go the same way.
    """
    return text if text.isprintable() else _UNSAFE.sub(_written, text)


def one_line(text: str) -> str:
    """Return text that cannot be mistaken for more than one line, nor hide anything."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def lines_of(text: str) -> str:
    """Return the lines of text that say something, without what is not printable."""
    lines = ("".join(letter for letter in line if letter.isprintable()).rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def is_control(letter: str) -> bool:
    """Whether a character is a control, or half of one that is none."""
    return unicodedata.category(letter) in ("Cc", "Cs")


def _written(match: re.Match[str]) -> str:
    letter = match[0]
    return letter if letter in "\n\t" else f"\\u{ord(letter):04x}"


class SafeStream:
    """A text stream that lets through nothing that could steer a terminal, but for our own bold.

    Bytes that are written to its `buffer` are data, and go out as they are.
    """

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`, which `raw` stays."""
        self.raw = stream

    def write(self, text: str) -> int:
        """Write text, made safe."""
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
    """Return the stream beneath a safe one, for what draws on a terminal itself."""
    return stream.raw if isinstance(stream, SafeStream) else stream


@contextmanager
def safe_streams() -> Iterator[None]:
    """Have what is printed to stdout and stderr made safe, for as long as the context lasts."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (SafeStream(raw_stream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
