"""What blastgit survives, in figures: `python -m benchmarks.reliability` prints a table, and fails if any is lost.

Kill points, random kills, many writers, faults of disk and store, hostile inputs; each ends with a full verification.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks import hook, trouble
from benchmarks.crash import random_instants, run_killed_after, run_killed_at, time_of
from blastgit import BlastgitError, DataRepo
from blastgit.demo import Sample, refit, small
from blastgit.naming.names import parse_spec
from blastgit.repository.settings import read_settings
from blastgit.store.pointer import read_pointer

_NAME = "2026dgt"
Inputs = tuple[Path, Path]


@dataclass(frozen=True)
class Row:
    """One line of the table: what was tried, how often, and what came of it."""

    what: str
    tried: int
    survived: int
    remark: str = ""

    @property
    def lost(self) -> bool:
        """Whether anything did not survive."""
        return self.survived < self.tried


class Bench:
    """A folder with one data repo and the inputs for it."""

    def __init__(self, folder: Path) -> None:
        """Make a fresh repo."""
        self.folder = folder
        self.repo = folder / "repo"
        DataRepo.init(self.repo, simulated=True)
        self._count = 0

    def write(self, sample: Sample) -> Inputs:
        """Write a sample as Blast leaves it."""
        self._count += 1
        target = self.folder / f"in{self._count}"
        target.mkdir()
        return sample.write(target)

    def record(self, name: str, inputs: Inputs) -> None:
        """Record, as one more worker would."""
        DataRepo(self.repo).record(name, *inputs)

    def is_whole(self) -> bool:
        """Open the repo as the next command does; whether all is sound and nothing is left over."""
        opened = DataRepo(self.repo)
        clean = not any((self.repo / "blastgit/locks").iterdir()) and not any((self.repo / "dvc/tmp").glob("*"))
        histories = [[entry.revision.number for entry in opened.log(each.name)] for each in opened.list()]
        return clean and opened.verify().is_sound and all(sorted(h) == list(range(len(h))) for h in histories)


def kill_points(bench: Bench) -> Row:
    """Kill a writer before each of its write steps, for a first revision and for a second."""
    tried = survived = 0
    for number in range(2):
        inputs = bench.write(refit(small(_NAME), seed=number))
        step = 0
        while run_killed_at(step, lambda inputs=inputs: bench.record(_NAME, inputs)).killed:  # type: ignore[misc]
            tried, survived, step = tried + 1, survived + bench.is_whole(), step + 1
            if len(bench_numbers(bench)) > number:
                break
        bench.record(_NAME, inputs)
    return Row("kill -9 before every write step", tried, survived, "revisions 0 and 1")


def random_kills(bench: Bench, count: int) -> Row:
    """Kill a writer and its git processes at random instants."""
    inputs = [bench.write(refit(small(_NAME), seed=seed)) for seed in range(3)]
    longest = 1.2 * time_of(lambda: bench.record(_NAME, inputs[0]))
    killed = survived = 0
    for turn, instant in enumerate(random_instants(count, longest)):
        before = bench_numbers(bench)
        state = inputs[(turn + 1) % 3]
        killed += run_killed_after(instant, lambda state=state: bench.record(_NAME, state)).killed  # type: ignore[misc]
        after = bench_numbers(bench)
        survived += after[: len(before)] == before == sorted(set(before)) and (turn % 10 > 0 or bench.is_whole())
    whole = bench.is_whole()
    return Row("kill -9 at random instants", count, survived if whole else 0, f"{killed} met a writer at work")


def bench_numbers(bench: Bench) -> list[int]:
    """Return the revision numbers of the transient that is killed all the time."""
    opened = DataRepo(bench.repo)
    return [entry.revision.number for entry in opened.log(_NAME)][::-1] if opened.list(_NAME) else []


def many_writers(folder: Path, writers: int, *, same: bool, each: int = 12) -> Row:
    """Let several processes record at once, on one transient or each on its own."""
    bench = Bench(folder)
    jobs = []
    for writer in range(writers):
        name = _NAME if same else f"2026w{writer}"
        base = small(name, seed=writer)
        jobs.append((bench, name, [bench.write(refit(base, seed=100 * writer + i)) for i in range(each)]))
    start = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(writers) as pool:
        pool.map(_record_all, jobs, chunksize=1)
    seconds = time.perf_counter() - start
    opened = DataRepo(bench.repo)
    found = sum(entry.revision + 1 for entry in opened.list())
    where = "one transient" if same else "many transients"
    rate = f"{writers * each / seconds:.0f} records a second"
    return Row(f"{writers} writers on {where}", writers * each, found if bench.is_whole() else 0, rate)


def _record_all(job: tuple[Bench, str, list[Inputs]]) -> None:
    bench, name, states = job
    for inputs in states:
        bench.record(name, inputs)


def full_disk(folder: Path) -> Row:
    """Record until a small disk is full, and go on trying."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        return Row("no space left", 0, 0, "skipped: this user may not mount a small disk")
    refused = survived = 0
    try:
        bench = Bench(folder)
        for i in range(60):
            with tempfile.TemporaryDirectory() as inputs:
                try:
                    DataRepo(bench.repo).record(f"2026d{i:02}", *small(f"2026d{i:02}", seed=i).write(Path(inputs)))
                except BlastgitError:
                    refused += 1
                    survived += bench.is_whole()
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
    return Row("no space left in the middle", refused, survived, "each a clear error, nothing half-done")


