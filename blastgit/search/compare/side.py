"""One side of a comparison: a selection of one revision of each transient."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blastgit.errors import NotFound, UsageError
from blastgit.search.find.check import COLLECTIONS, RUNS, VERSIONS, near
from blastgit.search.find.criteria import end_of

if TYPE_CHECKING:
    from blastgit.index.open_index import OpenIndex

_APP, _AT = "app:", "at:"
_MEANT = ((re.compile(r"v?\d+(\.\d+)+"), _APP), (re.compile(r"\d{4}-\d\d-\d\d"), _AT))


@dataclass(frozen=True)
class Side:
    """One side: of each transient the highest revision that fulfils a condition.

    A run or a version of Blast has the revisions that it made and those that it reproduced: otherwise two runs could be
    compared only where they differ.

    Attributes:
        text: As given: a RUN or another collection; `app:v1.13.1`, a version of Blast; `at:2026-05-27`, a time.
        condition: The condition in SQL, with `{}` for the value.
        value: The value.
    """

    text: str
    condition: str
    value: object

    @classmethod
    def of(cls, index: OpenIndex, text: str) -> Side:
        """Return a side by its name.

        Raises:
            NotFound: The run, collection or version does not exist.
            InvalidName: The time is not valid.
            UsageError: The text is empty.
        """
        if text.startswith(_APP):
            version = text.removeprefix(_APP).lstrip("v")
            _check(index, "version of Blast", version, VERSIONS)
            return cls(text, _made_or_found("ltrim(app_version, 'v')"), version)
        if text.startswith(_AT):
            return cls(text, "export_time <= {}", end_of(text.removeprefix(_AT)))
        if not text:
            raise UsageError("a side is a RUN or another collection, app:VERSION, or at:TIME")
        if index.query(f"SELECT 1 FROM ({RUNS}) WHERE run = ?", [text]).rows:  # noqa: S608 (our own text)
            return cls(text, _among("holdings", "run = {}"), text)
        _check(index, "run or collection", text, f"{RUNS} UNION {COLLECTIONS}", _prefixed(text))
        return cls(text, _among("members", "collection = {} AND NOT is_personal"), text)

    def sql(self, parameter: str) -> str:
        """Return the query for the revision of each transient.

        Args:
            parameter: The placeholder for the value.
        """
        fits = self.condition.replace("{}", parameter)
        return f"SELECT transient, max(revision) AS revision FROM revisions WHERE {fits} GROUP BY transient"  # noqa: S608


def _made_or_found(column: str) -> str:
    same = f"{column} = {{}}"
    return f"({same} OR {_among('reproductions', same)})"


def _among(table: str, test: str) -> str:
    return f"(transient, revision) IN (SELECT (transient, revision) FROM {table} WHERE {test})"  # noqa: S608


def _check(index: OpenIndex, what: str, name: str, query: str, meant: str = "") -> None:
    there = sorted(str(each) for (each,) in index.query(query))
    if name not in {each.lstrip("v") if what.startswith("version") else each for each in there}:
        raise NotFound(f"there is no {what} {name!r}{meant or near(name, there)}")


def _prefixed(text: str) -> str:
    """Return a hint for a version or a day given without its prefix."""
    prefix = next((prefix for form, prefix in _MEANT if form.fullmatch(text)), None)
    return "" if prefix is None else f"; did you mean {prefix}{text}?"
