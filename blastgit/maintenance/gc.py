"""Garbage collection: move contents that no ref reaches into a quarantine, and delete them from there later.

A writer stores contents before it moves refs, so an unreached content may be about to get a tag. Three measures make
this safe beside writers: a content is left alone for a grace period after it was stored or a writer last relied on it
(writers touch the contents they find); contents are listed before refs are read, and refs are read again before each
move; and what is needed after all is restored from the quarantine.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from blastgit.errors import Denied, UsageError
from blastgit.maintenance.reachable import ReachableContents, reached_by_all
from blastgit.plumbing.locks import BRIEFLY, announced_folders, hold
from blastgit.plumbing.turnstile import deleting
from blastgit.progress import Progress, silent
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.ownership import obstacle, relying
from blastgit.repository.tombstones import Withdrawals
from blastgit.store.base import Content, SetAside
from blastgit.store.multi_store import MultiStore

GRACE = timedelta(days=14)
"""How long a content is left alone after a writer last relied on it, and how long it stays in the quarantine."""

_LOCK = ".gc"  # no transient's name has a full stop
_BATCH = 512  # contents moved before refs are read again
_DURATION = re.compile(r"(\d{1,5})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_SHORTEST_FOR_FOLDERS = timedelta(days=1)  # a writer with very much data may take hours


@dataclass(frozen=True)
class GcOptions:
    """Options of garbage collection.

    Attributes:
        grace: How long contents are left alone.
        delete: Whether to act; else only report what would be done.
        restore: Only restore what is in the quarantine.
        also: Other data repos that use the same store, whose contents are kept too.
    """

    grace: timedelta = GRACE
    delete: bool = False
    restore: bool = False
    also: Sequence[Path] = ()


@dataclass
class Report:
    """What was done, or would be.

    Attributes:
        acted: Whether it was done.
        contents: How many contents the store has.
        reached: How many of them are needed.
        young: How many are not needed, but within the grace period.
        set_aside: The contents moved into the quarantine.
        restored: The contents restored from it.
        discarded: The contents deleted for good.
        waiting: How many stay in the quarantine for now.
        size: The bytes set aside.
        freed: The bytes deleted.
        folders: The temporary folders of dead writers that were removed.
        staying: The stores in which this repo may not delete, and why, as sentences.
        damaged: The refs that git cannot follow, and why; as long as there are any, nothing is deleted for good.
    """

    acted: bool
    contents: int = 0
    reached: int = 0
    young: int = 0
    set_aside: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    waiting: int = 0
    size: int = 0
    freed: int = 0
    folders: list[str] = field(default_factory=list)
    staying: list[str] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the report under its stable keys."""
        return {
            "acted": self.acted, "contents": self.contents, "reached": self.reached, "young": self.young,
            "set_aside": self.set_aside, "restored": self.restored, "discarded": self.discarded,
            "waiting": self.waiting, "bytes": self.size, "freed": self.freed, "folders": self.folders,
            "staying": self.staying, "damaged": self.damaged,
        }  # fmt: skip


