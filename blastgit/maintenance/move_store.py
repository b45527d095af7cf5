"""Move the store: main names another one from now on. Old tags stay as they are.

blastgit always reads from the store that main names now, so it finds every old revision by itself. Plain DVC in a clone
of an old tag uses the URL in that tag; `blastgit setup CLONE`, or one command that changes no tracked file, points it
to the new store:

    dvc remote modify --local store url URL

A store of another kind also needs the other options of main's `.dvc/config`, in the same way
(`dvc remote modify --local store endpointurl …`), and `dvc remote modify --local --unset` for those of the old one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pygit2

from blastgit.errors import InvalidName, StoreError, UsageError
from blastgit.naming.refs import ANNOTATIONS, TAGS
from blastgit.plumbing.objects import commit_of, list_refs
from blastgit.plumbing.trees import flatten
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.format import CONFIG
from blastgit.repository.ownership import own_if_free
from blastgit.store.base import Store
from blastgit.store.config import Remote, absolute, default_remote, remote_names, with_remote
from blastgit.store.open import open_store
from blastgit.store.pointer import SUFFIX, read_pointer

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")


def move_store(
    repository: Repository,
    url: str,
    options: Mapping[str, str] | None = None,
    *,
    check: bool = True,
    timeout: float = LOCK_TIMEOUT,
) -> str:
    """Make main name another store, to which the contents have been copied, and return main's tip.

    Users' own settings (`BLASTGIT_STORE`, `blastgit/store.config`) override main's and are not changed: update them
    too. Writers at work meanwhile may still add contents to the old store, so copy once more afterwards.

    Args:
        repository: The data repo.
        url: The new store.
        options: The options that DVC needs besides the URL; the old ones are dropped.
        check: Whether to refuse a store that lacks contents of tags or attachments that the present one has.
        timeout: Seconds to wait for others who change main.

    Raises:
        StoreError: The new store lacks contents, or one of the two fails.
        RepoError: The settings are not valid, or the repo cannot be written.
        Denied: The policy on main does not allow it.
        Busy: Others held main for too long.
    """
    repository.require("admin", "main")

    def decide(_: pygit2.Commit | None) -> BranchEdit | None:
        before = repository.config
        remote = Remote(default_remote(before).name, absolute(url), dict(options or {}))
        config = with_remote(before, remote)
        if config == before:
            return None
        if check:
            _check(repository, open_store(default_remote(config), repository.work_folder))
        return BranchEdit({CONFIG: config}, f"Move the store to {remote.url}")

    commit = commit_to_branch(repository, "main", decide, timeout)
    assert commit is not None
    repository.__dict__.pop("store", None)  # opened for the old address
    own_if_free(repository)
    return commit


def add_store(
    repository: Repository,
    name: str,
    url: str,
    options: Mapping[str, str] | None = None,
    *,
    timeout: float = LOCK_TIMEOUT,
) -> str:
    """Add a store to main, to which storage rules may send files, and return main's tip.

    Args:
        repository: The data repo.
        name: The name of the store.
        url: Its URL; it need not exist yet.
        options: The options that DVC needs besides the URL.
        timeout: Seconds to wait for others who change main.

    Raises:
        InvalidName: The name is not valid.
        UsageError: A store of that name exists.
        RepoError: The settings are not valid, or the repo cannot be written.
        Denied: The policy on main does not allow it.
    """
    repository.require("admin", "main")
    if not _NAME.fullmatch(name):
        raise InvalidName(f"{name[:80]!r} cannot name a store: small letters, digits and -, a letter first")
    if name in remote_names(repository.config):
        raise UsageError(f"there is a store {name!r} already: its URL is changed in .dvc/config on main")

    def decide(_: pygit2.Commit | None) -> BranchEdit | None:
        config = with_remote(repository.config, Remote(name, absolute(url), dict(options or {})))
        return BranchEdit({CONFIG: config}, f"Add the store {name}, {url}")

    commit = commit_to_branch(repository, "main", decide, timeout)
    assert commit is not None
    repository.__dict__.pop("store", None)  # opened without it
    return commit


def add_stores_beside(repository: Repository, names: Iterable[str]) -> None:
    """Give a new data repo stores of these names below its default one, since pointers and storage rules name them.

    Raises:
        RepoError: The repo cannot be written.
    """
    default = repository.remote()
    for name in names:
        add_store(repository, name, f"{default.url.rstrip('/')}/stores/{name}", default.options)


def _check(repository: Repository, new: Store) -> None:
    contents = contents_of_tags(repository.git)
    lacking = new.missing(contents)
    lacking -= repository.store.missing(lacking)
    if lacking:
        raise StoreError(
            f"the store {new.url} lacks {len(lacking):,} of {len(contents):,} contents, which {repository.store.url} "
            f"has ({min(lacking)} is one): copy the folder files/ of the old store as it is, then repeat the call"
        )


def contents_of_tags(git: pygit2.Repository) -> set[str]:
    """Return the MD5 of every content of a tag or an attachment in the default store. Reads every tag."""
    seen: set[pygit2.Oid] = set()
    md5s = set()
    for ref in list_refs(git):
        if not ref.startswith(TAGS.encode()) and ref != ANNOTATIONS.encode():
            continue
        tree = commit_of(git.references[ref.decode()]).tree
        for path, blob in flatten(tree):
            if path.endswith(SUFFIX) and blob not in seen:
                seen.add(blob)
                pointer = read_pointer(git[blob].read_raw(), path)
                if not pointer.remote:
                    md5s.add(pointer.md5)
    return md5s
