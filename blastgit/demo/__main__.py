"""`python -m blastgit.demo [FOLDER]`: tell the story of `make demo`, by default in ./demo."""

from __future__ import annotations

import sys
from pathlib import Path

from blastgit.demo.story import tell
from blastgit.errors import BlastgitError, UsageError
from blastgit.plumbing.stdout import StdoutClosed, guard_stdout


def main(arguments: list[str]) -> int:
    """Tell the story and return an exit code."""
    guard_stdout()
    try:
        if len(arguments) > 1:
            raise UsageError("python -m blastgit.demo takes one folder at most")
        tell(Path(arguments[0] if arguments else "demo"))
    except BlastgitError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_code
    except StdoutClosed:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
