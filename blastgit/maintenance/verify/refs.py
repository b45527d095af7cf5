"""Check that every ref belongs in a data repo."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from blastgit.errors import BlastgitError
from blastgit.maintenance.verify.report import Report
from blastgit.naming.refs import Kind, place
from blastgit.plumbing.broken import broken_refs
from blastgit.repository.base import Repository


def check_refs(repository: Repository, refs: Iterable[str], names: Collection[str], report: Report) -> None:
    """Note refs that do not belong in a data repo, and tags without their branch."""
    for broken in broken_refs(repository.path) if repository.is_here else ():
        report.add(
            "refs", broken, "its file holds no object id: `blastgit verify --repair` puts back what was published"
        )
    known = set(names)
    lost: set[str] = set()
    for name in refs:
        if name.startswith("refs/remotes/"):
            continue  # remote-tracking refs of a copy
        try:
            found = place(name)
        except BlastgitError as error:
            report.add("refs", name, error)
            continue
        if found.kind is Kind.TAG and found.line is not None:
            lost |= {str(found.line)} - known
    for name in sorted(lost):
        report.add("refs", name, "it has tags, and its branch is missing: record it again, or restore the branch")
