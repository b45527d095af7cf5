"""From `argv` to a verb, and from what it raises to an exit code."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from blastgit import __version__
from blastgit.errors import BlastgitError, UsageError

CRASH, INTERRUPTED = 3, 130

VERBS = {
    "init": "make a data repo",
    "record": "record the present state of a transient",
    "list": "list transients",
    "log": "tell the history of a transient",
    "show": "show a revision, or something in it",
    "diff": "show what differs between two revisions",
    "blame": "tell which revision last changed each value",
    "get": "get the files of a revision",
    "verify": "check that everything promised is there",
    "setup": "teach git, in a clone, to show revisions readably",
    "textconv": "print a pointer or a revision as git's diff wants it",
    "completion": "print a shell's completion script",
}
"""Every verb and what it does in a few words; the module of the same name has the rest."""

_EPILOG = """\
REV is a number, `latest`, a date (2026-05-27) or a date-time; NAME alone is the latest revision.
The data repo is given with -C, or in the environment as BLASTGIT_REPO; for reading it may be any git URL.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        raise UsageError(f"{message}; `{self.prog} --help` says more")


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser; with `only`, the arguments of that verb alone are loaded, which keeps start-up short."""
    parser = _Parser(
        prog="blastgit",
        description="Every revision of every Blast transient dataset, kept for good in git and DVC.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-C", dest="repo", metavar="REPO", help="the data repo: a folder, or any git URL for reading")
    parser.add_argument("--version", action="version", version=f"blastgit {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=_Parser)
    for name, words in VERBS.items():
        described = f"{words[0].upper()}{words[1:]}."
        verb = verbs.add_parser(
            name, help=words, description=described, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if only in (None, name):
            module: Any = import_module(f"blastgit.cli.{name}")
            module.add_arguments(verb)
            verb.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (`docs/exit-codes.md`)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    wants_json = "--json" in arguments
    try:
        parser = build_parser(next((word for word in arguments if word in VERBS), "none"))
        options = parser.parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
    except BlastgitError as error:
        return _failed(error, wants_json=wants_json)
    except KeyboardInterrupt:
        print("blastgit: interrupted; nothing half-done is visible, repeat the command to go on", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
        return 0
    except Exception:  # noqa: BLE001 (whatever it is, a person gets a sentence and a log to send)
        return _crashed(arguments)
    return code


def _failed(error: BlastgitError, *, wants_json: bool) -> int:
    print(f"blastgit: {error}", file=sys.stderr)
    if wants_json:
        print(
            json.dumps({"error": {"kind": error.kind, "message": str(error), "exit_code": error.exit_code}}, indent=2)
        )
    return error.exit_code


def _crashed(arguments: list[str]) -> int:
    import platform
    import traceback

    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "blastgit"
    log = folder / "crash.log"
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    versions = f"blastgit {__version__}, Python {platform.python_version()}, {platform.platform()}"
    text = f"{versions}\n{now}  blastgit {' '.join(arguments)}\n\n{traceback.format_exc()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log.write_text(text, "utf-8")
        where = f"the details are in {log}: please send them with a report"
    except OSError:
        where = f"the details:\n{text}"
    print(f"blastgit: an error that was not expected; {where}", file=sys.stderr)
    return CRASH
