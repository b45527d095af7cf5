"""What follows from causes: the results of the SED fits, and whether anything that a fit reads has changed.

The fits draw random samples, and Blast repeats them on every run. So their results differ each time, and a person wants
to know whether that was noise or the effect of a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from blastgit.revision.compare import FieldChange
from blastgit.revision.files import FileChange
from blastgit.revision.rules import FITS
from blastgit.revision.words import names

_READS = {
    "photometry": ("flux", "flux_error", "is_validated"),
    "transient": ("redshift",),
    "host": ("redshift", "photometric_redshift"),
}
"""What each fit reads, of photometry in its own apertures only; `workflow/stages.yaml` has the same for planning."""

_DUST_OF = {"local": "transient", "global": "host"}
"""The object in whose direction the dust lies that each fit's fluxes are corrected for."""


def is_read(change: FieldChange, scope: str) -> bool:
    """Whether a value that changed is one that the fit of a scope reads."""
    if change.table == "filters":
        # Added and removed rows go with their photometry. Other fields of a filter act through the photometry.
        return change.row == "changed" and change.field.startswith("wavelength_")
    if change.field == "milkyway_dust_reddening":
        return change.table == _DUST_OF.get(scope)
    if change.table == "photometry" and not str(change.key[0]).endswith(f"_{scope}"):
        return False
    return change.field in _READS.get(change.table, ())


def fed(changes: Iterable[FieldChange], scopes: Iterable[str]) -> set[str]:
    """Return the scopes, out of those given, of the fits with changed inputs."""
    inputs = [change for change in changes if change.table not in FITS]
    # A stage that succeeds again may use inputs that had changed while it failed.
    again = any(change.table == "workflow_tasks" and change.new == "processed" for change in inputs)
    return {scope for scope in scopes if again or any(is_read(change, scope) for change in inputs)}


def effects(
    changes: Iterable[FieldChange], files: Iterable[FileChange], redrawn: Mapping[str, str], *, caused: bool
) -> Iterator[str]:
    """Yield clauses on the fits' results, and on files that the rest of the reason does not mention.

    Args:
        changes: The values that the rules know and that differ, labels left out.
        files: The files that differ.
        redrawn: How far each fit that is equal within its own noise has moved, by scope.
        caused: Whether the reason names causes.
    """
    changes = list(changes)
    fits = _Fits(changes, redrawn)
    yield from fits.clauses(caused=caused)
    left = [file for file in files if file.counts and not file.is_image and not fits.tell(file.path)]
    if left:
        yield ("also " if caused or fits.scopes else "no value changed, but ") + _contents(left)


class _Fits:
    """The fits whose results or inputs differ."""

    def __init__(self, changes: list[FieldChange], redrawn: Mapping[str, str]) -> None:
        self._redrawn = redrawn
        self._of: dict[str, list[FieldChange]] = {}
        for change in changes:
            if change.table in FITS:
                self._of.setdefault(str(change.key[0]), []).append(change)
        self._fed = fed(changes, {*self._of, *_DUST_OF})

    @property
    def scopes(self) -> list[str]:
        """The scopes of the fits whose results differ."""
        return sorted(self._of)

    def tell(self, path: str) -> bool:
        """Whether a file is of a fit that differs by more than its noise, or has changed inputs."""
        scopes = {*self._of, *self._fed} - set(self._redrawn)
        return path.startswith("sed_output/") and any(f"_{scope}" in path for scope in scopes)

    def clauses(self, *, caused: bool) -> Iterator[str]:
        whole = {scope: state for scope in self._of if (state := self._state(scope)) != "changed"}
        for state in ("added", "removed"):
            yield _results([scope for scope in whole if whole[scope] == state], f"were {state}")
        rest = [scope for scope in self.scopes if scope not in whole]
        yield _results([scope for scope in rest if scope in self._fed], "follow")
        alone = [scope for scope in rest if scope not in self._fed and scope not in self._redrawn]
        bins = [scope for scope in alone if self._has_other_bins_only(scope)]
        yield _results(bins, "have other bins of the star formation history")
        words = "differ though no input changed" + (" for them" if caused else "")
        yield _results([scope for scope in alone if scope not in bins], f"{words} (the fit draws random samples)")
        for scope in rest:
            yield _results([scope] * (scope in self._redrawn), f"were redrawn within {self._redrawn.get(scope)} sigma")

    def _state(self, scope: str) -> str:
        """Whether the results as a whole were added or removed; else "changed"."""
        states = {change.row for change in self._of[scope] if change.table == "sed"}
        return states.pop() if len(states) == 1 else "changed"

    def _has_other_bins_only(self, scope: str) -> bool:
        """Blast keeps rows of bins that no fit uses any more until the transient is deleted."""
        return all(
            change.field == "logsfh" if change.table == "sed" else change.row != "changed" for change in self._of[scope]
        )


def _results(scopes: list[str], what: str) -> str:
    return f"the {' and '.join(sorted(scopes))} SED results {what}" if scopes else ""


def _contents(files: list[FileChange]) -> str:
    words = {"changed": "changed in content", "added": "added", "removed": "removed"}
    said = ((names([file.path for file in files if file.change == word]), text) for word, text in words.items())
    return "; ".join(f"{listed} {text}" for listed, text in said if listed)
