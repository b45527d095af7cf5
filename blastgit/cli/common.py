"""What the verbs share: opening the repo, drawing progress, printing tables and JSON."""

from __future__ import annotations

import argparse
import codecs
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blastgit.errors import BlastgitError, InvalidInput, UsageError
from blastgit.plumbing.safe_text import one_line, raw_stream
from blastgit.progress import Progress, silent

if TYPE_CHECKING:
    from blastgit.api.repo import DataRepo
    from blastgit.collections.states import Entry
    from blastgit.search.saved.queries import Entry as QueryEntry
    from blastgit.workflow.judged import Invalid, OutOfDate


def add_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, words: str
) -> argparse.ArgumentParser:
    """Add a subcommand of a verb, such as `list` of `blastgit run list`; it takes -C, too."""
    action = actions.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
    action.add_argument("-C", "--repo", dest="repo", metavar="REPO", default=argparse.SUPPRESS, help="the data repo")
    return action


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json` to a verb."""
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")


def add_even_invalid(parser: argparse.ArgumentParser) -> None:
    """Add `--even-invalid` to a verb."""
    parser.add_argument("--even-invalid", action="store_true", help="include what a failed stage left behind")


def add_strict(parser: argparse.ArgumentParser) -> None:
    """Add `--strict` to a verb."""
    parser.add_argument("--strict", action="store_true", help="refuse data that are out of date (exit code 13)")


def tell_failure(error: BlastgitError, *, wants_json: bool) -> int:
    """Print an error for people and, with `wants_json`, for programs; return the exit code."""
    print(f"blastgit: {error}", file=sys.stderr)
    if wants_json:
        print_json({"error": {"kind": error.kind, "message": str(error), "exit_code": error.exit_code}})
    return error.exit_code


def tell_real_name(asked: str | None, revision: str) -> None:
    """Print on stderr which revision a convenient name stands for."""
    if asked is not None:
        print(f"{asked} is {revision}", file=sys.stderr)


def warn_invalid(invalid: Invalid) -> None:
    """Warn on stderr of the parts of a result that are invalid, and why."""
    for finding in invalid.findings:
        print(f"blastgit: invalid, because {finding}", file=sys.stderr)


def warn_out_of_date(late: OutOfDate) -> None:
    """Warn on stderr of the parts of a result that are out of date, and why."""
    for finding in late.findings:
        print(f"blastgit: out of date, because {finding}", file=sys.stderr)


def add_store_options(parser: argparse.ArgumentParser) -> None:
    """Add the option for what a store needs besides its URL."""
    words = "what DVC needs besides the URL, such as endpointurl=…; may be given again; no secrets"
    parser.add_argument("--store-option", metavar="KEY=VALUE", action="append", default=[], help=words)


def store_options(options: argparse.Namespace) -> dict[str, str]:
    """Return the values of `--store-option`.

    Raises:
        UsageError: One has no `=` in it.
    """
    return key_values(options.store_option, "--store-option")


def key_values(texts: Sequence[str], option: str) -> dict[str, str]:
    """Parse the `KEY=VALUE` values of a repeated option.

    Raises:
        UsageError: One has no `=` in it.
    """
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise UsageError(f"{option} takes KEY=VALUE, not {key!r}")
    return {key: value for key, _, value in pairs}


def read_input(source: str) -> str:
    """Return the text of a file, or of stdin (`-`), in UTF-8 or the encoding of its byte order mark.

    Raises:
        InvalidInput: It cannot be read.
    """
    try:
        return sys.stdin.read().removeprefix("\ufeff") if source == "-" else _decoded(Path(source).read_bytes())
    except OSError as error:
        raise InvalidInput(f"{source} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{source} is not {error.encoding} text: {error.reason} at byte {error.start}") from None


def _decoded(data: bytes) -> str:
    """Decode text that editors on other systems may have written with a byte order mark or in UTF-16."""
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if is_utf16 else "utf-8-sig")


def read_names(source: str) -> list[str]:
    """Return the names in a file, or on stdin (`-`), one a line; `#` begins a comment.

    Raises:
        InvalidInput: It cannot be read.
    """
    lines = (line.partition("#")[0].strip() for line in read_input(source).splitlines())
    return [line for line in lines if line]


def open_repo(options: argparse.Namespace, progress: Progress = silent) -> DataRepo:
    """Open the data repo given by `-C` or BLASTGIT_REPO, or the one in the current folder.

    Raises:
        UsageError: None was named, and the current folder is not a data repo.
    """
    from blastgit.api.repo import DataRepo

    location = options.repo or os.environ.get("BLASTGIT_REPO")
    if not location:
        if not _is_repo(Path()):
            raise UsageError("which data repo? Give -C REPO, or set BLASTGIT_REPO")
        location = "."
    return DataRepo(location, progress=progress)


def _is_repo(folder: Path) -> bool:
    """Whether a folder looks like a data repo, or like a plain clone of one."""
    is_clone = (folder / ".git").is_dir() and (folder / ".dvc/config").is_file()
    return is_clone or ((folder / "HEAD").is_file() and (folder / "blastgit").is_dir())


@contextmanager
def drawn_progress(*, counts: bool = False) -> Iterator[Progress]:
    """Yield a callback that draws a progress bar of bytes or counts on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    done = MofNCompleteColumn() if counts else DownloadColumn()
    columns = TextColumn("{task.description}"), BarColumn(), done, TimeRemainingColumn()
    with Bars(*columns, console=Console(file=raw_stream(sys.stderr)), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def draw(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(one_line(what), total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield draw


def print_json(value: object) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_changes(changes: Sequence[Entry | QueryEntry], *, as_json: bool) -> None:
    """Print changes on main, with author, time and reason, as a history or as JSON."""
    if as_json:
        print_json([change.to_json() for change in changes])
        return
    for change in changes:
        print(f"{bold(change.commit[:10])}  {change.time:%Y-%m-%d %H:%M} UTC  {change.author}")
        print(f"  {change.subject}")


def print_data(pieces: Iterable[str]) -> None:
    """Print data for programs unchanged, in UTF-8; on a terminal, control characters are escaped."""
    if sys.stdout.isatty():
        sys.stdout.writelines(pieces)
        return
    sys.stdout.flush()
    sys.stdout.buffer.writelines(piece.encode("utf-8", "backslashreplace") for piece in pieces)


def print_table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print rows in aligned columns; the columns named in `right` are aligned to the right."""
    rows = [[cell.replace("\n", "\\n") for cell in row] for row in rows]  # a row is a line
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = (
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join(cells).rstrip())


def size_text(size: int) -> str:
    """Return a human-readable number of bytes: `20.6 MB`."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def bold(text: str) -> str:
    """Return text in bold if stdout is a terminal and NO_COLOR is not set."""
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def plural(count: int, noun: str) -> str:
    """Return `1 file`, `2 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
