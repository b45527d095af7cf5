"""Dispatches `argv` to a verb, and turns exceptions into exit codes."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any, NoReturn

from blastgit._version import __version__
from blastgit.cli.common import tell_failure
from blastgit.errors import BlastgitError, UsageError
from blastgit.naming.nearest import did_you_mean
from blastgit.plumbing.safe_text import escaped, safe_streams
from blastgit.plumbing.start_up import run_one_command
from blastgit.plumbing.stdout import StdoutClosed, StdoutFull, guard_stdout

CRASH, INTERRUPTED = 3, 130

VERBS = {
    "init": "make a data repo",
    "record": "record the current state of a transient",
    "promote": "make a revision of a user's own line official",
    "stage": "mark the stages of a run",
    "status": "show the status of the runs in progress",
    "list": "list transients",
    "log": "show the history of a transient",
    "show": "show a revision, or something in it",
    "variant": "show the variants of components, and set the default",
    "diff": "show what differs between two revisions",
    "blame": "show which revision last changed each value",
    "get": "get the files of a revision",
    "asof": "show, get or cite data, calibrations and flags as they were on a day",
    "identify": "find out which revision a file, an export or a folder is",
    "related": "show what is related to transients: hosts, images, neighbours",
    "types": "list dataset types, or the datasets of a revision",
    "plan": "show which stages must run again, and from where",
    "replay": "compare the results of a replay with what was recorded",
    "verify": "check that everything published is there and sound, and repair it",
    "checkpoint": "make a checkpoint of everything published, to sign and keep",
    "gc": "set aside contents that nothing needs",
    "collection": "group datasets under a name",
    "run": "start a processing run, or list all runs",
    "cite": "print the citation of a revision or a release",
    "annotate": "comment on data, flag it, tag it",
    "attach": "attach a file to a revision, or list what is attached",
    "metric": "record a measured number, or list metrics",
    "notes": "show the annotations of data or of its inputs",
    "sync": "exchange annotations with another repo",
    "provenance": "show what a result was made from",
    "affected": "show what was made from a file, an image or a host",
    "usage": "show which revisions were read, if reads are logged",
    "orphans": "list runs and markers that nothing refers to",
    "find": "find revisions by position, time, redshift, flags, and more",
    "compare": "compare two runs, versions of Blast or dates over all transients",
    "query": "save, list and show queries",
    "index": "build the index, or bring it up to date",
    "sql": "query the index with SQL",
    "serve": "serve the data repo as a web site",
    "tap": "serve the index and the files to TOPCAT, pyvo and the like",
    "import": "import the transients of a Blast, or of its archives",
    "export": "write a revision as Blast's own archive",
    "schema": "print the JSON Schema of Blast's export",
    "subset": "make a data repo with selected revisions",
    "migrate": "make a new data repo with everything in this one",
    "withdraw": "take data down, and leave a tombstone",
    "maintain": "pack refs and objects",
    "locks": "list locks, and free those of dead processes",
    "store": "show where contents are kept, or change it",
    "hooks": "install the hooks that check pushes",
    "setup": "configure git and DVC in a clone: readable diffs, and where contents are now",
    "textconv": "print a pointer or a revision for git diff",
    "completion": "print a shell's completion script",
}
"""Every verb and its short help; the rest is in the module of the same name."""

_WITHOUT_REPO = {"init", "schema", "textconv", "completion"}

_EPILOG = """\
REV is a number, `latest`, a date (2026-05-27), a date-time, a version of Blast (v1.12.0) or a convenient name
(latest-complete, best-photometry); NAME alone is the latest revision. u/USER/NAME is a user's own line of revisions.
Give the data repo with -C or in the environment variable BLASTGIT_REPO; any git URL works for reading and recording.
"""


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        # a script's `--f` would break as soon as a second option starts with f
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        raise UsageError(f"{message}; see `{self.prog} --help`")


class _VerbParser(_Parser):
    """Accepts options anywhere, also between positional arguments: `get NAME --only '*.fits' FOLDER`."""

    _is_nested = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._is_nested or any(action.nargs == argparse.PARSER for action in self._get_positional_actions()):
            return super().parse_known_args(args, namespace)
        self._is_nested = True  # argparse's own intermixing calls this method for each of its two passes
        try:
            found, unknown = super().parse_known_intermixed_args(args, namespace)
        finally:
            self._is_nested = False
        if unknown:  # reported here, so that the usage of the verb is printed
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of all verbs; with `only`, of a single verb, or with "" of all verbs without their arguments.

    Importing a verb takes time, and a command needs only one.
    """
    parser = _Parser(
        prog="blastgit",
        description="Every revision of every Blast transient dataset, kept for good in git and DVC.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = "the data repo: a folder, or any git URL for reading and recording"
    parser.add_argument("-C", "--repo", dest="repo", metavar="REPO", help=where)
    parser.add_argument("--version", action="version", version=f"blastgit {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=_VerbParser)
    for name in [only] if only else VERBS:
        words = VERBS[name]
        described = f"{words[0].upper()}{words[1:]}."
        verb = verbs.add_parser(
            name, help=words, description=described, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if only != "":
            module: Any = import_module(f"blastgit.cli.{name}{'_' if iskeyword(name) else ''}")
            if name not in _WITHOUT_REPO:
                verb.add_argument("-C", "--repo", dest="repo", metavar="REPO", default=argparse.SUPPRESS, help=where)
            module.add_arguments(verb)
            verb.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (`docs/exit-codes.md`).

    Args:
        argv: The command's arguments; by default those of the process, which then runs only this command.
    """
    if argv is None:
        run_one_command()
    guard_stdout()
    with safe_streams():
        return _main(argv)


def _main(argv: Sequence[str] | None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        print("blastgit: interrupted; no partial result is visible, repeat the command to continue", file=sys.stderr)
        return INTERRUPTED
    except StdoutClosed:
        return 0  # the reader has closed the pipe: the command itself succeeded
    except StdoutFull as error:
        print(f"blastgit: the output cannot be written: {error}", file=sys.stderr)
        return BlastgitError.exit_code
    except Exception:  # noqa: BLE001 (on any bug, people get a sentence and a log to send)
        return _crashed(arguments)


def _run(arguments: list[str]) -> int:
    try:
        options = build_parser(_verb_of(arguments)).parse_args(arguments)
        code: int = options.run(options)
    except BlastgitError as error:
        code = tell_failure(error, wants_json="--json" in arguments)
    except SystemExit:
        sys.stdout.flush()  # of the help or the version: report errors here, not at the interpreter's exit
        raise
    sys.stdout.flush()
    return code


def _verb_of(arguments: Sequence[str]) -> str:
    """Return the verb, or "" if argparse handles the arguments (help, the version, a usage error).

    Raises:
        UsageError: The verb does not exist; the error names the nearest.
    """
    words = iter(arguments)
    for word in words:
        if word in ("-C", "--repo"):
            next(words, None)
        elif not word.startswith("-"):
            if word in VERBS:
                return word
            hint = did_you_mean(word, VERBS, "`blastgit --help` lists all verbs", count=2)
            raise UsageError(f"there is no verb {word!r}{hint}")
    return ""


def _crashed(arguments: list[str]) -> int:
    import platform
    import traceback

    from blastgit.plumbing.credentials import redacted

    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "blastgit"
    log = folder / "crash.log"
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    versions = f"blastgit {__version__}, Python {platform.python_version()}, {platform.platform()}"
    details = f"{versions}\n{now}  blastgit {' '.join(arguments)}\n\n{traceback.format_exc()}"
    text = redacted(details, os.environ)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.unlink(missing_ok=True)  # an older one may be world-readable or a symbolic link
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(escaped(text))
        where = f"the details are in {log}: please read them, then send them with a report"
    except OSError:
        where = f"the details:\n{text}"
    print(f"blastgit: unexpected error; {where}", file=sys.stderr)
    return CRASH
