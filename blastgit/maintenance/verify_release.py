"""Verify a release: its tag and signature, every commit, the manifest, and every content in the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blastgit.errors import DamagedData
from blastgit.maintenance.verify.contents import Reading, fault_in_git, look_up
from blastgit.maintenance.verify.report import Report
from blastgit.plumbing.signing import BAD, GOOD, Signature, check_signature
from blastgit.progress import Progress, silent
from blastgit.releases.check import Tagged, examine
from blastgit.releases.label import Label, tag_of
from blastgit.releases.layout import Part
from blastgit.repository.base import Repository
from blastgit.repository.tombstones import Withdrawals
from blastgit.store.hashing import Checksums


@dataclass(frozen=True)
class ProofOptions:
    """How to verify.

    Attributes:
        fast: Do not read contents, only check that they exist.
        signed: Require a good signature.
        signers: The file of SSH keys that may sign; None for that of git's settings.
    """

    fast: bool = False
    signed: bool = False
    signers: Path | None = None


@dataclass(frozen=True)
class Proof:
    """The result of verifying a release.

    Attributes:
        release: Its name.
        signature: The result of checking its signature.
        report: The problems, and how much was checked.
        remarks: What could not be checked here, as sentences.
    """

    release: str
    signature: Signature
    report: Report
    remarks: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.report.is_sound

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        found = {"signature": self.signature.to_json(), "remarks": list(self.remarks)}
        return {"release": self.release, **found, **self.report.to_json()}


def verify(repository: Repository, label: Label, wanted: ProofOptions, progress: Progress = silent) -> Proof:
    """Verify everything about a release.

    Raises:
        NotFound: The release does not exist.
        StoreError: The store cannot be queried.
    """
    oid, report = tag_of(repository, label), Report()
    try:
        tagged = Tagged(repository, label, oid)
    except DamagedData as error:
        report.add("release", label, error)
        return Proof(str(label), Signature(BAD, "there is no tag object that could be signed"), report)
    signature = check_signature(repository.path, str(oid), repository.git[oid].read_raw(), wanted.signers)
    if signature.status == BAD or (wanted.signed and signature.status != GOOD):
        report.add("signature", label, signature.text)
    try:
        examined = examine(repository, tagged)
        for where, text in examined.problems:
            report.add("release", where, text)
        contents = _contents(repository, tagged.parts, report)
    except DamagedData as error:
        report.add("release", label, error)
        return Proof(str(label), signature, report)
    report.transients = len({part.dataset.name for part in tagged.parts})
    report.revisions = len(tagged.parts)
    missing = look_up(repository, contents)
    report.problems += missing
    bad = {problem.sums for problem in missing}
    there = {sums: where for sums, where in contents.items() if sums not in bad}
    if wanted.fast:
        report.skipped = len(there)
    else:
        Reading(repository, report, progress, remember=False).read(there, resume=False)
    return Proof(str(label), signature, report, tuple(examined.remarks))


def _contents(repository: Repository, parts: list[Part], report: Report) -> dict[Checksums, str]:
    """Return the contents that stores must hold for the release; note withdrawn files, and faulty files in git."""
    withdrawals = Withdrawals(repository)
    found: dict[Checksums, str] = {}
    for part in parts:
        stones = withdrawals.of(part.dataset.line, part.dataset.number)
        revision = part.open()
        for path, sums in part.sums(revision).items():
            if path in stones:
                report.withdrawn[f"{part.folder}:{path}"] = str(stones[path])
            elif not revision.held[path].in_git:
                found.setdefault(sums, f"{part.folder}:{path}")
            elif problem := fault_in_git(revision, path):
                report.problems.append(problem)
    return found
