"""Getting a revision back: its files and its document, each verified while it is written."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO

from blastgit.errors import NotFound, RepoError, Withdrawn, WouldOverwrite
from blastgit.fetch import checked
from blastgit.handle import Handle
from blastgit.history import Snapshot
from blastgit.names import check_paths
from blastgit.progress import Progress, silent
from blastgit.store.hashing import chunks_of
from blastgit.withdrawn import Withdrawals
from blastgit.workflow.judged import Judged

_PART = ".blastgit-part"  # what is not complete yet never has a file's own name


@dataclass(frozen=True)
class Got:
    """What was brought.

    Attributes:
        revision: The revision, `2026dgt@1`.
        folder: Where it is now.
        written: The paths that were written.
        kept: The paths that were there already, with the right content.
        size: Bytes of all of them.
        invalid: What of it is invalid, each value or file with the reason; only if that was asked for.
        remarks: What should be known of a file that is valid.
        asked: The convenient name that it was asked for by, or None.
    """

    revision: str
    folder: Path
    written: list[str]
    kept: list[str]
    size: int
    invalid: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    asked: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the result under its stable keys."""
        return {
            "revision": self.revision, "folder": str(self.folder), "written": self.written, "kept": self.kept,
            "bytes": self.size, "invalid": self.invalid, "remarks": self.remarks, "asked": self.asked,
        }  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What to bring, and how.

    Attributes:
        folder: Where to; None for `NAME@N` in the present folder.
        only: A pattern that paths must match, or part of one; None for all files.
        force: Whether to overwrite files that differ.
        even_invalid: Whether to bring files that a failed stage left behind.
    """

    folder: Path | None = None
    only: str | None = None
    force: bool = False
    even_invalid: bool = False


def get(handle: Handle, revision: Snapshot, wanted: Wanted, progress: Progress = silent) -> Got:
    """Write a revision's files and document into a folder. What is there already and right is kept, so it resumes.

    Raises:
        NotFound: No file matches.
        WouldOverwrite: A file in the way differs; nothing was written.
        DamagedData: The store lacks a content, or holds something else; the other files are there.
        Withdrawn: A file was taken down; the other files are there.
        InvalidData: A stage failed, and what it makes is invalid; the valid files and the document are there.
        RepoError: The folder cannot be written.
    """
    folder = wanted.folder if wanted.folder is not None else Path(str(revision))
    check_paths(list(revision.pointers))
    document = f"{revision.name}.json"
    sha256 = {path: revision.sha256(path) for path in revision.pointers}
    sha256[document] = hashlib.sha256(revision.dr_bytes).hexdigest()
    paths = [path for path in sha256 if wanted.only is None or matches(path, wanted.only)]
    if not paths:
        raise NotFound(
            f"{revision} has no file that matches {wanted.only!r}; `blastgit show {revision}:files` lists them"
        )
    judged = Judged(handle, revision)
    shown = [*paths, *(judged.invalid_values if document in paths else ())]
    if not wanted.even_invalid:
        paths = [path for path in paths if path not in judged.invalid_files]
    withdrawals = Withdrawals(handle)
    gone = withdrawals.concerning(revision).keys() & set(paths)
    paths = [path for path in paths if path not in gone]
    left = _left_to_write(folder, paths, sha256, force=wanted.force)
    sizes = {path: _size(revision, path) for path in paths}

    def contents(path: str) -> Iterator[bytes]:
        if path == document:
            return iter([revision.dr_bytes])
        return handle.store.read(revision.pointers[path].md5)

    def write(path: str) -> None:
        _write(folder / path, checked(contents(path), sha256[path], f"{path} of {revision}"))

    try:
        if paths:
            folder.mkdir(parents=True, exist_ok=True)
        _write_all(left, write, sizes, progress)
    except OSError as error:
        raise RepoError(f"{folder} cannot be written: {error.strerror}; what is there already is kept") from None
    try:
        withdrawals.refuse(revision, sorted(gone))
    except Withdrawn as error:
        raise Withdrawn(f"{error}; {len(paths)} other files are in {folder}" if paths else str(error)) from None
    told = f"The {len(paths)} valid files are in {folder}. " if paths else ""
    invalid = judged.allow(shown, str(revision), told, even_invalid=wanted.even_invalid)
    kept = [path for path in paths if path not in left]
    remarks = {path: remark for path in paths if (remark := judged.validity.remark(path))}
    return Got(str(revision), folder, left, kept, sum(sizes.values()), invalid, remarks, revision.asked)


def matches(path: str, pattern: str) -> bool:
    """Whether a file is meant by a pattern of its path or name, or by a folder of the dataset."""
    return (
        fnmatchcase(path, pattern)
        or fnmatchcase(path.rpartition("/")[2], pattern)
        or path.startswith(f"{pattern.rstrip('/')}/")
    )


def _size(revision: Snapshot, path: str) -> int:
    return revision.pointers[path].size if path in revision.pointers else len(revision.dr_bytes)


def _left_to_write(folder: Path, paths: Iterable[str], sha256: dict[str, str], *, force: bool) -> list[str]:
    left, other = [], []
    for path in paths:
        target = folder / path
        _check_parents(target)
        if not os.path.lexists(target):
            left.append(path)
        elif not target.is_file() or _sha256(target) != sha256[path]:
            left.append(path)
            other.append(path)
    if other and not force:
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        raise WouldOverwrite(f"{folder / other[0]}{more} would be overwritten: give another folder, or --force")
    return left


def _check_parents(target: Path) -> None:
    above = next(parent for parent in target.parents if os.path.lexists(parent))
    if not above.is_dir():
        raise WouldOverwrite(f"{above} is in the way of {target}: a folder should be there; move it away")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        for chunk in chunks_of(file):
            digest.update(chunk)
    return digest.hexdigest()


def _write_all(paths: list[str], write: Any, sizes: dict[str, int], progress: Progress) -> None:
    order = sorted(paths, key=sizes.__getitem__, reverse=True)  # large ones first, so that no thread ends late
    done, total = 0, sum(sizes[path] for path in paths)
    with ThreadPoolExecutor(min(8, 2 * (os.cpu_count() or 1))) as pool:
        for path, _ in zip(order, pool.map(write, order), strict=True):
            done += sizes[path]
            progress("getting", done, total)


def _write(target: Path, chunks: Iterable[bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + _PART)
    with _alone_with(part) as file:
        try:
            file.truncate(0)  # what a killed `get` left there
            file.writelines(chunks)
            file.flush()
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        part.replace(target)


@contextmanager
def _alone_with(part: Path) -> Iterator[BinaryIO]:
    """Open a file that another `get` into the same folder may be writing too: this one then waits."""
    while True:
        with part.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(part, file):
                yield file
                return


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