def read_duration(text: str) -> timedelta:
    """Read `14d`, `12h` or `30m`.

    Raises:
        UsageError: It is not a time span.
    """
    match = _DURATION.fullmatch(text)
    if not match:
        raise UsageError(f"{text!r} is not a time span: write a number and d, h or m, as in 14d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def gc(repository: Repository, options: GcOptions, progress: Progress = silent) -> Report:
    """Find contents that no ref reaches, and set them aside if asked for.

    Raises:
        Denied: It is to act, and the user is not an admin.
        Busy: Another garbage collection is running.
        DamagedData: Git cannot read main; nothing was done.
        StoreError: The store fails, or cannot move contents.
        RepoError: The repo cannot be written, or is shallow or remote.
    """
    if not options.delete and not options.restore:
        return _Collection(repository, options, progress).run()
    repository.require("admin")
    repository.prepare_to_edit()
    with hold(repository.lock_path(_LOCK), timeout=BRIEFLY):
        return _restore_all(repository) if options.restore else _Collection(repository, options, progress).run()


def _restore_all(repository: Repository) -> Report:
    """Restore what is in the quarantine, except damaged contents and withdrawn ones that nothing else needs."""
    report, store = Report(acted=True), repository.store
    withdrawn = {stone.md5 for _, _, stones in Withdrawals(repository).all() for stone in stones.values()}
    withdrawn |= {stone.md5 for stone in Withdrawals(repository).attachments()}
    withdrawn -= ReachableContents(repository).reached if withdrawn else set()
    for item in list(store.quarantined()):
        if item.is_damaged or item.md5 in withdrawn:
            report.waiting += 1
        else:
            store.restore(item)
            report.restored.append(item.md5)
    return report


class _Collection:
    def __init__(self, repository: Repository, options: GcOptions, progress: Progress) -> None:
        self._repository = repository
        self._store = repository.store
        self._options = options
        self._progress = progress
        self._before = time.time() - options.grace.total_seconds()
        self._report = Report(acted=options.delete)

    def run(self) -> Report:
        self._report.staying = self._leave_out()
        contents = list(self._store.contents())  # before refs are read: contents stored later are not in the list
        others = {
            each.path.resolve(): each
            for part in self._store.parts
            for each in relying(self._repository, part, self._options.also)
        }
        self._roots = [ReachableContents(self._repository), *(ReachableContents(other) for other in others.values())]
        self._report.contents = len(contents)
        self._set_aside(list(self._unreached(contents)))
        self._empty_quarantine()
        self._remove_folders()
        self._report.damaged = {ref: why for each in self._roots for ref, why in each.damaged.items()}
        return self._report

    def _leave_out(self) -> list[str]:
        """Exclude the stores that belong to others, and return the reasons."""
        refused = {part.url: obstacle(self._repository, part) for part in self._store.parts}
        owned = [part for part in self._store.parts if not refused[part.url]]
        why = [text for text in refused.values() if text]
        if not owned and self._options.delete:
            raise Denied("; ".join(why))
        if owned and why:
            self._store = MultiStore(owned[0], {part.url: part for part in owned[1:]})
        return why

    def _unreached(self, contents: list[Content]) -> Iterator[Content]:
        needed = reached_by_all(self._roots)
        for content in contents:
            if content.md5 in needed:
                self._report.reached += 1
            elif content.changed > self._before:
                self._report.young += 1
            else:
                yield content

    def _set_aside(self, unreached: list[Content]) -> None:
        report, total, done = self._report, sum(content.size for content in unreached), 0
        for start in range(0, len(unreached), _BATCH):
            batch = unreached[start : start + _BATCH]
            with deleting(self._repository.guarded_folders, LOCK_TIMEOUT) if report.acted else nullcontext():
                self._set_aside_batch(batch)
            done += sum(content.size for content in batch)
            self._progress("setting aside", done, total)

    def _set_aside_batch(self, batch: Sequence[Content]) -> None:
        report = self._report
        needed = reached_by_all(self._roots) if report.acted else set()
        for content in batch:
            if content.md5 in needed:
                report.reached += 1
            elif not report.acted or self._store.set_aside(content.md5, self._before):
                report.set_aside.append(content.md5)
                report.size += content.size
            else:
                report.young += 1

    def _empty_quarantine(self) -> None:
        """Restore what is needed after all, and delete what has been there for longer than the grace period."""
        report, moved = self._report, set(self._report.set_aside) if self._report.acted else set()
        needed = reached_by_all(self._roots)
        is_known = not any(each.damaged for each in self._roots)
        for item in list(self._store.quarantined()):
            if item.md5 in needed and not item.is_damaged:
                report.restored.append(item.md5)
                if report.acted:
                    self._store.restore(item)
            elif is_known and item.md5 not in moved and self._is_due(item):
                report.discarded.append(item.md5)
                report.freed += item.size
                if report.acted:
                    self._store.discard(item)
            else:
                report.waiting += 1

    def _is_due(self, item: SetAside) -> bool:
        end_of_day = datetime.combine(item.day + timedelta(days=1), datetime.min.time(), UTC)
        return end_of_day + self._options.grace <= datetime.now(UTC)

    def _remove_folders(self) -> None:
        """Remove old temporary folders that no lock announces; `recovery` has removed those of writers known dead."""
        in_use = announced_folders(self._repository.work_folder / "locks")
        oldest = time.time() - max(self._options.grace, _SHORTEST_FOR_FOLDERS).total_seconds()
        for root in {self._store.staging_root, self._repository.work_folder / "tmp"}:
            for folder in sorted(root.iterdir()) if root.is_dir() else ():
                if str(folder) not in in_use and _newest(folder) < oldest:
                    self._report.folders.append(str(folder))
                    if self._report.acted:
                        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()


def _newest(path: Path) -> float:
    """Return when anything below a path last changed; a path that vanishes meanwhile counts as in use."""
    try:
        below = [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
        return max(each.lstat().st_mtime for each in (path, *below))
    except FileNotFoundError:
        return float("inf")
