"""Keeping a state as a draft if its workflow failed or broke off and the repo publishes only complete states."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pygit2

from blastgit.errors import InvalidInput
from blastgit.naming.refs import draft_ref
from blastgit.plumbing.ref_update import RefUpdate
from blastgit.recording.decide import Decision, is_equal
from blastgit.recording.options import RecordOptions
from blastgit.recording.result import Recorded
from blastgit.repository.base import Repository
from blastgit.repository.commits import Draft
from blastgit.repository.drafts import Drafts
from blastgit.revision.export import Export
from blastgit.store.intake import Intake
from blastgit.workflow.publish import Publish, because


@dataclass(frozen=True)
class Kept:
    """A state kept as a draft.

    Attributes:
        name: The transient.
        towards: The number of the revision that is still to come.
        ordinal: The number of the draft towards that revision, counted from 1.
        why: Why it is not published, in words.
        tip: The commit that it follows on the line of drafts, or None.
        same: The existing draft that it equals, or None if it is new.
    """

    name: str
    towards: int
    ordinal: int
    why: str
    tip: pygit2.Commit | None
    same: Draft | None = None

    @property
    def is_new(self) -> bool:
        """Whether a new draft must be written."""
        return self.same is None

    def __str__(self) -> str:
        return f"{self.name}@{self.towards}:draft-{self.ordinal}"

    def moved_to(self, commit: str) -> RefUpdate:
        """Return the ref update that moves the line of drafts to a new draft."""
        return RefUpdate(draft_ref(self.name), commit, None if self.tip is None else str(self.tip.id))


class Drafting:
    """Handles the drafts of one recording."""

    def __init__(self, repository: Repository, export: Export, intake: Intake, options: RecordOptions) -> None:
        """Handle the drafts of a state."""
        self._repository = repository
        self._export = export
        self._intake = intake
        self._options = options

    @cached_property
    def _drafts(self) -> Drafts:
        return Drafts(self._repository, self._export.name)

    def open(self) -> Draft | None:
        """Return the open draft after the latest official revision, if the recording is into the official line."""
        is_official = self._options.user is None and not self._export.is_reference
        return self._drafts.open() if is_official else None

    def look(self, decision: Decision, status: str) -> Kept | None:
        """Return how to keep a new state as a draft; None if it is published.

        Users' own lines accept any state: nothing on them is published yet.

        Args:
            decision: The decision on the state.
            status: How its workflow ended.

        Raises:
            InvalidInput: It is a promotion, which always publishes.
        """
        if self._options.user is not None or Publish.of(self._repository.settings).allows(status):
            return None
        name, towards, why = self._export.name, decision.number, because(status)
        if self._options.origin is not None:
            raise InvalidInput(
                f"{self._options.origin} is not complete ({why}), and this repo only publishes complete states "
                "(`publish: complete` in blastgit.yaml on main): run what is missing, record that, and promote it"
            )
        before, last = self._drafts.open(), self._drafts.last(towards)
        if before is not None and is_equal(self._repository, self._export, self._intake, before):
            return Kept(name, towards, before.ordinal, why, self._drafts.tip, before)
        return Kept(name, towards, 1 if last is None else last.ordinal + 1, why, self._drafts.tip)

    def result(self, decision: Decision, kept: Kept, commit: str | None = None) -> Recorded:
        """Return the result of a recording that keeps a draft, or finds that it exists."""
        before = None if decision.latest is None else str(decision.latest)
        if kept.same is not None:
            reason = f"the values are those of the draft {kept}"
            return Recorded(
                "unchanged",
                kept.name,
                kept.towards,
                None,
                kept.same.id,
                reason,
                before=before,
                draft=str(kept),
                because=kept.why,
            )
        files, fields = list(decision.changes.files), list(decision.changes.fields)
        return Recorded(
            "draft", kept.name, kept.towards, None, commit, decision.reason, files, fields, before=before,
            redrawn=decision.changes.deviation, draft=str(kept), because=kept.why,
        )  # fmt: skip
