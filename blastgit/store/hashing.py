"""Reading files in chunks, with all checksums in one pass."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from blastgit.errors import InvalidFiles
from blastgit.plumbing.durable import start_writing

CHUNK = 1024 * 1024
"""Bytes read at once: large enough for two threads to hash in parallel, small enough to keep memory low."""

_SMALL = 64 * 1024  # bytes; for smaller files, starting the writeback early is not worth it

_FICLONE = 0x40049409
"""The ioctl of Linux for a reflink, supported by Btrfs, XFS and bcachefs."""

bytes(2 * CHUNK)  # after freeing one this large, glibc no longer returns every chunk to the kernel: a third faster


class Checksums(NamedTuple):
    """The checksums of a file.

    Attributes:
        md5: The name of its content in a DVC store, 32 hex digits.
        sha256: Its SHA-256 for verification, 64 hex digits.
        size: Its size in bytes.
    """

    md5: str
    sha256: str
    size: int


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, refusing one that changes meanwhile.

    Raises:
        InvalidFiles: It cannot be read, is empty, is not a regular file, or changed while it was read.
    """
    digest = hashlib.sha256()
    for chunk in read_steadily(path):
        digest.update(chunk)
    return digest.hexdigest()


def copy_hashing(path: Path, target: Path) -> Checksums:
    """Copy a file and return its checksums, all in one pass over its bytes.

    Raises:
        InvalidFiles: See `sha256_of`.
        OSError: The copy cannot be written.
    """
    return write_hashing(read_steadily(path), target)


def write_hashing(chunks: Iterator[bytes], target: Path) -> Checksums:
    """Write chunks to a new file and return the checksums of the whole.

    Raises:
        OSError: It cannot be written.
    """
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        sums = drain(chunks, partial(_write_whole, descriptor))
        if sums.size > _SMALL:
            start_writing(descriptor)
    finally:
        os.close(descriptor)
    return sums


def _write_whole(descriptor: int, chunk: bytes) -> None:
    """Write all of a chunk: on a nearly full disk one call writes less, and only the next one fails."""
    done = os.write(descriptor, chunk)
    while done < len(chunk):
        done += os.write(descriptor, memoryview(chunk)[done:])


def share_hashing(path: Path, target: Path) -> Checksums:
    """Make a new file that shares its blocks on disk with `path` (a reflink), and return its checksums.

    Later changes of `path` do not affect the new file.

    Raises:
        InvalidFiles: It cannot be read, or is empty.
        OSError: The file system does not support this.
    """
    try:
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InvalidFiles(f"{path} cannot be read: {error.strerror}") from None
    try:
        with target.open("xb") as copy:
            fcntl.ioctl(copy.fileno(), _FICLONE, source)
    finally:
        os.close(source)
    return drain(read_steadily(target), len)


def drain(chunks: Iterator[bytes], write: Callable[[bytes], object]) -> Checksums:
    """Pass all chunks to `write` and return the checksums of the whole."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    for chunk in chunks:
        md5.update(chunk)
        sha256.update(chunk)
        write(chunk)
        size += len(chunk)
    return Checksums(md5.hexdigest(), sha256.hexdigest(), size)


def read_steadily(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a regular file, and check at the end that it did not change.

    Raises:
        InvalidFiles: It cannot be read, is empty, is not a regular file, or changed while it was read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise InvalidFiles(f"{path} is not a regular file")
            size, asked = 0, min(CHUNK, before.st_size + 1)  # one byte more, to see the end of the file
            while chunk := os.read(descriptor, asked):
                size += len(chunk)
                yield chunk
                if len(chunk) < asked:
                    break
                asked = min(CHUNK, max(1, before.st_size + 1 - size))
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InvalidFiles(f"{path} cannot be read: {error.strerror}") from None
    if size == 0:
        raise InvalidFiles(f"{path} is empty: was its writer interrupted?")
    if (before.st_size, before.st_mtime_ns, size) != (after.st_size, after.st_mtime_ns, after.st_size):
        raise InvalidFiles(f"{path} changed while it was read: wait until its writer has finished, and record again")


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file's bytes in chunks."""
    while chunk := file.read(CHUNK):
        yield chunk
