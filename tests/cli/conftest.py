"""The command line, as a person or a script calls it."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from blastgit.cli import main

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command in this process."""

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        code = main([str(word) for word in arguments])
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def process() -> Callable[..., Said]:
    """Run a command in a process of its own, with another environment or a stdin if need be."""

    def call(*arguments: object, stdin: bytes = b"", cwd: Path | None = None, **variables: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "blastgit", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), **variables},
            check=False,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call
