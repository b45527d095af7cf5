"""A file that belongs to an annotation: a plot, a log. Small ones lie on the branch, large ones in the store."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from blastgit.annotations.words import checked_text
from blastgit.errors import InvalidInput
from blastgit.store.pointer import SUFFIX

ATTACHMENT_LIMIT = 10 * 1024 * 1024
"""Most bytes of an attachment on the branch, which every clone fetches."""

STORED_LIMIT = 10**12
"""Most bytes of an attachment in the store."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TYPE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MIME = re.compile(r"[a-z]+/[A-Za-z0-9][A-Za-z0-9.+-]{0,99}")
_NEEDED = {"name": str, "sha256": str, "size": int}
_MORE = {"type": str, "mime": str, "stored": bool}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to an annotation.

    Attributes:
        name: Its file name.
        sha256: Its checksum, 64 hexadecimal digits.
        size: Its size in bytes.
        type: What kind of file it is, in a word (`qa_plot`), or "".
        mime: Its MIME type, or "".
        stored: Whether the store holds it and the branch a pointer; else the branch has its bytes.
    """

    name: str
    sha256: str
    size: int
    type: str = ""
    mime: str = ""
    stored: bool = False

    @property
    def path(self) -> str:
        """The path on the branch of its bytes, or of the pointer to them."""
        return f"attachment/{self.sha256[:2]}/{self.sha256[2:]}{SUFFIX if self.stored else ''}"

    def check(self) -> None:
        """Check that it is valid.

        Raises:
            InvalidInput: It is not; the error says why.
        """
        name = checked_text("the name of the attachment", self.name)
        if not name or "/" in name or "\\" in name or name in (".", "..") or len(name.encode()) > 200:
            raise InvalidInput(f"{name[:80]!r} cannot be the name of an attachment")
        if not _SHA256.fullmatch(self.sha256):
            raise InvalidInput("the SHA-256 of an attachment has 64 hexadecimal digits")
        limit = STORED_LIMIT if self.stored else ATTACHMENT_LIMIT
        if not 0 < self.size <= limit:
            raise InvalidInput(
                f"the attachment {name} has {self.size:,} bytes: from 1 to {limit:,} are allowed, since every clone "
                "brings it along; `blastgit attach` puts larger ones into the store"
            )
        if self.type and not _TYPE.fullmatch(self.type):
            raise InvalidInput(
                f"{self.type[:80]!r} is not a type of an attachment: small letters, digits and _, as qa_plot"
            )
        if self.mime and not _MIME.fullmatch(self.mime):
            raise InvalidInput(f"{self.mime[:80]!r} is not a MIME type: write it like image/png")

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys, without empty fields."""
        more = {"type": self.type, "mime": self.mime, "stored": self.stored}
        return {"name": self.name, "sha256": self.sha256, "size": self.size} | {k: v for k, v in more.items() if v}


def read_attachment(value: dict[str, Any]) -> Attachment:
    """Read an attachment from JSON.

    Raises:
        InvalidInput: It is not one.
    """
    types = {key: type(item) for key, item in value.items()}
    if not _NEEDED.items() <= types.items() <= (_NEEDED | _MORE).items():
        raise InvalidInput("an attachment has name, sha256 and size, and may have type, mime and stored")
    return Attachment(**value)
