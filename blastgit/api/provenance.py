"""Where data come from and where they go, as methods of `DataRepo`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from blastgit.api.base import BaseRepo
from blastgit.naming.names import parse_spec
from blastgit.repository.commits import Revision
from blastgit.workflow.stages import Stages

if TYPE_CHECKING:
    from blastgit.provenance.affected import Affected
    from blastgit.provenance.graph import Graph
    from blastgit.provenance.orphans import Orphan
    from blastgit.provenance.usage import Usage


class Origins(BaseRepo):
    """What results were made of, what was made of them, and whether anybody reads them."""

    def provenance(self, spec: str) -> Graph:
        """Return where a revision came from, or what stands at `:PATH` of it: images, rows, files, stages.

        Raises:
            NotFound: There is no such revision, or nothing at that path.
        """
        from blastgit.provenance.graph import read_graph
        from blastgit.workflow.judged import status_of

        parsed = parse_spec(spec)
        state = self._resolve(parsed)
        graph = read_graph(state, self._repository.rules, Stages.of(self._repository.settings))
        if isinstance(state, Revision):
            graph = replace(graph, about={**graph.about, "status": status_of(self._repository, state)})
        return graph if parsed.path is None else graph.back_from(parsed.path)

    def affected(self, subject: str) -> Sequence[Affected]:
        """Return all that was really made of something, in every transient and revision.

        Args:
            subject: `NAME@N:PATH`, `sha256:…`, `images/SURVEY/FILTER`, `host:NAME`, or the id of an annotation.

        Raises:
            InvalidName: The subject is none of these.
            NotFound: There is no such revision, annotation or path.
        """
        from blastgit.provenance.affected import affected, read_subjects

        stages = Stages.of(self._repository.settings)
        subjects = read_subjects(self._repository, subject)
        return [each for one in subjects for each in affected(self._repository, one, stages, self._progress)]

    def usage(self, pattern: str = "*") -> Sequence[Usage]:
        """Return which revisions were read, the latest first, if reads are noted.

        Raises:
            NotFound: They are not.
        """
        from blastgit.provenance.usage import read_usage

        return read_usage(self._repository, pattern)

    def orphans(self, days: int = 30) -> Sequence[Orphan]:
        """Return the runs and markers, older than some days, that nothing cites, collects, annotates or reads."""
        from blastgit.provenance.orphans import orphans

        return orphans(self._repository, timedelta(days=days))
