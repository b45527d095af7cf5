"""What results were made from, what was made from them, and who reads them: verbs of `DataRepo`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from blastgit.naming.names import parse_spec

if TYPE_CHECKING:
    from blastgit.api.session import Session
    from blastgit.provenance.affected import Affected
    from blastgit.provenance.graph import Graph
    from blastgit.provenance.orphans import Orphan
    from blastgit.provenance.usage import Usage


def provenance(session: Session, /, spec: str) -> Graph:
    """Return the provenance of a revision, or of what is at `:PATH` in it: images, rows, files, stages.

    Raises:
        NotFound: The revision does not exist, or has nothing at that path.
    """
    from dataclasses import replace

    from blastgit.provenance.graph import read_graph
    from blastgit.repository.commits import Revision
    from blastgit.workflow.ended import status_of

    parsed = parse_spec(spec)
    state = session.resolve(parsed)
    graph = read_graph(session.repository, state)
    if isinstance(state, Revision):
        graph = replace(graph, about={**graph.about, "status": status_of(session.repository, state)})
    return graph if parsed.path is None else graph.back_from(parsed.path)


def affected(session: Session, /, subject: str) -> Sequence[Affected]:
    """Return everything that was actually made from a subject, in every transient and revision.

    Args:
        subject: `NAME@N`, `NAME@N:PATH`, `sha256:…`, `images/SURVEY/FILTER`, `host:KEY`, `filter:DES_z` or another
            reference (also `r/filter/DES_z@1`), or the id of an annotation.

    Raises:
        InvalidName: The subject is none of these.
        NotFound: No such revision, reference, annotation or path, or nothing was made from it.
        RepoError: The answer needs the index, and DuckDB is not installed.
    """
    from blastgit.provenance.affected import annotated

    found = [_affected(session, one) for one in annotated(session.repository, subject)]
    return found[0] if len(found) == 1 else [each for one in found for each in one]


def _affected(session: Session, subject: str) -> Sequence[Affected]:
    from blastgit.annotations.resolve import Resolver

    shared = Resolver(session.repository).shared(subject)
    if shared is not None:
        from blastgit.api.search import opened_index
        from blastgit.provenance.affected import affected_by_host
        from blastgit.search.affected import affected_by, revisions_with_host

        with opened_index(session) as index:
            if shared.kind != "host":
                return affected_by(index, shared)
            having = revisions_with_host(index, shared.name)
        return list(affected_by_host(session.repository, having))
    from blastgit.provenance.affected import affected, read_subject

    return list(affected(session.repository, read_subject(session.repository, subject), session.progress))


def usage(session: Session, /, pattern: str = "*") -> Sequence[Usage]:
    """Return which revisions were read, the latest first.

    Raises:
        NotFound: This repo does not log reads.
    """
    from blastgit.provenance.usage import read_usage

    return read_usage(session.repository, pattern)


def orphans(session: Session, /, days: int = 30) -> Sequence[Orphan]:
    """Return the runs and markers older than some days that nothing cites, collects, annotates or reads."""
    from datetime import timedelta

    from blastgit.provenance.orphans import orphans

    return orphans(session.repository, timedelta(days=days))
