"""Reduce a collection, and those it chains, to the revisions of a smaller repo."""

from __future__ import annotations

from collections.abc import Collection as Container
from dataclasses import replace

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.model import Chained, Listed, Run
from blastgit.collections.names import path_of
from blastgit.collections.text import write_collection
from blastgit.repository.configuration import path_of as config_path


def part_of(catalogue: Catalogue, name: str, revisions: Container[str]) -> dict[str, bytes]:
    """Return the files on main of a collection and all that it chains, by path, without members that are left out.

    Args:
        catalogue: The collections.
        name: The collection.
        revisions: The revisions that the smaller repo has, `2026dgt@1`.
    """
    files: dict[str, bytes] = {}
    left = [name]
    while left:
        each = left.pop()
        if path_of(each) in files:
            continue
        collection = catalogue[each]
        if isinstance(collection, Chained):
            left += collection.children
        if isinstance(collection, Listed):
            kept = (line for line in collection.lines if str(collection.parse(line).dataset.revision) in revisions)
            collection = replace(collection, lines=tuple(kept))
        if isinstance(collection, Run) and collection.config:
            kept_config = catalogue.file(config_path(collection.config))
            files |= {} if kept_config is None else {config_path(collection.config): kept_config}
        files[path_of(each)] = write_collection(collection)
    return files
