"""The result of recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from blastgit.revision.compare import FieldChange
from blastgit.revision.files import FileChange


@dataclass(frozen=True)
class Recorded:
    """The result of recording.

    Attributes:
        status: "recorded", "unchanged", or "draft" if it was not published.
        transient: The name; for a user's own line, `u/alice/2026dgt`.
        revision: The number of the new revision, or of the one that the state equals; for a draft, of the next one.
        tag: Its tag, `2026dgt/1`; None for a draft.
        commit: Its commit; None in a dry run that would make one.
        reason: Why, in a sentence.
        files: The files that differ from the previous revision.
        fields: The values that differ from the previous revision.
        marker: The commit that notes this reproduction, if one was made.
        before: The revision that it was compared with, `2026dgt@0`; None if it is the first.
        ignored: The files that were ignored as leftovers of an operating system, an editor or the like.
        redrawn: How far the results of redrawn fits that are equal within their own noise have moved, in published
            widths: the largest value; None if no fit was redrawn.
        draft: The draft that the state is kept as, `2026dgt@1:draft-1`, if it was not published.
        because: Why it was not published, in words.
        references: The tags of references that changed with it, `r/filter/DES_z/1`: the filters and surveys of an
            export are recorded as references.
    """

    status: str
    transient: str
    revision: int
    tag: str | None
    commit: str | None
    reason: str
    files: list[FileChange] = field(default_factory=list)
    fields: list[FieldChange] = field(default_factory=list)
    marker: str | None = None
    before: str | None = None
    ignored: tuple[str, ...] = ()
    redrawn: float | None = None
    draft: str | None = None
    because: str | None = None
    references: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the result under its stable keys."""
        return {
            "status": self.status, "transient": self.transient, "revision": self.revision, "tag": self.tag,
            "commit": self.commit, "reason": self.reason, "files": [file.to_json() for file in self.files],
            "fields": [change.to_json() for change in self.fields], "marker": self.marker,
            "before": self.before, "ignored": list(self.ignored), "redrawn": self.redrawn,
            "draft": self.draft, "because": self.because,
            "references": list(self.references),
        }  # fmt: skip
