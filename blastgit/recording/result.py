"""What a recording results in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from blastgit.revision.compare import FieldChange
from blastgit.revision.files import FileChange


@dataclass(frozen=True)
class Recorded:
    """Result of recording.

    Attributes:
        status: "recorded", "unchanged", or "draft" if it was kept without a number.
        transient: The name; of a user's own line, `u/alice/2026dgt`.
        revision: The number of the new revision, or of the one that the state equals; for a draft, of the one to come.
        tag: Its tag, `2026dgt/1`; None for a draft.
        commit: Its commit; None in a dry run that would make one.
        reason: Why, in a sentence.
        files: The files that differ from the revision before.
        fields: The values that differ from the revision before.
        marker: The commit that notes this reproduction, if one was made.
        before: The revision that it was compared with, `2026dgt@0`; None if it is the first.
        ignored: What was passed over among the files, since an operating system, an editor or the like left it there.
        redrawn: How far the results of fits have moved that are equal within their own noise, in published widths, the
            one that moved most; None if none was drawn again.
        draft: The draft that the state is kept as, `2026dgt@1:draft-1`, if it was given no number.
        because: Why it was given no number, in words.
        references: The tags of references that changed with it, `r/filter/DES_z/1`: what the export says of filters and
            surveys is recorded beside it.
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
