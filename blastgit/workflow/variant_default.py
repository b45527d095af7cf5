"""The default variant of a component: an entry in `blastgit.yaml` on main, whose changes are commits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pygit2

from blastgit.errors import RepoError
from blastgit.plumbing.trees import read_blob
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.format import FILE
from blastgit.repository.settings import read_settings
from blastgit.workflow.variants import Variants


@dataclass(frozen=True)
class Change:
    """A change of the section `variants` on main.

    Attributes:
        commit: The commit of main.
        time: When (UTC).
        author: By whom.
        subject: What changed, and why.
        defaults: The default of each component after it.
    """

    commit: str
    time: datetime
    author: str
    subject: str
    defaults: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "commit": self.commit, "time": self.time.isoformat(), "author": self.author, "subject": self.subject,
            "defaults": self.defaults,
        }  # fmt: skip


def set_default(repository: Repository, component: str, variant: str, reason: str) -> str | None:
    """Make a variant the default of a component, and return the commit of main.

    Only that entry of `blastgit.yaml` changes, so that comments stay.

    Raises:
        NotFound: The component or variant does not exist.
        Denied: The policy on main does not allow this user to change it.
        RepoError: The file cannot be changed in this way.
    """
    repository.require("admin")

    def decide(tip: pygit2.Commit | None) -> BranchEdit | None:
        text = b"" if tip is None else read_blob(tip.tree, FILE) or b""
        found = Variants.of(read_settings(text)).component(component)
        if variant == found.default:
            return None
        found.meaning(variant)
        changed = _changed(text.decode("utf-8"), component, variant).encode()
        if Variants.of(read_settings(changed)).component(component).default != variant:
            raise RepoError(f"the default of {component} cannot be changed in {FILE} as it is written: edit it by hand")
        return BranchEdit({FILE: changed}, f"Let {component}@{variant} be the default: {reason}")

    return commit_to_branch(repository, "main", decide)


def _changed(text: str, component: str, variant: str) -> str:
    """Return the text with another default, inserted before the component's other keys if it has none."""
    import yaml

    spec = value_of(value_of(yaml.compose(text, Loader=yaml.SafeLoader), "variants"), component)
    node = value_of(spec, "default")
    if node is not None:
        return f"{text[: node.start_mark.index]}{variant}{text[node.end_mark.index :]}"
    if not isinstance(spec, yaml.MappingNode) or not spec.value:
        raise RepoError(f"{FILE} on main: variants.{component} is empty: edit it by hand")
    return insert_first(text, spec, f"default: {variant}")


def insert_first(text: str, mapping: Any, entry: str) -> str:
    """Return a YAML text with one more entry before those of a mapping, which must not be empty."""
    first = mapping.value[0][0].start_mark
    between = ", " if mapping.flow_style else f"\n{' ' * first.column}"
    return f"{text[: first.index]}{entry}{between}{text[first.index :]}"


def value_of(node: Any, key: str) -> Any:
    """Return the node of a key in a YAML mapping, or None."""
    pairs = getattr(node, "value", None)
    if not isinstance(pairs, list):
        return None
    return next((value for name, value in pairs if getattr(name, "value", None) == key), None)


def changes(repository: Repository) -> list[Change]:
    """Return the changes of the section `variants` on main, newest first."""
    return list(_changes(repository))


def _changes(repository: Repository) -> Iterator[Change]:
    commits = list(repository.commits("main"))
    for commit, before in zip(commits, [*commits[1:], None], strict=True):
        now, then = _section(commit), None if before is None else _section(before)
        if now != then:
            components = Variants.of(read_settings(read_blob(commit.tree, FILE) or b"")).components if now else {}
            defaults = {name: each.default for name, each in components.items() if each.default}
            subject = commit.message.partition("\n")[0]
            yield Change(str(commit.id), Marker(commit).recorded, commit.author.name, subject, defaults)


def _section(commit: pygit2.Commit) -> Any:
    """Return the section at a commit; None if it did not exist, or the settings could not be read."""
    data = read_blob(commit.tree, FILE)
    try:
        return None if data is None else read_settings(data).sections.get("variants")
    except RepoError:
        return None
