"""The rules that decide what a new revision is, read from `rules.yaml` and the overrides of a data repo."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import cache, cached_property
from math import inf
from pathlib import Path
from typing import Any

from blastgit.errors import RepoError
from blastgit.revision.document import canonical
from blastgit.revision.export import CHILD_LISTS, REFERENCE

FITS = ("sed", "sfh")
"""The tables of a fit's results; the keys of their rows start with its scope, "local" or "global"."""


@dataclass(frozen=True)
class Table:
    """How the rows of one table are found, named and compared; `rules.yaml` explains each word."""

    name: str
    rows: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    tolerance: float
    equal_within: float | None
    factors: Mapping[str, str]
    references: Mapping[str, str]
    copies: Mapping[str, str]
    volatile: frozenset[str]
    labels: frozenset[str]
    instants: frozenset[str]
    only_if: str | None
    only_used: tuple[str, ...]

    @cached_property
    def special(self) -> frozenset[str]:
        """The fields whose value is not taken as it is."""
        return frozenset({*self.references, *self.instants, *self.labels, "status"})

    def knows(self, field: str) -> bool:
        """Whether the rules name a field; others came with a newer Blast."""
        return field in self.labels or any(fnmatchcase(field, pattern) for pattern in self.values)


@dataclass(frozen=True)
class Rules:
    """All rules."""

    tables: Mapping[str, Table]
    ignore_unknown: bool
    pending: frozenset[str]
    ignored_stages: frozenset[str]
    renamed_outcomes: Mapping[str, str]
    derived: tuple[str, ...]
    samples: Mapping[str, tuple[str, ...]]
    volatile_cards: frozenset[str]
    tolerance: float
    absolute: tuple[tuple[str, float], ...]
    digest: str

    def is_derived(self, path: str) -> bool:
        """Whether a file is recorded with a revision but never causes one (a thumbnail)."""
        return any(fnmatchcase(path, pattern) for pattern in self.derived)

    def drawn(self, path: str, scope: str) -> tuple[str, ...]:
        """Return which arrays of a file the fit of a scope draws, as patterns of their paths; none for another file."""
        found = (arrays for end, arrays in self.samples.items() if fnmatchcase(path, end.replace("{scope}", scope)))
        return next(found, ())

    @cached_property
    def _limits(self) -> dict[str, float]:
        return {}

    def limit(self, name: str) -> float:
        """Return how far apart floats of a name may be at most; infinite unless it is an absolute time or position."""
        if name not in self._limits:
            low = name.lower()
            found = (limit for pattern, limit in self.absolute if _matches(low, pattern))
            self._limits[name] = min(found, default=inf)
        return self._limits[name]


@cache
def default_text() -> str:
    """Return the text of the rules as shipped."""
    return Path(__file__).with_name("rules.yaml").read_text("utf-8")


@cache
def default_rules() -> Rules:
    """Return the rules as shipped."""
    return build_rules({})


def build_rules(overrides: Mapping[str, Any]) -> Rules:
    """Return the shipped rules with `overrides` applied, key by key.

    Raises:
        RepoError: An override is invalid.
    """
    merged = _merge(_shipped(), overrides, "rules")
    try:
        return _build(merged)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise RepoError(f"the rules in blastgit.yaml are wrong: {error}; compare with rules.yaml") from None


@cache
def _shipped() -> Mapping[str, Any]:
    import yaml

    loaded: Mapping[str, Any] = yaml.load(default_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both loaders are safe ones)
    return loaded


