"""Simulates power cuts, just after a verb has returned and in the middle of it: only data on disk survives.

The repo is on its own ext4 file system. `FS_IOC_SHUTDOWN` without a flush stops it instantly: nothing more gets written
to disk. Then it is mounted again, as after a power cut. The system writes nothing by itself meanwhile (`commit=`), so
that nothing survives by luck; every second time `noauto_da_alloc` disables what ext4 does for programs that forget to
sync. This requires root, and a kernel that can mount files.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.reliability.row import Row, turns
from benchmarks.reliability.scene import Scene, Verb, apart, end_of, in_child
from benchmarks.reliability.verbs import VERBS

_SHUTDOWN, _WITHOUT_FLUSH = 0x8004587D, 2  # FS_IOC_SHUTDOWN of linux/fs.h
_SIZE = "96M"
OPTIONS = ("loop,commit=900", "loop,commit=900,noauto_da_alloc")
"""The mount options: those usual for ext4, and without its help for programs that forget to sync."""


class CannotMount(Exception):
    """This user or machine cannot mount disks; the message says why."""


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """Cut the power of every verb."""
    try:
        yield from sweep(options.cuts, minutes=options.minutes)
    except CannotMount as why:
        yield Row("power cuts", 0, 0, f"skipped: {why}")


def sweep(count: int, verbs: Sequence[str] = (), *, minutes: float = 0) -> Iterator[Row]:
    """Cut the power `count` times for each verb, half of them in the middle of it.

    Args:
        count: How often for each verb.
        verbs: Which; all by default.
        minutes: How long for each verb at most; 0 for as long as it takes.

    Raises:
        CannotMount: Only root can do that.
    """
    with new_disk() as disk:
        for verb in VERBS:
            if not verbs or verb.name in verbs:
                yield _row(disk, verb, turns(count, minutes))


class Disk:
    """A disk with a scene on it, which can be reset to its initial state."""

    def __init__(self, place: Path) -> None:
        """Make the disk and the scene; the disk is not mounted afterwards."""
        self._kept, self._image, self._mounted = place / "kept", place / "image", place / "disk"
        self._mounted.mkdir()
        (place / "inputs").mkdir()
        self.said = place / "said"
        self.scene = Scene(self._mounted, place / "inputs")
        _run("truncate", "-s", _SIZE, self._image)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", self._image)
        with self.mounted(OPTIONS[0]):
            self.scene.before = json.loads(apart(self._make))
        _run("cp", "--sparse=always", self._image, self._kept)

    def _make(self) -> str:
        self.scene.make()
        return json.dumps(self.scene.before)

    def problem(self, verb: Verb, *, acknowledged: bool) -> str:
        """Return what is wrong on the mounted disk; "" if everything is correct."""
        return apart(lambda: self.scene.problem(verb, acknowledged=acknowledged))

    def reset(self) -> None:
        """Reset the disk to its initial state."""
        _run("cp", "--sparse=always", self._kept, self._image)

    @contextmanager
    def mounted(self, options: str) -> Iterator[None]:
        """Mount the disk for the duration of a `with` block."""
        _run("mount", "-o", options, self._image, self._mounted)
        try:
            yield
        finally:
            _unmount(self._mounted)

    def cut(self) -> None:
        """Cut the power."""
        descriptor = os.open(self._mounted, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _WITHOUT_FLUSH))
        finally:
            os.close(descriptor)


def _row(disk: Disk, verb: Verb, chances: Iterable[int]) -> Row:
    generator = random.Random(verb.name)
    tried = survived = acknowledged = 0
    longest = 1.2 * _time(disk, verb)
    for turn in chances:
        options = OPTIONS[turn // 2 % 2]
        wait = generator.uniform(0, longest) if turn % 2 else None
        code, problem = _trial(disk, verb, options, wait)
        acknowledged += code == 0
        tried, survived = tried + 1, survived + (not problem)
        if problem:
            when = "after it had returned" if wait is None else f"after {wait:.3f} s"
            print(f"{verb.name}, cut {when}, {options}: {problem}", file=sys.stderr, flush=True)
    return Row(f"power cut: {verb.name}", tried, survived, f"{acknowledged} acknowledged before")


def _time(disk: Disk, verb: Verb) -> float:
    """Return how long an undisturbed verb takes, in seconds."""
    disk.reset()
    with disk.mounted(OPTIONS[0]):
        begin = time.perf_counter()
        end_of(in_child(lambda: verb.run(disk.scene), disk.said))
        return time.perf_counter() - begin


def _trial(disk: Disk, verb: Verb, options: str, wait: float | None) -> tuple[int, str]:
    """Cut the power once; return the verb's exit code and what is wrong afterwards."""
    disk.reset()
    with disk.mounted(options):
        pid = in_child(lambda: verb.run(disk.scene), disk.said)
        if wait is None:
            code = end_of(pid)
            disk.cut()
        else:
            time.sleep(wait)
            with suppress(ChildProcessError):
                code = 0 if _has_ended(pid) == 0 else -1
            disk.cut()
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                end_of(pid)
    if wait is None and code != 0:
        return code, f"it fails without any cut: {disk.said.read_text()[-500:]}"
    with disk.mounted(OPTIONS[0]):
        problem = disk.problem(verb, acknowledged=code == 0)
        if not problem and code != 0:
            again = end_of(in_child(lambda: verb.run(disk.scene), disk.said))
            if again not in (0, 4, 6, 10, 12) and not verb.holds(disk.scene):
                problem = f"tried again, it ends with {again}: {disk.said.read_text()[-500:]}"
            problem = problem or disk.problem(verb, acknowledged=again == 0)
    return code, problem


def _has_ended(pid: int) -> int | None:
    """Return the exit code of a process if it has ended, otherwise None."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return None if not found else os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1


@contextmanager
def new_disk() -> Iterator[Disk]:
    """Yield a new disk, which is removed afterwards.

    Raises:
        CannotMount: Only root can do that.
    """
    if os.geteuid() or shutil.which("mkfs.ext4") is None:
        raise CannotMount("it takes root, and mkfs.ext4")
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="blastgit-power-", dir=memory if memory.is_dir() else None) as made:
        yield Disk(Path(made))


def _run(*words: object) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotMount(f"{words[0]} fails here: {done.stderr.strip()}")


def _unmount(place: Path) -> None:
    """Unmount, waiting until the last process using it has ended."""
    for _ in range(200):
        if subprocess.run(["umount", place], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.05)
    subprocess.run(["umount", "--lazy", place], check=False)
    raise RuntimeError(f"{place} is still in use")
