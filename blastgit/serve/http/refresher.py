"""Keeps the index up to date while a server runs, in a separate process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path


class Refresher:
    """Updates the index in a separate process, when it is called and enough time has passed."""

    def __init__(self, repo: Path, seconds: float) -> None:
        """Start with an index that is up to date."""
        self._repo = repo
        self._seconds = seconds
        self._last = time.monotonic()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, is_damaged: bool) -> None:
        """Start an update of the index if it is time, or rebuild the index."""
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
                stdout=subprocess.DEVNULL,  # it writes its errors where the service does
                start_new_session=True,
            )

    def close(self) -> None:
        """Stop the process without waiting for an update that has begun."""
        with self._lock:
            if self._process is not None:
                self._process.terminate()
                self._process.wait()
