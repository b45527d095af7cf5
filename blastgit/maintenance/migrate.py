"""Copy a data repo to a new path, perhaps with other stores. The old one stays.

Refs are copied as they are, so that a citation of either repo names the same commits; main gets one more commit, with
the new stores and the identity of the old repo. If both repos are on one file system, contents become hard links, which
take no space; each repo deletes only its own names. If not, they stay where they are, and the store is told that the
new repo relies on it; or they are copied.

The new repo is built aside, and appears once all of it is on disk. The ledger is read before the refs, and contents
after them, so that the copy is consistent even if somebody writes to the old repo meanwhile.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blastgit.errors import DamagedData, RepoError, UsageError
from blastgit.maintenance.carry import Carried, Load, Mode, carry, foresee
from blastgit.maintenance.reachable import ReachableContents
from blastgit.plumbing.building import built
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.safe_text import one_line
from blastgit.plumbing.settings_file import change_settings
from blastgit.plumbing.user_settings import Keep
from blastgit.progress import Progress, silent
from blastgit.repository.base import Repository, git_setting
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.format import CONFIG, FILE
from blastgit.repository.hooks import install_server_hooks
from blastgit.repository.identity import repo_identity, stated_identity
from blastgit.repository.ledger.checkpoint import adopt
from blastgit.repository.local import LocalRepository
from blastgit.repository.ownership import own_if_free, register
from blastgit.revision.words import plural
from blastgit.store.base import Store
from blastgit.store.config import OWN_FILE, Remote, absolute, remote_names, with_remote
from blastgit.store.local import LocalStore
from blastgit.store.open import open_store

_KEPT_SETTINGS = ("core.sharedRepository", "blastgit.usage", "http.receivepack")
"""Git settings of a repo that are copied; those that every data repo needs are set anyway."""


@dataclass(frozen=True)
class MigrateOptions:
    """How to migrate.

    Attributes:
        mode: How to provide contents.
        store: The URL to copy them to, any DVC remote; None to keep them in folders inside the new repo.
        store_options: The options that DVC needs besides that URL.
        dry_run: Check everything, but make nothing.
    """

    mode: Mode = Mode.AUTO
    store: str | None = None
    store_options: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False


@dataclass(frozen=True)
class Migrated:
    """The result of a migration.

    Attributes:
        path: The path of the new data repo.
        refs: How many branches, tags and other refs it has.
        stores: How the contents of each store were provided.
    """

    path: Path
    refs: int
    stores: list[Carried]

    def to_json(self) -> dict[str, Any]:
        """Return the result under its stable keys."""
        return {"path": str(self.path), "refs": self.refs, "stores": [each.to_json() for each in self.stores]}


def migrate(repository: Repository, target: Path, options: MigrateOptions, progress: Progress = silent) -> Migrated:
    """Make a new data repo with everything that this one has.

    Args:
        repository: The data repo, on this machine; nothing in it changes.
        target: The path of the new one; it may exist as an empty folder.
        options: How to provide contents.
        progress: Called with bytes processed.

    Raises:
        RepoError: The target exists, cannot be written, or lies inside this repo or one of its stores.
        DamagedData: Git or a store lacks something; nothing was made.
        StoreError: A store fails, or hard links were asked for and cannot be made.
        UsageError: The options contradict each other.
    """
    if options.store is not None and options.mode not in (Mode.AUTO, Mode.COPY):
        raise UsageError(f"--store has the contents copied to that store, so --mode {options.mode} does not go with it")
    mode = Mode.COPY if options.store is not None else options.mode
    target = target.absolute()
    _check_apart(repository, target)
    url = str(target / "dvc") if options.store is None else absolute(options.store)
    if options.dry_run:
        near = _check_free(target)
        loads = list(_loads(repository, repository, url))
        return Migrated(target, len(repository.references("")), [foresee(load, mode, near) for load in loads])
    with built(target, last="HEAD") as place:
        _copy_refs(repository, place)
        new = LocalRepository(place)
        carried = [
            carry(load, _store(load, target, place, options), mode, progress) for load in _loads(repository, new, url)
        ]
        _write_main(repository, new, carried, options)
        _copy_settings(repository, place, target, carried)
        refs = len(new.references(""))
    made = LocalRepository(target)
    register(made)
    if mode is Mode.COPY:
        own_if_free(made)
    return Migrated(target, refs, carried)


def _check_apart(repository: Repository, target: Path) -> None:
    """Check that the new repo would not lie inside the old one, where deleting one would delete both."""
    folders = {repository.path: "the data repo itself"}
    folders |= {part.folder: "one of its stores" for part in repository.store.parts if isinstance(part, LocalStore)}
    place = target.resolve()
    for folder, what in folders.items():
        here = folder.resolve()
        if place == here or here in place.parents:
            raise RepoError(f"{target} lies inside {folder}, {what}: choose a place of its own")


def _check_free(target: Path) -> Path:
    """Check that a repo can be made there; return the nearest existing folder, which is on the same file system."""
    near = next(folder for folder in target.parents if folder.exists())
    if not near.is_dir() or not os.access(near, os.W_OK | os.X_OK):
        raise RepoError(f"{target} cannot be made: {near} is not a folder that this user may write to")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RepoError(f"{target} exists and is not empty: a data repo needs a folder of its own")
    return near


def _copy_refs(repository: Repository, place: Path) -> None:
    """Clone all refs with their objects, each checked; the ledger is read first."""
    lines = list(repository.ledger.entries())
    words = "--quiet", "--mirror", "--no-local", "--template="
    try:
        source = str(repository.path.absolute())
        run_git(None, "-c", "fetch.fsckObjects=true", "clone", *words, "--", source, str(place), keep=Keep.TRUST)
    except GitError as error:
        raise DamagedData(
            f"git cannot read all of {repository.path} ({error.stderr.splitlines()[-1] if error.stderr else error}): "
            "`blastgit verify` names what is damaged; nothing was made"
        ) from None
    run_git(place, "config", "--remove-section", "remote.origin")
    (place / "blastgit" / "locks").mkdir(parents=True)
    new = LocalRepository(place)
    new.ledger.append(lines)
    adopt(new.git, new.ledger)


def _loads(old: Repository, new: Repository, url: str) -> Iterator[Load]:
    """Yield the contents that the refs of the new repo need from each of the old one's stores."""
    roots = ReachableContents(new)
    if roots.damaged:
        ref, reason = next(iter(roots.damaged.items()))
        raise DamagedData(f"git cannot read {ref} ({reason}), so what it needs is not known: `blastgit verify`")
    lacking = old.store.missing(roots.reached)
    if lacking:
        raise DamagedData(
            f"the store {old.store.url} lacks {plural(len(lacking), 'content')}, such as {min(lacking)}: run `blastgit "
            "verify --repair` first; nothing was made"
        )
    for name, part in zip(["", *old.store.others], old.store.parts, strict=True):
        sizes = part.sizes(roots.reached)
        where = url if not name else f"{url.rstrip('/')}/stores/{name}"
        yield Load(name, part, sorted(sizes), sum(size or 0 for size in sizes.values()), where)


