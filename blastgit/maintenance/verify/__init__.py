"""Verify a data repo: refs, numbering, commits, documents, pointers, contents."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from blastgit.collections.policy import CollectionPolicy
from blastgit.errors import DamagedData, UsageError
from blastgit.maintenance.verify.branches import check_ids, check_main
from blastgit.maintenance.verify.contents import Reading, look_up
from blastgit.maintenance.verify.durability import check_durability
from blastgit.maintenance.verify.ledger import Since, check_ledger
from blastgit.maintenance.verify.lines import LineCheck
from blastgit.maintenance.verify.refs import check_refs
from blastgit.maintenance.verify.report import Problem, Repaired, Report
from blastgit.naming.names import is_reference, transient_of
from blastgit.naming.refs import RELEASES, draft_ref, run_ref
from blastgit.plumbing.required import missing_settings
from blastgit.plumbing.safe_text import one_line
from blastgit.progress import Progress, silent
from blastgit.repository.base import Repository
from blastgit.repository.drafts import drafted
from blastgit.repository.history import History
from blastgit.repository.lines import own_lines, reference_lines
from blastgit.repository.local import LocalRepository
from blastgit.repository.tombstones import Withdrawals
from blastgit.store.hashing import Checksums
from blastgit.store.pointer import SUFFIX
from blastgit.workflow.status import runs_in_progress

__all__ = ["Problem", "Repaired", "Report", "Since", "VerifyOptions", "verify"]

_SHOWN_RUNS = 3


@dataclass(frozen=True)
class VerifyOptions:
    """How thoroughly to check contents; everything else is always checked.

    Attributes:
        fast: Do not read them, only check that they exist in the right size.
        sample: Read this percentage of them.
        seed: The seed of the sample, to choose the same contents again; None for a random one.
        resume: Continue where an interrupted run stopped.
        since: A kept checkpoint to compare with.
    """

    fast: bool = False
    sample: float | None = None
    seed: int | None = None
    resume: bool = False
    since: Since | None = None

    def __post_init__(self) -> None:
        """Check that the options are consistent."""
        if self.fast and (self.sample is not None or self.resume):
            raise UsageError("a fast check reads no contents: leave out the sample, and there is nothing to resume")
        if self.sample is not None and not 0 < self.sample <= 100:
            raise UsageError(f"a sample of {self.sample:g} % is out of range: give more than 0 and at most 100")
        if self.seed is not None and self.sample is None:
            raise UsageError("a seed chooses a sample: say how large it shall be")


def verify(
    repository: Repository, name: str | None = None, options: VerifyOptions | None = None, progress: Progress = silent
) -> Report:
    """Check one transient, or all.

    Args:
        repository: The data repo.
        name: The transient; None for all.
        options: How thorough to be.
        progress: Called with revisions checked and bytes read.

    Raises:
        NotFound: The transient does not exist.
        StoreError: The store cannot be queried.
    """
    wanted = options or VerifyOptions()
    refs = repository.references("refs/") if name is None else []  # at once, since all are checked
    names = _names(repository) if name is None else [name]
    if name is not None and not _exists(repository, name) and not repository.ledger.chain(name):
        raise History(repository).unknown(name)
    report = Report(transients=len({transient_of(each) for each in names if not is_reference(each)}))
    check_ledger(repository, name, wanted.since, report)
    if name is None:
        if isinstance(repository, LocalRepository):
            report.settings = missing_settings(repository.path)
            check_durability(repository, report)
        else:
            report.advice.append(
                f"the ledger, the settings of git and the hooks of {repository.location} cannot be looked at from "
                "elsewhere: run `blastgit verify` where it is, too"
            )
        check_refs(repository, refs, names, report)
        checks = (_check_collections, _check_runs, _check_releases, check_main, check_ids)
        for check in checks:
            try:
                check(repository, report)
            except DamagedData as error:
                report.add("damaged", "main, releases or annotations", error)
    contents: dict[Checksums, str] = {}
    for done, each in enumerate(names):
        progress("checking revisions", done, len(names))
        try:
            for where, sums in LineCheck(repository, each, report).run():
                contents.setdefault(sums, where)
        except DamagedData as error:  # ends the check of this one only
            report.add("damaged", each, error)
    for where, sums in _attached(repository, name, report):
        contents.setdefault(sums, where)
    found = look_up(repository, contents, fast=wanted.fast)
    report.problems += found
    bad = {problem.sums for problem in found}
    there = {sums: where for sums, where in contents.items() if sums not in bad}
    if wanted.fast:
        report.skipped = len(there)
        return report
    seed = secrets.randbits(32) if wanted.seed is None and wanted.sample is not None else wanted.seed
    report.seed = seed
    Reading(repository, report, progress).read(_sample(there, wanted.sample, seed, report), resume=wanted.resume)
    return report


def _names(repository: Repository) -> list[str]:
    known = [History(repository).transients(), own_lines(repository), reference_lines(repository)]
    known += [runs_in_progress(repository), drafted(repository)]
    return sorted({name for names in known for name in names})


def _exists(repository: Repository, name: str) -> bool:
    history = History(repository)
    try:
        has_revision = history.tip(name) is not None or history.tagged(name, 0) is not None
    except DamagedData:
        return True
    return has_revision or any(repository.reference(ref) is not None for ref in (run_ref(name), draft_ref(name)))


def _attached(repository: Repository, name: str | None, report: Report) -> Iterator[tuple[str, Checksums]]:
    """Yield the contents of attachments, if the whole repo is checked; note a pointer that cannot be read."""
    from blastgit.annotations.attachment_store import stored_contents
    from blastgit.annotations.branch import tip_of

    try:
        tip = tip_of(repository) if name is None else None
        if tip is None:
            return
        gone = {stone.path: str(stone) for stone in Withdrawals(repository).attachments()}
        for path, sums in stored_contents(tip):
            file = path.removesuffix(SUFFIX)
            if file in gone:
                report.withdrawn[f"annotations:{file}"] = gone[file]
            else:
                yield f"annotations:{path}", sums
    except DamagedData as error:
        report.add("pointer", "annotations", str(error))


def _check_collections(repository: Repository, report: Report) -> None:
    """Note the collections that break a rule."""
    if "collections" not in repository.main.tree:
        return
    from blastgit.collections.catalogue import Catalogue
    from blastgit.collections.rules import check_all

    policy = CollectionPolicy.of(repository.settings)
    for name, problem in check_all(repository, policy, Catalogue(repository.main.tree)):
        report.add("collection", name, problem)


def _check_runs(repository: Repository, report: Report) -> None:
    """Advise about runs named before there was a table of names."""
    from blastgit.collections.run_list import run_list

    odd = [each.name for each in run_list(repository) if each.problem]
    if odd:
        more = f" and {len(odd) - _SHOWN_RUNS:,} more" if len(odd) > _SHOWN_RUNS else ""
        named = ", ".join(repr(one_line(name)) for name in odd[:_SHOWN_RUNS])
        report.advice.append(
            f"data were born into runs whose names the table of names does not have: {named}{more}. They stay as they "
            "are; `blastgit run list` tells of each, and no more will be recorded into them"
        )


def _check_releases(repository: Repository, report: Report) -> None:
    """Note the faults of releases, except for their contents, which are checked with the revisions."""
    if repository.references(RELEASES):
        from blastgit.releases.check import examine_all

        for where, problem in examine_all(repository):
            report.add("release", where, problem)


def _sample(
    contents: dict[Checksums, str], percent: float | None, seed: int | None, report: Report
) -> dict[Checksums, str]:
    """Choose a sample of the contents, which depends only on the seed."""
    if percent is None:
        return contents
    from hashlib import sha256

    limit = percent / 100 * 2**64
    chosen = {
        sums: where
        for sums, where in contents.items()
        if int.from_bytes(sha256(f"{seed}:{sums.md5}".encode()).digest()[:8]) < limit
    }
    report.skipped = len(contents) - len(chosen)
    return chosen
