"""The drafts of a transient: states that were not published because their workflow failed or broke off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blastgit.naming.trailers import Trailer, read_body
from blastgit.repository.base import Repository
from blastgit.repository.commits import Draft
from blastgit.repository.drafts import Drafts
from blastgit.repository.history import History
from blastgit.workflow.publish import because


@dataclass(frozen=True)
class KeptDraft:
    """One draft.

    Attributes:
        draft: The draft.
        is_open: Whether it is newer than the latest revision and its reproductions.
        details: The changes since the previous revision, line by line, as noted at the time.
    """

    draft: Draft
    is_open: bool
    details: list[str]

    @property
    def why(self) -> str:
        """Why it was not published, in words."""
        return because(self.draft.status)

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        draft = self.draft
        return {
            "draft": str(draft), "open": self.is_open, "towards": draft.towards, "commit": draft.id,
            "time": draft.time.isoformat(), "recorded": draft.recorded.isoformat(), "app_version": draft.app_version,
            "run": draft.trailers.get(Trailer.RUN), "status": draft.status, "because": self.why,
            "reason": draft.reason, "details": self.details,
        }  # fmt: skip


def drafts(repository: Repository, name: str) -> list[KeptDraft]:
    """Return the drafts of a transient, newest first.

    Raises:
        NotFound: The transient does not exist.
    """
    line = Drafts(repository, name)
    if line.tip is None and History(repository).latest(name) is None:
        raise History(repository).unknown(name)
    standing = line.open()
    return [_entry(draft, is_open=standing is not None and standing.id == draft.id) for draft in line.all()]


def _entry(draft: Draft, *, is_open: bool) -> KeptDraft:
    return KeptDraft(draft, is_open, read_body(draft.commit.message)[1])
