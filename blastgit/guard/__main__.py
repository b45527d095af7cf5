"""The entry point of the hooks in `hooks/`: `python -m blastgit.guard pre-receive`, `… pre-push REMOTE URL`."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from blastgit.errors import BlastgitError
from blastgit.plumbing.safe_text import escaped
from blastgit.plumbing.start_up import run_one_command


def main(arguments: list[str]) -> int:
    """Run the check of a hook and return its exit code; anything but 0 stops the push."""
    hook, *rest = arguments or [""]
    lines = sys.stdin.buffer.read()
    try:
        problems = _run(hook, rest, lines)
    except BlastgitError as error:
        problems = [str(error)]
    except Exception:  # noqa: BLE001 (a check that crashed must not let the push through)
        problems = [f"the check failed in a way that was not expected, so the push ends:\n{traceback.format_exc()}"]
    for problem in problems:
        sys.stderr.write(f"blastgit: {escaped(problem)}\n")
    if problems and hook == "pre-receive":
        sys.stderr.write("blastgit: nothing of this push was taken in\n")
    return 1 if problems else 0


def _run(hook: str, arguments: list[str], lines: bytes) -> list[str]:
    folder = Path(os.environ.get("GIT_DIR", ".")).absolute()
    if hook == "pre-receive":
        from blastgit.guard.hold import Receiver
        from blastgit.guard.receive import receive

        receiver = Receiver(int(arguments[0]) if arguments else None)
        return receive(folder, lines, receiver.hold_locks_until_exit)
    if hook == "pre-push":
        from blastgit.guard.push import check_push

        return check_push(folder, arguments[0] if arguments else "origin", lines)
    return [f"{hook!r} is not a hook of blastgit: they are pre-receive and pre-push"]


if __name__ == "__main__":
    run_one_command()
    sys.exit(main(sys.argv[1:]))
