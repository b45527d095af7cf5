"""Quality flags: the vocabulary of a data repo, and which flag holds when several people gave one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from blastgit.errors import InvalidInput, RepoError
from blastgit.naming.keys import read_keys
from blastgit.repository.settings import Settings
from blastgit.safe_yaml import load_shipped

if TYPE_CHECKING:
    from blastgit.annotations.annotation import Annotation, AnnotationBody

_WHERE = "blastgit.yaml on main: flags"
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_RULE = re.compile(r"(?P<flag>\S+) leaves (?P<pattern>\S+)")
DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class Rule:
    """The effect of a flag: what has it leaves the collections that match a pattern.

    Attributes:
        flag: The flag, or `disputed`.
        pattern: A name, with `<word>` for one part of it and `*` for any number of parts.
    """

    flag: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.flag} leaves {self.pattern}"

    def covers(self, collection: str) -> bool:
        """Whether it applies to a collection."""
        pieces = re.split(r"(<[^<>]*>|\*)", self.pattern)
        wild = {"*": ".*"}
        pattern = "".join(
            wild.get(piece, "[^/]+" if piece[:1] == "<" else re.escape(piece)) for piece in pieces if piece
        )
        return re.fullmatch(pattern, collection) is not None


@dataclass(frozen=True)
class Flags:
    """The section `flags` of `blastgit.yaml`.

    Attributes:
        values: Each flag and its meaning, from best to worst.
        bots: Patterns of the users that are programs.
        inherit: Whether a flag on an input marks its outputs.
        tags: Patterns of the tags that may be used.
        rules: The effects of flags.
    """

    values: Mapping[str, str]
    bots: tuple[str, ...] = ()
    inherit: bool = False
    tags: tuple[str, ...] = ("*",)
    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Flags:
        """Read the flags of a data repo's settings.

        Raises:
            RepoError: The section `flags` has a mistake.
        """
        return settings.read("flags", read_flags)

    def check(self, remark: AnnotationBody) -> None:
        """Check that an annotation keeps to the vocabulary.

        Raises:
            InvalidInput: It does not; the error lists the vocabulary.
        """
        if remark.flag and remark.flag not in self.values:
            raise InvalidInput(f"there is no flag {remark.flag!r} in this data repo: {', '.join(self.values)}")
        for tag in remark.tags:
            if not any(fnmatchcase(tag, pattern) for pattern in self.tags):
                raise InvalidInput(f"the tag {tag!r} is not used in this data repo: {', '.join(self.tags)}")

    def is_bot(self, user: str) -> bool:
        """Whether a user is a program."""
        return any(fnmatchcase(user, pattern) for pattern in self.bots)

    def worst(self, values: Iterable[str]) -> str:
        """Return the worst of some flags; one that the vocabulary no longer has is worse than any that it has."""
        order = list(self.values)
        return max(values, key=lambda value: order.index(value) if value in order else len(order))


@dataclass(frozen=True)
class FlagState:
    """The flag that holds for a subject.

    Attributes:
        value: The flag; in a dispute the worst one given.
        said: The last flag of each user who counts.
        by_bots: Whether only programs gave one.
    """

    value: str
    said: Mapping[str, str] = field(default_factory=dict)
    by_bots: bool = False

    @property
    def is_disputed(self) -> bool:
        """Whether the users who count disagree."""
        return len(set(self.said.values())) > 1

    def __str__(self) -> str:
        if not self.is_disputed:
            return self.value
        return f"{DISPUTED} ({', '.join(f'{value} by {user}' for user, value in sorted(self.said.items()))})"

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"flag": self.value, "disputed": self.is_disputed, "said": dict(self.said), "bots": self.by_bots}


def flag_state(events: Iterable[Annotation], flags: Flags) -> FlagState | None:
    """Return the flag that holds, or None if nobody gave one.

    Each user's last flag counts, unless it was superseded. If any human gave a flag, programs do not count: a bot does
    not override a human. If those who count disagree, the flag is disputed until one of them changes it.

    Args:
        events: Annotations of one subject that are in force, oldest first.
        flags: The vocabulary.
    """
    given: dict[bool, dict[str, str]] = {False: {}, True: {}}
    for event in events:
        if event.remark.flag:
            given[event.is_bot][event.user] = event.remark.flag
    counting = given[False] or given[True]
    return FlagState(flags.worst(counting.values()), counting, not given[False]) if counting else None


def read_flags(loaded: Any) -> Flags:
    """Read the section `flags`; missing keys have the defaults of `flags.yaml`.

    Raises:
        RepoError: It is not valid.
    """
    shipped = load_shipped(__file__, "flags.yaml")
    value = {**shipped, **read_keys(loaded, _WHERE, shipped)}
    values = _read_values(value["values"])
    if not isinstance(value["inherit"], bool):
        raise RepoError(f"{_WHERE}.inherit should be true or false")
    rules = tuple(_read_rule(f"{_WHERE}.rules[{i}]", text, values) for i, text in enumerate(_texts("rules", value)))
    return Flags(values, _texts("bots", value), value["inherit"], _texts("tags", value), rules)


def _read_values(values: Any) -> dict[str, str]:
    if not isinstance(values, dict) or not values:
        raise RepoError(f"{_WHERE}.values should map each flag to what it means, from best to worst")
    for word, meaning in values.items():
        if not isinstance(word, str) or not _WORD.fullmatch(word) or word == DISPUTED or not isinstance(meaning, str):
            raise RepoError(f"{_WHERE}.values has {word!r}: a flag is a word of small letters, with a sentence")
    return dict(values)


def _texts(key: str, value: Mapping[str, Any]) -> tuple[str, ...]:
    texts = value[key]
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise RepoError(f"{_WHERE}.{key} should be a list of texts")
    return tuple(texts)


def _read_rule(where: str, text: str, values: Mapping[str, str]) -> Rule:
    match = _RULE.fullmatch(text)
    if not match or match["flag"] not in (*values, DISPUTED):
        raise RepoError(f"{where} is {text!r}: write `FLAG leaves COLLECTION`, with a flag of {', '.join(values)}")
    return Rule(match["flag"], match["pattern"])
