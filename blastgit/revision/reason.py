"""States in words why a revision was made: causes first, then their effects.

In Blast, the transient's data lead to images and the host, these to apertures, apertures to photometry, and photometry
to the SED fit; a stage that fails leaves the results of all later stages unchanged or missing. A person who asks why
there is a new revision wants the first link of that chain that changed, not the fifty numbers at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from blastgit.revision.compare import FieldChange, percent
from blastgit.revision.export import REFERENCE
from blastgit.revision.files import FileChange
from blastgit.revision.follows import effects
from blastgit.revision.redraws import Redraw, sigmas
from blastgit.revision.rules import FITS, Rules
from blastgit.revision.words import NAMED_AT_MOST, listed, names, plural, show_change

_ROW_WORDS = ("added", "removed", "changed")


@dataclass(frozen=True)
class Changes:
    """Everything that differs between two states of a transient.

    Attributes:
        fields: The values.
        files: The files.
        redrawn: The fits that were drawn again and are equal within their own noise, by scope.
    """

    fields: Sequence[FieldChange]
    files: Sequence[FileChange]
    redrawn: Mapping[str, Redraw] = field(default_factory=dict)

    @property
    def makes_revision(self) -> bool:
        """Whether these changes make a new revision."""
        return any(self._counts(change) for change in self.fields) or any(file.counts for file in self.files)

    @property
    def deviation(self) -> float | None:
        """The largest shift among fits that were only drawn again, in published widths; None if there are none."""
        return max((each.deviation for each in self.redrawn.values()), default=None)

    def _counts(self, change: FieldChange) -> bool:
        return change.table not in FITS or str(change.key[0]) not in self.redrawn

    def reason(self, rules: Rules) -> str:
        """Return the reason in one sentence: "2 is_validated flags flipped (SDSS_z, WISE_W4), no flux changed; …"."""
        tables = self._by_table(rules)
        causes = [clause for clause in self._causes(tables) if clause]
        known = [change for changes in tables.values() for change in changes]
        redrawn = {scope: sigmas(each.deviation) for scope, each in self.redrawn.items()}
        followed = [clause for clause in effects(known, self.files, redrawn, caused=bool(causes)) if clause]
        labels = [_labels(self.fields, rules, only=not causes and not followed)]
        return "; ".join(filter(None, causes + followed + labels)) or _anything(self) or "no change"

    def _causes(self, tables: Mapping[str, list[FieldChange]]) -> Iterator[str]:
        stages = tables.get("workflow_tasks", [])
        of_fits_alone = all("SED" in str(change.key[0]) for change in stages)
        transient = tables.get("transient", [])
        yield _scalars("transient", [change for change in transient if change.field != "host"])
        yield "" if of_fits_alone else _stages(stages)
        yield _images(self.files)
        yield _scalars("transient", [change for change in transient if change.field == "host"])
        yield _host(tables.get("host", []))
        yield _scalars(REFERENCE, tables.get(REFERENCE, []))
        yield _cutouts(tables.get("cutouts", []), self.files)
        yield _apertures(tables.get("apertures", []))
        yield _photometry(tables.get("photometry", []))
        for table in ("filters", "surveys"):
            settings = (c for c in tables.get(table, []) if c.row == "changed")  # others come and go with their images
            yield listed(f"settings of {table} changed", (str(c.key[0]) for c in settings))
        yield _stages(stages) if of_fits_alone else ""
        yield _schema([change for change in self.fields if not change.known and change.row == "changed"])

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
        stems = [file.stem for file in images if file.change == word and file.same_as is None]
        clauses.append(f"{names(stems)} image{'s' * (len(stems) > 1)} {word}" if stems else "")
    return "; ".join(filter(None, clauses))


def _scalars(table: str, changes: list[FieldChange]) -> str:
    said = [f"{table}.{c.field} changed from {' to '.join(show_change(c.old, c.new))}" for c in changes]
    return "; ".join(said) if len(said) <= 2 else listed(f"{table} changed in", (c.field for c in changes))


def _host(changes: list[FieldChange]) -> str:
    whole = next((c.row for c in changes if c.row != "changed"), None)
    return f"the host was {whole}" if whole else _scalars("host", changes)


def _stages(changes: list[FieldChange]) -> str:
    """Failures first and one by one: they are why other stages were not run."""
    outcomes = {str(change.key[0]): change.new for change in changes if change.field == "status"}
    failed = [f"{name} now ends with {end!r}" for name, end in outcomes.items() if end not in (None, "processed")]
    clauses = ["; ".join(failed[:NAMED_AT_MOST])]
    if len(failed) > NAMED_AT_MOST:
        clauses[0] += f" and {len(failed) - NAMED_AT_MOST} more"
    for end, verbs in (("processed", ("now succeeds", "now succeed")), (None, ("was not run", "were not run"))):
        stages = [name for name, outcome in outcomes.items() if outcome == end]
        clauses.append(f"{names(stages)} {verbs[len(stages) > 1]}" if stages else "")
    return "; ".join(filter(None, clauses))


def _cutouts(changes: list[FieldChange], files: Iterable[FileChange]) -> str:
    told = {file.stem for file in files if file.is_image and file.counts}
    rows = {str(c.key[0]): c.row for c in changes if not any(str(c.key[0]).endswith(f"_{stem}") for stem in told)}
    said = (("removed", "without an image now:"), ("added", "with an image now:"), ("changed", "changed:"))
    clauses = (listed(f"cutout rows {words}", (n for n, row in rows.items() if row == state)) for state, words in said)
    return "; ".join(filter(None, clauses))


def _apertures(changes: list[FieldChange]) -> str:
    rows = {str(change.key[0]): change.row for change in changes}
    clauses = []
    for word in _ROW_WORDS:
        found = [name for name, row in rows.items() if row == word]
        clauses.append(f"{plural(len(found), 'aperture')} {word} ({names(found)})" if found else "")
    return "; ".join(filter(None, clauses))


def _photometry(changes: list[FieldChange]) -> str:
    flags = [c for c in changes if c.field == "is_validated" and c.row == "changed"]
    fluxes = [c for c in changes if c.field == "flux" or c.row != "changed"]
    clauses = [_fluxes(fluxes)]
    if flags:
        said = names(sorted({str(c.key[-1]) for c in flags}))
        clauses.append(f"{plural(len(flags), 'is_validated flag')} flipped ({said})")
    measured = {c.key for c in fluxes}  # where the flux changed, error and magnitude did too
    others = [c for c in changes if c not in flags and c.key not in measured]
    if others:
        clauses.append(listed("changed:", (f"{c.field} of {c.key[-1]}" for c in others)))
    if (flags or others) and not fluxes:
        clauses[-1] += ", no flux changed"
    return "; ".join(filter(None, clauses))


def _fluxes(changes: list[FieldChange]) -> str:
    clauses = []
    for row in ("added", "removed"):
        found = sorted({str(c.key[-1]) for c in changes if c.row == row})
        clauses.append(f"photometry of {names(found)} {row}" if found else "")
    largest: dict[str, float] = {}
    for change in changes:
        if change.row == "changed":
            name = str(change.key[-1])
            largest[name] = max(largest.get(name, 0.0), change.relative or 0.0, key=abs)
    if largest:
        said = [f"{name} by {percent(size)}" if size else name for name, size in sorted(largest.items())]
        clauses.append(f"flux changed in {names(said)}")
    return "; ".join(filter(None, clauses))


def _schema(changes: list[FieldChange]) -> str:
    """Fields that the rules do not know; those of added and removed rows need no mention of their own."""
    added = [change for change in changes if change.old is None]
    dropped = [change for change in changes if change.new is None]
    others = [change for change in changes if change.old is not None and change.new is not None]
    said = (("schema added", added), ("schema dropped", dropped), ("changed, and unknown to the rules:", others))
    clauses = (listed(words, (f"{c.table}.{c.field}" for c in found)) for words, found in said)
    return "; ".join(filter(None, clauses))


def _anything(changes: Changes) -> str:
    """A clause on changes that nothing else mentions, such as a second filter with the same name."""
    tables = {"added": "rows added:", "removed": "rows removed:", "changed": "values changed:"}
    clauses = [listed(tables[row], (_owner(c) for c in changes.fields if c.row == row)) for row in tables]
    files = [file for file in changes.files if file.counts]
    clauses += [listed(f"files {word}:", (file.path for file in files if file.change == word)) for word in _ROW_WORDS]
    return "; ".join(filter(None, clauses))


def _owner(change: FieldChange) -> str:
    return change.path.removesuffix(f".{change.field}") if change.row != "changed" else change.path


def _labels(changes: Iterable[FieldChange], rules: Rules, *, only: bool) -> str:
    found = [c for c in changes if c.row == "changed" and c.field in rules.tables[c.table].labels]
    return listed("only labels changed:" if only else "labels changed:", (f"{c.table}.{c.field}" for c in found))


def change_lines(changes: Changes, at_most: int = 40) -> list[str]:
    """Return the changes line by line, for a commit message: files first, then fields."""
    lines = [f"{file.change:13} {file.path}{f' ({file.note})' if file.note else ''}" for file in changes.files]
    lines = [f"{'redrawn':13} {each}" for each in changes.redrawn.values()] + lines
    for change in changes.fields:
        size = f" ({change.size})" if change.size else ""
        lines.append(f"{change.path}: {' -> '.join(show_change(change.old, change.new))}{size}")
    if len(lines) > at_most:
        lines = [*lines[:at_most], f"… and {len(lines) - at_most} more"]
    return lines
