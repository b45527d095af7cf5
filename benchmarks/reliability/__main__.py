"""`python -m benchmarks.reliability [SECTION …]`."""

from __future__ import annotations

import argparse
import os
import traceback
from collections.abc import Callable, Iterator

from benchmarks.reliability import disks, elsewhere, faults, history, hostile, killed, kills, parsers, power, writers
from benchmarks.reliability.row import Row

Section = Callable[[argparse.Namespace], Iterator[Row]]

_SECTIONS: dict[str, Section] = {
    "kills": kills.rows,
    "killed": killed.rows,
    "history": history.rows,
    "power": power.rows,
    "faults": faults.rows,
    "disks": disks.rows,
    "hostile": hostile.rows,
    "parsers": parsers.rows,
    "writers": writers.rows,
    "elsewhere": elsewhere.rows,
}
"""Each yields its lines of the table, and takes its counts from the options."""

_COUNTS = {
    "--kills": (500, "kills at random instants"),
    "--cuts": (100, "power cuts for each writing verb"),
    "--faults": (0, "failing operations for each writing verb, spread over all that it does; 0 for every one"),
    "--fuzz": (4000, "hostile inputs"),
    "--writers": (8, "writers at once, at most"),
    "--history": (64, "writers whose answers are written down and judged"),
}


def main() -> int:
    """Print the table; exit with 1 if anything was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reliability", description="Count what blastgit survives."
    )
    parser.add_argument("only", nargs="*", metavar="SECTION", help=f"of {', '.join(_SECTIONS)}; all by default")
    for option, (count, words) in _COUNTS.items():
        parser.add_argument(option, type=int, default=count, help=f"{words} (default: {count})")
    words = "minutes for each line of killed, power and parsers at most; 0 for as long as it takes (default: 0)"
    parser.add_argument("--minutes", type=float, default=0, help=words)
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn by chance (default: 0)")
    options = parser.parse_args()
    if unknown := set(options.only) - set(_SECTIONS):
        parser.error(f"there is no section {min(unknown)}: choose of {', '.join(_SECTIONS)}")
    os.environ.setdefault("GIT_CONFIG_NOSYSTEM", "1")
    lost = False
    print(f"{'what':46}{'tried':>8}{'survived':>10}  remark")
    for name, section in _SECTIONS.items():
        for row in _rows(name, section, options) if not options.only or name in options.only else ():
            mark = "LOST " if row.lost else ""
            print(f"{row.what:46}{row.tried:8}{row.survived:10}  {mark}{row.remark}", flush=True)
            lost = lost or row.lost
    return int(lost)


def _rows(name: str, section: Section, options: argparse.Namespace) -> Iterator[Row]:
    """Yield the lines of a section; one that breaks off has a line that says so, and the others go on."""
    try:
        yield from section(options)
    except Exception:  # noqa: BLE001 (it is printed, and counts as lost)
        traceback.print_exc()
        yield Row(name, 1, 0, "broke off: what it says on stderr is a fault of blastgit or of this benchmark")


if __name__ == "__main__":
    raise SystemExit(main())
