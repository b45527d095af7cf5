"""Rows that a transient left behind when it was renamed.

Blast names cutouts and apertures after the transient. After a rename the old rows stay, and a new run adds a second set
under the new name; its SED fit then fails because it finds two of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_TABLES = ("cutouts", "apertures", "photometry")


def former_rows(transient: str, paths: Iterable[str]) -> Iterator[str]:
    """Yield the paths of values in rows of a former name for which there is the same row under the present name.

    Args:
        transient: The present name.
        paths: Natural paths.
    """
    named = [(path, *path.split("/", 1)) for path in paths if path.partition("/")[0] in _TABLES]
    own = {(table, _row(rest)) for _, table, rest in named if rest.startswith(f"{transient}_")}
    ends = sorted({row.removeprefix(transient) for _, row in own}, key=len, reverse=True)
    for path, table, rest in named:
        row = _row(rest)
        end = next((end for end in ends if row.endswith(end)), None)
        if end is not None and not row.startswith(f"{transient}_") and (table, f"{transient}{end}") in own:
            yield path


def _row(rest: str) -> str:
    """Return the name of a cutout or aperture from a path without its table."""
    return rest.partition("/")[0].partition(".")[0]
