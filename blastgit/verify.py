"""Checking that a data repo holds what it promises: refs, numbering, documents, pointers, contents."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pygit2

from blastgit.errors import BlastgitError, DamagedData, InvalidFiles, NotFound
from blastgit.handle import Handle
from blastgit.history import History, Revision
from blastgit.names import check_path, tag_ref
from blastgit.plumbing.objects import commit_of
from blastgit.plumbing.trees import read_blob
from blastgit.progress import Progress, silent
from blastgit.revision.dr import write_dr
from blastgit.shipped import dot_files
from blastgit.store.hashing import Checksums, drain


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be.

    Attributes:
        kind: "refs", "document", "pointer", "missing" or "damaged": a stable word.
        where: The revision or file, `2026dgt@1:cutout_cdn/DES/DES_z.fits`.
        text: What is wrong, in a sentence.
    """

    kind: str
    where: str
    text: str

    def to_json(self) -> dict[str, str]:
        """Return the problem under its stable keys."""
        return {"kind": self.kind, "where": self.where, "text": self.text}


@dataclass
class Report:
    """What a verification found.

    Attributes:
        transients: How many were looked at.
        revisions: How many of their revisions.
        contents: How many distinct contents were read.
        size: Their bytes.
        problems: What is wrong.
    """

    transients: int = 0
    revisions: int = 0
    contents: int = 0
    size: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return the report under its stable keys."""
        return {
            "sound": self.is_sound, "transients": self.transients, "revisions": self.revisions,
            "contents": self.contents, "bytes": self.size,
            "problems": [problem.to_json() for problem in self.problems],
        }  # fmt: skip


def verify(handle: Handle, name: str | None = None, *, fast: bool = False, progress: Progress = silent) -> Report:
    """Check one transient, or all.

    Args:
        handle: The data repo.
        name: The transient; None for all.
        fast: Whether to leave contents unread, and only see that they are there.
        progress: Told of the bytes read.

    Raises:
        NotFound: There is no such transient.
    """
    history = History(handle)
    names = history.transients() if name is None else [name]
    if name is not None and history.tip(name) is None and history.tagged(name, 0) is None:
        raise NotFound(f"there is no transient {name} in {handle.location}")
    report = Report(transients=len(names))
    contents: dict[Checksums, str] = {}
    for each in names:
        for revision in _check_history(handle, each, report.problems):
            report.revisions += 1
            for path, sums in _check_revision(revision, report.problems):
                contents.setdefault(sums, f"{revision}:{path}")
    report.problems += _missing(handle, contents)
    if not fast:
        _read_contents(handle, contents, report, progress)
    return report


def _check_history(handle: Handle, name: str, problems: list[Problem]) -> list[Revision]:
    """Check a transient's branch against its tags, and return its revisions."""
    history, git = History(handle), handle.git
    try:
        revisions = history.revisions(name)
    except NotFound:
        problems.append(Problem("refs", name, "its branch has no revision"))
        return []
    except DamagedData as error:
        problems.append(Problem("damaged", name, str(error)))
        return []
    numbers = [revision.number for revision in revisions]
    if numbers != list(range(len(numbers))):
        problems.append(Problem("refs", name, f"its revisions are numbered {numbers}, not 0 to {len(numbers) - 1}"))
    for revision in revisions:
        problems += _tag_problems(git, revision)
    if history.tagged(name, len(numbers)) is not None:
        problems.append(Problem("refs", name, f"there is a tag {name}/{len(numbers)} that its branch does not know"))
    return revisions


def _tag_problems(git: pygit2.Repository, revision: Revision) -> Iterator[Problem]:
    reference = git.references.get(tag_ref(revision.name, revision.number))
    if reference is None:
        yield Problem("refs", str(revision), "its tag is missing")
        return
    try:
        named = str(commit_of(reference).id)
    except DamagedData as error:
        yield Problem("damaged", str(revision), str(error))
        return
    if not isinstance(git[reference.resolve().target], pygit2.Tag):
        yield Problem("refs", str(revision), "its tag is not an annotated one")
    elif named != revision.id:
        yield Problem("refs", str(revision), "its tag names another commit than the branch has for it")


def _check_revision(revision: Revision, problems: list[Problem]) -> Iterator[tuple[str, Checksums]]:
    """Check a revision's document and pointers, and yield the checksums of each file."""
    try:
        document, pointers = revision.dr, revision.pointers
    except BlastgitError as error:
        problems.append(Problem("document", str(revision), str(error)))
        return
    problems += [Problem("document", str(revision), text) for text in _document_faults(revision)]
    for path in sorted(document.files.keys() ^ pointers.keys()):
        lacking = "no pointer" if path in document.files else "no checksum in the document"
        problems.append(Problem("pointer", f"{revision}:{path}", f"it has {lacking}"))
    for path in document.files.keys() & pointers.keys():
        try:
            check_path(path)
        except InvalidFiles as error:
            problems.append(Problem("pointer", f"{revision}:{path}", str(error)))
        else:
            yield path, Checksums(pointers[path].md5, revision.sha256(path), pointers[path].size)


def _document_faults(revision: Revision) -> Iterator[str]:
    document = revision.dr
    if document.number != revision.number:
        yield f"its document says that it is revision {document.number}"
    if document.export.name != revision.name:
        yield f"its document is about {document.export.name}"
    if write_dr(document.export, document.number, document.files) != document.data:
        yield "its document is not written as the format asks"
    for path, expected in dot_files(b"").items():
        found = read_blob(revision.commit.tree, path)
        if found is None or (path != ".dvc/config" and found != expected):
            yield f"its {path} is not the one that plain git and DVC need"


def _missing(handle: Handle, contents: dict[Checksums, str]) -> list[Problem]:
    absent = handle.store.missing({sums.md5 for sums in contents})
    return [
        Problem("missing", where, f"the store {handle.store.url} lacks its content {sums.md5}")
        for sums, where in contents.items()
        if sums.md5 in absent
    ]


def _read_contents(handle: Handle, contents: dict[Checksums, str], report: Report, progress: Progress) -> None:
    absent = {problem.where for problem in report.problems if problem.kind == "missing"}
    wanted = [(sums, where) for sums, where in contents.items() if where not in absent]
    total = sum(sums.size for sums, _ in wanted)
    with ThreadPoolExecutor(min(8, 2 * (os.cpu_count() or 1))) as pool:
        for (sums, _), problem in zip(wanted, pool.map(lambda item: _read(handle, *item), wanted), strict=True):
            report.contents += 1
            report.size += sums.size
            report.problems += [problem] if problem else []
            progress("verifying", report.size, total)


def _read(handle: Handle, sums: Checksums, where: str) -> Problem | None:
    try:
        found = drain(handle.store.read(sums.md5), len)
    except BlastgitError as error:
        return Problem("damaged", where, str(error))
    if found == sums:
        return None
    differing = ", ".join(_differing(found, sums))
    return Problem("damaged", where, f"its content in the store {handle.store.url} has another {differing}")


def _differing(found: Checksums, expected: Checksums) -> Iterable[str]:
    for what in ("size", "md5", "sha256"):
        if getattr(found, what) != getattr(expected, what):
            yield what
