"""The inputs of results that many transients share: hosts, filters and surveys, models and other references."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from blastgit.errors import InvalidName
from blastgit.naming.names import reference_line, reference_type
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.repository.history import History
from blastgit.repository.hosts import Hosts
from blastgit.repository.references import ReferenceTypes
from blastgit.revision.document import Json
from blastgit.workflow.origins import Origins, origins_of

_WITH_FILTER = ("photometry/", "cutouts/")


@dataclass(frozen=True, slots=True)
class SharedInput:
    """A host, or a revision of a reference.

    Attributes:
        name: The key of a host, or the line of a reference.
        number: The revision of a reference; None for a host, or if there was none yet.
        steps: The number of steps back to it.
    """

    name: str
    number: int | None = None
    steps: int = 1
    is_host: bool = False

    def __str__(self) -> str:
        if self.is_host:
            return f"host:{self.name}"
        return self.name if self.number is None else f"{self.name}@{self.number}"

    @property
    def kind(self) -> str:
        """`galaxy`, or the type of the reference."""
        return "galaxy" if self.is_host else reference_type(self.name)


class SharedInputs:
    """Finds the shared inputs of values and files in the states of a data repo."""

    def __init__(self, repository: Repository) -> None:
        """Use an open data repo."""
        self._repository = repository
        self._history = History(repository)
        self._hosts = Hosts.of(repository.settings)
        self._types = ReferenceTypes.of(repository.settings)
        self._times: dict[str, list[datetime]] = {}
        self._surveys: dict[str, dict[str, str]] = {}

    def of(self, state: Snapshot, origins: Origins, node: str) -> Iterator[SharedInput]:
        """Yield the shared inputs of something; an input that is derived from another comes after it.

        Args:
            state: The state.
            origins: What its products were made from.
            node: The name of something in it, possibly from an earlier state.
        """
        earlier = origins.earlier.get(node)
        path = node if earlier is None else earlier.path
        there = state if earlier is None else earlier.view.state
        if there is not None:
            yield from self._in_document(there, path)
        for each in origins.made_with.get(node, ()):
            if self._times_of(each.line) or each.number is not None:
                number = self._at(each.line, each.time) if each.number is None else each.number
                yield SharedInput(each.line, number)

    def _in_document(self, state: Snapshot, path: str) -> Iterator[SharedInput]:
        if path == "host":
            host = state.dr.export.document["host"]
            key = self._hosts.key(host["fields"] if host else None)
            if key:
                yield SharedInput(key, is_host=True)
        elif path.startswith(_WITH_FILTER):
            name = path.rpartition("/")[2]
            yield from self._exported("filters", name, state.time, 1)
            survey = self._surveys_of(state).get(name)
            if survey:
                yield from self._exported("surveys", survey, state.time, 2)

    def _exported(self, table: str, name: str, time: datetime, steps: int) -> Iterator[SharedInput]:
        """Yield the line of a filter or survey, with its latest revision when an export was written."""
        type_ = self._types.exported().get(table)
        if type_ is not None:
            with suppress(InvalidName):  # it has no line then
                line = reference_line(type_.name, name)
                if self._times_of(line):
                    yield SharedInput(line, self._at(line, time), steps)

    def _at(self, line: str, time: datetime) -> int | None:
        number = bisect_right(self._times_of(line), time) - 1
        return None if number < 0 else number

    def _times_of(self, line: str) -> list[datetime]:
        if line not in self._times:
            found = self._history.revisions(line) if self._history.tip(line) is not None else []
            self._times[line] = [each.time for each in found]
        return self._times[line]

    def _surveys_of(self, state: Snapshot) -> dict[str, str]:
        """Return the survey of each filter in a document."""
        if state.id not in self._surveys:
            document = state.dr.export.document
            surveys: dict[Json, Json] = {row["pk"]: row["fields"].get("name") for row in document["surveys"]}
            rows = (row["fields"] for row in document["filters"])
            self._surveys[state.id] = {
                str(row.get("name")): str(name) for row in rows if (name := surveys.get(row.get("survey"))) is not None
            }
        return self._surveys[state.id]

    def of_revision(self, state: Snapshot) -> set[SharedInput]:
        """Return all shared inputs of a state and of what it was made from."""
        if state.dr.export.is_reference:
            return set()
        origins = origins_of(self._repository, state)
        nodes = {name for step in origins.uses.steps for name in (step.product, step.source)}
        return {each for node in nodes for each in self.of(state, origins, node)}
