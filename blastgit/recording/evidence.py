"""What a recording notes about its run: which stages ran, and what is out of date in the resulting state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import chain, takewhile

from blastgit.naming.names import slug
from blastgit.naming.trailers import Trailer, read_used
from blastgit.recording.decide import Decision
from blastgit.recording.options import RecordOptions
from blastgit.recording.replay import Ending
from blastgit.repository.base import Repository
from blastgit.repository.history import History
from blastgit.revision.export import Export
from blastgit.workflow.ended import UP_TO_DATE
from blastgit.workflow.judging import outdated_at_end
from blastgit.workflow.made import Makings
from blastgit.workflow.stages import Stages
from blastgit.workflow.steps import ALL, NONE, Step, covers, steps_back
from blastgit.workflow.view import Contents, View


class Evidence:
    """The state being recorded, compared with the history before it."""

    def __init__(self, repository: Repository, export: Export, decision: Decision, ending: Ending) -> None:
        """Examine a decision made under the transient's lock."""
        self._repository = repository
        self._export = export
        self._decision = decision
        self._ending = ending

    @property
    def _steps(self) -> Iterator[Step]:
        decision, document = self._decision, self._export.document
        files = {path: f"sha256:{digest}" for path, digest in decision.sha256.items()}
        contents = Contents(document, files, decision.form)
        label = f"{self._export.name}@{decision.number}"
        now = Step(View(label, decision.rules, lambda: contents), self._ending.done)
        earlier = () if decision.latest is None else steps_back(self._repository, decision.latest)
        return chain((now,), earlier)

    @property
    def outdated(self) -> Mapping[Trailer, str | None]:
        """The trailer of a new revision that says what is out of date; empty for a reference."""
        if self._export.is_reference:
            return {}
        if self._decision.latest is None:
            return {Trailer.OUT_OF_DATE: UP_TO_DATE}
        text = outdated_at_end(self._repository, self._export.document, self._ending.marks, self._steps)
        return {Trailer.OUT_OF_DATE: text}

    @cached_property
    def ran(self) -> str | None:
        """The stages that ran for a reproduction, in the form of its trailer; None for a reference."""
        if self._decision.is_same_export:
            return NONE
        if self._export.is_reference:
            return None  # no workflow made it
        stages, rules = Stages.of(self._repository.settings), self._repository.rules
        told = Makings(self._steps, stages, rules).told(0)
        if not told:
            return ALL
        document = self._export.document
        known = {row["task_name"] for row in document["workflow_tasks"]} - rules.ignored_stages
        words = sorted(slug(name) for name in told if slug(name))
        return ALL if known <= told else ", ".join(words)

    def is_news(self, line: str, options: RecordOptions) -> bool:
        """Whether a reproduction deserves a marker: it is by other code or stages, or in another run.

        It also does if the run or the references that it used are given for the first time.

        Args:
            line: The line of revisions that would get the marker.
            options: How it is recorded.
        """
        run, used = options.run, options.used or self._ending.used
        history, latest = History(self._repository), self._decision.latest
        assert latest is not None
        since = list(takewhile(lambda marker: marker.id != latest.id, history.markers(line)))
        if run is not None and all(each.trailers.get(Trailer.RUN) != run for each in (latest, *since)):
            return True
        if used and all(read_used(each.trailers) != used for each in (latest, *since)):
            return True
        key = self._export.app_version, self._decision.rules.digest
        again = [each for each in since if each.reproduces == latest.number]
        alike = [each for each in again if (each.app_version, each.trailers.get(Trailer.RULES)) == key]
        is_marked = any(covers(each.trailers.get(Trailer.RAN), self.ran) for each in alike)
        return not self._decision.is_same_export and not is_marked
