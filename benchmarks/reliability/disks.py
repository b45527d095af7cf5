"""Tests with a full disk, and with a damaged store."""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.reliability.bench import NAME, Bench, folder
from benchmarks.reliability.row import Row
from blastgit import BlastgitError, DataRepo
from blastgit.demo import small


def rows(_: argparse.Namespace) -> Iterator[Row]:
    """Fill a small disk, and damage every content of a store."""
    with folder() as place:
        yield rotten_store(Bench(place))
    with folder() as place:
        yield full_disk(place)


def full_disk(place: Path) -> Row:
    """Record until a small disk is full, and keep trying."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], check=False, capture_output=True
    )
    if mounted.returncode:
        return Row("no space left", 0, 0, "skipped: this user may not mount a small disk")
    refused = survived = 0
    try:
        bench = Bench(place)
        for i in range(60):
            with tempfile.TemporaryDirectory() as inputs:
                try:
                    DataRepo(bench.repo).record(f"2026d{i:02}", *small(f"2026d{i:02}", seed=i).write(Path(inputs)))
                except BlastgitError:
                    refused += 1
                    survived += bench.is_whole()
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
    return Row("no space left in the middle", refused, survived, "each a clear error, nothing half-done")


def rotten_store(bench: Bench) -> Row:
    """Alter, truncate or remove each content once: every fault must be detected, and no damaged content returned."""
    bench.record(NAME, bench.write(small(NAME)))
    tried = seen = 0
    for path in sorted((bench.repo / "dvc/files").rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        for wrong in (content[:-1] + bytes([content[-1] ^ 1]), content[: len(content) // 2], None):
            path.unlink()
            if wrong is not None:
                path.write_bytes(wrong)
            tried += 1
            seen += not DataRepo(bench.repo).verify().is_sound and _refuses(bench)
            path.unlink(missing_ok=True)
            path.write_bytes(content)
            path.chmod(0o444)
    return Row(
        "contents altered, cut short, removed", tried, seen if bench.is_whole() else 0, "all found, none handed out"
    )


def _refuses(bench: Bench) -> bool:
    with tempfile.TemporaryDirectory() as target:
        try:
            DataRepo(bench.repo).get(NAME, Path(target) / "out")
        except BlastgitError:
            return True
    return False
