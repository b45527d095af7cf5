"""List all runs of a data repo: those started on main, and those that only commits name."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.model import Run
from blastgit.collections.policy import CollectionPolicy
from blastgit.collections.runs import Held, all_held, first_of, name_fault
from blastgit.repository.base import Repository


@dataclass(frozen=True)
class RunSummary:
    """A run, in one line.

    Attributes:
        name: Its name.
        born: How many revisions were born into it.
        attested: How many it reproduced.
        is_begun: Whether main has a RUN of this name.
        problem: Why the table of names does not allow its name; "" if it does.
    """

    name: str
    born: int
    attested: int
    is_begun: bool
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "run": self.name, "born": self.born, "attested": self.attested, "begun": self.is_begun,
            "problem": self.problem or None,
        }  # fmt: skip


def run_list(repository: Repository, pattern: str = "*") -> list[RunSummary]:
    """Return the runs whose names match a shell pattern, sorted by name. Reads every tag."""
    policy, catalogue = CollectionPolicy.of(repository.settings), Catalogue(repository.main.tree)
    begun = {name for name, _ in catalogue.of_type(Run)}
    held: dict[str, list[Held]] = {name: [] for name in begun}
    for each in all_held(repository):
        held.setdefault(each.run, []).append(each)
    return [
        _summary(policy, name, held[name], is_begun=name in begun)
        for name in sorted(held)
        if fnmatchcase(name, pattern)
    ]


def _summary(policy: CollectionPolicy, name: str, held: list[Held], *, is_begun: bool) -> RunSummary:
    counted = first_of(held)
    born = sum(each.is_born for each in counted)
    return RunSummary(name, born, len(counted) - born, is_begun, name_fault(policy, name))
