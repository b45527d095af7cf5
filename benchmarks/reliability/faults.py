"""Each write operation of each writing verb fails in turn, once or from then on, as on a full or a broken disk.

A small library (`faults.c`) is preloaded into blastgit and the git that it starts. Afterwards the repo must be sound
and have all acknowledged data, and all errors must be expected ones.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.reliability.bench import folder
from benchmarks.reliability.row import Row


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """Try every verb."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        yield Row("write operations that fail", 0, 0, "skipped: it takes Linux and a C compiler")
        return
    yield from sweep(options.faults)


def sweep(count: int, verbs: Sequence[str] = ()) -> Iterator[Row]:
    """Make operations of verbs fail.

    Args:
        count: How many of each verb, spread over all of them, each in one of the four ways; 0 for each in all ways.
        verbs: Which; all by default.
    """
    with folder() as place, _memory() as work:
        library = place / "faults.so"
        source = Path(__file__).with_name("faults.c")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        plan = place / "plan"
        plan.write_bytes(bytes(4096))
        environment = {
            **os.environ, "LD_PRELOAD": str(library), "BLASTGIT_FAULTS": str(plan),
            "BLASTGIT_FAULTS_ROOT": str(work / "place"), "XDG_CACHE_HOME": str(place), "TMPDIR": str(place),
        }  # fmt: skip
        command = [sys.executable, "-m", "benchmarks.reliability.under_faults", str(work), str(count), *verbs]
        home = Path(__file__).parents[2]
        with subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for line in child.stdout:
                yield Row(**json.loads(line))
        if child.returncode:
            raise RuntimeError("the child that tries faults has failed")


@contextmanager
def _memory() -> Iterator[Path]:
    """Yield a folder in memory, where the system has one: nothing here needs to be durable."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="blastgit-faults-", dir=memory if memory.is_dir() else None) as made:
        yield Path(made)
