"""Downloading a revision: its files and its document, each verified while it is written."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from blastgit.errors import NotFound, Withdrawn
from blastgit.naming.nearest import did_you_mean, with_beginnings
from blastgit.naming.paths import check_paths
from blastgit.progress import Progress, silent
from blastgit.reading.checkout import Item, deliver, others_in
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.repository.contents import whose
from blastgit.repository.tombstones import Withdrawals
from blastgit.workflow.judged import Invalid, OutOfDate, ValidityReport
from blastgit.workflow.patterns import Patterns


@dataclass(frozen=True)
class GetResult:
    """The result of a download.

    Attributes:
        revision: The revision, `2026dgt@1`.
        folder: The folder it is in.
        written: The paths that were written.
        kept: The paths that were already there with the right content.
        size: Bytes of all of them.
        invalid: The invalid values and files in it, each with the reason; only with `even_invalid`.
        not_made: At a marker, the files that the run had not made yet, each with the reason; they are omitted
            without `even_invalid`.
        out_of_date: The values and files that are out of date, each with the reason.
        remarks: Notes on valid files.
        asked: The convenient name that was given for it, or None.
    """

    revision: str
    folder: Path
    written: list[str]
    kept: list[str]
    size: int
    invalid: Invalid = field(default_factory=Invalid)
    not_made: dict[str, str] = field(default_factory=dict)
    out_of_date: OutOfDate = field(default_factory=OutOfDate)
    remarks: dict[str, str] = field(default_factory=dict)
    asked: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the result under its stable keys."""
        return {
            "revision": self.revision, "folder": str(self.folder), "written": self.written, "kept": self.kept,
            "bytes": self.size, "invalid": self.invalid, "not_made": self.not_made, "out_of_date": self.out_of_date,
            "remarks": self.remarks, "asked": self.asked,
        }  # fmt: skip


@dataclass(frozen=True)
class GetOptions:
    """What to download, and how.

    Attributes:
        folder: The target folder; None for `NAME@N` in the current folder.
        only: A pattern that paths must match, or part of one; None for all files.
        force: Whether to overwrite files that differ.
        even_invalid: Whether to write files that a failed stage left behind.
        strict: Whether to omit data that are out of date, and to fail if there are any.
        within: The component that the files must belong to; None for all.
    """

    folder: Path | None = None
    only: str | None = None
    force: bool = False
    even_invalid: bool = False
    strict: bool = False
    within: Patterns | None = None


def get(repository: Repository, revision: Snapshot, wanted: GetOptions, progress: Progress = silent) -> GetResult:
    """Write a revision's files and document into a folder. Files that are already right are kept, so it resumes.

    Raises:
        NotFound: No file matches.
        WouldOverwrite: A file in the way differs; nothing was written.
        DamagedData: The store lacks a content, or holds other bytes; the other files were written.
        Withdrawn: A file was taken down; the other files were written.
        InvalidData: A stage failed and its output is invalid, or data are out of date and `strict` was given; the
            other files and the document were written.
        RepoError: The folder cannot be written.
    """
    folder = wanted.folder if wanted.folder is not None else Path(str(revision))
    check_paths(list(revision.pointers))
    document = revision.document_name
    paths = [path for path in (*revision.pointers, document) if wanted.only is None or matches(path, wanted.only)]
    paths = [path for path in paths if wanted.within is None or wanted.within.match(path)]
    if not paths:
        known = with_beginnings([*revision.pointers, document])
        if wanted.only is None:
            raise NotFound(f"{revision} has no file of that component; `blastgit show {revision}:files` lists them")
        hint = did_you_mean(wanted.only, known, f"`blastgit show {revision}:files` lists them")
        raise NotFound(f"{revision} has no file that matches {wanted.only!r}{hint}")
    judged = ValidityReport(repository, revision)
    shown = [*paths, *(judged.values if document in paths and not judged.validity.is_complete else ())]
    if not wanted.even_invalid:
        paths = [path for path in paths if path not in judged.invalid_files and path not in judged.unmade]
    if wanted.strict:
        paths = [path for path in paths if path not in judged.outdated]
    withdrawals = Withdrawals(repository)
    gone = withdrawals.concerning(revision).keys() & set(paths)
    paths = [path for path in paths if path not in gone]
    items = [item_of(repository, revision, path) for path in paths]
    written = deliver(folder, items, force=wanted.force, progress=progress)
    try:
        withdrawals.refuse(revision, sorted(gone))
    except Withdrawn as error:
        raise Withdrawn(f"{error}{others_in(folder, len(paths))}") from None
    told = f"What is valid ({len(paths)} file{'s' * (len(paths) > 1)}) is in {folder}. " if paths else ""
    invalid = judged.allow(shown, str(revision), told, even_invalid=wanted.even_invalid)
    unmade = {path: why for path, why in judged.unmade.items() if path in shown and path in revision.held}
    late = judged.out_of_date(shown, str(revision), told, strict=wanted.strict)
    kept = [path for path in paths if path not in written]
    remarks = {path: remark for path in paths if (remark := judged.validity.remark(path))}
    size = sum(item.size for item in items)
    return GetResult(str(revision), folder, written, kept, size, invalid, unmade, late, remarks, revision.asked)


def matches(path: str, pattern: str) -> bool:
    """Whether a pattern matches a file's path or name, or names a folder that it is in."""
    return (
        fnmatchcase(path, pattern)
        or fnmatchcase(path.rpartition("/")[2], pattern)
        or path.startswith(f"{pattern.rstrip('/')}/")
    )


def item_of(repository: Repository, revision: Snapshot, path: str, target: str | None = None) -> Item:
    """Return a file or the document of a revision as an item to write, optionally under another path.

    Raises:
        DamagedData: The revision cannot be read.
    """
    if path == revision.document_name:
        data = revision.dr_bytes
        digest = hashlib.sha256(data).hexdigest()
        return Item(target or path, digest, len(data), f"{path} of {revision}", lambda: iter([data]))
    sha256, size, what = revision.sha256(path), revision.pointers[path].size, f"{path} of {revision}"
    return Item(
        target or path,
        sha256,
        size,
        what,
        lambda: revision.read(path, repository.store),
        lambda: whose(revision, path, repository.store),
    )
