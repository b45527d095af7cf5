"""Handing a revision out: as Blast's own archive, or in the layout that the project began with."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blastgit.annotations.carried import as_lines
from blastgit.errors import RepoError, UsageError, WouldOverwrite
from blastgit.exchange.to_blast import adapt, write_archive
from blastgit.exchange.to_tree import layout
from blastgit.naming.names import is_reference
from blastgit.progress import Progress, silent
from blastgit.reading.checkout import Item, deliver
from blastgit.reading.get import item_of
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision, Snapshot
from blastgit.repository.history import History
from blastgit.repository.tombstones import Withdrawals
from blastgit.workflow.stages import Stages


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        revision: The revision, `2026dgt@1`.
        format: "blast" or "tree".
        path: The archive or the folder.
        files: How many files, documents among them.
        size: Bytes of them.
        notes: What is not as Blast wrote it, in words.
        annotations: The file with what was said of it; None if nothing was.
    """

    revision: str
    format: str
    path: Path
    files: int
    size: int
    notes: tuple[str, ...] = ()
    annotations: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the result under its stable keys."""
        return {
            "revision": self.revision, "format": self.format, "path": str(self.path), "files": self.files,
            "bytes": self.size, "notes": list(self.notes),
            "annotations": None if self.annotations is None else str(self.annotations),
        }  # fmt: skip


def export_archive(
    repository: Repository, state: Snapshot, target: Path, *, force: bool = False, progress: Progress = silent
) -> Exported:
    """Write the archive that Blast's importer reads.

    Args:
        repository: The data repo.
        state: The revision.
        target: The file to write; it has its name only when it is complete.
        force: Whether to replace a file that is there.
        progress: Called with bytes written.

    Raises:
        UsageError: It is a reference, of which Blast's importer knows nothing.
        WouldOverwrite: The file is there, or that of the annotations, which is named after it, and differs.
        Withdrawn: A file of the revision was taken down, so that it cannot be handed out whole.
        DamagedData: The store lacks a content, or holds something else.
        RepoError: The file cannot be written.
    """
    if is_reference(state.name):
        raise UsageError(f"{state} is a reference, which Blast cannot import: `blastgit get {state}` writes its files")
    if os.path.lexists(target) and not force:
        raise WouldOverwrite(f"{target} would be overwritten: give another name, or --force")
    Withdrawals(repository).refuse(state, sorted(state.pointers))
    stages = Stages.of(repository.settings)
    adapted = adapt(state.dr.export.document, stages.by_name)
    paths = sorted(state.pointers)
    size = sum(state.pointers[path].size for path in paths)

    def files() -> Iterator[tuple[str, int, Iterator[bytes]]]:
        done = 0
        for path in paths:
            item = item_of(repository, state, path)
            yield path, item.size, item.checked()
            done += item.size
            progress("writing", done, size)

    said = _said(repository, [state], f"{target.name.removesuffix('.tar.gz')}.annotations.jsonl")
    deliver(target.parent, said, force=force)
    part = target.with_name(f"{target.name}.blastgit-part")
    try:
        with part.open("wb") as file:
            write_archive(file, adapted.document, files())
        part.replace(target)
    except OSError as error:
        raise RepoError(f"{target} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    beside = target.parent / said[0].path if said else None
    return Exported(str(state), "blast", target, len(paths) + 1, size, adapted.notes, beside)


def export_tree(
    repository: Repository, state: Snapshot, target: Path, *, force: bool = False, progress: Progress = silent
) -> Exported:
    """Write a revision and all before it as files beside `cutout_cdn/`, `sed_output/` and `revisions/`.

    Args:
        repository: The data repo.
        state: The revision whose files are to be the present ones.
        target: The folder; several transients may share it.
        force: Whether to overwrite files that differ.
        progress: Called with bytes written.

    Raises:
        UsageError: A marker was asked for, which has no number.
        WouldOverwrite: A file in the way differs; nothing was written.
        Withdrawn: A file was taken down.
        DamagedData: The store lacks a content, or holds something else.
        RepoError: The folder cannot be written.
    """
    if not isinstance(state, Revision):
        raise UsageError(f"{state} is no revision, and only revisions have a place in this layout")
    revisions = [each for each in History(repository).revisions(state.name) if each.number <= state.number]
    withdrawals = Withdrawals(repository)
    items = []
    for place, revision, path in layout(revisions):
        if path is not None:
            withdrawals.refuse(revision, [path])
        items.append(item_of(repository, revision, path or revision.document_name, place))
    said = _said(repository, revisions, f"annotations/{state.transient}.jsonl")
    deliver(target, [*items, *said], force=force, progress=progress)
    beside = target / said[0].path if said else None
    return Exported(str(state), "tree", target, len(items), sum(item.size for item in items), annotations=beside)


def _said(repository: Repository, states: Sequence[Snapshot], path: str) -> list[Item]:
    """Return the file, if there is anything to go into it, with what was said of revisions and their files."""
    data = as_lines(repository, [state for state in states if isinstance(state, Revision)])
    digest = hashlib.sha256(data).hexdigest()
    return [Item(path, digest, len(data), "what was said of it", lambda: iter([data]))] if data else []
