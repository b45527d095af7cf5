"""Rules for every commit and tag on any branch: a person who made it, a date, a message that is text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pygit2

from blastgit.plumbing.safe_text import hidden_in

_DIVIDER = re.compile(r"^---(?:\s|$)", re.MULTILINE)


def commit_faults(commit: pygit2.Commit) -> Iterator[str]:
    """Yield the faults of a commit itself, apart from its tree."""
    for what, who in (("author", commit.author), ("committer", commit.committer)):
        yield from person_faults(what, who)
    if commit.message_encoding not in (None, "UTF-8", "utf-8"):
        yield "it states another encoding than UTF-8"
    yield from _header_faults(commit.read_raw())
    yield from _message_faults(commit.raw_message)


def tag_faults(tag: pygit2.Tag) -> Iterator[str]:
    """Yield the faults of an annotated tag itself, apart from its target."""
    if tag.tagger is None:
        yield "its tag does not say who made it"
    else:
        yield from person_faults("tagger", tag.tagger)
    yield from _header_faults(tag.read_raw())
    yield from _message_faults(tag.raw_message or b"")


def person_faults(what: str, who: pygit2.Signature) -> Iterator[str]:
    """Yield the faults of an author, a committer or a tagger."""
    try:
        name, email = who.raw_name.decode(), who.raw_email.decode()
    except UnicodeDecodeError:
        yield f"its {what} is not UTF-8 text"
        return
    if not name.strip() or not email.strip():
        yield f"its {what} has no name or no address"
    for text in (name, email):
        if hidden := hidden_in(text):
            yield f"its {what} has the control character {hidden}"
    try:
        datetime.fromtimestamp(who.time, timezone(timedelta(minutes=who.offset)))
    except (ValueError, OverflowError, OSError):
        yield "its dates lie outside of any calendar"


def _header_faults(raw: bytes) -> Iterator[str]:
    """Check the raw header: libgit2 strips the characters around names."""
    header = raw.partition(b"\n\n")[0].decode("utf-8", "replace")
    if hidden := hidden_in(header, "\n"):
        yield f"its header has the control character {hidden}"


def _message_faults(raw: bytes) -> Iterator[str]:
    try:
        message = raw.decode()
    except UnicodeDecodeError:
        yield "it has a message that is not UTF-8 text"
        return
    if hidden := hidden_in(message, "\n\t"):
        yield f"its message has the control character {hidden}"
    if _DIVIDER.search(message):
        yield "its message has a line `---`, behind which git looks for no trailers"
