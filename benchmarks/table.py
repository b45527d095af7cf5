"""The table that the benchmarks print."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from benchmarks.race import Row

_HEAD = ("what", "control", "control's", "blastgit's", "ratio", "must be", "")


def head() -> str:
    """Return a line about the machine: ratios carry over to others, times do not."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores, load {load}; medians"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text."""
    cells = [_HEAD, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = ["  ".join(_pad(text, width, i) for i, (text, width) in enumerate(zip(line, widths, strict=True))).rstrip()
             for line in cells]  # fmt: skip
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _pad(text: str, width: int, column: int) -> str:
    return text.rjust(width) if column in (2, 3, 4) else text.ljust(width)


def _cells(row: Row) -> tuple[str, ...]:
    verdict = {None: "", True: "ok", False: "NO"}[row.is_met]
    return (
        row.what, row.control, _amount(row.control_seconds, row.unit), _amount(row.seconds, row.unit), _ratio(row),
        str(row.target or ""), verdict,
    )  # fmt: skip


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "ms":
        return f"{value * 1e3:,.1f} ms"
    return f"{value / 1e6:,.1f} MB" if value >= 1e5 else f"{value / 1e3:,.1f} kB"


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return ""
    return f"{1 / row.ratio:.1f} x faster" if row.target is not None and row.target.faster else f"{row.ratio:.2f} x"
