"""Distinguishes a stdout closed by its reader from other broken pipes."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class StdoutClosed(Exception):
    """The reader of stdout has closed it, for example `head`."""


class StdoutFull(Exception):
    """Output cannot be written, for example because the disk is full; the text says why."""


class _Stdout(io.FileIO):
    """The file behind stdout; other broken pipes, such as that to git, mean that the command has failed."""

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
        """Discard all further output, about which Python would complain again at exit."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())


def guard_stdout() -> None:
    """Raise `StdoutClosed` if stdout is closed, and escape characters that its encoding lacks."""
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
