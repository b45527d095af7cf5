"""Waiting for what another process does, up to a limit."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

SECONDS = 120.0  # on a slow machine


def wait_until(condition: Callable[[], Any], seconds: float = SECONDS, told: Callable[[], str] = str) -> Any:
    """Return the value of a condition as soon as it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        threading.Event().wait(0.05)
    raise AssertionError(f"it did not happen in {seconds} s: {told()}")


def answers(port: int) -> bool:
    """Whether a server of this machine accepts connections at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
