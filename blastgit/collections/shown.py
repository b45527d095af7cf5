"""A collection as people look at it: in a list, and by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.model import Chained, Collection, Listed, Run
from blastgit.collections.policy import CollectionPolicy
from blastgit.collections.runs import born
from blastgit.errors import InvalidName
from blastgit.naming.trailers import Trailer
from blastgit.repository.base import Repository


@dataclass(frozen=True)
class Summary:
    """A collection in a line.

    Attributes:
        name: What it is called.
        kind: Its type.
        size: How many members or children it lists; None for a RUN, whose datasets say themselves that they are in it.
        about: What it is for.
        depth: How deep it stands in the chain that is shown.
    """

    name: str
    kind: str
    size: int | None
    about: str
    depth: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"name": self.name, "type": self.kind, "size": self.size, "about": self.about, "depth": self.depth}


@dataclass(frozen=True)
class Shown:
    """A collection by itself.

    Attributes:
        summary: What it is.
        tree: What a chain consists of, each with its depth, in the order in which it is searched.
        members: What it holds itself, a line each.
        versions: Of a RUN, how many datasets each version of Blast made.
        facts: What else is known: validated, main, inputs.
        warnings: What does not fit together.
    """

    summary: Summary
    tree: tuple[Summary, ...] = ()
    members: tuple[str, ...] = ()
    versions: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        own = {key: value for key, value in self.summary.to_json().items() if key != "depth"}
        return {
            **own, "tree": [each.to_json() for each in self.tree], "members": list(self.members),
            "versions": self.versions, **self.facts, "warnings": list(self.warnings),
        }  # fmt: skip


def summary(name: str, collection: Collection, depth: int = 0) -> Summary:
    """Return a collection in a line."""
    sizes = {Listed: "lines", Chained: "children"}
    size = next((len(getattr(collection, key)) for type_, key in sizes.items() if isinstance(collection, type_)), None)
    return Summary(name, collection.kind, size, collection.about, depth)


def show(repository: Repository, catalogue: Catalogue, policy: CollectionPolicy, name: str) -> Shown:
    """Return a collection by itself; for a RUN, every tag is read.

    Raises:
        NotFound: There is none.
    """
    collection = catalogue[name]
    own = summary(name, collection)
    if isinstance(collection, Listed):
        return Shown(own, members=tuple(map(str, collection.members())))
    if not isinstance(collection, Run):
        return Shown(own, tuple(_tree(catalogue, name, 0)))
    held = born(repository, name)
    versions = Counter(trailers.get(Trailer.APP_VERSION, "") for _, trailers in held)
    facts = {"validated": collection.validated, "main": collection.main, "inputs": list(collection.inputs)}
    members = tuple(str(dataset) for dataset, _ in held)
    return Shown(own, (), members, dict(versions), facts, tuple(_doubts(policy, name, versions)))


def _tree(catalogue: Catalogue, name: str, depth: int) -> Iterator[Summary]:
    collection = catalogue[name]
    yield summary(name, collection, depth)
    if isinstance(collection, Chained) and depth < 100:
        for child in collection.children:
            yield from _tree(catalogue, child, depth + 1)


def _doubts(policy: CollectionPolicy, name: str, versions: Counter[str]) -> Iterator[str]:
    """Yield where the release in a name is not the version that made the data: names are for people, and may err."""
    try:
        _, parts = policy.names.parse(name)
    except InvalidName:
        return
    release = parts.get("release", "")
    for version, count in versions.items():
        if release and version.lstrip("v") != release.lstrip("v"):
            yield f"{count:,} datasets are by version {version}, and the name says {release}"
