"""Commit messages: a subject, a body for people, and trailers for programs (`git interpret-trailers`).

No other module spells the key of a trailer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from blastgit.plumbing.safe_text import one_line

_TRAILER = re.compile(r"([A-Z][A-Za-z-]*): (.*)")


class Trailer(StrEnum):
    """The keys of all trailers; `docs/format.md` explains each."""

    REVISION = "Revision"
    REPRODUCES = "Reproduces"
    REDRAWN_WITHIN = "Redrawn-Within"
    APP_VERSION = "App-Version"
    RAN = "Ran"
    USED = "Used"
    RULES = "Rules"
    SCIENCE_DIGEST = "Science-Digest"
    RUN = "Run"
    FORMERLY = "Formerly"
    LINE = "Line"
    FORKED_FROM = "Forked-From"
    PROMOTED_FROM = "Promoted-From"
    COLLECTIONS_AT = "Collections-At"
    CONFIG = "Config"
    MARKER = "Marker"
    STATUS = "Status"
    OUT_OF_DATE = "Out-Of-Date"
    FILES = "Files"
    BYTES = "Bytes"
    RECORDED_BY = "Recorded-By"
    WORKFLOW = "Workflow"
    STAGE = "Stage"
    OUTCOME = "Outcome"
    REASON = "Reason"
    OWNER = "Owner"
    HOST = "Host"
    BEGAN = "Began"
    UNTIL = "Until"
    ATTEMPTS = "Attempts"
    BASE = "Base"
    TOWARDS = "Towards"
    DRAFT = "Draft"
    RELEASE = "Release"
    COLLECTION_TYPE = "Collection-Type"
    MAIN = "Main"
    CONTENT = "Content"
    COLLECTIONS = "Collections"
    CONFIRMED = "Confirmed"  # the protected ones among them, so that a hook knows that the change is intended
    ANNOTATION = "Annotation"
    LINES = "Lines"
    MOVED = "Moved"
    EVEN_WITHDRAWN = "Even-Withdrawn"
    LEDGER = "Ledger"
    ENTRIES = "Entries"
    ROOT = "Root"
    ANNOTATIONS = "Annotations"


def write_message(subject: str, body: Sequence[str], trailers: Mapping[Trailer, str | None]) -> str:
    """Return a commit message; trailers without a value are left out."""
    block = [f"{key}: {one_line(value)}" for key, value in trailers.items() if value]
    paragraphs = [one_line(subject), "\n".join(map(one_line, body)), "\n".join(block)]
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def read_trailers(message: str) -> dict[str, str]:
    """Return the trailers of a message: the `Key: value` lines of its last paragraph."""
    lines = message.rstrip("\n").rpartition("\n\n")[2].split("\n")
    matches = [match for line in lines if (match := _TRAILER.fullmatch(line))]
    return {match[1]: match[2] for match in matches} if len(matches) == len(lines) else {}


def read_used(trailers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the revisions of references that were used according to trailers, `r/model/sbi-global@2`."""
    return tuple(filter(None, trailers.get(Trailer.USED, "").split(", ")))


def read_body(message: str) -> tuple[str, list[str]]:
    """Return a message's subject, and its lines between the subject and the trailers."""
    subject, _, rest = message.rstrip("\n").partition("\n\n")
    return subject, rest.rpartition("\n\n")[0].split("\n") if "\n\n" in rest else []
