"""`blastgit record r/TYPE/NAME --file FILE`: what `record` does for a reference."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blastgit.cli.common import key_values
from blastgit.errors import UsageError
from blastgit.revision.document import Json, as_object, parse

if TYPE_CHECKING:
    from blastgit.api.repo import DataRepo
    from blastgit.recording.result import Recorded


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for references only."""
    group = parser.add_argument_group("references (r/TYPE/NAME)", "what is not given stays as in the latest revision")
    words = "a file of it; may be given again. --data DIR takes all files of a folder"
    group.add_argument("--file", metavar="FILE", action="append", dest="files", type=Path, help=words)
    words = "a value to replace, as JSON or text; null removes it; may be given again"
    group.add_argument("--set", metavar="FIELD=VALUE", action="append", default=[], dest="changed", help=words)
    group.add_argument("--values", metavar="FILE", type=Path, help="a JSON object of all values")
    group.add_argument("--app-version", metavar="VERSION", help="the version of the program that made it")
    group.add_argument(
        "--date", metavar="DATE", help="the time of this state (ISO 8601; without a zone UTC; default: now)"
    )


def record_reference(repo: DataRepo, options: argparse.Namespace, **extra: Any) -> Recorded:
    """Record a reference as the options say.

    Raises:
        UsageError: An option is for transients only, or cannot be read.
    """
    if options.export or options.line or options.fork or options.used:
        raise UsageError(f"{options.what} is a reference: --export, --as, --from and --used are for transients")
    return repo.references.record(
        options.what,
        files=options.files,
        data=None if options.data is None else Path(options.data),
        values=None if options.values is None else _values(options.values),
        changed={key: _value(text) for key, text in key_values(options.changed, "--set").items()},
        app_version=options.app_version,
        time=None if options.date is None else _time(options.date),
        **extra,
    )


def refuse_for_transients(options: argparse.Namespace) -> None:
    """Refuse options that are for references only.

    Raises:
        UsageError: One of them was given.
    """
    given = {"--file": options.files, "--set": options.changed, "--values": options.values, "--date": options.date}
    for option, value in {**given, "--app-version": options.app_version}.items():
        if value:
            raise UsageError(
                f"{option} is for references, r/TYPE/NAME: a transient is recorded with --export and --data"
            )


def _values(file: Path) -> dict[str, Json]:
    try:
        return as_object(parse(file.read_bytes(), str(file)), str(file))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None


def _value(text: str) -> Json:
    """Parse a value from the command line: JSON if it is valid JSON, else the text itself."""
    try:
        json.loads(text)
    except ValueError:
        return text
    return parse(text.encode(), "the value")


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--date takes a date or a date-time in ISO 8601, not {text!r}") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC)
