"""Names of collections: a table of patterns, each with the type of its collections, to check, parse and make names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from blastgit.errors import BlastgitError, InvalidName
from blastgit.naming.paths import check_new_path

FOLDER = "collections"
ROLES = ("", "public", "private", "validated", "unique")
"""The roles that a pattern may give its collections; names.yaml describes them."""

_PARTS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._+-]{0,99}){0,9}")
_TOKEN = re.compile(r"(<[a-z]+>|\*|\[|\])")


@dataclass(frozen=True)
class Row:
    """One line of the table of names.

    Attributes:
        key: The row's key in code, `runs`.
        pattern: `[<instrument>/]runs/<target>/<release>/<ticket>`.
        kind: The type of such collections; "" if the user chooses it.
        role: One of `ROLES`.
        about: What such a collection is for.
        parts: The regular expression of each `<word>`.
    """

    key: str
    pattern: str
    kind: str = ""
    role: str = ""
    about: str = ""
    parts: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Compile the pattern, so that a wrong one is found at once."""
        object.__setattr__(self, "_regex", re.compile(self._expression(self.pattern)))

    def match(self, name: str) -> dict[str, str] | None:
        """Return the parts of a name by their words, or None if the name does not match."""
        regex: re.Pattern[str] = self._regex  # type: ignore[attr-defined]
        match = regex.fullmatch(name)
        return None if match is None else {key: value for key, value in match.groupdict().items() if value is not None}

    def make(self, parts: Mapping[str, str], rest: str = "") -> str:
        """Return the name with these parts, and `rest` for `*`.

        Raises:
            InvalidName: A part is missing or not valid.
        """
        text = re.sub(r"\[([^]]*)\]", lambda found: _if_all_are_there(found[1], parts), self.pattern)
        wanted = re.findall(r"<([a-z]+)>", text)
        missing = [word for word in wanted if not parts.get(word)] or (["*"] if "*" in text and not rest else [])
        if missing:
            raise InvalidName(f"a name like {self.pattern} needs its {missing[0]}")
        for word in wanted:
            if not re.fullmatch(self.parts[word], parts[word]):
                raise InvalidName(f"{parts[word]!r} cannot be the {word} in a name like {self.pattern}")
            text = text.replace(f"<{word}>", parts[word])
        return check_name(text.replace("*", rest))

    def umbrella(self, name: str) -> str:
        """Return the collection that a private name belongs to: the name without what matches `*`."""
        above = re.compile(self._expression(self.pattern.removesuffix("/*")))
        pieces = name.split("/")
        heads = ("/".join(pieces[:count]) for count in range(1, len(pieces)))
        return next((head for head in heads if above.fullmatch(head)), "")

    def _expression(self, pattern: str) -> str:
        signs = {"*": ".+", "[": "(?:", "]": ")?"}
        words = {f"<{word}>": f"(?P<{word}>{expression})" for word, expression in self.parts.items()}
        unknown = next((token for token in _TOKEN.findall(pattern) if token[0] == "<" and token not in words), None)
        if unknown:
            raise KeyError(unknown)
        tokens = filter(None, _TOKEN.split(pattern))
        return "".join(signs.get(token) or words.get(token) or re.escape(token) for token in tokens)


@dataclass(frozen=True)
class Names:
    """The table of names.

    Attributes:
        rows: The patterns, in search order.
    """

    rows: tuple[Row, ...]

    def row(self, name: str) -> Row:
        """Return the row that a name matches.

        Raises:
            InvalidName: No row matches, or the name is not valid.
        """
        check_name(name)
        for row in self.rows:
            if row.match(name) is not None:
                return row
        patterns = ", ".join(row.pattern for row in self.rows)
        raise InvalidName(f"{name!r} is not a name for a collection here: there may be {patterns}")

    def parse(self, name: str) -> tuple[str, dict[str, str]]:
        """Return the key of the row that a name matches, and the name's parts by their words.

        Raises:
            InvalidName: No row matches.
        """
        row = self.row(name)
        return row.key, row.match(name) or {}

    def make(self, key: str, rest: str = "", **parts: str | None) -> str:
        """Return a name: `make("runs", target="RC2", release="w_2026_20", ticket="DM-1")`.

        Args:
            key: The key of the row.
            rest: The text for `*` in the pattern.
            parts: The parts of the name.

        Raises:
            InvalidName: A part is missing or not valid.
        """
        row = next((row for row in self.rows if row.key == key), None)
        if row is None:
            raise InvalidName(f"the table of names has no line {key!r}, but {', '.join(row.key for row in self.rows)}")
        return row.make({word: part for word, part in parts.items() if part}, rest)

    def check(self, name: str, kind: str) -> Row:
        """Return the row that a name matches, if a collection of that type may have the name.

        Raises:
            InvalidName: It may not.
        """
        row = self.row(name)
        if row.kind and row.kind != kind:
            raise InvalidName(f"{name} should be {row.kind} and not {kind}: names like {row.pattern} are ({row.about})")
        return row


def check_name(name: str) -> str:
    """Return `name` if it is valid for a collection, regardless of the table.

    Raises:
        InvalidName: It is not.
    """
    if not _PARTS.fullmatch(name) or ".." in name:
        raise InvalidName(
            f"{name[:80]!r} is not a name of a collection: up to ten parts of letters, digits and ._+-, joined by /"
        )
    try:
        check_new_path(path_of(name))
    except BlastgitError as error:
        raise InvalidName(f"{name[:80]!r} cannot be a collection's name: {error}") from None
    if any(part.casefold().endswith((".yaml", ".lock")) for part in name.split("/")):
        raise InvalidName(f"{name[:80]!r}: no part of a collection's name may end in .yaml or .lock")
    return name


def is_name(name: str) -> bool:
    """Whether a name has valid characters, regardless of the table."""
    return _PARTS.fullmatch(name) is not None


def owner_of(name: str) -> str:
    """Return the owner of a personal collection, or "" if it is shared."""
    first, _, rest = name.partition("/")
    return rest.partition("/")[0] if first == "u" else ""


def path_of(name: str) -> str:
    """Return a collection's file on main."""
    return f"{FOLDER}/{name}.yaml"


def name_of(path: str) -> str:
    """Return the collection of a file on main."""
    return path.removeprefix(f"{FOLDER}/").removesuffix(".yaml")


def _if_all_are_there(text: str, parts: Mapping[str, str]) -> str:
    return text if all(parts.get(word) for word in re.findall(r"<([a-z]+)>", text)) else ""
