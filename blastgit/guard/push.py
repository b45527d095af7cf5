"""Check before a clone pushes that the store has the contents of its revisions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pygit2
from pygit2.enums import RepositoryOpenFlag

from blastgit.errors import Denied, RepoError
from blastgit.guard.contents import check_contents
from blastgit.naming.refs import MAIN, Kind, place
from blastgit.plumbing.objects import ZERO, find_ref
from blastgit.plumbing.opening import open_repository
from blastgit.plumbing.trees import read_blob
from blastgit.repository.commits import Marker, Revision
from blastgit.store.base import Store
from blastgit.store.config import OWN_FILE, chosen_remote, other_remotes
from blastgit.store.open import open_stores


def check_push(folder: Path, remote: str, lines: bytes) -> list[str]:
    """Return the faults of a push, as sentences.

    Args:
        folder: The git directory of the clone.
        remote: The name of the remote, or its URL.
        lines: The input of the hook `pre-push`: `LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID` on each line.

    Raises:
        BlastgitError: The clone or the store cannot be read.
    """
    git = open_repository(folder, RepositoryOpenFlag.NO_SEARCH)
    revisions: dict[str, Revision] = {}
    for line in lines.decode("utf-8", "replace").splitlines():
        _, new, ref, old = line.split(" ")
        if new != ZERO:
            revisions.update((each.id, each) for each in _revisions(git, ref, new, old))
    if not revisions:
        return []
    store = _store(git, folder, remote)
    wanted = {
        pointer: f"{revision}:{path}" for revision in revisions.values() for path, pointer in revision.stored.items()
    }
    try:
        check_contents(store, wanted)
    except Denied as error:
        return [f"nothing was pushed: {error}"]
    return []


def _revisions(git: pygit2.Repository, ref: str, new: str, old: str) -> Iterator[Revision]:
    """Yield the new revisions of a pushed branch or tag, back to what the other side has."""
    where = place(ref)
    if where.line is None or where.kind in (Kind.WORKFLOW, Kind.DRAFT):
        return
    known = {old}
    commit: pygit2.Commit | None = git[new].peel(pygit2.Commit)
    while commit is not None and str(commit.id) not in known:
        marker = Marker(commit)
        if marker.number is not None:
            yield Revision(git, str(where.line), commit, marker.number)
            if where.kind is Kind.TAG:
                return
        commit = commit.parents[0] if commit.parents else None


def _store(git: pygit2.Repository, folder: Path, remote: str) -> Store:
    """Open the store that the remote's main names, as last fetched by this clone."""
    for ref in (f"refs/remotes/{remote}/main", "refs/remotes/origin/main", MAIN):
        if not pygit2.reference_is_valid_name(ref):
            continue
        reference = find_ref(git, ref)
        config = None if reference is None else read_blob(reference.peel(pygit2.Commit).tree, ".dvc/config")
        if config is not None:
            work_folder = folder / "blastgit"
            own = work_folder / OWN_FILE
            default, others = chosen_remote(config, own, os.environ), other_remotes(config, own)
            return open_stores(default, others, work_folder / "tmp")
    raise RepoError(f"this clone does not know main, which names the store: git fetch {remote} main")
