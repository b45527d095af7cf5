"""Identify the answer of a saved query, for citations and logs: by the state of the query and that of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blastgit.index.open_index import OpenIndex

_STATE = """
SELECT sha256(coalesce(string_agg(line, chr(10) ORDER BY line), '')) FROM (
    SELECT name || ' ' || commit_id AS line FROM state.branches
    UNION ALL SELECT key || ': ' || value FROM state.meta WHERE key IN ('annotations', 'collections', 'withdrawn'))"""


@dataclass(frozen=True)
class Answer:
    """The identity of an answer.

    Attributes:
        query: The name of the saved query.
        commit: The last commit of main that changed the query.
        params: The values of its parameters.
        index: A checksum of the tips of all branches from which the index was made: if equal, the results are equal.
    """

    query: str
    commit: str
    params: Mapping[str, Any] = field(default_factory=dict)
    index: str = ""

    def __str__(self) -> str:
        given = ", ".join(f"{name}={_plain(value)}" for name, value in self.params.items())
        return f"{self.query}@{self.commit:.10}({given}) of {self.index:.17}"

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        params = {name: _plain(value) for name, value in self.params.items()}
        return {"query": self.query, "query_commit": self.commit, "params": params, "index": self.index}


def state_of(index: OpenIndex) -> str:
    """Return the checksum of the state from which an index was made."""
    return f"sha256:{index.query(_STATE).rows[0][0]}"


def _plain(value: object) -> object:
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value
