"""Kills a writer in a separate process, at every write step or at random instants.

The steps are counted by an audit hook, which Python calls before it opens a file for writing, renames, removes, makes a
folder or starts a process. The random instants also cover writes of libgit2.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blastgit.plumbing.settings_file import change_settings

_STEPS = frozenset({
    "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "os.link", "os.symlink",
    "shutil.rmtree", "subprocess.Popen",
})  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Death:
    """How a child process ended.

    Attributes:
        killed: Whether it was killed, rather than ending by itself.
        code: Its exit code, if it ended by itself: 0 if the action returned.
    """

    killed: bool
    code: int


def switch_off_maintenance(repo: Path) -> None:
    """Keep writers from starting maintenance, so that it does not run while leftovers are counted."""
    change_settings(repo, {"blastgit.maintainLoose": "0"})


def run_killed_at(step: int, action: Callable[[], Any]) -> Death:
    """Run an action in a child process that kills itself just before its write step number `step` (from 0)."""

    def child() -> None:
        left = step

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if event in _STEPS or (event == "open" and _writes(arguments)):
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1

        sys.addaudithook(hook)
        action()

    pid = _fork(child)
    try:
        return _wait(pid)
    finally:
        wait_for_group(pid)


def run_killed_after(seconds: float, action: Callable[[], Any]) -> Death:
    """Run an action in a child process group, and kill the whole group, including git, after a while."""
    pid = _fork(action)
    timer = threading.Timer(seconds, _kill_group, [pid])
    timer.start()
    try:
        return _wait(pid)
    finally:
        timer.cancel()
        wait_for_group(pid)


def _writes(arguments: tuple[Any, ...]) -> bool:
    _path, mode, flags = arguments
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITING)


def _fork(action: Callable[[], Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setpgid(0, 0)
        action()
        code = 0
    finally:
        os._exit(code)


def _wait(pid: int) -> Death:
    _, status = os.waitpid(pid, 0)
    return Death(os.WIFSIGNALED(status), os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1)


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError):  # it came to its end just before
        os.killpg(group, signal.SIGKILL)


def wait_for_group(group: int) -> None:
    """Wait until the last process of a group has ended: git ends a moment after the writer that started it."""
    for _ in range(10_000):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.001)


def random_instants(count: int, longest: float, seed: int = 0) -> list[float]:
    """Return `count` instants between 0 and `longest` seconds, determined by the seed."""
    generator = random.Random(seed)
    return [generator.uniform(0, longest) for _ in range(count)]


def time_of(action: Callable[[], Any]) -> float:
    """Return how long an action takes in a child process, in seconds."""
    start = time.perf_counter()
    _wait(_fork(action))
    return time.perf_counter() - start
