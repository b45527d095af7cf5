"""The annotations that are exported along with revisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from blastgit.annotations.intervals import Intervals
from blastgit.annotations.subjects import Subject
from blastgit.naming.names import is_reference
from blastgit.naming.trailers import Trailer
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision


def subjects_of(files: Mapping[Revision, Iterable[str]]) -> list[Subject]:
    """Return the subjects whose annotations go along with revisions and some of their files, sorted.

    Args:
        files: For each revision, the paths of the files that are exported.
    """
    subjects: set[Subject] = set()
    for revision, paths in files.items():
        whole = Subject("reference" if is_reference(revision.name) else "transient", revision.transient)
        subjects |= {whole, Subject("revision", str(revision))}
        subjects |= {Subject("file", f"sha256:{revision.sha256(path)}") for path in paths}
        if Trailer.RUN in revision.trailers:
            subjects.add(Subject("run", revision.trailers[Trailer.RUN]))
    return sorted(subjects, key=str)


def as_lines(repository: Repository, revisions: Iterable[Revision]) -> bytes:
    """Return the annotations of revisions and all their files, in the form of `annotate --import`; b"" if none.

    Raises:
        DamagedData: Git or the store cannot read it.
    """
    from blastgit.annotations.exchange import export
    from blastgit.annotations.query import Query
    from blastgit.repository.identity import repo_identity

    query = Query(repository)
    if query.branch.is_empty:
        return b""
    given = list(revisions)
    subjects = subjects_of({revision: revision.pointers for revision in given})
    subjects += Intervals(repository, query.branch).beside(given)
    notes = [note for subject in subjects for note in query.of(subject)]
    return export(repository, notes, repo_identity(repository), "jsonl") if notes else b""
