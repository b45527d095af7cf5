"""`blastgit find CRITERIA…`."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.cli.common import key_values, read_names
from blastgit.cli.with_index import add_format, add_limits, say, with_index
from blastgit.search.tabular.lines import names_datasets

if TYPE_CHECKING:
    from blastgit.api.repo import DataRepo
    from blastgit.index.open_index import OpenIndex
    from blastgit.search.find import Criteria, Found
    from blastgit.search.sky.region import Region


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    # Otherwise argparse takes the declination in `--cone 10:00:00 -02:12:00 5arcmin` for an option.
    parser._negative_number_matcher = re.compile(r"-[0-9.]")  # noqa: SLF001
    _add_criteria(parser)
    _add_scope(parser)
    group = parser.add_argument_group("output")
    group.add_argument("--columns", metavar="A,B,…", default="", help="these columns: redshift, hosts.redshift, …")
    group.add_argument("--limit", type=int, metavar="N", help="only the first N")
    group.add_argument("--exit-code", action="store_true", help="end with 1 if nothing matches, as grep does")
    add_format(parser)
    add_limits(parser)
    parser.epilog = """\
All criteria must match. By default the latest revision of each transient is searched; with --at, --run, --app-version
or --collection, the highest revision of each transient among those that match them; with --all-revisions, every one.
A list for other verbs: blastgit find … --names | blastgit subset DEST --from -
"""


def _add_criteria(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("criteria").add_argument
    words = "near a position: degrees or 10:00:24.5 -02:12:00; radius as 0.1deg, 5arcmin, 30arcsec"
    add("--cone", nargs=3, metavar=("RA", "DEC", "RADIUS"), help=words)
    add("--region", metavar="REGION", help="in a MOC or a polygon: its text, or a file")
    add("--since", metavar="TIME", help="exported then or later")
    add("--name", metavar="GLOB", help="transients whose name matches")
    add("--alias", metavar="GLOB", help="transients whose other names, or whose host's names, match")
    add("--list", metavar="FILE", help="transients (any of their names) or NAME@N from a file, one a line; - for stdin")
    add("--redshift", metavar="LOW..HIGH", help="0.01..0.1, ..0.1 or 0.01..")
    words = "a condition in SQL on columns of `revisions`, hosts.…, sed_global.…, sed_local.…, metrics['…']"
    add("--where", metavar="SQL", help=words)
    words = "with this flag, or made with a host or a reference that has it; '!bad': neither"
    add("--inherit-flags", action="append", default=[], metavar="FLAG", help=words)
    add("--flag", action="append", default=[], metavar="FLAG", help="with this flag; '!bad': without it")
    add("--tag", action="append", default=[], metavar="TAG", help="with this tag; '!TAG': without it")
    add("--failed", metavar="STAGE", help="where this stage failed; any: where any stage did")
    add(
        "--out-of-date",
        metavar="STAGE",
        help="where the results of this stage are out of date; any: those of any stage",
    )
    words = "where this differs from the previous revision: sed, sed/local, photometry, host, a path, a pattern"
    add("--changed", metavar="WHAT", help=words)
    add("--query", metavar="NAME", help="in the result of a saved query")
    add("--param", action="append", default=[], metavar="KEY=VALUE", help="a parameter of that query")


def _add_scope(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("revisions to search").add_argument
    add("--at", metavar="TIME", help="as of then: 2026-05-27 is the end of that day")
    add("--run", dest="of_run", metavar="RUN", help="those in a RUN: made or reproduced by it")
    add("--app-version", metavar="V", help="those that this version of Blast made or reproduced")
    add("--collection", "--in", metavar="NAME", help="those in a collection")
    add("--all-revisions", action="store_true", help="all revisions, not just one of each transient")


def run(options: argparse.Namespace) -> int:
    """Find revisions."""
    from blastgit.search.find import Criteria

    wanted = Criteria(
        cone=options.cone and tuple(options.cone), region=_region(options.region), at=options.at, since=options.since,
        name=options.name, alias=options.alias, among=None if options.list is None else tuple(read_names(options.list)),
        redshift=options.redshift, where=options.where,
        flags=tuple(options.flag), inherited=tuple(options.inherit_flags),
        tags=tuple(options.tag), collection=options.collection, run=options.of_run,
        app_version=options.app_version, failed=options.failed, out_of_date=options.out_of_date,
        changed=options.changed, query=options.query,
        params=key_values(options.param, "--param"), all_revisions=options.all_revisions,
        columns=tuple(filter(None, map(str.strip, options.columns.split(",")))), limit=options.limit,
    )  # fmt: skip
    found = with_index(options, lambda repo, index: _find(repo, index, wanted, options))
    if found.answer is not None:
        print(f"blastgit: {found.answer}", file=sys.stderr)
    if not found:
        print("blastgit: nothing matches", file=sys.stderr)
    if found or options.format != "table":
        say(found, options)
    return int(not found and options.exit_code)


def _find(repo: DataRepo, index: OpenIndex, wanted: Criteria, options: argparse.Namespace) -> Found:
    """Find revisions; a list made from a query that returns only transients has their latest revisions."""
    found = repo.find(wanted, index=index)
    if options.format != "names" or not wanted.is_query_alone or names_datasets(found.columns):
        return found
    return repo.find(replace(wanted, columns=("dataset",)), index=index)


def _region(given: str | None) -> str | Region | None:
    """Return a region given as text, or read from the file of that name."""
    from blastgit.search.sky.region import load_region

    try:
        return load_region(Path(given)) if given is not None and Path(given).is_file() else given
    except OSError:  # the text of a large MOC is too long for a file name
        return given