def _merge(base: Mapping[str, Any], over: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    free = where.endswith((".renamed", ".references", ".copies", ".absolute", ".factors", ".samples"))
    known = {*base, *_TABLE_WORDS} if where.startswith("rules.tables.") else set(base)
    result = dict(base)
    for key, value in over.items():
        if key not in known and not free:
            raise RepoError(f"blastgit.yaml: {where}.{key} is not a rule; rules.yaml lists those there are")
        inner = base.get(key)
        result[key] = (
            _merge(inner, value, f"{where}.{key}") if isinstance(inner, dict) and isinstance(value, dict) else value
        )
    return result


_TABLE_WORDS = {field.name for field in fields(Table)} - {"name"}


def _build(merged: Mapping[str, Any]) -> Rules:
    if merged["unknown_fields"] not in ("compare", "ignore"):
        raise ValueError(f"unknown_fields is {merged['unknown_fields']!r}, not compare or ignore")
    tolerance = _tolerance(merged["tolerance"])
    tables = {name: _table(name, spec, tolerance) for name, spec in merged["tables"].items()}
    tables[REFERENCE] = _table(REFERENCE, {"rows": "object", "key": [], "values": ["*"]}, tolerance)
    _check_targets(tables)
    return Rules(
        tables=tables,
        ignore_unknown=merged["unknown_fields"] == "ignore",
        pending=frozenset(_words(merged["stages"]["pending"])),
        ignored_stages=frozenset(_words(merged["stages"]["ignored"])),
        renamed_outcomes=_pairs(merged["stages"]["renamed"]),
        derived=_words(merged["files"]["derived"]),
        samples={pattern: _words(arrays) for pattern, arrays in merged["files"]["samples"].items()},
        volatile_cards=frozenset(_words(merged["files"]["volatile_cards"])),
        tolerance=tolerance,
        absolute=_absolute(merged["absolute"]),
        digest="sha256:" + hashlib.sha256(canonical(merged)).hexdigest(),
    )


def _table(name: str, spec: Mapping[str, Any], tolerance: float) -> Table:
    if spec["rows"] not in ("object", "list", "others", *CHILD_LISTS):
        raise ValueError(f"{name}.rows is {spec['rows']!r}")
    return Table(
        name=name,
        rows=spec["rows"],
        key=_words(spec["key"]),
        values=_words(spec["values"]),
        tolerance=_tolerance(spec.get("tolerance", tolerance)),
        equal_within=_sigma(name, spec.get("equal_within")),
        factors=_pairs(spec.get("factors", {})),
        references=_pairs(spec.get("references", {})),
        copies=_pairs(spec.get("copies", {})),
        volatile=frozenset(_words(spec.get("volatile", []))),
        labels=frozenset(_words(spec.get("labels", []))),
        instants=frozenset(_words(spec.get("instants", []))),
        only_if=spec.get("only_if"),
        only_used=_words(spec.get("only_used", [])),
    )


def _check_targets(tables: Mapping[str, Table]) -> None:
    for table in tables.values():
        unknown = {*table.references.values(), *table.only_used} - set(tables)
        if unknown:
            raise ValueError(f"{table.name} refers to {min(unknown)}, which is not a table")
    targets = {target for table in tables.values() for target in table.references.values()} - {"host"}
    for name in sorted(targets | {table.name for table in tables.values() if table.only_used}):
        if not tables[name].key:
            raise ValueError(f"{name} needs a key, because others refer to its rows")


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError(f"{value!r:.60} is not a list of words")
    return tuple(value)


def _pairs(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.60} does not map words to words")
    _words([*value, *value.values()])
    return dict(value)


def _absolute(groups: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """Return each pattern of names, in lower case, with its limit."""
    found = []
    for group, spec in groups.items():
        limit = float(spec["within"])
        if not 0 <= limit < inf:
            raise ValueError(f"absolute.{group}.within is {spec['within']}")
        found += [(pattern.lower(), limit) for pattern in _words(spec["names"])]
    return tuple(found)


def _matches(name: str, pattern: str) -> bool:
    """Whether a name matches a pattern in which `*` stands for anything; regular expressions take longer to prepare."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    *middle, last = rest
    if not name.startswith(first) or not name.endswith(last) or len(name) < len(first) + len(last):
        return False
    inside = name[len(first) : len(name) - len(last)]
    for part in middle:
        _, found, inside = inside.partition(part) if part else ("", "*", inside)
        if not found:
            return False
    return True


def _tolerance(value: Any) -> float:
    number = float(value)
    if not 0 <= number < 1:
        raise ValueError(f"a tolerance of {value} is not between 0 and 1")
    return number


def _sigma(table: str, spec: Any) -> float | None:
    """Return how many published widths a sampler's results may move by and still be equal; None if the rule is off."""
    if spec is None:
        return None
    if table not in FITS:
        raise ValueError(f"{table}.equal_within: only {' and '.join(FITS)} hold what a sampler drew")
    if not isinstance(spec, dict) or set(spec) != {"sigma"}:
        raise ValueError(f"{table}.equal_within is {spec!r:.60}, not {{sigma: NUMBER}}")
    number = float(spec["sigma"])
    if isinstance(spec["sigma"], bool) or not 0 < number < inf:
        raise ValueError(f"{table}.equal_within.sigma is {spec['sigma']}, and should be a number above 0")
    return number
