"""The ledger's lines: one for each tag ever published, each with the SHA-256 of the previous line.

A line is `BEFORE REF OBJECT`: the SHA-256 of the previous line (with its line feed) for the same name, or zeros; the
tag; and the object that it names. Each transient, each user's own line and each released collection thus has its own
chain, and writers of different chains never wait for each other. Chains are spread over 256 files of the folder
`blastgit/ledger` by the SHA-256 of their names. A line is appended by a single write.

The ledger follows the refs: a writer appends after they have moved. A crash can therefore leave a tag that is not in
the ledger yet, which the next writer adds. The opposite only happens if a disk loses refs (`lost.py`).
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from blastgit.naming.refs import RELEASES, TAGS

FIRST = "0" * 64
"""The value of `before` in the first line of a chain."""

_LINE = re.compile(rb"([0-9a-f]{64}) (refs/tags/[^ \n]+/[^ /\n]+) ([0-9a-f]{40})\n")


class Entry(NamedTuple):
    """A published tag.

    Attributes:
        before: The SHA-256 of the previous line in its chain.
        ref: Its full name.
        object: The tag object that it names forever.
    """

    before: str
    ref: str
    object: str

    @property
    def line(self) -> bytes:
        """The entry as a line of the ledger."""
        return f"{self.before} {self.ref} {self.object}\n".encode()

    @property
    def digest(self) -> str:
        """The SHA-256 of the line, with which the next line of the chain begins."""
        return hashlib.sha256(self.line).hexdigest()

    @property
    def chain(self) -> str:
        """The chain that it belongs to."""
        return chain_of(self.ref)

    @property
    def number(self) -> int:
        """The revision's number; -1 for a release, which has a version instead."""
        number = self.ref.rpartition("/")[2]
        return int(number) if number.isdecimal() and not self.ref.startswith(RELEASES) else -1

    def __str__(self) -> str:
        chain, _, last = self.ref.removeprefix(TAGS).rpartition("/")
        return f"{chain}@{last}" if self.number >= 0 else f"{chain}/{last}"


def chain_of(ref: str) -> str:
    """Return the chain that a tag belongs to: its name without the number or version, `2026dgt` or `release/best`."""
    return ref.removeprefix(TAGS).rpartition("/")[0]


def shard_of(chain: str) -> str:
    """Return the name of the file that holds a chain."""
    return hashlib.sha256(chain.encode("utf-8", "surrogateescape")).hexdigest()[:2]


def read_lines(data: bytes) -> Iterator[Entry]:
    """Yield the entries of a file, each once; a line truncated by a power cut is ignored."""
    seen: set[bytes] = set()
    for line in data.splitlines(keepends=True):
        match = _LINE.fullmatch(line)
        if match and line not in seen:
            seen.add(line)
            yield Entry(*(part.decode("utf-8", "surrogateescape") for part in match.groups()))


def chains_of(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Group entries by chain."""
    chains: dict[str, list[Entry]] = {}
    for entry in entries:
        chains.setdefault(entry.chain, []).append(entry)
    return chains


class Book:
    """The ledger of a local repository."""

    def __init__(self, repo: Path) -> None:
        """Open the ledger of the repository at `repo`, which need not exist yet."""
        self.folder = repo / "blastgit" / "ledger"

    def chain(self, name: str) -> list[Entry]:
        """Return what was published under a name, in order."""
        words = f" {TAGS}{name}/".encode("utf-8", "surrogateescape")
        data = self._read(shard_of(name))
        if words not in data:
            return []
        wanted = b"".join(line for line in data.splitlines(keepends=True) if words in line)
        return [entry for entry in read_lines(wanted) if entry.chain == name]

    def entries(self) -> Iterator[Entry]:
        """Yield all entries, each chain in its order."""
        for number in range(256):
            yield from read_lines(self._read(f"{number:02x}"))

    def add(self, tags: Mapping[str, str]) -> None:
        """Add tags that have just been published, by ref, in order.

        A line that cannot be written does not fail the publication: the next writer adds it.
        """
        chains: dict[str, dict[str, str]] = defaultdict(dict)
        for ref, oid in tags.items():
            if ref.startswith(TAGS):
                chains[chain_of(ref)][ref] = oid
        with suppress(OSError):
            self.append(entry for name, new in chains.items() for entry in self._new(name, new))

    def append(self, entries: Iterable[Entry]) -> None:
        """Append entries as they are.

        Raises:
            OSError: One cannot be written.
        """
        shards: dict[str, list[bytes]] = defaultdict(list)
        for entry in entries:
            shards[shard_of(entry.chain)].append(entry.line)
        for shard, lines in shards.items():
            self._append(shard, b"".join(lines))

    def _new(self, name: str, tags: Mapping[str, str]) -> Iterator[Entry]:
        chain = self.chain(name)
        known, before = {entry.ref for entry in chain}, chain[-1].digest if chain else FIRST
        for ref, oid in tags.items():
            if ref not in known:
                entry = Entry(before, ref, oid)
                before = entry.digest
                yield entry

    def _read(self, shard: str) -> bytes:
        try:
            return (self.folder / shard).read_bytes()
        except FileNotFoundError:
            return b""

    def _append(self, shard: str, lines: bytes) -> None:
        if not lines:
            return
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(self.folder.parent.stat().st_mode & 0o7777)  # group-writable in a shared repo
        descriptor = os.open(self.folder / shard, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            size = os.fstat(descriptor).st_size
            if not size and self.folder.stat().st_mode & stat.S_IWGRP:
                with suppress(PermissionError):
                    os.fchmod(descriptor, 0o664)
            torn = size and os.pread(descriptor, 1, size - 1) != b"\n"  # a power cut in the middle of a line
            os.write(descriptor, b"\n" + lines if torn else lines)
        finally:
            os.close(descriptor)
