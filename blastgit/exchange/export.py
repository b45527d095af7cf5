"""Export a revision: as Blast's own archive, or in the project's original layout."""

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
    """The result of an export.

    Attributes:
        revision: The revision, `2026dgt@1`.
        format: "blast" or "tree".
        path: The archive or the folder.
        files: How many files, including documents.
        size: Their size in bytes.
        notes: What differs from what Blast wrote, as text.
        annotations: The file with its annotations; None if there are none.
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
        target: The file to write; it gets its name only when it is complete.
        force: Whether to replace an existing file.
        progress: Called with bytes written.

    Raises:
        UsageError: It is a reference, which Blast cannot import.
        WouldOverwrite: The file exists, or the file of the annotations, which is named after it, and differs.
        Withdrawn: A file of the revision was withdrawn, so that the archive would be incomplete.
        DamagedData: The store lacks a content, or it is damaged.
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

    annotations = _annotations(repository, [state], f"{target.name.removesuffix('.tar.gz')}.annotations.jsonl")
    deliver(target.parent, annotations, force=force)
    part = target.with_name(f"{target.name}.blastgit-part")
    try:
        with part.open("wb") as file:
            write_archive(file, adapted.document, files())
        part.replace(target)
    except OSError as error:
        raise RepoError(f"{target} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    beside = target.parent / annotations[0].path if annotations else None
    return Exported(str(state), "blast", target, len(paths) + 1, size, adapted.notes, beside)


def export_tree(
    repository: Repository, state: Snapshot, target: Path, *, force: bool = False, progress: Progress = silent
) -> Exported:
    """Write a revision and all before it as the folders `cutout_cdn/`, `sed_output/` and `revisions/`.

    Args:
        repository: The data repo.
        state: The revision whose files are the present ones.
        target: The folder; several transients may share it.
        force: Whether to overwrite files that differ.
        progress: Called with bytes written.

    Raises:
        UsageError: The state is not a revision.
        WouldOverwrite: An existing file differs; nothing was written.
        Withdrawn: A file was withdrawn.
        DamagedData: The store lacks a content, or it is damaged.
        RepoError: The folder cannot be written.
    """
    if not isinstance(state, Revision):
        raise UsageError(f"{state} is not a revision, and only revisions have a place in this layout")
    revisions = [each for each in History(repository).revisions(state.name) if each.number <= state.number]
    withdrawals = Withdrawals(repository)
    items = []
    for place, revision, path in layout(revisions):
        if path is not None:
            withdrawals.refuse(revision, [path])
        items.append(item_of(repository, revision, path or revision.document_name, place))
    annotations = _annotations(repository, revisions, f"annotations/{state.transient}.jsonl")
    deliver(target, [*items, *annotations], force=force, progress=progress)
    beside = target / annotations[0].path if annotations else None
    return Exported(str(state), "tree", target, len(items), sum(item.size for item in items), annotations=beside)


def _annotations(repository: Repository, states: Sequence[Snapshot], path: str) -> list[Item]:
    """Return the file with the annotations of revisions and their files, if there are any."""
    data = as_lines(repository, [state for state in states if isinstance(state, Revision)])
    digest = hashlib.sha256(data).hexdigest()
    return [Item(path, digest, len(data), "what was said of it", lambda: iter([data]))] if data else []
