"""Decompression bombs at full size are detected in time and with little memory."""

import gzip
import multiprocessing
import resource
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from blastgit.content import describe, same
from blastgit.content.model import Tolerance

pytestmark = pytest.mark.slow

MEBI = 1 << 20
MEMORY = 3 << 30  # bytes that a process may ask for
fork = multiprocessing.get_context("fork")


def packed(path: Path, begin: bytes) -> None:
    """Write 13 GB of zeros in 13 MB: a gzip file may have many parts."""
    part = gzip.compress(bytes(64 * MEBI), 9)
    path.write_bytes(gzip.compress(begin) + 200 * part)


def image(path: Path, *, last: str) -> None:
    cards = ["SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    1"]
    cards += [f"NAXIS1  = {200 * 64 * MEBI:20}", f"HISTORY {last}", "END"]
    packed(path, "".join(card.ljust(80) for card in cards).ljust(2880).encode())


def chunks(path: Path, *, last: str) -> None:
    """Write a dataset of 8 GB, whose chunks are all the same few bytes but for the last."""
    chunk, end = (zlib.compress(bytes(32 * MEBI - 3) + text, 9) for text in (bytes(3), last.encode()))
    with h5py.File(path, "w") as file:
        data = file.create_dataset("x", (256 * 32 * MEBI,), np.uint8, chunks=(32 * MEBI,), compression="gzip")
        for number in range(256):
            data.id.write_direct_chunk((number * 32 * MEBI,), chunk if number < 255 else end)


def look(name: str, old: Path, new: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    verdict = same(name, old, new, Tolerance())
    assert (verdict.equal, verdict.how) == (False, "bytes"), verdict
    assert describe(name, old, new, Tolerance()).note == verdict.note


@pytest.mark.parametrize(("name", "write"), [("x.fits.gz", image), ("x.fits", image), ("x.h5", chunks)])
def test_a_bomb_is_compared_as_bytes(tmp_path: Path, name: str, write: Callable[..., None]) -> None:
    for version in ("old", "new"):
        write(tmp_path / f"{version}-{name}", last=version)
        assert (tmp_path / f"{version}-{name}").stat().st_size < 20_000_000
    child = fork.Process(target=look, args=(name, tmp_path / f"old-{name}", tmp_path / f"new-{name}"))
    child.start()
    child.join(300)
    assert child.exitcode == 0
