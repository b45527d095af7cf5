"""The rows of `made_with`: the references that the stages of a revision used, such as a trained model.

Only references with revisions are considered, so that repos without any have no extra cost. When the first revision of
one is recorded, the index is rebuilt (`origin.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

from blastgit.index.changes import RevisionRows
from blastgit.index.rows import Values, naive
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.workflow.made import Makings
from blastgit.workflow.made_with import first_products, made_by
from blastgit.workflow.stages import Stages
from blastgit.workflow.steps import steps_back

_PATHS = {
    "hosts": "host",
    "cutouts": "cutouts/{0}",
    "apertures": "apertures/{0}",
    "photometry": "photometry/{0}/{2}",
    "sed": "sed/{0}",
}
"""The natural path of a row of each table."""


class DeclaredReferences:
    """Finds the references that the stages of a data repo use."""

    def __init__(self, repository: Repository) -> None:
        """Find the references that exist."""
        self._repository = repository
        self._stages = Stages.of(repository.settings)
        self._lines = frozenset(line for line in self._stages.references if repository.tip(line) is not None)

    @property
    def is_needed(self) -> bool:
        """Whether there are any."""
        return bool(self._lines)

    def rows(self, revision: Revision, found: RevisionRows) -> Iterator[Values]:
        """Yield the rows of a revision, given those of the other tables."""
        if not self._lines:
            return
        makings = Makings(steps_back(self._repository, revision), self._stages, self._repository.rules)
        paths = [path.format(*row) for table, path in _PATHS.items() for row in found.tables[table]]
        files = [row[0] for row in found.tables["files"]]
        for stage in self._stages:
            if not self._lines.isdisjoint(stage.references):
                for product in first_products(stage, paths, files):
                    for each in made_by(makings, stage, product):
                        if each.line in self._lines:
                            yield product, each.line, naive(each.time), each.number
