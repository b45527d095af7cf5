"""Check that a revision which says it is up to date really is, since readers rely on that statement."""

from __future__ import annotations

from collections.abc import Iterator

from blastgit.collections.states import main_at
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.trees import read_blob
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.format import FILE
from blastgit.repository.settings import Settings, read_settings
from blastgit.workflow.ended import UP_TO_DATE
from blastgit.workflow.judging import outdated_when_recorded


def outdated_faults(repository: Repository, revision: Revision) -> Iterator[str]:
    """Yield a fault if a revision wrongly says that nothing in it was out of date when it was recorded.

    One that says that something was out of date needs no check, since readers judge it by its history. If the settings
    have changed since, a different result is not a fault.

    Raises:
        DamagedData: An earlier revision cannot be read.
    """
    if revision.trailers.get(Trailer.OUT_OF_DATE) != UP_TO_DATE:
        return
    found = outdated_when_recorded(repository, revision)
    if found != UP_TO_DATE and _has_same_settings(repository, revision):
        yield f"its trailer Out-Of-Date says {UP_TO_DATE!r}, but by its history these stages were out of date: {found}"


def _has_same_settings(repository: Repository, revision: Revision) -> bool:
    """Whether the settings of stages and rules were the same when a revision was recorded."""
    then, now = _settings_then(repository, revision), repository.settings
    if then is None or then.rules.digest != now.rules.digest:
        return False
    return then.sections.get("stages") == now.sections.get("stages")


def _settings_then(repository: Repository, revision: Revision) -> Settings | None:
    commit = main_at(repository, revision.recorded)
    text = None if commit is None else read_blob(commit.tree, FILE)
    return None if text is None else read_settings(text)
