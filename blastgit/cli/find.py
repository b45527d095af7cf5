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
    # Else argparse takes the declination of `--cone 10:00:00 -02:12:00 5arcmin` for an option.
    parser._negative_number_matcher = re.compile(r"-[0-9.]")  # noqa: SLF001
    _add_criteria(parser)
    _add_scope(parser)
    group = parser.add_argument_group("what is printed")
    group.add_argument("--columns", metavar="A,B,…", default="", help="these columns: redshift, hosts.redshift, …")
    group.add_argument("--limit", type=int, metavar="N", help="the first N")
    group.add_argument("--exit-code", action="store_true", help="end with 1 if nothing fits, as grep does")
    add_format(parser)
    add_limits(parser)
    parser.epilog = """\
All criteria must fit. Revisions that are looked at: the latest of each transient; with --at, --run, --app-version or
--collection, the highest of each transient among those that fit them; with --all-revisions, each.
A list for other verbs: blastgit find … --names | blastgit subset DEST --from -
"""


def _add_criteria(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("what fits").add_argument
    words = "near a position: degrees or 10:00:24.5 -02:12:00; radius as 0.1deg, 5arcmin, 30arcsec"
    add("--cone", nargs=3, metavar=("RA", "DEC", "RADIUS"), help=words)
    add("--region", metavar="REGION", help="in a MOC or a polygon: its text, or a file")
    add("--since", metavar="TIME", help="exported then or later")
    add("--name", metavar="GLOB", help="transients whose name matches")
    add("--alias", metavar="GLOB", help="whose other names, or their host's, match")
    add("--list", metavar="FILE", help="transients, by any name, or NAME@N, of a file, one a line; - for stdin")
    add("--redshift", metavar="LOW..HIGH", help="0.01..0.1, ..0.1 or 0.01..")
    words = "a condition in SQL on columns of `revisions`, hosts.…, sed_global.…, sed_local.…, metrics['…']"
    add("--where", metavar="SQL", help=words)
    words = "flagged so, or made with a host or a reference that is flagged so; '!bad': neither"
    add("--inherit-flags", action="append", default=[], metavar="FLAG", help=words)
    add("--flag", action="append", default=[], metavar="FLAG", help="flagged so; '!bad': not flagged so")
    add("--tag", action="append", default=[], metavar="TAG", help="tagged so; '!TAG': not tagged so")
    add("--failed", metavar="STAGE", help="where this stage failed; any: whichever")
    add("--out-of-date", metavar="STAGE", help="where what this stage made is out of date; any: whichever")
    words = "what differs from the revision before: sed, sed/local, photometry, host, a path, a pattern"
    add("--changed", metavar="WHAT", help=words)
    add("--query", metavar="NAME", help="what a saved query gives")
    add("--param", action="append", default=[], metavar="KEY=VALUE", help="of that query")


def _add_scope(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("among which revisions").add_argument
    add("--at", metavar="TIME", help="as of then: 2026-05-27 is the end of that day")
    add("--run", dest="of_run", metavar="RUN", help="those that a RUN holds: born into it, or found again by it")
    add("--app-version", metavar="V", help="those that this version of Blast made, or whose values it found again")
    add("--collection", "--in", metavar="NAME", help="those that a collection gives")
    add("--all-revisions", action="store_true", help="each, not just one of each transient")


def run(options: argparse.Namespace) -> int:
    """Find it."""
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
        print("blastgit: nothing fits", file=sys.stderr)
    if found or options.format != "table":
        say(found, options)
    return int(not found and options.exit_code)


def _find(repo: DataRepo, index: OpenIndex, wanted: Criteria, options: argparse.Namespace) -> Found:
    """Find it; of a query that names transients alone, a list has the latest revisions."""
    found = repo.find(wanted, index=index)
    if options.format != "names" or not wanted.is_query_alone or names_datasets(found.columns):
        return found
    return repo.find(replace(wanted, columns=("dataset",)), index=index)


def _region(given: str | None) -> str | Region | None:
    """Return a region as text, or what is in the file of that name."""
    from blastgit.search.sky.region import load_region

    try:
        return load_region(Path(given)) if given is not None and Path(given).is_file() else given
    except OSError:  # the text of a large MOC is too long for a file's name
        return given
