"""Whether a data repo may delete from its store, and which other repos rely on the store.

A store inside a repo's own folder belongs to that repo. Any other store has a file for each repo that writes to it
(`store/registry.py`): the first repo to write to an empty store owns it, others only rely on it, and an admin can make
a repo an owner (`blastgit store own`). Clones, and copies made with `cp -r`, own nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from blastgit.errors import BlastgitError, NotFound, RepoError
from blastgit.repository.base import Repository
from blastgit.repository.local import LocalRepository
from blastgit.store.base import Store
from blastgit.store.local import LocalStore
from blastgit.store.registry import Reliance, enter, reliances, strike

_FILE = "store-id"


@dataclass(frozen=True)
class _Own:
    """What a repo keeps about itself: its id, and the stores it is registered with."""

    id: str
    where: str
    stores: tuple[str, ...] = ()


def register(repository: Repository) -> None:
    """Register a repo with its stores before writing; stores that already know it are not contacted.

    If a store does not accept the registration, nobody owns it, and nothing is deleted there.
    """
    for part in repository.store.parts:
        if not is_inside(repository, part):
            own = _read_own(repository)
            if own is None or part.url not in own.stores or own.where != _here(repository):
                _enter(repository, part, own)


def obstacle(repository: Repository, part: Store) -> str:
    """Return why a repo may not delete from one of its stores, in words; "" if it may.

    Raises:
        StoreError: The store fails.
    """
    if is_inside(repository, part):
        return ""
    entries, own = reliances(part), _read_own(repository)
    mine = next((each for each in entries if own is not None and each.id == own.id), None)
    if mine is not None and mine.owner and not _is_copy(repository, mine):
        return ""
    owners = [each.where for each in entries if each.owner and (each is not mine or _is_copy(repository, each))]
    if owners:
        return f"the store {part.url} belongs to {' and '.join(owners)}: do it there"
    holder = _around(part)
    if holder is not None:
        return f"the store {part.url} belongs to {holder}, which contains it: do it there"
    return (
        f"no data repo owns the store {part.url}: if it is certain that no other repo relies on it, an admin can run "
        "`blastgit store own` and then repeat this"
    )


def relying(repository: Repository, part: Store, also: Iterable[Path] = ()) -> list[Repository]:
    """Open the other repos that rely on a store: those registered there, and those given by the caller.

    Raises:
        RepoError: One cannot be read here, so its needs are unknown.
    """
    others: list[Repository] = [LocalRepository(path) for path in also]
    known = {_here(other) for other in others} | {_here(repository)}
    ids = {own.id for other in others if (own := _read_own(other)) is not None}
    for each in reliances(part):
        if each.where in known or each.id in ids or _is_mine(repository, each):
            continue
        try:
            others.append(LocalRepository(Path(each.where)))
        except BlastgitError as error:
            raise RepoError(
                f"{each.where} relies on the store {part.url}, but cannot be read here ({error}): name it with --also "
                f"if it has moved, or run `blastgit store forget {each.id}` if it no longer exists"
            ) from None
        known.add(each.where)
    return others


def own(repository: Repository) -> list[str]:
    """Make a repo an owner of its stores, and return their URLs.

    Raises:
        Denied: This user is not an admin.
        StoreError: A store does not accept the registration.
    """
    repository.require("admin")
    repository.prepare_to_edit()
    for part in repository.store.parts:
        if not is_inside(repository, part):
            _enter(repository, part, _read_own(repository), owner=True)
    return [part.url for part in repository.store.parts]


def own_if_free(repository: Repository) -> None:
    """Make a repo an owner of those of its stores that have no owner, after its admin has moved contents there."""
    for part in repository.store.parts:
        if not is_inside(repository, part) and not any(each.owner for each in _known(part)):
            with suppress(BlastgitError):
                _enter(repository, part, _read_own(repository), owner=True)


def forget(repository: Repository, name: str) -> Reliance:
    """Make the stores of a repo forget another repo that no longer exists.

    Raises:
        Denied: This user is not an admin.
        RepoError: The repo does not own the store.
        NotFound: No store knows a repo of that id.
    """
    repository.require("admin")
    for part in repository.store.parts:
        for each in reliances(part):
            if each.id == name:
                refused = obstacle(repository, part)
                if refused:
                    raise RepoError(refused)
                strike(part, each)
                return each
    raise NotFound(
        f"no store of {repository.location} knows a repo {name}: `blastgit store` lists those that rely on it"
    )


def is_inside(repository: Repository, part: Store) -> bool:
    """Whether a store is a folder inside the repo itself."""
    return isinstance(part, LocalStore) and _here(repository) in map(str, part.folder.resolve().parents)


def _enter(repository: Repository, part: Store, before: _Own | None, *, owner: bool | None = None) -> None:
    import uuid

    from blastgit.repository.identity import repo_identity

    entries = {each.id: each for each in _known(part)}
    mine = None if before is None else entries.get(before.id)
    if mine is not None and _is_copy(repository, mine):
        before, mine = None, None  # this repo is a copy, and the id belongs to the original
    name = uuid.uuid4().hex if before is None else before.id
    owns = owner if owner is not None else (mine.owner if mine is not None else _is_fresh(part, entries.values()))
    identity, since = f"urn:uuid:{repo_identity(repository)}", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    note = Reliance(name, identity, _here(repository), owns, since if mine is None else mine.since)
    kept = _Own(name, _here(repository)) if before is None else replace(before, where=_here(repository))
    try:
        enter(part, note)
    except BlastgitError:
        if owner:
            raise
    _write_own(repository, replace(kept, stores=tuple(sorted({*kept.stores, part.url}))))


def _known(part: Store) -> Sequence[Reliance]:
    try:
        return reliances(part)
    except BlastgitError:
        return []


def _is_fresh(part: Store, entries: Iterable[Reliance]) -> bool:
    try:
        return not list(entries) and part.is_fresh()
    except BlastgitError:
        return False


def _is_copy(repository: Repository, mine: Reliance) -> bool:
    """Whether the registered repo is still in its place, so that this one, in another place, is a copy of it."""
    return mine.where != _here(repository) and _id_at(Path(mine.where)) == mine.id


def _is_mine(repository: Repository, each: Reliance) -> bool:
    own = _read_own(repository)
    return own is not None and own.id == each.id and not _is_copy(repository, each)


def _around(part: Store) -> Path | None:
    """Return the data repo whose folder contains a store, or None."""
    if not isinstance(part, LocalStore):
        return None
    return next((folder for folder in part.folder.resolve().parents if (folder / "blastgit" / "locks").is_dir()), None)


def _here(repository: Repository) -> str:
    return str(repository.path.resolve())


def _id_at(repo: Path) -> str | None:
    found = _read_file(repo / "blastgit" / _FILE)
    return None if found is None else found.id


def _read_own(repository: Repository) -> _Own | None:
    return _read_file(repository.work_folder / _FILE)


def _read_file(path: Path) -> _Own | None:
    try:
        fields = json.loads(path.read_bytes())
        return _Own(fields["id"], fields["where"], tuple(fields["stores"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_own(repository: Repository, own: _Own) -> None:
    import uuid

    path = repository.work_folder / _FILE
    part = path.with_name(f"{_FILE}.{uuid.uuid4().hex}")
    part.write_text(json.dumps({"id": own.id, "where": own.where, "stores": own.stores}) + "\n", "utf-8")
    part.replace(path)
