"""Collections for display: in a list, and in detail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.model import Chained, Collection, Listed, Run
from blastgit.collections.policy import CollectionPolicy
from blastgit.collections.runs import Held, holdings, name_fault
from blastgit.errors import InvalidName
from blastgit.repository.base import Repository


@dataclass(frozen=True)
class Summary:
    """A collection, in one line.

    Attributes:
        name: Its name.
        kind: Its type.
        size: How many members or children it lists; None for a RUN, which lists none.
        about: What it is for.
        depth: Its depth in the chain that is shown.
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
    """A collection, in detail.

    Attributes:
        summary: Its name, type and size.
        tree: The collections of a chain with their depth, in search order.
        members: Its own members, one line each.
        attested: Members of a RUN that were not born into it, with the commit of the reproduction that attests them.
        versions: For a RUN, how many datasets each version of Blast made or reproduced.
        facts: Other fields: validated, main, inputs.
        warnings: Inconsistencies.
    """

    summary: Summary
    tree: tuple[Summary, ...] = ()
    members: tuple[str, ...] = ()
    attested: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        own = {key: value for key, value in self.summary.to_json().items() if key != "depth"}
        return {
            **own, "tree": [each.to_json() for each in self.tree], "members": list(self.members),
            "attested": self.attested, "versions": self.versions, **self.facts, "warnings": list(self.warnings),
        }  # fmt: skip


def summary(name: str, collection: Collection, depth: int = 0) -> Summary:
    """Return a collection in one line."""
    sizes = {Listed: "lines", Chained: "children"}
    size = next((len(getattr(collection, key)) for type_, key in sizes.items() if isinstance(collection, type_)), None)
    return Summary(name, collection.kind, size, collection.about, depth)


def show(repository: Repository, catalogue: Catalogue, policy: CollectionPolicy, name: str) -> Shown:
    """Return a collection in detail; for a RUN, reads every tag.

    Raises:
        NotFound: The collection does not exist.
    """
    collection = catalogue.find(name)
    if isinstance(collection, Listed):
        return Shown(summary(name, collection), members=tuple(map(str, collection.members())))
    if collection is not None and not isinstance(collection, Run):
        return Shown(summary(name, collection), tuple(_tree(catalogue, name, 0)))
    held = holdings(repository, name)
    if collection is None and not held:
        raise catalogue.unknown(name)
    return _of_run(policy, name, collection, held)


def _of_run(policy: CollectionPolicy, name: str, begun: Run | None, held: Sequence[Held]) -> Shown:
    run = begun or Run()
    versions = Counter(each.marker.app_version for each in held)
    facts = {"validated": run.validated, "main": run.main, "inputs": list(run.inputs), "config": run.config}
    members = tuple(str(each.dataset) for each in held)
    attested = {str(each.dataset): each.marker.id for each in held if not each.is_born}
    doubts = (*_doubts(policy, name, versions), *_doubts_of_name(policy, name, begun))
    return Shown(summary(name, run), (), members, attested, dict(versions), facts, doubts)


def _tree(catalogue: Catalogue, name: str, depth: int) -> Iterator[Summary]:
    collection = catalogue[name]
    yield summary(name, collection, depth)
    if isinstance(collection, Chained) and depth < 100:
        for child in collection.children:
            yield from _tree(catalogue, child, depth + 1)


def _doubts_of_name(policy: CollectionPolicy, name: str, begun: Run | None) -> Iterator[str]:
    """Yield the warnings about a run that only commits name."""
    if begun is None:
        fault = name_fault(policy, name)
        yield (
            fault or f"{name} was never started: only commits name it, and it may have several revisions of a transient"
        )


def _doubts(policy: CollectionPolicy, name: str, versions: Counter[str]) -> Iterator[str]:
    """Yield a warning where the release in the name is not the version that made the data: names can be wrong."""
    try:
        _, parts = policy.names.parse(name)
    except InvalidName:
        return
    release = parts.get("release", "")
    for version, count in versions.items():
        if release and version.lstrip("v") != release.lstrip("v"):
            datasets = "1 dataset is" if count == 1 else f"{count:,} datasets are"
            yield f"{datasets} by version {version}, and the name says {release}"
