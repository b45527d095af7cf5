"""Text that is kept for good: what steers a terminal has no place in it."""

from __future__ import annotations

import unicodedata

from blastgit.errors import InvalidInput


def checked_text(what: str, text: str, allowed: str = "") -> str:
    """Return text that holds no control character but those allowed.

    Raises:
        InvalidInput: It holds one.
    """
    if text.isprintable():
        return text
    for letter in text:
        if unicodedata.category(letter) in ("Cc", "Cs") and letter not in allowed:
            raise InvalidInput(f"{what} has the control character U+{ord(letter):04X}, which cannot be kept")
    return text
