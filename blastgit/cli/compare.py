"""`blastgit compare A B`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.cli.common import bold, plural, print_table
from blastgit.cli.with_index import add_format, add_limits, say, with_index

if TYPE_CHECKING:
    from blastgit.index.open_index import OpenIndex, Result
    from blastgit.search.compare import CompareOptions, Comparison, Difference, Statistics

_TYPES = ("photometry", "sed", "sfh", "apertures", "hosts", "transients")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    words = "a RUN or other collection; app:VERSION, what a version of Blast made or reproduced; at:TIME, as of then"
    parser.add_argument("old", metavar="A", help=words)
    parser.add_argument("new", metavar="B", help="the same")
    parser.add_argument("--type", choices=_TYPES, default="photometry", help="what is compared (%(default)s)")
    parser.add_argument(
        "--columns", metavar="A,B,…", default="", help="only these (default: all; of percentiles, the medians)"
    )
    words = "an outlier lies S times 1.4826 MAD from the median difference (%(default)s)"
    parser.add_argument("--sigma", type=float, default=5.0, metavar="S", help=words)
    words = "name N outliers of each quantity (%(default)s)"
    parser.add_argument("--outliers", type=int, default=10, metavar="N", help=words)
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw old against new: .png, .svg or .pdf")
    parser.add_argument("--each", action="store_true", help="print each value that differs instead of statistics")
    add_format(parser)
    add_limits(parser)
    parser.epilog = """\
For each transient on both sides, the highest revision in A is compared with the highest in B.
"""


def run(options: argparse.Namespace) -> int:
    """Compare, and print the result."""
    if options.each:
        say(with_index(options, lambda _, index: _each(index, options)), options)
        return 0
    compared, drawn = with_index(options, lambda _, index: _compared(index, options))
    if options.format == "json":
        print(json.dumps(compared.to_json(), indent=2, ensure_ascii=False))
    elif options.format == "table":
        _say(compared)
    else:
        say(compared.to_result(), options)
    if options.picture and options.format == "table":
        print(f"\n{plural(drawn, 'number')} drawn in {options.picture}")
    return 0


def _each(index: OpenIndex, options: argparse.Namespace) -> Result:
    from blastgit.search.compare.compared import Comparing

    return Comparing(index, options.old, options.new, _options(options)).differences()


def _compared(index: OpenIndex, options: argparse.Namespace) -> tuple[Comparison, int]:
    from blastgit.search.compare.compared import Comparing

    comparing = Comparing(index, options.old, options.new, _options(options))
    compared = comparing.compare()
    drawn = 0
    if options.picture:
        from blastgit.search.compare.picture import draw

        drawn = draw(comparing, compared, options.picture)
    return compared, drawn


def _options(options: argparse.Namespace) -> CompareOptions:
    from blastgit.search.compare import CompareOptions

    columns = tuple(filter(None, map(str.strip, options.columns.split(","))))
    return CompareOptions(options.type, columns, options.sigma, options.outliers)


def _say(compared: Comparison) -> None:
    print(f"{bold(f'{compared.old} -> {compared.new}')}: {_held(compared)}")
    differing = [each for each in compared.statistics if each.changed or each.only_old or each.only_new]
    alike = len(compared.statistics) - len(differing)
    if differing:
        print()
        print_table([_HEAD, *map(_row, differing)], right=tuple(range(1, len(_HEAD))))
    if alike:
        print(f"\nno transient differs in {alike:,} {'other ' if differing else ''}number{'' if alike == 1 else 's'}")
    if compared.outliers:
        print(f"\n{bold('outliers')}")
        print_table([_outlier(each) for each in compared.outliers], right=(2, 4, 5))
        left = sum(each.outliers for each in compared.statistics) - len(compared.outliers)
        if left:
            print(f"  … and {left:,} more (--outliers)")


_HEAD = ["quantity", "both", "only A", "only B", "differ", "median", "MAD", "relative", "in sigma", "outliers", "unit"]


def _held(compared: Comparison) -> str:
    words = [f"{plural(compared.both, 'transient')} in both"]
    if compared.same:
        words.append(f"{compared.same:,} of them with the same revision")
    if compared.only_old or compared.only_new:
        words.append(f"{compared.only_old:,} only in A, {compared.only_new:,} only in B")
    return ", ".join(words)


def _row(each: Statistics) -> list[str]:
    name = " ".join([*each.group, each.quantity])
    counts = [f"{each.both:,}", *(f"{value:,}" if value else "" for value in (each.only_old, each.only_new))]
    relative = "" if each.median_relative is None else f"{100 * each.median_relative:+.2g} %"
    return [name, *counts, f"{each.changed:,}", _signed(each.median_difference), _number(each.mad), relative,
            _signed(each.median_sigma), f"{each.outliers:,}" if each.outliers else "", each.unit]  # fmt: skip


def _outlier(each: Difference) -> list[str]:
    sigma = "" if each.in_sigma is None else f"{each.in_sigma:+.2g} sigma"
    return [f"  {each.transient}", " ".join([*each.group, each.quantity]), _number(each.old), "->", _number(each.new),
            sigma]  # fmt: skip


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.3g}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"
