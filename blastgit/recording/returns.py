"""Recognises states and images that return to those of an earlier revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from blastgit.naming.trailers import Trailer
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.history import History
from blastgit.revision.files import FileChange

_LOOK_BACK = 11
"""The number of earlier revisions to check, newest first: a line may be long, and the recording waits."""

_COMPARED = 3
"""How many of these are compared by value; the others only match by digest, if nothing differs at all."""


def earlier(repository: Repository, latest: Revision) -> list[Revision]:
    """Return the revisions before the latest to check, newest first."""
    found = islice(History(repository).backwards(latest.name), _LOOK_BACK + 1)
    return [each for each in found if each.number < latest.number]


def find_equal(before: Sequence[Revision], digest: str, is_equal: Callable[[Revision], bool]) -> int | None:
    """Return the earlier revision that a state is equal to, by its digest or by the rules; None if it is new.

    Args:
        before: The earlier revisions, newest first.
        digest: The Science-Digest of the state.
        is_equal: Whether the state equals a revision by the rules.
    """
    found = next((each for each in before if each.trailers.get(Trailer.SCIENCE_DIGEST) == digest), None)
    if found is None:
        found = next(filter(is_equal, before[:_COMPARED]), None)
    return None if found is None else found.number


def name_returned_images(
    files: Sequence[FileChange], before: Sequence[Revision], sha256: Mapping[str, str]
) -> list[FileChange]:
    """Mark changed images whose bytes are those of an earlier revision: "the image is again that of revision 1"."""
    result = []
    for change in files:
        match = None
        if _is_new_image(change):
            digest = f"sha256:{sha256[change.path]}"
            named = (each for each in before if digest.encode() in each.dr_bytes)  # faster than parsing them all
            match = next((each.number for each in named if each.dr.files.get(change.path) == digest), None)
        result.append(FileChange(change.path, change.change, change.note, change.derived, match))
    return result


def _is_new_image(change: FileChange) -> bool:
    return change.is_image and change.change in ("added", "changed")
