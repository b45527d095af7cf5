"""Declaring a variant of a component by one command: a line more in `blastgit.yaml` on main, whose comments stay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pygit2

from blastgit.errors import InvalidInput, RepoError
from blastgit.plumbing.trees import read_blob
from blastgit.repository.base import Repository
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.format import FILE
from blastgit.repository.settings import read_settings
from blastgit.workflow.variant_default import insert_first, value_of
from blastgit.workflow.variants import Variants


def define(repository: Repository, component: str, variant: str, meaning: Mapping[str, Any], reason: str) -> str:
    """Declare a variant, with its component if that is new, and return the commit of main.

    Args:
        repository: The data repo.
        component: The component, `photometry`.
        variant: The variant, `jointcal`.
        meaning: What it stands for, by the words of `variants:` in `blastgit.yaml`: `{"run": "runs/*/jointcal/*"}`.
        reason: Why, for the commit.

    Raises:
        InvalidInput: There is such a variant already.
        RepoError: The meaning, or a name, is not valid, or the file cannot be changed so.
        Denied: The policy on main does not allow this user to change it.
    """
    repository.require("admin")

    def decide(tip: pygit2.Commit | None) -> BranchEdit:
        text = b"" if tip is None else read_blob(tip.tree, FILE) or b""
        known = Variants.of(read_settings(text)).components
        if component in known and variant in known[component].names:
            raise InvalidInput(f"{component}@{variant} is declared already: its meaning is changed by hand in {FILE}")
        changed = _added(text.decode("utf-8"), component, variant, json.dumps(dict(meaning))).encode()
        found = Variants.of(read_settings(changed)).components
        others = {name: each.names for name, each in found.items() if name != component}
        if others != {name: each.names for name, each in known.items() if name != component}:
            raise RepoError(f"{component}@{variant} cannot be added to {FILE} as it is written: edit it by hand")
        found[component].meaning(variant)
        return BranchEdit({FILE: changed}, f"Declare {component}@{variant}: {reason}")

    commit = commit_to_branch(repository, "main", decide)
    assert commit is not None
    return commit


def _added(text: str, component: str, variant: str, meaning: str) -> str:
    """Return the text with one more variant, put before the others of its component."""
    import yaml

    section = value_of(yaml.compose(text, Loader=yaml.SafeLoader), "variants")
    spec = value_of(section, component)
    names = value_of(spec, "names")
    entry = f"{variant}: {meaning}"
    for node, words in (
        (names, entry),
        (spec, f"names: {{{entry}}}"),
        (section, f"{component}: {{names: {{{entry}}}}}"),
    ):
        if getattr(node, "value", None):
            return insert_first(text, node, words)
    return f"{text.rstrip()}\nvariants:\n  {component}:\n    names:\n      {entry}\n"
