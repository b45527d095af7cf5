"""`blastgit show NAME[@REV][:PATH]`."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from blastgit.cli.common import (
    add_even_invalid,
    add_json,
    add_strict,
    bold,
    open_repo,
    print_data,
    print_json,
    print_table,
    size_text,
    tell_real_name,
    warn_invalid,
    warn_out_of_date,
)

if TYPE_CHECKING:
    from blastgit.workflow.judged import ValidityReport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("spec", metavar="NAME[@REV][:PATH]", help="a revision, or a value, some rows or a file in it")
    add_even_invalid(parser)
    add_strict(parser)
    parser.add_argument(
        "--validity",
        action="store_true",
        help="show how each stage ended, and what is therefore invalid or out of date",
    )
    add_json(parser)
    parser.epilog = """\
PATH is a value (host.redshift, photometry/2026dgt_DES_z_global/DES_z.flux, sed/global.log_mass_50),
the beginning of a path (host, sed/global), a file (cutout_cdn/DES/DES_z.fits),
or keys of the document (metadata.app_version, files). Without PATH: the document as it was published.
"""


def run(options: argparse.Namespace) -> int:
    """Show a revision, or something in it."""
    from blastgit.revision.document import write

    repo = open_repo(options)
    if options.validity:
        return _show_validity(repo.validity(options.spec), as_json=options.json)
    shown = repo.show(options.spec, even_invalid=options.even_invalid, strict=options.strict)
    tell_real_name(shown.asked, shown.revision)
    if options.json:
        print_json(shown.to_json())
    elif shown.kind == "document":
        print_data([write(shown.value).decode()])  # byte for byte what was published
    elif shown.kind == "rows":
        print_table([[path, _text(value)] for path, value in shown.value.items()])
    else:
        print(_text(shown.value))
    warn_invalid(shown.invalid)
    warn_out_of_date(shown.out_of_date)
    flag = None if options.json else repo.annotations.flag_of(shown.revision)
    if flag:
        print(
            f"blastgit: {shown.revision} is flagged {flag}; `blastgit notes {shown.revision}` says why",
            file=sys.stderr,
        )
    return 0


def _show_validity(judged: ValidityReport, *, as_json: bool) -> int:
    told = judged.to_json()
    tell_real_name(told["asked"], told["revision"])
    if as_json:
        print_json(told)
        return 0
    count, late = len(told["invalid"]), len(told["out_of_date"])
    also = f", {late} out of date" if late else ""
    also += f", {len(told['not_made'])} not made yet" if told["not_made"] else ""
    print(f"{bold(told['revision'])}: {told['status']}; {count or 'nothing'} invalid{also}")
    print_table([[f"  {row['stage']}", row["state"], row["reason"] or row["outcome"] or ""] for row in told["stages"]])
    print_table([[f"  {path}", _piece(piece)] for path, piece in told["invalid"].items()])
    print_table([[f"  {path}", f"not made yet: {why}"] for path, why in told["not_made"].items()])
    print_table([[f"  {path}", f"{why['state']}: {why['because']}"] for path, why in told["out_of_date"].items()])
    return 0


def _piece(piece: dict[str, Any]) -> str:
    return f"{piece['state']}{', as before' if piece['as_before'] else ''}"


def _text(value: Any) -> str:
    if isinstance(value, dict) and "sha256" in value:
        facts = f"{size_text(value['size'])}  md5 {value['md5']}  sha256 {value['sha256']}"
        return "  ".join(filter(None, (facts, value["withdrawn"], value.get("remark"))))
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=1 if isinstance(value, dict) else None)
