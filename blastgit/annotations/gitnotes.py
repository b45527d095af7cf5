"""Git notes derived from the annotations, so that `git log` shows them in a clone.

They are derived afresh each time and belong to this clone alone: the branch `annotations` is what is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from blastgit.annotations.branch import NAME, Branch
from blastgit.annotations.describe import describe
from blastgit.annotations.states import AnnotationStatus, annotation_states
from blastgit.errors import BlastgitError, RepoError
from blastgit.naming.names import parse_spec
from blastgit.naming.refs import NOTES, tag_ref
from blastgit.plumbing.objects import commit_of
from blastgit.plumbing.process import git_folder, run_git
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.local import LocalRepository
from blastgit.revision.document import parse


def set_up_notes(clone: Path) -> int:
    """Derive git notes from a clone's annotations, let `git log` show them, and return how many commits have one.

    Raises:
        RepoError: The folder is not a clone of a data repo, or has no annotations.
    """
    folder = git_folder(clone)
    repository = LocalRepository(folder)
    branch = Branch(repository)
    if branch.is_empty:
        raise RepoError(
            f"{clone} has no branch {NAME}: fetch it (`git fetch origin`), if there are any annotations yet"
        )
    notes: dict[str, list[str]] = {}
    for commit, note in _placed(repository, branch):
        notes.setdefault(commit, []).extend(describe(note))
    run_git(folder, "fast-import", "--quiet", "--force", stdin=_stream(notes))
    run_git(folder, "config", "--replace-all", "notes.displayRef", NOTES, f"^{NOTES}$")
    return len(notes)


def _placed(repository: Repository, branch: Branch) -> Iterator[tuple[str, AnnotationStatus]]:
    """Yield each annotation in force on a revision or on its files, with the revision's commit."""
    for events in branch.below("revision"):
        for note in annotation_states(events):
            commit = _commit(repository, *note.event.subject.revision)
            if note.is_current and commit is not None:
                yield commit.id, note
    for events in branch.below("file"):
        for note in annotation_states(events):
            if note.is_current and note.event.seen_as:
                yield from _with_file(repository, note)


def _with_file(repository: Repository, note: AnnotationStatus) -> Iterator[tuple[str, AnnotationStatus]]:
    """Yield every revision that has the same content, of the transient for which the file was annotated."""
    try:
        name = parse_spec(note.event.seen_as).name
    except BlastgitError:
        return
    number = 0
    while (revision := _commit(repository, name, number)) is not None:
        document = parse(revision.dr_bytes, str(revision))
        if isinstance(document, dict) and note.event.subject.name in document.get("files", {}).values():
            yield revision.id, note
        number += 1


def _commit(repository: Repository, name: str, number: int) -> Revision | None:
    reference = repository.reference(tag_ref(name, number))
    return None if reference is None else Revision(repository.git, name, commit_of(reference), number)


def _stream(notes: dict[str, list[str]]) -> bytes:
    """Return the input of `git fast-import`: one commit of notes without parents."""
    head = f"commit {NOTES}\ncommitter blastgit <blastgit@localhost> 0 +0000\n"
    parts = [head.encode(), _data("Derived from the branch annotations\n")]
    for commit, lines in sorted(notes.items()):
        parts += [f"N inline {commit}\n".encode(), _data("\n".join(lines) + "\n")]
    return b"".join(parts)


def _data(text: str) -> bytes:
    data = text.encode()
    return b"data %d\n%s\n" % (len(data), data)
