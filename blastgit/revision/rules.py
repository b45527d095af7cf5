"""The rules that decide what a new revision is, read from `rules.yaml` and what a data repo puts over it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any

from blastgit.errors import RepoError
from blastgit.revision.document import canonical

CHILD_LISTS = ("sedfittingresults", "aperturephotometry", "starformationhistoryresult")
"""The lists that each aperture of an export carries (Blast: `host_utils.export_transient_info`)."""


@dataclass(frozen=True)
class Table:
    """How the rows of one table are found, named and compared; `rules.yaml` explains each word."""

    name: str
    rows: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    tolerance: float
    references: Mapping[str, str]
    copies: Mapping[str, str]
    volatile: frozenset[str]
    labels: frozenset[str]
    instants: frozenset[str]
    only_if: str | None
    only_used: tuple[str, ...]

    def knows(self, field: str) -> bool:
        """Whether the rules name a field; others came with a newer Blast."""
        return field in self.labels or any(fnmatchcase(field, pattern) for pattern in self.values)


@dataclass(frozen=True)
class Rules:
    """The whole of the rules, as a value."""

    tables: Mapping[str, Table]
    ignore_unknown: bool
    pending: frozenset[str]
    ignored_stages: frozenset[str]
    renamed_outcomes: Mapping[str, str]
    derived: tuple[str, ...]
    volatile_cards: frozenset[str]
    tolerance: float
    digest: str

    def is_derived(self, path: str) -> bool:
        """Whether a file is recorded with a revision but never the cause of one (a thumbnail)."""
        return any(fnmatchcase(path, pattern) for pattern in self.derived)


@cache
def default_text() -> str:
    """Return the rules as shipped, as people read them."""
    return resources.files("blastgit.revision").joinpath("rules.yaml").read_text("utf-8")


@cache
def default_rules() -> Rules:
    """Return the rules as shipped."""
    return build_rules({})


def build_rules(overrides: Mapping[str, Any]) -> Rules:
    """Return the shipped rules with `overrides` put over them, key by key.

    Raises:
        RepoError: An override has no meaning.
    """
    merged = _merge(_shipped(), overrides, "rules")
    try:
        return _build(merged)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise RepoError(f"the rules in blastgit.yaml make no sense: {error}; compare with rules.yaml") from None


@cache
def _shipped() -> Mapping[str, Any]:
    import yaml

    loaded: Mapping[str, Any] = yaml.load(default_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both loaders are safe ones)
    return loaded


def _merge(base: Mapping[str, Any], over: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    free = where == "rules.stages.renamed" or where.endswith((".references", ".copies"))
    result = dict(base)
    for key, value in over.items():
        if key not in base and not free and not where.startswith("rules.tables"):
            raise RepoError(f"blastgit.yaml: {where}.{key} is no rule; rules.yaml lists those there are")
        inner = base.get(key)
        result[key] = (
            _merge(inner, value, f"{where}.{key}") if isinstance(inner, dict) and isinstance(value, dict) else value
        )
    return result


def _build(merged: Mapping[str, Any]) -> Rules:
    if merged["unknown_fields"] not in ("compare", "ignore"):
        raise ValueError(f"unknown_fields is {merged['unknown_fields']!r}, not compare or ignore")
    tolerance = _tolerance(merged["tolerance"])
    return Rules(
        tables={name: _table(name, spec, tolerance) for name, spec in merged["tables"].items()},
        ignore_unknown=merged["unknown_fields"] == "ignore",
        pending=frozenset(merged["stages"]["pending"]),
        ignored_stages=frozenset(merged["stages"]["ignored"]),
        renamed_outcomes=dict(merged["stages"]["renamed"]),
        derived=tuple(merged["files"]["derived"]),
        volatile_cards=frozenset(merged["files"]["volatile_cards"]),
        tolerance=tolerance,
        digest="sha256:" + hashlib.sha256(canonical(merged)).hexdigest(),
    )


def _table(name: str, spec: Mapping[str, Any], tolerance: float) -> Table:
    if spec["rows"] not in ("object", "list", *CHILD_LISTS):
        raise ValueError(f"{name}.rows is {spec['rows']!r}")
    return Table(
        name=name,
        rows=spec["rows"],
        key=tuple(spec["key"]),
        values=tuple(spec["values"]),
        tolerance=_tolerance(spec.get("tolerance", tolerance)),
        references=dict(spec.get("references", {})),
        copies=dict(spec.get("copies", {})),
        volatile=frozenset(spec.get("volatile", ())),
        labels=frozenset(spec.get("labels", ())),
        instants=frozenset(spec.get("instants", ())),
        only_if=spec.get("only_if"),
        only_used=tuple(spec.get("only_used", ())),
    )


def _tolerance(value: Any) -> float:
    number = float(value)
    if not 0 <= number < 1:
        raise ValueError(f"a tolerance of {value} is not between 0 and 1")
    return number
