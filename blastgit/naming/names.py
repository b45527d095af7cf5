"""The names of transients and of their revisions.

No other module parses or builds such names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from blastgit.errors import InvalidName

_TRANSIENT = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}[a-zA-Z0-9]")
_HEX_ID = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
WINDOWS_DEVICES = {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(10)}
"""Names that Windows reserves for devices, in lower case: no file or folder can have them there."""
_RESERVED = {
    "main",
    "master",
    "annotations",
    "release",
    "workflow",
    "head",
    "refs",
    "heads",
    "tags",
    "remotes",
    "stash",
}
_DATE = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
_ALIAS = r"[a-z][a-z0-9-]*|v\d[\w.+-]*"
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_OWN = "u/"
DRAFT = "draft"
"""The convenient name of the open draft after the latest revision."""
OWN_LINES = "u/*"
"""The pattern of all users' own lines."""

_REFERENCE = "r/"
REFERENCE_LINES = "r/*"
"""The pattern of all reference lines."""

_REFERENCE_TYPE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_REFERENCE_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9._+-]{0,62}[a-zA-Z0-9])?")

_SPEC = re.compile(
    rf"(?P<name>(?:u/[^:/]+/|r/[^@:/]+/)?[^@:/]+)(?:@(?P<revision>{_DATE}|\d+|(?P<alias>{_ALIAS}))|/(?P<tag>\d+))?"
    r"(?::(?:post-(?P<stage>[a-z0-9-]+)|draft-(?P<draft>[1-9][0-9]{0,8}))(?=:|$))?(?::(?P<path>.+))?"
)


def check_transient(name: str) -> str:
    """Return `name` if it is a valid name of a transient.

    The pattern is Blast's own; the other rules avoid problems with git, DVC and file systems.

    Raises:
        InvalidName: It breaks a rule, which the error states.
    """
    if len(name) > 64:
        raise InvalidName(f"transient name of {len(name)} characters: at most 64 are allowed")
    if not _TRANSIENT.fullmatch(name):
        raise InvalidName(
            f"{name!r} is not a transient name: letters and digits, with _ and - between them, two characters or more"
        )
    folded = fold(name)
    if folded in _RESERVED or folded.endswith("_head"):
        raise InvalidName(f"{name!r} is reserved in a data repo: it would collide with a ref of that name")
    if folded in WINDOWS_DEVICES:
        raise InvalidName(f"{name!r} is a device name on Windows, where a clone could not be checked out")
    if _HEX_ID.fullmatch(name):
        raise InvalidName(f"{name!r} looks like a git object id, and git would take it for one")
    return name


def check_line(line: str) -> str:
    """Return `line` if it is a valid name of a line of revisions.

    That is a transient, `u/USER/TRANSIENT` for a user's own line of it, or `r/TYPE/NAME` for a reference.

    Raises:
        InvalidName: It breaks a rule, which the error states.
    """
    if is_reference(line):
        return reference_line(*[*line.split("/", 2), ""][1:3])
    if not is_personal(line):
        return check_transient(line)
    _, user, name = [*line.split("/", 2), "", ""][:3]
    own_line(user, name)
    return line


def own_line(user: str, name: str) -> str:
    """Return the name of a user's own line of a transient, `u/alice/2026dgt`.

    Raises:
        InvalidName: The user's or the transient's name is not valid.
    """
    check_transient(name)
    if not _USER.fullmatch(user) or ".." in user or user.endswith((".", ".lock")):
        raise InvalidName(
            f"{user!r} cannot be a user's name: use letters, digits and . _ @ + - after a letter or digit"
        )
    return f"{_OWN}{user}/{name}"


def is_personal(line: str) -> bool:
    """Whether a line of revisions, or a pattern, is of users' own lines."""
    return line.startswith(_OWN)


def user_of(line: str) -> str | None:
    """Return the user of an own line of revisions; None if it is official."""
    return line.split("/")[1] if is_personal(line) else None


def reference_line(type_: str, name: str) -> str:
    """Return the name of a reference line, `r/filter/DES_z`.

    The name may be any that Blast gives a filter or a survey (`2MASS_H`), and may contain a version (`gaia-dr3.1`).

    Raises:
        InvalidName: The type or the name breaks the rules.
    """
    line = f"{_REFERENCE}{type_}/{name}"
    if not _REFERENCE_TYPE.fullmatch(type_):
        raise InvalidName(
            f"{line!r} is not a reference: write r/TYPE/NAME, with TYPE in lower-case letters, digits and -"
        )
    if not _REFERENCE_NAME.fullmatch(name) or ".." in name or name.casefold().endswith(".lock"):
        raise InvalidName(
            f"{name!r} cannot be a reference's name: use up to 64 letters and digits, with . _ + - between them"
        )
    if fold(name).partition(".")[0] in WINDOWS_DEVICES:
        raise InvalidName(f"{name!r} is a device name on Windows, where a clone could not be checked out")
    return line