def _store(load: Load, target: Path, place: Path, options: MigrateOptions) -> Store:
    """Return the store to fill; one inside the new repo is still at the place where that is being built."""
    found = open_store(Remote("store", load.url, dict(options.store_options)), place / "blastgit")
    if isinstance(found, LocalStore) and target in found.folder.parents:
        return LocalStore(place / found.folder.relative_to(target))
    return found


def _write_main(repository: Repository, new: Repository, carried: Iterable[Carried], options: MigrateOptions) -> None:
    """Write the new stores, and the identity of the old repo, to main."""
    config = new.config
    names = ["", *remote_names(config)[1:]]
    for each in carried:
        if each.mode is not Mode.REFERENCE and each.store in names:
            name = each.store or remote_names(config)[0]
            config = with_remote(config, Remote(name, each.url, dict(options.store_options)))
    files: dict[str, bytes | None] = {}
    if config != new.config:
        files[CONFIG] = config
    if stated_identity(new.settings) is None:
        line = f"\nidentity: {repo_identity(repository)}  # that of the repo which it was made of\n"
        files[FILE] = new.main_file(FILE) + line.encode()
    if files:
        change = BranchEdit(files, f"Migrate from {one_line(repository.location)}")
        commit_to_branch(new, "main", lambda _: change)


def _copy_settings(repository: Repository, place: Path, target: Path, carried: Iterable[Carried]) -> None:
    """Give the new repo its hooks and settings that are not in any commit."""
    install_server_hooks(place, target)
    kept = {key: value for key in _KEPT_SETTINGS if (value := git_setting(repository.git, key))}
    if kept:
        change_settings(place, kept)
    own = repository.work_folder / OWN_FILE
    if own.is_file() and any(each.mode is Mode.REFERENCE for each in carried):
        shutil.copy(own, place / "blastgit" / OWN_FILE)
    shutil.rmtree(place / "blastgit" / "locks")
    (place / "blastgit" / "locks").mkdir()
