"""Rules for tombstones: each is about a published file, with its exact name, size and checksum."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from blastgit.errors import BlastgitError
from blastgit.plumbing.safe_text import hidden_in
from blastgit.repository.commits import Snapshot
from blastgit.repository.tombstones import ATTACHMENT, FOLDER, Tombstone, read_tombstones

_OF_STATE = re.compile(rf"{FOLDER}/((?:u/[^/]+/)?[^/]+)/(0|[1-9][0-9]{{0,8}})(?:-draft-([1-9][0-9]{{0,8}}))?\.yaml")
_OF_ATTACHMENT = re.compile(rf"{FOLDER}/({ATTACHMENT}/[0-9a-f]{{2}}/[0-9a-f]{{62}})\.yaml")

Find = Callable[[str, int, int | None], Snapshot | None]
"""Finds a revision by line and number, or a draft on the way to it; None if it does not exist."""


def is_tombstones(path: str) -> bool:
    """Whether a path on main is that of tombstones: of a revision, of a draft, or of an attachment."""
    return bool(_OF_STATE.fullmatch(path) or _OF_ATTACHMENT.fullmatch(path))


def tombstone_faults(path: str, data: bytes, find: Find) -> Iterator[str]:
    """Yield the faults of a file of tombstones on main.

    Args:
        path: The path of the file.
        data: Its bytes.
        find: Finds published revisions and drafts.
    """
    try:
        stones = list(read_tombstones(data, path).values())
    except BlastgitError as error:
        yield str(error)
        return
    if not stones:
        yield "it withdraws nothing"
    for stone in stones:
        for what, text in (("reason", stone.reason), ("name", stone.by), ("time", stone.at)):
            if not isinstance(text, str) or hidden_in(text, "\n\t"):
                yield f"the {what} of its tombstone of {stone.path!r} is not plain text"
    if match := _OF_ATTACHMENT.fullmatch(path):
        yield from _attachment_faults(match[1], stones)
    elif match := _OF_STATE.fullmatch(path):
        line, number, draft = match[1], int(match[2]), int(match[3]) if match[3] else None
        state = find(line, number, draft)
        if state is None:
            yield f"there is no {'revision' if draft is None else f'draft {draft} of'} {line}@{number} here"
        else:
            yield from _file_faults(state, stones)


def _attachment_faults(name: str, stones: list[Tombstone]) -> Iterator[str]:
    sha256 = name.replace("/", "").removeprefix(ATTACHMENT)
    for stone in stones:
        if (stone.path, stone.sha256) != (name, sha256):
            yield f"it is about {stone.path!r}, and its name says {name}"


def _file_faults(revision: Snapshot, stones: list[Tombstone]) -> Iterator[str]:
    for stone in stones:
        try:
            pointer = revision.pointers.get(stone.path)
            sha256 = revision.sha256(stone.path) if pointer else ""
        except BlastgitError as error:
            yield str(error)
            return
        if pointer is None:
            yield f"{revision} has no file {stone.path!r} that could be withdrawn"
        elif (stone.md5, stone.size, stone.sha256) != (pointer.md5, pointer.size, sha256):
            yield f"{revision}:{stone.path} has a different content from what its tombstone says"
