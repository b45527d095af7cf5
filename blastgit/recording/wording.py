"""The messages of a recording's commits: for a new revision, a reproduction or a draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from blastgit._version import __version__
from blastgit.naming.trailers import Trailer, write_message
from blastgit.recording.decide import Decision
from blastgit.recording.evidence import Evidence
from blastgit.recording.options import RecordOptions
from blastgit.recording.placement import StoredFile
from blastgit.recording.replay import Ending
from blastgit.repository.base import Repository
from blastgit.repository.history import History
from blastgit.repository.renames import Renames
from blastgit.revision.export import Export
from blastgit.revision.reason import change_lines
from blastgit.revision.redraws import sigmas
from blastgit.workflow.judging import status_at_end

Trailers = dict[Trailer, str | None]

_ORDER = (
    Trailer.REVISION, Trailer.TOWARDS, Trailer.DRAFT, Trailer.REPRODUCES, Trailer.REDRAWN_WITHIN, Trailer.RAN,
    Trailer.APP_VERSION, Trailer.RULES, Trailer.SCIENCE_DIGEST, Trailer.RUN, Trailer.FORMERLY, Trailer.LINE,
    Trailer.FORKED_FROM, Trailer.PROMOTED_FROM, Trailer.COLLECTIONS_AT, Trailer.CONFIG, Trailer.USED,
    Trailer.EVEN_WITHDRAWN, Trailer.MARKER, Trailer.STATUS, Trailer.OUT_OF_DATE, Trailer.FILES, Trailer.BYTES,
    Trailer.RECORDED_BY, Trailer.WORKFLOW,
)  # fmt: skip
"""The order of trailers."""


@dataclass(frozen=True)
class Wording:
    """Writes the commit messages of one recording.

    Attributes:
        repository: The data repo.
        export: The export that is recorded.
        options: How it is recorded.
    """

    repository: Repository
    export: Export
    options: RecordOptions

    @property
    def line(self) -> str:
        """The line of revisions to record in."""
        return self.options.line(self.export.name)

    def status(self, ending: Ending) -> str:
        """Return how the workflow ended; see `Validity.status`."""
        return status_at_end(self.repository, self.export.document, ending.marks)

    def reason(self, decision: Decision) -> str:
        """Return the reason for commit and tag."""
        origin = "" if self.options.origin is None else f"promoted from {self.options.origin}: "
        return f"{origin}{decision.reason}"

    def revision(
        self, decision: Decision, kept: Mapping[str, StoredFile], notes: Sequence[str], returning: int, ending: Ending
    ) -> str:
        """Return the message of a new revision.

        Args:
            decision: The decision on the state.
            kept: The files that were stored.
            notes: Notes on files, including republished ones.
            returning: The number of withdrawn files that are republished.
            ending: How the run in progress ends.
        """
        trailers = {
            Trailer.REVISION: str(decision.number),
            **self._of_state(decision, ending),
            **Evidence(self.repository, self.export, decision, ending).outdated,
            Trailer.FORMERLY: self._formerly() if decision.latest is None else None,
            Trailer.FORKED_FROM: str(decision.latest) if decision.is_fork else None,
            Trailer.EVEN_WITHDRAWN: f"{returning} files" if returning else None,
            Trailer.MARKER: "revision",
            **_counts(decision, kept),
        }
        subject = f"{self.line} revision {decision.number}: {self.reason(decision)}"
        return _written(subject, [*change_lines(decision.changes), *notes], trailers)

    def draft(
        self, decision: Decision, kept: Mapping[str, StoredFile], notes: Sequence[str], ordinal: int, ending: Ending
    ) -> str:
        """Return the message of a draft; see `revision`."""
        trailers = {
            Trailer.TOWARDS: str(decision.number),
            Trailer.DRAFT: str(ordinal),
            **self._of_state(decision, ending),
            Trailer.MARKER: "draft",
            **_counts(decision, kept),
        }
        subject = f"{self.line} draft {ordinal} of revision {decision.number}: {self.reason(decision)}"
        return _written(subject, [*change_lines(decision.changes), *notes], trailers)

    def reproduction(self, decision: Decision, ran: str | None, ending: Ending) -> str:
        """Return the message of the marker for a run that reproduced the values of the latest revision.

        Args:
            decision: The decision on the state.
            ran: The stages that ran for it; see `Evidence.ran`.
            ending: How the run in progress ends.
        """
        latest, moved = decision.latest, decision.changes.deviation
        assert latest is not None
        trailers = {
            Trailer.REPRODUCES: str(latest.number),
            Trailer.REDRAWN_WITHIN: None if moved is None else sigmas(moved, 4),
            Trailer.RAN: ran,
            **self._of_state(decision, ending),
            Trailer.USED: ", ".join(self.options.used or ending.used) or None,
            Trailer.MARKER: "reproduction",
        }
        found = self.export.app_version if self.options.origin is None else str(self.options.origin)
        subject = f"{self.line}: {found} gave the values of revision {latest.number} again"
        if self.options.run is not None:
            subject += f", in {self.options.run}"
        if moved is not None:
            subject += f", redrawn within {sigmas(moved)} sigma"
        return _written(subject, change_lines(replace(decision.changes, fields=[])), trailers)

    def _of_state(self, decision: Decision, ending: Ending) -> Trailers:
        """Return the trailers that all states have."""
        return {
            Trailer.APP_VERSION: self.export.app_version,
            Trailer.RULES: self.repository.rules.digest,
            Trailer.SCIENCE_DIGEST: decision.digest,
            Trailer.RUN: self.options.run,
            Trailer.LINE: None if self.options.user is None else self.line,
            Trailer.PROMOTED_FROM: None if self.options.origin is None else str(self.options.origin),
            Trailer.COLLECTIONS_AT: self._collections_at(),
            Trailer.CONFIG: self._config(),
            Trailer.USED: ", ".join(self.options.used) or None,
            Trailer.STATUS: self.status(ending),
            Trailer.RECORDED_BY: f"blastgit {__version__}",
            **ending.trailers,
        }

    def _collections_at(self) -> str | None:
        """Return the commit of main with the collections that the run read."""
        if self.options.run is None:
            return None
        from blastgit.collections.runs import read_at

        return read_at(self.repository, self.options.run)

    def _config(self) -> str | None:
        """Return the configuration that the run was started with."""
        if self.options.run is None:
            return None
        from blastgit.collections.runs import begun

        run = begun(self.repository, self.options.run)
        return None if run is None else run.config or None

    def _formerly(self) -> str | None:
        """Return the latest revision under the transient's former name, if it was renamed."""
        history = History(self.repository)
        former = Renames.of(self.repository.settings).former(self.line)
        found = (history.latest(each) for each in former)
        return next((str(each) for each in found if each is not None), None)


def _counts(decision: Decision, kept: Mapping[str, StoredFile]) -> Trailers:
    """Return the number of files and bytes of a state."""
    size = sum(file.size for file in kept.values())
    if decision.latest is not None:
        unchanged = [path for path in decision.sha256 if path not in kept]
        size += sum(decision.latest.pointers[path].size for path in unchanged)
    return {Trailer.FILES: str(len(decision.sha256)), Trailer.BYTES: str(size)}


def _written(subject: str, body: Sequence[str], trailers: Trailers) -> str:
    return write_message(subject, body, {key: trailers[key] for key in _ORDER if key in trailers})
