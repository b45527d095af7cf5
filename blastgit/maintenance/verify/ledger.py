"""Check refs against the ledger, and the ledger against checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blastgit.errors import DamagedData, NotFound
from blastgit.maintenance.verify.report import Report
from blastgit.naming.refs import CHECKPOINT
from blastgit.plumbing.signing import BAD, GOOD, check_signature
from blastgit.repository.base import Repository
from blastgit.repository.ledger.checkpoint import find_checkpoint
from blastgit.repository.ledger.compare import compare


@dataclass(frozen=True)
class Since:
    """A kept checkpoint to compare with.

    Attributes:
        checkpoint: Its commit, or the file of its note.
        signed: Whether it must have a good signature.
        signers: The file of SSH keys that may sign; by default that of git's settings.
    """

    checkpoint: str
    signed: bool = False
    signers: Path | None = None


def check_ledger(repository: Repository, name: str | None, since: Since | None, report: Report) -> None:
    """Note where the repo differs from what it published.

    Raises:
        InvalidInput: `since` is not a checkpoint.
    """
    last = repository.reference(CHECKPOINT)
    kept = None
    if since is not None:
        try:
            kept = find_checkpoint(repository.git, since.checkpoint)
        except (NotFound, DamagedData) as error:
            report.add("ledger", "checkpoint", error)
    try:
        found = compare(repository.git, name, kept)
    except DamagedData as error:
        report.add("ledger", "ledger", error)
        return
    for where, text in found.problems:
        report.add("ledger", where, text)
    unentered = found.unentered if repository.is_here else None  # from a remote repo, only checkpoints can be fetched
    report.ledger = {
        "entries": found.entries, "unentered": unentered, "checkpoint": None if last is None else str(last.target),
        "since": None if kept is None else str(kept.id), "signature": None,
    }  # fmt: skip
    if since is not None and kept is not None:
        signature = check_signature(repository.path, str(kept.id), kept.read_raw(), since.signers, "commit")
        report.ledger["signature"] = signature.to_json()
        if signature.status == BAD or (since.signed and signature.status != GOOD):
            report.add("signature", f"checkpoint {kept.id!s:.10}", signature.text)
