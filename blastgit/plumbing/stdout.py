"""Where results go: a reader that has seen enough closes it, and nothing else may be taken for that."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class StdoutClosed(Exception):
    """Nobody reads stdout any more, as when it goes to `head`."""


class StdoutFull(Exception):
    """What should be printed cannot be written: the disk that it goes to is full, say. Its text says why."""


class _Stdout(io.FileIO):
    """The file behind stdout. Other pipes break too, that to git for one, and then the call has failed."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            self._let_go()
            raise StdoutClosed from None
        except OSError as error:
            self._let_go()
            raise StdoutFull(error.strerror or str(error)) from None

    def _let_go(self) -> None:
        """Have nothing more written there: Python would complain once more at its end."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())


def guard_stdout() -> None:
    """Have a closed stdout known from any other broken pipe, and letters that a terminal lacks printed all the same."""
    stream = sys.stdout
    if not isinstance(stream, io.TextIOWrapper):
        return
    stream.reconfigure(errors="backslashreplace")
    raw = getattr(stream.buffer, "raw", stream.buffer)  # with `python -u` there is no buffer in between
    if not isinstance(raw, io.FileIO) or isinstance(raw, _Stdout):
        return
    stream.flush()
    file = io.BufferedWriter(_Stdout(raw.fileno(), "w", closefd=False))
    sys.stdout = io.TextIOWrapper(
        file,
        stream.encoding,
        "backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
