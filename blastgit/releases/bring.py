"""Download a release: all files of its tree, including those that describe it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from blastgit.errors import NotFound, Withdrawn
from blastgit.naming.names import document_of
from blastgit.naming.paths import check_path
from blastgit.progress import Progress, silent
from blastgit.reading.checkout import Item, deliver, others_in
from blastgit.reading.get import GetResult, item_of, matches
from blastgit.releases.check import Tagged
from blastgit.releases.frozen import DESCRIBING, MANIFEST
from blastgit.releases.layout import Part, faults_of
from blastgit.repository.base import Repository
from blastgit.repository.tombstones import Tombstone, Withdrawals
from blastgit.workflow.judged import Invalid, OutOfDate


def bring(  # noqa: PLR0913 (the release, the folder, and three rarely used options)
    repository: Repository, tagged: Tagged, folder: Path, *, only: str | None, force: bool, progress: Progress = silent
) -> GetResult:
    """Write the files of a release into a folder, each checked against what its revision published.

    Files that a failed stage left behind and files that are out of date are included, since the manifest lists them;
    the result reports them.

    Raises:
        NotFound: No file matches.
        WouldOverwrite: An existing file differs; nothing was written.
        Withdrawn: A file was withdrawn; the others were written.
        DamagedData: The store lacks a content, or it is damaged; or the release cannot be read.
        RepoError: The folder cannot be written.
    """
    withdrawals = Withdrawals(repository)
    items: list[Item] = []
    gone: dict[str, Tombstone] = {}
    faults = []
    for part in tagged.parts:
        faults.append(faults_of(repository, part))
        stones = withdrawals.of(part.dataset.line, part.dataset.number)
        revision = part.open()
        for path in _paths(part, only):
            target = check_path(f"{part.folder}/{path}")
            if path in stones:
                gone[target] = stones[path]
            else:
                items.append(item_of(repository, revision, path, target))
    if not items and not gone:
        raise NotFound(f"{tagged.label} has no file that matches {only!r}: {MANIFEST} in its tag lists them")
    items += [_item(path, tagged) for path in (*DESCRIBING, MANIFEST)]
    written = deliver(folder, items, force=force, progress=progress)
    if gone:
        first = min(gone)
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        raise Withdrawn(f"{first}{more} was {gone[first]}{others_in(folder, len(items))}")
    kept = [item.path for item in items if item.path not in set(written)]
    invalid, late = Invalid.of_all(each for each, _ in faults), OutOfDate.of_all(each for _, each in faults)
    size = sum(item.size for item in items)
    return GetResult(str(tagged.label), folder, written, kept, size, invalid, out_of_date=late)


def _paths(part: Part, only: str | None) -> list[str]:
    paths = [*part.paths, *([document_of(part.dataset.name)] if part.whole else [])]
    return [path for path in paths if only is None or matches(path, only) or matches(f"{part.folder}/{path}", only)]


def _item(path: str, tagged: Tagged) -> Item:
    data = tagged.file(path)
    return Item(path, hashlib.sha256(data).hexdigest(), len(data), f"{path} of {tagged.label}", lambda: iter([data]))
