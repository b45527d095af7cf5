"""Merge the annotations of two repos: every line of both, in an order that keeps the order of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pygit2

from blastgit.errors import RepoError

Blobs = tuple[pygit2.Blob | None, pygit2.Blob]


def merge_lines(ours: bytes, theirs: bytes) -> bytes:
    """Return the lines of both, each shared line once.

    Lines are only ever added, so shared lines are in the same order in both, and the result keeps the order of each.
    Should the orders contradict each other, theirs is kept.
    """
    own, other = _keyed(ours), _keyed(theirs)
    shared = set(own) & set(other)
    rest = iter(other)
    merged: dict[tuple[bytes, int], None] = {}
    for line in own:
        if line not in shared:
            merged[line] = None
        while line in shared and line not in merged:
            merged[next(rest)] = None
    merged.update(dict.fromkeys(rest))
    return b"".join(line + b"\n" for line, _ in merged)


def _keyed(data: bytes) -> list[tuple[bytes, int]]:
    """Number equal lines, so that they can be told apart."""
    seen: Counter[bytes] = Counter()
    keyed = []
    for line in data.removesuffix(b"\n").split(b"\n") if data else []:
        keyed.append((line, seen[line]))
        seen[line] += 1
    return keyed


def merge_trees(ours: pygit2.Tree, theirs: pygit2.Tree) -> dict[str, bytes | None]:
    """Return our files that a merge with theirs changes, with their new bytes.

    Raises:
        RepoError: A path is a file in one and a folder in the other.
    """
    files: dict[str, bytes | None] = {}
    for path, (own, other) in differing(ours, theirs):
        before = b"" if own is None else own.data
        after = merge_lines(before, other.data) if path.endswith(".jsonl") else other.data
        if after != before:
            files[path] = after
    return files


def differing(ours: pygit2.Tree | None, theirs: pygit2.Tree | None, prefix: str = "") -> Iterator[tuple[str, Blobs]]:
    """Yield each of their files that we lack or have with other bytes, by path; equal folders are skipped.

    Raises:
        RepoError: A path is a file in one and a folder in the other.
    """
    for entry in theirs or ():
        name = entry.name or ""
        path, known = f"{prefix}{name}", ours[name] if ours is not None and name in ours else None
        if known is not None and known.id == entry.id:
            continue
        if isinstance(entry, pygit2.Tree) and (known is None or isinstance(known, pygit2.Tree)):
            yield from differing(known, entry, f"{path}/")
        elif isinstance(entry, pygit2.Blob) and (known is None or isinstance(known, pygit2.Blob)):
            yield path, (known, entry)
        else:
            raise RepoError(f"{path} is a file in one place and a folder in the other: are these of one repo?")


def count_new(ours: pygit2.Tree | None, theirs: pygit2.Tree | None) -> int:
    """Return how many of their lines we lack."""
    count = 0
    for path, (own, other) in differing(ours, theirs):
        if path.endswith(".jsonl"):
            new = Counter(other.data.splitlines()) - Counter(own.data.splitlines() if own else ())
            count += new.total()
    return count
