"""`python -m benchmarks.blast CHECKOUT --python PYTHON`: the real Blast with blastgit in its workflow, in one command.

CHECKOUT is a checkout of Blast, of which nothing is changed: its app is copied, and the changes of docs/blast.md are
applied to the copy. PYTHON is the Python of an environment that has Blast's requirements, as its own image has, and
blastgit with the extras `celery` and `s3`. Ends with 1 if an event does not come to what it has to.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.blast.events import EVENTS
from benchmarks.blast.installed import changes, check, prepare
from benchmarks.blast.life import Life, at_work, cost
from benchmarks.blast.report import Seen, cost_lines, table
from benchmarks.table import head

_STOOD_IN = "Stood in for: survey images, host search, catalogues, dust map, name server, FSPS, sampler, PNG export."


def main() -> int:
    """Live through the events, print the table, and return 1 if one came to something else."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.blast", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkout", type=Path, help="a checkout of Blast")
    parser.add_argument("--python", type=Path, required=True, help="the Python that has Blast's requirements")
    parser.add_argument("--first", type=int, default=len(EVENTS), metavar="N", help="stop after so many events")
    parser.add_argument("--keep", action="store_true", help="keep what was made, logs and all")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that runs beside ends too
    check(options.python)
    folder = Path(tempfile.mkdtemp(prefix="blastgit-blast-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user
    try:
        app = prepare(options.checkout.resolve(), folder)
        with at_work(options.python.absolute(), app, folder) as life:
            versions = life.at.ask("versions")
            print(f"{head()}\n")
            print(f"Blast {versions['blast']}, {life.database}. {len(changes())} changes of docs/blast.md apply.")
            print(f"{_STOOD_IN}\n", flush=True)
            seen = _live(life, options.first)
            print(table(seen))
            if all(each.holds for each in seen):
                print(cost_lines(cost(life)))
    finally:
        if options.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return int(not all(each.holds for each in seen))


def _live(life: Life, count: int) -> list[Seen]:
    seen = []
    for number, event in enumerate(EVENTS[:count], start=1):
        began = time.monotonic()
        life.tell()
        try:
            said, holds = event.happen(life), True
        except Exception as error:  # noqa: BLE001 (the table says it, and the events after it still happen)
            said, holds = f"{type(error).__name__}: {error}", False
        seen.append(Seen(number, event.what, event.expected, said, holds, time.monotonic() - began))
        print(f"{number:2} {'ok ' if holds else 'NOT'} {event.what}: {said}", file=sys.stderr, flush=True)
    return seen


if __name__ == "__main__":
    raise SystemExit(main())
