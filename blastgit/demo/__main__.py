"""`python -m blastgit.demo [--web] [FOLDER]`: run the story of `make demo`, or fill a data repo for `make demo-web`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from blastgit.demo.story import prepare, tell, tell_how_to_look
from blastgit.errors import BlastgitError
from blastgit.plumbing.stdout import StdoutClosed, guard_stdout

_MANY = 300


def main(arguments: list[str]) -> int:
    """Run the story, or fill a data repo, and return an exit code."""
    guard_stdout()
    parser = argparse.ArgumentParser("python -m blastgit.demo", description="Tell the story of blastgit in a folder.")
    parser.add_argument("--web", action="store_true", help="fill a repo to look at in a browser instead")
    where = "where; an earlier demo there is replaced (demo, or demo-web)"
    parser.add_argument("folder", nargs="?", type=Path, help=where)
    options = parser.parse_args(arguments)
    try:
        folder: Path = options.folder or Path("demo-web" if options.web else "demo")
        if options.web:
            fill(folder)
        else:
            tell(folder)
        tell_how_to_look(folder)
    except BlastgitError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_code
    except StdoutClosed:
        pass
    return 0


def fill(folder: Path, count: int = _MANY) -> None:
    """Fill a data repo with invented transients, and print the progress.

    Raises:
        WouldOverwrite: Something else is in that folder.
    """
    from blastgit.demo import many

    prepare(folder)

    def said(done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            print(f"\r{done} of {total} states recorded", end=end, file=sys.stderr, flush=True)

    print(f"Recording {count} invented transients in {folder}/data.git: a minute or two.", flush=True)
    many.fill(folder / "data.git", count, tell=said)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