def is_reference(line: str) -> bool:
    """Whether a line of revisions, or a pattern, is of references, not of transients."""
    return line.startswith(_REFERENCE)


def reference_type(line: str) -> str:
    """Return the type of a reference, `filter` of `r/filter/DES_z`."""
    return line.split("/")[1]


def transient_of(line: str) -> str:
    """Return the transient of a line of revisions; for a reference line, the line itself, `r/filter/DES_z`."""
    return line if is_reference(line) else line.rpartition("/")[2]


def document_of(line: str) -> str:
    """Return the name of the file that holds the document of each revision of a line, `2026dgt.json`."""
    return f"{line.rpartition('/')[2]}.json"


def lock_name(line: str) -> str:
    """Return the name of the lock of all lines of a transient or reference; names of transients have no `+`."""
    return fold(transient_of(line)).replace("/", "+")


def fold(name: str) -> str:
    """Return the form in which locks and hooks compare names."""
    return name.casefold()


def slug(stage: str) -> str:
    """Return the slug of a stage's name, `host-match`: lower case, with `-` for everything but letters and digits."""
    return re.sub(r"[^a-z0-9]+", "-", stage.lower()).strip("-")


@dataclass(frozen=True, slots=True)
class Spec:
    """The parsed name of a state: `2026dgt`, `2026dgt@1`, `2026dgt@2026-05-27:host.redshift`.

    Attributes:
        name: The transient, the user's own line of it, `u/alice/2026dgt`, or the reference, `r/filter/DES_z`.
        number: A revision number, or None.
        until: For a date, the latest time (UTC) of the revision, or None.
        path: A path inside the revision, or None.
        stage: The stage (`host-match`) of a marker before that revision, or None for the revision itself.
        alias: A convenient name (`latest-complete`) or a version of Blast (`v1.12.0`) instead of a number, or None.
        draft: The number of a draft on the way to that revision, counted from 1, or None.
    """

    name: str
    number: int | None = None
    until: datetime | None = None
    path: str | None = None
    stage: str | None = None
    alias: str | None = None
    draft: int | None = None

    @property
    def is_latest(self) -> bool:
        """Whether it names no particular revision."""
        return self.number is None and self.until is None and self.alias is None

    def __str__(self) -> str:
        given = self.alias or (self.number if self.until is None else self.until.isoformat())
        revision = "" if self.is_latest else f"@{given}"
        draft = None if self.draft is None else f"draft-{self.draft}"
        inside = draft if self.stage is None else f"post-{self.stage}", self.path
        return ":".join([f"{self.name}{revision}", *filter(None, inside)])


def parse_spec(text: str) -> Spec:
    """Parse `NAME[@REV][:post-STAGE|:draft-K][:PATH]`; `NAME/N` works too.

    NAME is a transient, `u/USER/NAME` for a user's own line of it, or `r/TYPE/NAME` for a reference.

    REV is a number, `latest`, `draft`, a date, a date-time, a convenient name or a version of Blast. A date means the
    end of that day, and a time without a zone is UTC. `post-STAGE` is the marker of a stage of the run that became this
    revision, `draft-K` a draft on the way to it.

    Raises:
        InvalidName: The text does not have this form, or the transient's name breaks the rules.
    """
    match = _SPEC.fullmatch(text)
    if not match:
        raise InvalidName(
            f"{text!r} does not name a revision: write NAME, NAME@NUMBER, NAME@latest, NAME@DATE or "
            "NAME@latest-complete, with or without :PATH"
        )
    name = check_line(match["name"])
    revision = match["revision"] or match["tag"]
    draft = None if match["draft"] is None else int(match["draft"])
    found = Spec(name, path=match["path"], stage=match["stage"], draft=draft)
    if revision is None or revision == "latest":
        return found
    if match["alias"] is not None:
        return replace(found, alias=revision)
    if revision.isdecimal():
        if len(revision) > 9 or str(int(revision)) != revision:
            raise InvalidName(f"{revision!r} is not a revision number: write it without leading zeros, up to 999999999")
        return replace(found, number=int(revision))
    return replace(found, until=_instant(revision))


def read_instant(text: str) -> datetime:
    """Return the instant (UTC) of a date or a date-time, as in `NAME@DATE`; for a date, the end of that day.

    Raises:
        InvalidName: It is neither.
    """
    if not re.fullmatch(_DATE, text):
        raise InvalidName(f"{text[:80]!r} is not a date: write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ")
    return _instant(text)


def _instant(text: str) -> datetime:
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC) - timedelta(
                microseconds=1
            )
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidName(f"{text!r} is not a date: write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ ({error})") from None
