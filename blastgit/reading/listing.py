"""The list of transients, with a summary of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from blastgit.annotations.flag_lookup import FlagLookup
from blastgit.errors import DamagedData
from blastgit.naming.names import is_personal, is_reference
from blastgit.naming.nearest import nearest
from blastgit.naming.trailers import Trailer
from blastgit.repository.drafts import Drafts, drafted
from blastgit.repository.history import History
from blastgit.repository.lines import own_lines, reference_lines
from blastgit.repository.tombstones import Withdrawals
from blastgit.workflow.ended import status_of

if TYPE_CHECKING:
    from blastgit.repository.base import Repository
    from blastgit.repository.commits import Snapshot


@dataclass(frozen=True)
class Transient:
    """One transient and its latest revision.

    Attributes:
        name: Its name; for a user's own line, `u/alice/2026dgt`.
        revision: The number of its latest revision; None if it has only drafts, which the rest then describes.
        time: When Blast exported it (UTC).
        app_version: The version of Blast that exported it.
        files: The number of its files.
        size: Their total size in bytes.
        status: "complete", or which stages failed, did not run, or found nothing to do.
        withdrawn: The number of its files that were taken down.
        flag: The quality flag of that revision, or else of the transient, in words; None if it has none.
        draft: The status of the workflow of a later draft; None if there is no draft.
    """

    name: str
    revision: int | None
    time: datetime
    app_version: str
    files: int
    size: int
    status: str
    withdrawn: int = 0
    flag: str | None = None
    draft: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the transient under its stable keys."""
        return {
            "transient": self.name, "revision": self.revision, "time": self.time.isoformat(),
            "app_version": self.app_version, "files": self.files, "bytes": self.size, "status": self.status,
            "withdrawn": self.withdrawn, "flag": self.flag, "draft": self.draft,
            "damaged": None,
        }  # fmt: skip


class Listing(list[Transient]):
    """Transients, sorted by name.

    Attributes:
        damaged: Transients that git cannot read, and what is wrong with each; they are not in the list.
        near: If the list is empty: similar names.
    """

    def __init__(self, transients: Iterable[Transient], damaged: Mapping[str, str], near: Sequence[str] = ()) -> None:
        """Make a list of transients."""
        super().__init__(transients)
        self.damaged = dict(damaged)
        self.near = tuple(near)

    def to_json(self) -> list[dict[str, Any]]:
        """Return all of them under their stable keys."""
        broken = [{**dict.fromkeys(_KEYS), "transient": name, "damaged": why} for name, why in self.damaged.items()]
        return sorted([*(each.to_json() for each in self), *broken], key=lambda entry: str(entry["transient"]))


_KEYS = (
    "transient", "revision", "time", "app_version", "files", "bytes", "status", "withdrawn", "flag", "draft", "damaged",
)  # fmt: skip


def list_transients(repository: Repository, pattern: str = "*") -> Listing:
    """Return the transients whose name matches a shell pattern. A damaged one does not hide the others.

    Users' own lines are only listed for a pattern that begins with `u/`, references for one with `r/`.
    """
    history = History(repository)
    kept: set[str] = set()
    names = _names(repository, pattern)
    if not is_personal(pattern) and not is_reference(pattern):
        kept = set(drafted(repository))
        names = sorted({*names, *kept})
    withdrawals, flags = Withdrawals(repository), FlagLookup(repository)
    found, damaged = [], {}
    for name in names:
        if fnmatchcase(name, pattern):
            try:
                latest = history.latest(name)
                draft = Drafts(repository, name).open() if name in kept else None
                if latest is not None:
                    flag = flags.of_revision(name, latest.number) or flags.of_transient(name)
                    withdrawn = len(withdrawals.of(name, latest.number))
                    facts = _facts(latest, latest.number, status_of(repository, latest))
                    status = None if draft is None else draft.status
                    found.append(replace(facts, withdrawn=withdrawn, flag=flag, draft=status))
                elif draft is not None:
                    facts = _facts(draft, None, draft.status)
                    found.append(replace(facts, flag=flags.of_transient(name), draft=draft.status))
            except DamagedData as error:
                damaged[name] = str(error)
    near = [] if found or damaged else nearest(pattern, names)
    return Listing(found, damaged, near)


def _names(repository: Repository, pattern: str) -> list[str]:
    if is_reference(pattern):
        return reference_lines(repository)
    return own_lines(repository) if is_personal(pattern) else History(repository).transients()


def _facts(state: Snapshot, number: int | None, status: str) -> Transient:
    trailers = state.trailers
    counts = _number(trailers.get(Trailer.FILES)), _number(trailers.get(Trailer.BYTES))
    return Transient(state.name, number, state.time, state.app_version, *counts, status)


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() and len(text) < 20 else 0
