"""The results of a verification."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from blastgit.store.hashing import Checksums


@dataclass(frozen=True)
class Problem:
    """A fault.

    Attributes:
        kind: A stable word: "refs", "ledger", "collection", "release", "signature", "commit", "document", "pointer",
            "annotation", "missing" or "damaged".
        where: The revision or file, `2026dgt@1:cutout_cdn/DES/DES_z.fits`.
        text: What is wrong, in a sentence.
        sums: If it is about a content, the expected checksums.
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
    """A content or ref that was restored.

    Attributes:
        where: The file that lacked its content, or the ref.
        source: Where it came from.
    """

    where: str
    source: str

    def to_json(self) -> dict[str, str]:
        """Return it under its stable keys."""
        return {"where": self.where, "from": self.source}


@dataclass
class Report:
    """The result of a verification.

    Attributes:
        transients: How many were checked.
        revisions: How many of their revisions.
        references: How many revisions of references.
        contents: How many distinct contents were read.
        size: Their size in bytes.
        skipped: How many contents exist but were not read, because of a sample or a fast check.
        resumed: How many contents an interrupted run had found sound.
        seed: The seed of the sample; None without one.
        ledger: `entries`, how many published tags the ledger has; `unentered`, how many it lacks (None for a remote
            repo, of whose ledger only checkpoints are known); `checkpoint`, the commit of the last checkpoint, and
            `since`, that of the one to compare with; `signature` of that.
        withdrawn: The withdrawn files, each with the reason.
        problems: The faults.
        repaired: The faults that were repaired.
        settings: The git settings that the repo lacks, with the values they should have: not a fault yet.
        advice: What is not a fault but needs attention, one sentence each.
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
