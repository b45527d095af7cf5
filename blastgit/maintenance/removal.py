"""Remove contents from stores: only those that nothing needs, where this repo may, and not while others publish."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from blastgit.errors import BlastgitError
from blastgit.maintenance.reachable import ReachableContents, reached_by_all
from blastgit.plumbing.turnstile import deleting
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.ownership import obstacle, relying
from blastgit.store.base import Store


@dataclass
class Removal:
    """The result of removing contents.

    Attributes:
        set_aside: Those in the quarantine, by MD5; `gc` deletes them after the grace period.
        removed: Those deleted for good.
        needed: Those that stay because something needs them.
        staying: Where bytes remain although nothing here needs them, and what to do, as sentences.
    """

    set_aside: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    needed: set[str] = field(default_factory=set)
    staying: list[str] = field(default_factory=list)


def remove(
    repository: Repository, md5s: Collection[str], roots: ReachableContents, *, now: bool = False, dry_run: bool = False
) -> Removal:
    """Remove contents from the stores, except those that something needs.

    Args:
        repository: The data repo.
        md5s: The contents to remove.
        roots: The contents that the repo needs.
        now: Delete them for good; else they go into the quarantine.
        dry_run: Report what would be done, but do nothing.

    Raises:
        Busy: Others kept publishing contents for too long.
        StoreError: A store fails.
    """
    done = Removal(needed=set(md5s) & roots.reached)
    for part in repository.store.parts:
        try:
            refused = obstacle(repository, part)
            others = [] if refused else [ReachableContents(other) for other in relying(repository, part)]
        except BlastgitError as error:
            refused, others = str(error), []
        if refused:
            left = _there(part, set(md5s) - roots.reached)
            if left:
                done.staying.append(f"{_count(left)} still there, and nothing was deleted: {refused}")
        elif dry_run:
            left = _there(part, set(md5s) - reached_by_all([roots, *others]))
            (done.removed if now else done.set_aside).extend(sorted(left))
        else:
            with deleting(repository.guarded_folders, LOCK_TIMEOUT):
                _take_out(part, set(md5s), [roots, *others], done, now=now)
    done.staying += _with_their_owners(repository.store, {*done.set_aside, *done.removed})
    return done


def _with_their_owners(store: Store, md5s: Collection[str]) -> list[str]:
    """Return a sentence for each file of somebody else's to which the store had only a link: its bytes remain."""
    files = {file.path for found in store.borrowed(md5s).values() for file in found if os.path.lexists(file.path)}
    return [f"{path} was imported as a link, so its bytes are still there: delete it too" for path in sorted(files)]


def _take_out(part: Store, md5s: set[str], roots: Sequence[ReachableContents], done: Removal, *, now: bool) -> None:
    needed = reached_by_all(roots)  # by the refs as they are now: until this is done, no ref can come to need a content
    done.needed |= md5s & needed
    aside = {md5 for md5 in md5s - needed if part.set_aside(md5)}
    needed = reached_by_all(roots)  # but a writer on another machine may have moved one
    damaged = sorted(ref for each in roots for ref in each.damaged)
    for item in list(part.quarantined()):
        if item.md5 not in md5s:
            continue
        if item.md5 in needed:
            if not item.is_damaged:
                part.restore(item)
                aside.discard(item.md5)
        elif now and not damaged:
            part.discard(item)
            aside.discard(item.md5)
            done.removed.append(item.md5)
        else:
            aside.add(item.md5)
    done.removed = sorted(set(done.removed))
    done.set_aside = sorted({*done.set_aside, *aside})
    if now and damaged and aside:
        done.staying.append(
            f"{_count(aside)} in the quarantine of {part.url}, and not deleted: git cannot read {damaged[0]}, which "
            "may need the same; repair that, or delete there by hand what must go at once"
        )


def _there(part: Store, md5s: set[str]) -> set[str]:
    return md5s - part.missing(md5s)


def _count(md5s: Collection[str]) -> str:
    return "1 content is" if len(md5s) == 1 else f"{len(md5s)} contents are"