def rotten_store(bench: Bench) -> Row:
    """Alter, cut short or remove each content once: every fault must be seen, and none handed out."""
    bench.record(_NAME, bench.write(small(_NAME)))
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
            DataRepo(bench.repo).get(_NAME, Path(target) / "out")
        except BlastgitError:
            return True
    return False


def hostile(bench: Bench, count: int) -> Row:
    """Mutate exports, pointers, settings and names: an error that is expected, or a value; never anything else."""
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
            call(_mutate(raw, generator))
            survived += 1
        except BlastgitError:
            survived += 1
        except Exception as error:  # noqa: BLE001 (this is what the row counts)
            print(f"not expected: {type(error).__name__}: {error}", file=sys.stderr)
    return Row("hostile exports, pointers, settings, names", count, survived if bench.is_whole() else 0)


def _mutate(raw: bytes, generator: random.Random) -> bytes:
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


def elsewhere() -> Iterator[Row]:
    """Meet trouble with a store in S3, and time the hook for a store in a folder and for one there."""
    with _folder() as folder:
        yield _hook("hook, contents in a folder", *hook.seconds_for_a_push(folder))
    if find_spec("moto") is None or find_spec("s3fs") is None:
        yield Row("contents in S3", 0, 0, "skipped: it takes moto[server] and dvc-s3")
        return
    with trouble.s3_server() as server:
        with _folder() as folder, trouble.store_behind_proxy(server) as (store, proxy):
            met = trouble.at_every_request(folder, store, proxy)
            yield Row("trouble at every request to S3", *met, "dropped, cut short, refused; each a clear error or none")
        with _folder() as folder, trouble.store_behind_proxy(server) as (store, _):
            yield _hook("hook, contents in S3", *hook.seconds_for_a_push(folder, **store))


def _hook(what: str, with_it: float, without: float) -> Row:
    times = f"{with_it:.2f} s for a push of one revision, {without:.2f} s without it"
    return Row(what, hook.PUSHES, hook.PUSHES, f"{times}; load {os.getloadavg()[0]:.1f}")


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="blastgit-reliability-") as folder:
        yield Path(folder)


def measure(kills: int, fuzz: int) -> Iterator[Row]:
    """Yield the rows of the table, one after the other."""
    for trial in (
        kill_points,
        lambda bench: random_kills(bench, kills),
        rotten_store,
        lambda bench: hostile(bench, fuzz),
    ):
        with _folder() as folder:
            yield trial(Bench(folder))
    for same in (True, False):
        for writers in (1, 2, 4, 8):
            with _folder() as folder:
                yield many_writers(folder, writers, same=same)
    with _folder() as folder:
        yield full_disk(folder)
    yield from elsewhere()


def main() -> int:
    """Print the table; exit with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description="Measure what blastgit survives.")
    parser.add_argument("--kills", type=int, default=500, help="kills at random instants (default: 500)")
    parser.add_argument("--fuzz", type=int, default=4000, help="hostile inputs (default: 4000)")
    options = parser.parse_args()
    os.environ.setdefault("GIT_CONFIG_NOSYSTEM", "1")
    lost = False
    print(f"{'what':46}{'tried':>8}{'survived':>10}  remark")
    for row in measure(options.kills, options.fuzz):
        print(f"{row.what:46}{row.tried:8}{row.survived:10}  {'LOST ' if row.lost else ''}{row.remark}", flush=True)
        lost = lost or row.lost
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
