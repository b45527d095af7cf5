"""One annotation of one subject: a value object, and the line of canonical JSON (RFC 8785) that keeps it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from blastgit.annotations.attachment import Attachment, read_attachment
from blastgit.annotations.metric import Metric, read_metric
from blastgit.annotations.subjects import Subject, instant, instant_text, read_subject
from blastgit.annotations.words import checked_text
from blastgit.errors import InvalidInput
from blastgit.revision.document import canonical

if TYPE_CHECKING:
    import uuid

COMMENT_LIMIT = 16 * 1024
"""Most bytes of a comment. A longer text is a document: attach it, or link to it."""

LINE_LIMIT = 64 * 1024
"""Most bytes of a line."""

_LINK_LIMIT, _TAGS_LIMIT, _SUPERSEDES_LIMIT = 2000, 32, 100
_LINK = re.compile(r"(?:https?://|doi:)[^\s\"'<>\\^`{|}]+")
_TAG = re.compile(r"\w[\w.:+/-]{0,63}")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEYS: dict[str, type] = {
    "id": str, "time": str, "user": str, "actor": str, "subject": str, "comment": str, "flag": str, "tags": list,
    "link": str, "attachment": dict, "metric": dict, "supersedes": list, "retract": bool, "subjects": int, "as": str,
}  # fmt: skip
_NEEDED = ("id", "time", "user", "actor", "subject")
_ACTORS = ("human", "bot")


@dataclass(frozen=True, slots=True)
class AnnotationBody:
    """The content of an annotation: a comment, a flag, tags, or several of these at once.

    Attributes:
        comment: Free text, of one or several lines.
        flag: A flag of the repo's vocabulary, or "".
        tags: Free keywords.
        link: A URL (a ticket, a page), or "".
        attachment: A file, or None.
        supersedes: The ids of annotations of the same subjects that this one replaces.
        retract: Whether it only retracts them; the comment then says why.
        metric: A measured number, or None.
    """

    comment: str = ""
    flag: str = ""
    tags: tuple[str, ...] = ()
    link: str = ""
    attachment: Attachment | None = None
    supersedes: tuple[str, ...] = ()
    retract: bool = False
    metric: Metric | None = None

    def check(self) -> AnnotationBody:
        """Return the body if it is valid.

        Raises:
            InvalidInput: It is empty, or a field is not valid; the error says which.
        """
        size = len(checked_text("the comment", self.comment, "\n\t").encode())
        if size > COMMENT_LIMIT:
            raise InvalidInput(
                f"the comment has {size:,} bytes, more than the {COMMENT_LIMIT:,} allowed: attach the text as a file"
            )
        if self.comment and not self.comment.strip():
            raise InvalidInput("the comment is blank")
        if self.flag and not _WORD.fullmatch(self.flag):
            raise InvalidInput(f"{self.flag[:40]!r} is not a flag: a word of small letters, digits, _ and -")
        for tag in self.tags:
            if not _TAG.fullmatch(tag):
                raise InvalidInput(f"{tag[:80]!r} is not a tag: up to 64 letters, digits and _.:+/-, without spaces")
        if len(self.tags) > _TAGS_LIMIT or len(set(self.tags)) != len(self.tags):
            raise InvalidInput(f"an annotation has up to {_TAGS_LIMIT} different tags")
        if self.link and not (_LINK.fullmatch(checked_text("the link", self.link)) and len(self.link) <= _LINK_LIMIT):
            raise InvalidInput(f"{self.link[:80]!r} is not a link: it begins with http://, https:// or doi:")
        if self.attachment:
            self.attachment.check()
        if self.metric:
            self.metric.check()
        self._check_supersedes()
        return self

    def _check_supersedes(self) -> None:
        if len(self.supersedes) > _SUPERSEDES_LIMIT or len(set(self.supersedes)) != len(self.supersedes):
            raise InvalidInput(f"an annotation supersedes up to {_SUPERSEDES_LIMIT} different ones")
        for each in self.supersedes:
            check_id(each)
        content = self.flag or self.tags or self.link or self.attachment or self.metric
        if self.retract and (content or not self.supersedes):
            raise InvalidInput("a retraction names the annotations that it takes back, and at most a comment why")
        if not (content or self.comment or self.retract):
            raise InvalidInput(
                "an annotation needs some content: a comment, a flag, a tag, a link, an attachment, a metric"
            )

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys, without empty fields."""
        fields: dict[str, Any] = {
            "comment": self.comment, "flag": self.flag, "tags": list(self.tags), "link": self.link,
            "attachment": self.attachment.to_json() if self.attachment else None,
            "metric": self.metric.to_json() if self.metric else None,
            "supersedes": list(self.supersedes), "retract": self.retract,
        }  # fmt: skip
        return {key: value for key, value in fields.items() if value}


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation of one subject.

    Attributes:
        id: A UUID; the same in the files of all subjects of one annotation.
        time: When it was written (UTC).
        user: Who wrote it.
        is_bot: Whether the user is a program.
        subject: What it is about.
        remark: Its content.
        seen_as: For a file: the path by which the user named it, `2026dgt@1:cutout_cdn/DES/DES_z.fits`.
        subjects: How many subjects the annotation has in all.
    """

    id: str
    time: datetime
    user: str
    is_bot: bool
    subject: Subject
    remark: AnnotationBody
    seen_as: str = ""
    subjects: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return it under the keys of the on-disk format."""
        required = {"id": self.id, "time": instant_text(self.time), "user": self.user, "actor": _ACTORS[self.is_bot]}
        more: dict[str, Any] = {"as": self.seen_as, "subjects": self.subjects if self.subjects > 1 else 0}
        more = {key: value for key, value in more.items() if value}
        return {**required, "subject": str(self.subject), **self.remark.to_json(), **more}

    def line(self) -> bytes:
        """Return the line of the branch, with its line feed."""
        return canonical(self.to_json()) + b"\n"


