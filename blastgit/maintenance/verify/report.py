"""What a verification finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from blastgit.store.hashing import Checksums


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be.

    Attributes:
        kind: "refs", "ledger", "collection", "release", "signature", "commit", "document", "pointer", "annotation",
            "missing" or "damaged": a stable word.
        where: The revision or file, `2026dgt@1:cutout_cdn/DES/DES_z.fits`.
        text: What is wrong, in a sentence.
        sums: What the content should be, if it is about one.
    """

    kind: str
    where: str
    text: str
    sums: Checksums | None = None

    def to_json(self) -> dict[str, str]:
        """Return the problem under its stable keys."""
        return {"kind": self.kind, "where": self.where, "text": self.text}


@dataclass(frozen=True)
class Repaired:
    """A content that was brought back.

    Attributes:
        where: The file that lacked it.
        source: The store that had it.
    """

    where: str
    source: str

    def to_json(self) -> dict[str, str]:
        """Return it under its stable keys."""
        return {"where": self.where, "from": self.source}


@dataclass
class Report:
    """What a verification found.

    Attributes:
        transients: How many were looked at.
        revisions: How many of their revisions.
        references: How many revisions of references.
        contents: How many distinct contents were read.
        size: Their bytes.
        skipped: How many contents were there and not read: for a sample, or because only their presence was asked for.
        resumed: How many contents an interrupted run had found sound.
        seed: What chose the sample; None without one.
        ledger: `entries`, how many published tags the ledger has; `unentered`, how many it lacks (None of a repo
            elsewhere, of whose ledger only checkpoints are known); `checkpoint`, the
            commit of the last checkpoint, and `since`, that of the one to compare with; `signature` of that.
        withdrawn: The files that were taken down, each with the reason.
        problems: What is wrong.
        repaired: What was wrong with contents, and is no more.
        settings: The git settings that the repo lacks, with the values that they should have: nothing is wrong yet.
        advice: What is not wrong, and should be seen to: a sentence each.
    """

    transients: int = 0
    revisions: int = 0
    references: int = 0
    contents: int = 0
    size: int = 0
    skipped: int = 0
    resumed: int = 0
    seed: int | None = None
    ledger: dict[str, Any] = field(default_factory=dict)
    withdrawn: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    repaired: list[Repaired] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    advice: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def add(self, kind: str, where: object, text: object) -> None:
        """Note a problem."""
        self.problems.append(Problem(kind, str(where), str(text)))

    def to_json(self) -> dict[str, Any]:
        """Return the report under its stable keys."""
        return {
            "sound": self.is_sound, "transients": self.transients, "revisions": self.revisions,
            "references": self.references,
            "contents": self.contents, "bytes": self.size, "skipped": self.skipped, "resumed": self.resumed,
            "seed": self.seed, "ledger": self.ledger, "withdrawn": self.withdrawn,
            "problems": [problem.to_json() for problem in self.problems],
            "repaired": [each.to_json() for each in self.repaired],
            "settings": self.settings, "advice": self.advice,
        }  # fmt: skip
