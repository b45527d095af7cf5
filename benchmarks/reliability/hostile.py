"""Tests with tampered inputs."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator

from benchmarks.reliability.bench import Bench, folder
from benchmarks.reliability.row import Row
from blastgit import BlastgitError, DataRepo
from blastgit.demo import small
from blastgit.naming.names import parse_spec
from blastgit.repository.settings import read_settings
from blastgit.store.pointer import read_pointer


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """Test mutated inputs."""
    with folder() as place:
        yield hostile(Bench(place), options.fuzz)


def hostile(bench: Bench, count: int) -> Row:
    """Mutate exports, pointers, settings and names: each must give a value or an expected error."""
    generator = random.Random(7)
    export, data = bench.write(small("2026fuzz"))
    text = export.read_bytes()
    survived = 0
    targets: list[tuple[bytes, Callable[[bytes], object]]] = [
        (text, lambda raw: DataRepo(bench.repo).record("2026fuzz", raw, data, dry_run=True)),
        (
            b"outs:\n- md5: " + b"a" * 32 + b"\n  size: 5\n  hash: md5\n  path: x.fits\n",
            lambda raw: read_pointer(raw, "x.fits.dvc"),
        ),
        (b"format: 1\nkind: real\nrules: {tolerance: 1.0e-12}\n", read_settings),
        (b"2026dgt@2026-05-27T10:00:00Z:host.redshift", lambda raw: parse_spec(raw.decode("utf-8", "replace"))),
    ]
    for turn in range(count):
        raw, call = targets[turn % len(targets)]
        try:
            call(mutate(raw, generator))
            survived += 1
        except BlastgitError:
            survived += 1
        except Exception as error:  # noqa: BLE001 (this is what the row counts)
            print(f"not expected: {type(error).__name__}: {error}", file=sys.stderr)
    return Row("hostile exports, pointers, settings, names", count, survived if bench.is_whole() else 0)


def mutate(raw: bytes, generator: random.Random) -> bytes:
    """Return bytes with a few random changes."""
    text = bytearray(raw)
    for _ in range(generator.randint(1, 4)):
        at = generator.randrange(len(text))
        action = generator.randrange(4)
        if action == 0:
            text[at] = generator.randrange(256)
        elif action == 1:
            del text[at : at + generator.randint(1, 30)]
        elif action == 2:
            text[at:at] = generator.choice(
                [b"{" * 500, b"[" * 5000, b"NaN", b"\x00", b"1e999", b"../", b'"', b"&a *a", b"-" * 90]
            )
        else:
            other = generator.randrange(len(text))
            text[at : at + 20] = text[other : other + 20]
        text = text or bytearray(b"{")
    return bytes(text)
