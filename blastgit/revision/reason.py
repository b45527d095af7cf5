"""Saying in words why a revision was made: causes first, what follows from them after.

In Blast, images and the host lead to apertures, apertures to photometry, photometry to the SED fit. A person who asks
why there is a new revision wants the first link of that chain that moved, not the fifty numbers at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from blastgit.revision.compare import FieldChange
from blastgit.revision.document import Json
from blastgit.revision.files import FileChange
from blastgit.revision.rules import Rules

_FITS = ("sed", "sfh")
_NAMED_AT_MOST = 4


@dataclass(frozen=True)
class Changes:
    """All that differs between two states of a transient."""

    fields: Sequence[FieldChange]
    files: Sequence[FileChange]

    @property
    def makes_revision(self) -> bool:
        """Whether these changes make a new revision."""
        return bool(self.fields) or any(file.counts for file in self.files)

    def reason(self, rules: Rules) -> str:
        """Return the reason in one sentence: "2 is_validated flags flipped (SDSS_z, WISE_W4), no flux changed; …"."""
        causes = [clause for clause in self._causes(rules) if clause]
        effects = [clause for clause in self._effects(bool(causes)) if clause]
        labels = [_labels(self.fields, rules, only=not causes and not effects)]
        return "; ".join(filter(None, causes + effects + labels)) or "no change"

    def _causes(self, rules: Rules) -> Iterator[str]:
        yield _images(self.files)
        tables = self._by_table(rules)
        yield _scalars("transient", tables.get("transient", []))
        yield _host(tables.get("host", []))
        yield _stages(tables.get("workflow_tasks", []))
        yield _cutouts(tables.get("cutouts", []), self.files)
        yield _count("aperture", "changed", {c.key for c in tables.get("apertures", [])})
        yield _photometry(tables.get("photometry", []))
        for table in ("filters", "surveys"):
            yield _listed(f"settings of {table} changed", (str(c.key[0]) for c in tables.get(table, [])))
        yield _listed("schema added", (f"{c.table}.{c.field}" for c in self.fields if not c.known))

    def _effects(self, caused: bool) -> Iterator[str]:
        values = [c for c in self.fields if c.table in _FITS and c.known]
        files = [f for f in self.files if f.counts and not f.is_image]
        if values:
            scopes = " and ".join(sorted({str(c.key[0]) for c in values}))
            yield (
                f"the {scopes} SED results follow"
                if caused
                else f"the {scopes} SED results differ though no input changed (the fit draws random samples)"
            )
        elif files:
            yield ("also " if caused else "no value changed, but ") + _contents(files)

    def _by_table(self, rules: Rules) -> Mapping[str, list[FieldChange]]:
        tables: dict[str, list[FieldChange]] = {}
        for change in self.fields:
            if change.known and change.field not in rules.tables[change.table].labels:
                tables.setdefault(change.table, []).append(change)
        return tables


def _images(files: Iterable[FileChange]) -> str:
    images = [file for file in files if file.is_image and file.counts]
    back = [
        f"{file.stem} image is again that of revision {file.same_as}" for file in images if file.same_as is not None
    ]
    clauses = ["; ".join(back)]
    for word in ("changed", "added", "removed"):
        names = [file.stem for file in images if file.change == word and file.same_as is None]
        clauses.append(f"{_names(names)} image{'s' * (len(names) > 1)} {word}" if names else "")
    return "; ".join(filter(None, clauses))


def _scalars(table: str, changes: list[FieldChange]) -> str:
    said = [f"{table}.{c.field} changed from {show_value(c.old)} to {show_value(c.new)}" for c in changes]
    return "; ".join(said) if len(said) <= 2 else _listed(f"{table} changed in", (c.field for c in changes))


def _host(changes: list[FieldChange]) -> str:
    whole = next((c.row for c in changes if c.row != "changed"), None)
    return f"the host was {whole}" if whole else _scalars("host", changes)


def _stages(changes: list[FieldChange]) -> str:
    said = []
    for change in (change for change in changes if change.field == "status"):
        if change.new == "processed":
            said.append(f"{change.key[0]} now succeeds")
        elif change.new is None:
            said.append(f"{change.key[0]} was not run")
        else:
            said.append(f"{change.key[0]} now ends with {change.new!r}")
    return "; ".join(said[:_NAMED_AT_MOST]) + _more(len(said))


def _cutouts(changes: list[FieldChange], files: Iterable[FileChange]) -> str:
    told = {file.stem for file in files if file.is_image and file.counts}
    rows = {str(c.key[0]) for c in changes if not any(str(c.key[0]).endswith(f"_{stem}") for stem in told)}
    return _listed("cutout rows changed:", rows)


def _photometry(changes: list[FieldChange]) -> str:
    flags = [c for c in changes if c.field == "is_validated" and c.row == "changed"]
    fluxes = [c for c in changes if c.field == "flux" or c.row != "changed"]
    clauses = [_fluxes(fluxes)]
    if flags:
        names = _names(sorted({str(c.key[-1]) for c in flags}))
        clauses.append(f"{len(flags)} is_validated flag{'s' * (len(flags) > 1)} flipped ({names})")
    others = [c for c in changes if c not in flags and c not in fluxes]
    if others and not fluxes:
        clauses.append(_listed("changed:", (f"{c.field} of {c.key[-1]}" for c in others)))
    if (flags or others) and not fluxes:
        clauses[-1] += ", no flux changed"
    return "; ".join(filter(None, clauses))


def _fluxes(changes: list[FieldChange]) -> str:
    clauses = []
    for row in ("added", "removed"):
        names = sorted({str(c.key[-1]) for c in changes if c.row == row})
        clauses.append(f"photometry of {_names(names)} {row}" if names else "")
    largest: dict[str, float] = {}
    for change in changes:
        if change.row == "changed":
            name = str(change.key[-1])
            largest[name] = max(largest.get(name, 0.0), change.relative or 0.0, key=abs)
    if largest:
        said = [f"{name} by {size:+.1e}" if size else name for name, size in sorted(largest.items())]
        clauses.append(f"flux changed in {_names(said)}")
    return "; ".join(filter(None, clauses))


def _contents(files: list[FileChange]) -> str:
    words = {"changed": "changed in content", "added": "added", "removed": "removed"}
    said = ((_names([file.path for file in files if file.change == word]), text) for word, text in words.items())
    return "; ".join(f"{names} {text}" for names, text in said if names)


def _labels(changes: Iterable[FieldChange], rules: Rules, *, only: bool) -> str:
    found = [c for c in changes if c.field in rules.tables[c.table].labels]
    return _listed("only labels changed:" if only else "labels changed:", (f"{c.table}.{c.field}" for c in found))


def _count(noun: str, verb: str, things: set[tuple[Json, ...]]) -> str:
    return f"{len(things)} {noun}{'s' * (len(things) > 1)} {verb}" if things else ""


def _listed(words: str, items: Iterable[str]) -> str:
    names = list(dict.fromkeys(items))
    return f"{words} {_names(names)}" if names else ""


def _names(names: Sequence[str]) -> str:
    named = list(names)[:_NAMED_AT_MOST] if len(names) > _NAMED_AT_MOST + 1 else list(names)
    left = len(names) - len(named)
    return ", ".join(named) + (f" and {left} more" if left else "")


def _more(count: int) -> str:
    return f" and {count - _NAMED_AT_MOST} more" if count > _NAMED_AT_MOST else ""


def show_value(value: Json) -> str:
    """Return a value as a person reads it in a sentence."""
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)


def change_lines(changes: Changes, at_most: int = 40) -> list[str]:
    """Return the changes line by line, for a commit message: files first, then fields."""
    lines = [f"{file.change:13} {file.path}{f' ({file.note})' if file.note else ''}" for file in changes.files]
    for change in changes.fields:
        relative = "" if change.relative is None else f" ({change.relative:+.2e})"
        lines.append(f"{change.path}: {show_value(change.old)} -> {show_value(change.new)}{relative}")
    if len(lines) > at_most:
        lines = [*lines[:at_most], f"… and {len(lines) - at_most} more"]
    return lines
