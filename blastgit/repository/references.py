"""The types of reference lines in a data repo: the section `references` of `blastgit.yaml` over the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blastgit.errors import InvalidName, RepoError
from blastgit.naming.keys import read_keys, read_mapping
from blastgit.naming.names import reference_line, reference_type
from blastgit.naming.nearest import did_you_mean
from blastgit.repository.settings import Settings
from blastgit.safe_yaml import load_shipped

_WHERE = "blastgit.yaml on main: references"
_WORDS = ("about", "exported", "reviewed")
_EXPORTED = ("filters", "surveys")


@dataclass(frozen=True, slots=True)
class ReferenceType:
    """A type of references; `references.yaml` explains each field.

    Attributes:
        name: Its name, `filter`.
        about: Its description.
        exported: The table of Blast's export whose rows become lines of this type, or "".
        reviewed: Whether only curators may start a line of this type.
    """

    name: str
    about: str = ""
    exported: str = ""
    reviewed: bool = False


@dataclass(frozen=True)
class ReferenceTypes:
    """All types of a data repo, by name."""

    types: Mapping[str, ReferenceType]

    @classmethod
    def of(cls, settings: Settings) -> ReferenceTypes:
        """Read the section `references` of the settings.

        Raises:
            RepoError: The section `references` has a mistake.
        """
        return settings.read("references", read_types)

    def check(self, line: str) -> ReferenceType:
        """Return the type of a reference line.

        Raises:
            InvalidName: This data repo does not have its type; the error names the nearest.
        """
        wanted = reference_type(line)
        if wanted in self.types:
            return self.types[wanted]
        hint = did_you_mean(wanted, self.types, f"it has {', '.join(self.types)}", count=1)
        raise InvalidName(
            f"{line}: this data repo does not have the reference type {wanted!r}{hint} (`references:` in blastgit.yaml "
            "on main adds types)"
        )

    def exported(self) -> Mapping[str, ReferenceType]:
        """Return the types whose lines come from exports, by the table of the export."""
        return {each.exported: each for each in self.types.values() if each.exported}


def read_types(loaded: Any) -> ReferenceTypes:
    """Read the section; the defaults hold for what it omits, and `null` removes a type.

    Raises:
        RepoError: It is not valid.
    """
    merged = {**load_shipped(__file__, "references.yaml"), **read_mapping(loaded, _WHERE, "map types to what they are")}
    found = {str(name): _read(str(name), words) for name, words in merged.items() if words is not None}
    tables = [each.exported for each in found.values() if each.exported]
    if twice := next((table for table in tables if tables.count(table) > 1), None):
        raise RepoError(f"{_WHERE}: two types have `exported: {twice}`, but each row can become only one line")
    return ReferenceTypes(found)


def _read(name: str, words: Any) -> ReferenceType:
    where = f"{_WHERE}.{name}"
    try:
        reference_line(name, "any")
    except InvalidName:
        raise RepoError(
            f"{where}: a type is a word of lower-case letters, digits and -, beginning with a letter"
        ) from None
    read_keys(words, where, _WORDS)
    about, exported, reviewed = words.get("about", ""), words.get("exported", ""), words.get("reviewed", False)
    if not isinstance(about, str) or not isinstance(reviewed, bool):
        raise RepoError(f"{where}: `about` must be a text, and `reviewed` true or false")
    if exported and exported not in _EXPORTED:
        raise RepoError(f"{where}.exported is {exported!r}, but only rows of {' and '.join(_EXPORTED)} become lines")
    return ReferenceType(name, about, exported, reviewed)
