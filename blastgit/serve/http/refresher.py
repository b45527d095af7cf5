"""Keeping the index up to date beside a server, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path


class Refresher:
    """Brings the index up to date in a process of its own, once in a while, when somebody asks."""

    def __init__(self, repo: Path, seconds: float) -> None:
        """Begin with an index that is up to date."""
        self._repo = repo
        self._seconds = seconds
        self._last = time.monotonic()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, is_damaged: bool) -> None:
        """Begin to bring it up to date, if it is time, or to rebuild it."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            if not is_damaged and time.monotonic() - self._last < self._seconds:
                return
            self._last = time.monotonic()
            words = [sys.executable, "-m", "blastgit", "-C", str(self._repo), "index"]
            self._process = subprocess.Popen(
                [*words, "--rebuild"] if is_damaged else words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # what is wrong, it says where the service does
                start_new_session=True,
            )

    def close(self) -> None:
        """Let go of it; an update that has begun is not worth waiting for."""
        with self._lock:
            if self._process is not None:
                self._process.terminate()
                self._process.wait()
