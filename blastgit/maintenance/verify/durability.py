"""Check that what is written to a data repo by plain git survives a power cut."""

from __future__ import annotations

from blastgit.maintenance.verify.report import Report
from blastgit.repository.base import Repository
from blastgit.repository.hooks import durable_hook


def check_durability(repository: Repository, report: Report) -> None:
    """Advise to install the hook that makes git's own writes durable, if it is missing."""
    hook = durable_hook(repository.path)
    if not hook.exists():
        report.advice.append(
            f"what is pushed may be lost in a power cut, for want of the hook {hook.name}: `blastgit hooks install "
            f"{repository.path}` puts it in place"
        )
