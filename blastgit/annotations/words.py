"""Check that text to be kept has no control characters, which could steer a terminal."""

from __future__ import annotations

import unicodedata

from blastgit.errors import InvalidInput


def checked_text(what: str, text: str, allowed: str = "") -> str:
    """Return text if it has no control characters but those allowed.

    Raises:
        InvalidInput: It has one.
    """
    if text.isprintable():
        return text
    for letter in text:
        if unicodedata.category(letter) in ("Cc", "Cs") and letter not in allowed:
            raise InvalidInput(f"{what} has the control character U+{ord(letter):04X}, which cannot be kept")
    return text
