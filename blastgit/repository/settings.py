"""The settings of a data repo: `blastgit.yaml` on main."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from blastgit.errors import RepoError
from blastgit.naming.keys import check_keys, read_mapping
from blastgit.repository.format import FILE, FORMAT
from blastgit.repository.policy import Policy, read_policy
from blastgit.revision.rules import Rules, build_rules
from blastgit.safe_yaml import load_yaml

_KEYS = {"format", "kind", "rules", "title", "policy"}
SECTIONS = frozenset(
    {
        "citation",
        "collections",
        "dataset_types",
        "flags",
        "hosts",
        "identity",
        "publish",
        "renames",
        "stages",
        "names",
        "references",
        "storage",
        "variants",
    }
)
"""The keys that other packages read, as by `Stages.of(settings)`. `checks/settings.py` reads them all."""

T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """The contents of `blastgit.yaml`.

    Attributes:
        simulated: Whether the repo holds simulated data, which never mix with real ones.
        rules: The rules that decide whether a state is a new revision.
        title: The name of the repo, for people.
        format: The version of the on-disk format.
        policy: Who may do what.
        sections: The values of the other keys, for the packages that read them; see `read`.
    """

    simulated: bool
    rules: Rules
    title: str
    format: int = FORMAT
    policy: Policy = field(default_factory=Policy)
    sections: Mapping[str, Any] = field(default_factory=dict)
    _read: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def read(self, key: str, reader: Callable[[Any], T]) -> T:
        """Return a parsed section, cached.

        Args:
            key: One of `SECTIONS`.
            reader: Parses the YAML value, or None for the default, into a frozen object; raises a `RepoError` that
                locates any mistake.

        Raises:
            RepoError: The section has a mistake.
        """
        if key not in self._read:
            self._read[key] = reader(self.sections.get(key))
        found: T = self._read[key]
        return found


@lru_cache(maxsize=32)
def read_settings(text: bytes) -> Settings:
    """Read `blastgit.yaml`.

    Raises:
        RepoError: It has a newer format, or is not valid.
    """
    loaded = _load(text)
    version = loaded.get("format")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise RepoError(f"{FILE} on main states no format version: is this a data repo?")
    if version > FORMAT:
        raise RepoError(
            f"this data repo has format {version}, but this blastgit only reads up to {FORMAT}: install a newer one"
        )
    known = sorted(_KEYS | SECTIONS)
    check_keys(loaded, f"{FILE} on main", known)
    if loaded.get("kind", "real") not in ("real", "simulated"):
        raise RepoError(f"{FILE} on main: kind is {loaded['kind']!r}, neither real nor simulated")
    rules = read_mapping(loaded.get("rules"), f"{FILE} on main: rules")
    policy = read_policy(loaded.get("policy"))
    title = str(loaded.get("title", ""))
    sections = MappingProxyType({key: value for key, value in loaded.items() if key in SECTIONS})
    return Settings(loaded.get("kind") == "simulated", build_rules(rules), title, version, policy, sections)


def _load(text: bytes) -> dict[str, Any]:
    loaded = load_yaml(text, f"{FILE} on main")
    if not isinstance(loaded, dict):
        raise RepoError(f"{FILE} on main is not a mapping of settings")
    return loaded


def default_text(*, simulated: bool) -> bytes:
    """Return the `blastgit.yaml` that a data repo starts from."""
    return f"""# The settings of this data repo; docs/format.md and docs/operators.md of blastgit explain each.
format: {FORMAT}
kind: {"simulated" if simulated else "real"}  # real and simulated data never mix in one repo
title: ""

# Rules put here replace blastgit's own (blastgit/revision/rules.yaml), key by key:
# rules:
#   tables:
#     sed: {{tolerance: 0.01}}

# Which states get a number: all that differ, or those whose workflow came to its end (docs/workflow.md):
# publish: complete

# Who may do what; without it, whoever can write to this repo may do everything (docs/hooks.md):
# policy:
#   roles:
#     admin: [alice]
#     writer: [blast-worker, {{who: bob, until: 2027-12-31}}]
#     annotator: ["*"]
""".encode()
