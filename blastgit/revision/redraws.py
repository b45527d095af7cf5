"""Fits that were drawn again and are equal within their own noise (`equal_within` in the rules).

A fit draws random samples, so its percentiles move from run to run by their Monte Carlo error though nothing that it
reads has changed. A *redraw* is such a fit: every percentile lies within a set number of widths of the published one. A
fit is judged as a whole. If one of its values is further off, all that differ count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import NamedTuple

from blastgit.revision.compare import FieldChange
from blastgit.revision.files import FileChange
from blastgit.revision.follows import fed
from blastgit.revision.normalise import NaturalForm
from blastgit.revision.rules import FITS, Rules


class Redraw(NamedTuple):
    """A fit whose results are equal within their own noise.

    Attributes:
        scope: Which fit, "local" or "global".
        deviation: How far the value that moved most has moved, in published widths.
        path: That value, `sed/global.log_mass_16`; "" if none has.
    """

    scope: str
    deviation: float = 0.0
    path: str = ""

    def __str__(self) -> str:
        where = f" ({self.path})" if self.path else ""
        return f"the {self.scope} SED results, within {sigmas(self.deviation)} sigma{where}"


def sigmas(deviation: float, places: int = 2) -> str:
    """Return a deviation rounded up, so that every value really is within it."""
    return f"{ceil(deviation * 10**places) / 10**places:g}"


def find_redraws(
    old: NaturalForm, new: NaturalForm, changes: Sequence[FieldChange], rules: Rules
) -> Mapping[str, Redraw]:
    """Return the fits that are equal, within their own noise, by scope: nothing that they read has changed.

    Args:
        old: What was published.
        new: What is compared with it.
        changes: The values that differ.
        rules: How far off a fit's results may be.
    """
    if rules.tables["sed"].equal_within is None:
        return {}
    scopes = [{str(row.key[0]) for row in form.tables.get("sed", [])} for form in (old, new)]
    found = {}
    known = scopes[0] & scopes[1]
    for scope in sorted(known - fed(changes, known)):
        own = [change for change in changes if change.table in FITS and str(change.key[0]) == scope]
        if all(_is_within(change, rules) for change in own):
            found[scope] = _furthest(scope, own)
    return found


def drawn_again(equal: Mapping[str, Redraw], files: Iterable[FileChange], rules: Rules) -> Mapping[str, Redraw]:
    """Return those of the fits that are equal of which a value or a file of samples was drawn again."""
    paths = [file.path for file in files if file.change == "redrawn"]
    return {
        scope: each for scope, each in equal.items() if each.path or any(rules.drawn(path, scope) for path in paths)
    }


def _is_within(change: FieldChange, rules: Rules) -> bool:
    limit = rules.tables[change.table].equal_within
    return change.deviation is not None and limit is not None and change.deviation <= limit


def _furthest(scope: str, changes: Iterable[FieldChange]) -> Redraw:
    moved = max(changes, key=lambda change: change.deviation or 0.0, default=None)
    return Redraw(scope) if moved is None else Redraw(scope, moved.deviation or 0.0, moved.path)
