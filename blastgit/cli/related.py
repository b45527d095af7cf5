"""`blastgit related NAME… [--hosts|--cutouts|--filters|--same-host|--neighbours RADIUS]`."""

from __future__ import annotations

import argparse
from typing import Any

from blastgit.cli.common import add_json, open_repo, print_json, print_table, read_names

_KINDS = {"hosts": "host", "cutouts": "cutout", "filters": "filter", "same_host": "same-host"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="a transient, or NAME@N for one of its revisions")
    parser.add_argument("--from", dest="source", metavar="FILE", help="read more names, one a line; - for stdin")
    parser.add_argument("--hosts", action="store_true", help="the galaxy that each is in")
    parser.add_argument("--cutouts", action="store_true", help="its images")
    parser.add_argument("--filters", action="store_true", help="the filters of its images and photometry")
    parser.add_argument("--same-host", action="store_true", help="other transients of the same host")
    words = "other transients within this distance on the sky: 30arcsec, 2arcmin, 0.1deg"
    parser.add_argument("--neighbours", metavar="RADIUS", help=words)
    parser.add_argument("--list", action="store_true", help="print only what was found, one a line, without duplicates")
    add_json(parser)
    parser.epilog = "Without any of these: hosts, images, filters and transients of the same host.\n"


def run(options: argparse.Namespace) -> int:
    """Print what is related."""
    from blastgit.search.find.related import read_angle

    radius = None if options.neighbours is None else read_angle(options.neighbours)
    kinds = [kind for name, kind in _KINDS.items() if getattr(options, name)]
    kinds += [] if radius is None else ["neighbour"]
    found = open_repo(options).related(
        [*options.names, *(read_names(options.source) if options.source else [])], kinds or None, radius=radius
    )
    if options.json:
        print_json([each.to_json() for each in found])
    elif options.list:
        for target in dict.fromkeys(each.target for each in found):
            print(target)
    elif not found:
        print("nothing is related in this way")
    else:
        rows = [["transient", "relation", "to", ""]]
        rows += [[each.transient, each.kind, each.target, _facts(each.facts)] for each in found]
        print_table(rows)
    return 0


def _facts(facts: Any) -> str:
    if "separation_arcsec" in facts:
        return f"{facts['separation_arcsec']:.2f} arcsec"
    if "ra_deg" in facts:
        shift = "" if facts.get("redshift") is None else f", z = {facts['redshift']:g}"
        return f"{facts['ra_deg']:.6f} {facts['dec_deg']:+.6f}{shift}"
    return str(facts.get("host") or facts.get("survey") or "")