def new_id(namespace: uuid.UUID, event: Annotation, subjects: list[str]) -> str:
    """Return the id of an annotation: the same for the same content by the same user at the same time."""
    facts = {**event.to_json(), "subject": sorted(subjects)}
    from uuid import uuid5

    return str(uuid5(namespace, canonical(facts).decode()))


def read_strictly(line: bytes) -> Annotation:
    """Read a line of the branch, without its line feed, and check that it is in canonical form.

    Raises:
        InvalidInput: It is not canonical, or not an annotation.
    """
    event = read_line(line)
    if event.line() != line + b"\n":
        raise InvalidInput("it is not canonical JSON (RFC 8785) in the form of docs/format.md: annotate with blastgit")
    return event


def read_line(line: bytes) -> Annotation:
    """Read a line of the branch, without its line feed.

    Raises:
        InvalidInput: It is not an annotation.
    """
    if len(line) > LINE_LIMIT:
        raise InvalidInput(f"it has {len(line):,} bytes, more than the {LINE_LIMIT:,} allowed")
    try:
        value = json.loads(line.decode())  # not `document.parse`: ten thousand lines are read at once
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"it is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput("it is not a JSON object, one annotation")
    return read_event(value)


def read_event(value: Mapping[str, Any]) -> Annotation:
    """Read an annotation from JSON.

    Raises:
        InvalidInput: A key is missing, unknown or not valid.
    """
    _check_shape(value)
    if value["actor"] not in _ACTORS:
        raise InvalidInput(f"actor is {value['actor'][:40]!r}, neither human nor bot")
    remark = AnnotationBody(
        comment=value.get("comment", ""),
        flag=value.get("flag", ""),
        tags=tuple(value.get("tags", ())),
        link=value.get("link", ""),
        attachment=None if value.get("attachment") is None else read_attachment(value["attachment"]),
        metric=None if value.get("metric") is None else read_metric(value["metric"]),
        supersedes=tuple(value.get("supersedes", ())),
        retract=value.get("retract", False),
    )
    return Annotation(
        check_id(value["id"]),
        instant(value["time"]),
        check_user(value["user"]),
        value["actor"] == "bot",
        read_subject(value["subject"]),
        remark.check(),
        checked_text("as", value.get("as", "")),
        value.get("subjects", 1),
    )


def _check_shape(value: Mapping[str, Any]) -> None:
    lacking = [key for key in _NEEDED if key not in value]
    if lacking:
        raise InvalidInput(f"an annotation has {', '.join(_NEEDED)}, and here {lacking[0]} is missing")
    for key, item in value.items():
        kind = _KEYS.get(key)
        if kind is None:
            raise InvalidInput(f"{key[:40]!r} is not a key of an annotation: they are {', '.join(_KEYS)}")
        if not isinstance(item, kind) or (kind is int and isinstance(item, bool)):
            raise InvalidInput(f"{key} should be of another type: {str(item)[:40]!r}")
        if isinstance(item, list) and not all(isinstance(each, str) for each in item):
            raise InvalidInput(f"{key} should be a list of texts")


def check_user(user: str) -> str:
    """Return a user's name if it is valid.

    Raises:
        InvalidInput: It is not.
    """
    if not user or not user.isprintable() or user.strip() != user or len(user) > 200:
        raise InvalidInput(f"{user[:80]!r} cannot be the name of a user")
    return user


def check_id(text: str) -> str:
    """Return an id if it is a UUID in its usual form.

    Raises:
        InvalidInput: It is not.
    """
    if _UUID.fullmatch(text):
        return text
    raise InvalidInput(f"{text[:80]!r} is not an id of an annotation: ids are UUIDs, which `blastgit notes` shows")
