"""`blastgit verify [NAME]`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, bold, drawn_progress, open_repo, plural, print_json, size_text
from blastgit.errors import DamagedData, UsageError

if TYPE_CHECKING:
    from blastgit.maintenance.verify import Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("name", nargs="?", help="the transient, or release/COLLECTION/VERSION (default: all)")
    parser.add_argument("--fast", action="store_true", help="only check that contents exist, without reading them")
    sample = "read only this share of the contents, chosen at random"
    parser.add_argument("--sample", type=_percent, metavar="PERCENT", help=sample)
    parser.add_argument("--seed", type=int, metavar="N", help="repeat the sample of another run")
    parser.add_argument("--resume", action="store_true", help="continue where an interrupted run stopped")
    parser.add_argument(
        "--repair", action="store_true",
        help="restore missing or damaged contents from the quarantine and from each --from",
    )  # fmt: skip
    parser.add_argument(
        "--from", dest="sources", action="append", default=[], metavar="STORE",
        help="where to repair from: folder or URL of a DVC remote, or a DVC cache (may be repeated)",
    )  # fmt: skip
    since = "a checkpoint kept elsewhere, its commit or the file of its note: all of it must still be here"
    parser.add_argument("--since", metavar="CHECKPOINT", help=since)
    words = "of a release, or of --since: "
    parser.add_argument("--signed", action="store_true", help=f"{words}require a good signature")
    parser.add_argument(
        "--signers", metavar="FILE", help=f"{words}an allowed-signers file for SSH keys (ssh-keygen(1))"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Check, and list what is wrong."""
    if options.sources and not options.repair:
        raise UsageError("--from says where to repair from: add --repair")
    if (options.name or "").startswith("release/"):
        return _verify_release(options)
    if (options.signed or options.signers) and options.since is None:
        raise UsageError("only releases and checkpoints are signed: name release/COLLECTION/VERSION, or give --since")
    with drawn_progress() as progress:
        report = open_repo(options, progress).verify(
            options.name, fast=options.fast, sample=options.sample, seed=options.seed, resume=options.resume,
            repair=options.repair, sources=options.sources, since=options.since, signed=options.signed,
            signers=options.signers,
        )  # fmt: skip
    if options.json:
        print_json(report.to_json())
    else:
        _say(report, fast=options.fast)
    return 0 if report.is_sound else DamagedData.exit_code


def _verify_release(options: argparse.Namespace) -> int:
    if options.repair or options.sample is not None or options.seed is not None or options.resume or options.since:
        raise UsageError(
            "a release can only be verified whole, or with --fast; to repair it, verify the transients in it"
        )
    with drawn_progress() as progress:
        proof = open_repo(options, progress).releases.verify(
            options.name, fast=options.fast, signed=options.signed, signers=options.signers
        )
    if options.json:
        print_json(proof.to_json())
    else:
        print(f"{proof.release}: {proof.signature.text}")
        for remark in proof.remarks:
            print(f"  {remark}")
        _say(proof.report, fast=options.fast)
    return 0 if proof.is_sound else DamagedData.exit_code


def _say(report: Report, *, fast: bool) -> None:
    for each in report.repaired:
        print(f"repaired  {each.where}: from {each.source}")
    for reason in dict.fromkeys(report.withdrawn.values()):
        places = [where for where, other in report.withdrawn.items() if other == reason]
        print(f"{places[0] if len(places) == 1 else plural(len(places), 'file')} {reason}")
    for problem in report.problems:
        print(f"{problem.kind:9} {problem.where}: {problem.text}")
    for sentence in report.advice:
        print(f"advice: {sentence}")
    if report.ledger.get("since"):
        print(f"since the checkpoint {report.ledger['since']:.10}: {report.ledger['signature']['text']}")
    looked = f"{plural(report.transients, 'transient')}, {plural(report.revisions, 'revision')}"
    if report.references:
        looked += f", {report.references:,} of references"
    read = "contents not read" if fast else f"{plural(report.contents, 'content')} read ({size_text(report.size)})"
    if report.seed is not None:
        read += f", {report.skipped:,} not in the sample of seed {report.seed}"
    if report.resumed:
        read += f", {report.resumed:,} found sound before the interruption"
    if report.settings:
        lacking = ", ".join(f"{key}={value}" for key, value in report.settings.items())
        print(f"settings  git in this repo should have {lacking}: `blastgit hooks install` sets that")
    verdict = "sound" if report.is_sound else f"{plural(len(report.problems), 'problem')}"
    print(f"{bold(verdict)}: {looked}, {read}")


def _percent(text: str) -> float:
    return float(text.removesuffix("%"))
