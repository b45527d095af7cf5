"""What an annotation can be about, and which file of the branch holds its annotations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from blastgit.errors import BlastgitError, InvalidInput, InvalidName
from blastgit.naming.names import check_line, check_transient, is_reference
from blastgit.naming.paths import check_path

KINDS = ("revision", "file", "transient", "run", "collection", "interval", "host", "reference")
"""The kinds of subjects; each has its own folder on the branch."""

_PARTED = ("revision", "transient", "reference")  # kinds whose parts can be named
_REVISION = re.compile(
    r"(?:u/[A-Za-z0-9][A-Za-z0-9._+-]{0,63}/(?P<name>[^@:/]+)|(?P<line>(?:r/[^@:/]+/)?[^@:/]+))@(?:0|[1-9][0-9]{0,8})"
)
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._+-]{0,99}){0,9}")
_KEY_LIMIT = 150  # characters of a host's key, of which each may take several in the name of a file
_PART_LIMIT = 300  # characters; the longest natural path of a real export has 60


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Something that can be annotated, written KIND:NAME or KIND:NAME:PART.

    Attributes:
        kind: One of `KINDS`.
        name: `2026dgt@1`, `sha256:…`, `2026dgt`, the name of a run or collection, `BEGIN/END` of an interval, the key
            of a host, `r/filter/DES_z`.
        part: A row, value or product of a revision or transient (`host`, `photometry/…/DES_z`); "" for all of it.
    """

    kind: str
    name: str
    part: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}{':' if self.part else ''}{self.part}"

    @property
    def whole(self) -> Subject:
        """The subject without its part."""
        return Subject(self.kind, self.name) if self.part else self

    @property
    def path(self) -> str:
        """The file of the branch `annotations` that holds its annotations."""
        name = self.name
        if self.kind == "revision":
            name = name.replace("@", "/")
        elif self.kind == "file":
            digest = name.removeprefix("sha256:")
            name = f"sha256/{digest[:2]}/{digest[2:]}"
        elif self.kind == "interval":
            name = f"{name[:4]}/{re.sub('[-:]', '', name).replace('/', '-')}"
        elif self.kind == "host":
            name = quote(name, safe="")
        elif self.kind == "reference":
            name = name.partition("/")[2]
        return f"{self.kind}/{name}.jsonl"

    @property
    def interval(self) -> tuple[datetime, datetime]:
        """Begin and end, of an interval."""
        begin, _, end = self.name.partition("/")
        return datetime.fromisoformat(begin), datetime.fromisoformat(end)

    @property
    def revision(self) -> tuple[str, int]:
        """Line (a transient, `u/USER/NAME` or `r/TYPE/NAME`) and number, of a revision."""
        line, _, number = self.name.rpartition("@")
        return line, int(number)


def read_subject(text: str) -> Subject:
    """Read a subject as written in the lines of the branch: `revision:2026dgt@1`.

    Raises:
        InvalidName: It is not a subject.
        InvalidInput: It is an interval that ends before it begins, or whose times have no zone.
    """
    kind, _, rest = text.partition(":")
    if kind not in KINDS:
        raise InvalidName(f"{text[:80]!r} is not a subject: it begins with one of {', '.join(KINDS)}, and a colon")
    name, part = rest, ""
    if kind in _PARTED:
        name, colon, part = rest.partition(":")
        if colon:
            _check_part(text, part)
    return Subject(kind, _canonical(kind, name), part)


def new_subject(text: str) -> Subject:
    """Read a subject that is about to be annotated: its file must have a name that is valid in every clone.

    Raises:
        InvalidName: It is not a subject, or its file cannot be on the branch.
        InvalidInput: It is an interval that ends before it begins, or whose times have no zone.
    """
    subject = read_subject(text)
    try:
        check_path(subject.path)
    except BlastgitError as error:
        raise InvalidName(f"{text[:80]!r} cannot be annotated: {error}") from None
    return subject


def _canonical(kind: str, name: str) -> str:
    if kind == "revision":
        match = _REVISION.fullmatch(name)
        if not match:
            raise InvalidName(f"{name[:80]!r} is not a revision by its number: write NAME@N")
        check_line(match["line"] or match["name"])
    elif kind == "transient":
        check_transient(name)
    elif kind == "reference":
        if not is_reference(check_line(name)):
            raise InvalidName(f"{name[:80]!r} is not a reference; write r/TYPE/NAME")
    elif kind == "host":
        if not name.isprintable() or " ".join(name.split()) != name or not 0 < len(name) <= _KEY_LIMIT:
            raise InvalidName(
                f"{name[:80]!r} cannot be a host's key; write CATALOGUE/RELEASE/ID, else its name or position"
            )
    elif kind == "file":
        if not _SHA256.fullmatch(name):
            raise InvalidName(f"{name[:80]!r} is not a content: write sha256: and 64 hexadecimal digits")
    elif kind == "interval":
        return _interval(name)
    elif not _GROUP.fullmatch(name) or any(part.endswith(".jsonl") for part in name.split("/")):
        raise InvalidName(f"{name[:80]!r} is not a name of a {kind}: parts of letters, digits and ._+- joined by /")
    return name


def _check_part(text: str, part: str) -> None:
    if not part or not part.isprintable() or part.strip("/ ") != part or len(part) > _PART_LIMIT:
        raise InvalidName(f"{text[:80]!r}: what follows the name should be a path in it, such as host.redshift")


def _interval(name: str) -> str:
    begin, slash, end = name.partition("/")
    if not slash:
        raise InvalidName(f"{name[:80]!r} is not an interval: write BEGIN/END, both like 2026-05-27T03:00:00Z")
    moments = instant(begin), instant(end)
    if moments[0] >= moments[1]:
        raise InvalidInput(f"the interval {name[:80]!r} ends before it begins: its end is the first moment outside it")
    return "/".join(map(instant_text, moments))


def instant(text: str) -> datetime:
    """Read a time with a zone.

    Raises:
        InvalidInput: It is not a time, or has no zone and so is ambiguous.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise InvalidInput(f"the time {text!r} has no zone: add Z if it is UTC (2026-05-27T03:00:00Z)")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(f"{text[:80]!r} is not a time: write it like 2026-05-27T03:00:00Z") from None


def instant_text(moment: datetime) -> str:
    """Return a time as written in the lines of the branch: UTC, with `Z`, and with six decimals if it has any."""
    return moment.isoformat().replace("+00:00", "Z")
