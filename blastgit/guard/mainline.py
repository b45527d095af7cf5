"""Check pushes to main: which files it may have, and who may change which."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import PurePosixPath

import pygit2

from blastgit.checks.mainline import COLLECTION, CONFIGURATION, QUERY, file_faults, place_faults
from blastgit.checks.settings import check_settings
from blastgit.checks.tombstones import is_tombstones
from blastgit.datasets.storage import check_storage
from blastgit.errors import BlastgitError, Denied
from blastgit.guard.deny import deny
from blastgit.guard.new_commits import Step, steps
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.trees import changed_files, files_of
from blastgit.naming.refs import MAIN, Change, tag_name, tag_ref
from blastgit.repository.commits import Revision, Snapshot
from blastgit.repository.drafts import Drafts
from blastgit.repository.format import CONFIG, FILE
from blastgit.repository.settings import Settings, read_settings
from blastgit.repository.skeleton import dot_files
from blastgit.safe_yaml import SIZE_LIMIT
from blastgit.search.saved.check import check_sql
from blastgit.search.saved.names import check_name
from blastgit.search.saved.text import read_query
from blastgit.store.config import remote_names


def check_main(repo: Quarantine, change: Change, who: str, coming: Mapping[str, str | None]) -> None:
    """Check a push to main, commit by commit.

    Args:
        repo: The data repo.
        change: The old and new tip of main.
        who: The user who pushes.
        coming: All pushed refs with their new values.

    Raises:
        Denied: A change is not allowed; the error names the commit and file, or the role it takes.
    """
    new = list(steps(repo, change, "main's commit"))
    changed = [_changed(repo, step) for step in new]
    for files in changed:
        for path in files:
            _check_role(repo, path, who)
    for step, files in zip(new, changed, strict=True):
        is_tip = str(step.commit.id) == change.new
        try:
            _check_step(repo, step, files, coming)
            if files and (is_tip or change.old is not None):
                _check_rules(repo, step, files, who, coming)
        except BlastgitError as error:
            raise Denied(str(error) if is_tip else f"{step}: {error}") from None


Changed = dict[str, tuple[pygit2.Oid | None, pygit2.Oid | None]]
"""The old and new blob of each changed path."""


def _changed(repo: Quarantine, step: Step) -> Changed:
    before = None if step.base is None else step.base.tree_id
    return {path: (old, new) for path, old, new in changed_files(repo, before, step.commit.tree_id)}


def _check_step(repo: Quarantine, step: Step, changed: Changed, coming: Mapping[str, str | None]) -> None:
    """Check each file that a commit of main changes, by itself."""
    for path in (FILE, CONFIG):
        if (path in changed and changed[path][1] is None) or (step.base is None and path not in changed):
            raise Denied(f"it would lack {path}, without which this is not a data repo")
    if any(old is None for old, _ in changed.values()):
        deny(place_faults(files_of(repo, step.commit.tree_id)))
    for path, (old, oid) in changed.items():
        if CONFIGURATION.fullmatch(path) and old is not None:
            raise Denied(f"{path}: a run was started with it, so it must not be changed")
        if oid is None or COLLECTION.fullmatch(path):
            continue
        try:
            _check_file(repo, path, repo.blob(oid, SIZE_LIMIT), coming)
        except BlastgitError as error:
            raise Denied(f"{path}: {error}") from None


def _check_rules(repo: Quarantine, step: Step, changed: Changed, who: str, coming: Mapping[str, str | None]) -> None:
    """Check that the files of main are consistent with each other."""
    tree = step.commit.tree
    settings = _check_settings(repo, step.base, repo.blob(tree[FILE].id, SIZE_LIMIT))
    config = repo.blob(tree[CONFIG].id, SIZE_LIMIT)
    _check_remotes(repo, step.base, config)
    check_storage(settings, config)
    collections = {path: oid for path, (_, oid) in changed.items() if COLLECTION.fullmatch(path)}
    if collections:
        from blastgit.guard.collections import Pushed

        Pushed(repo, step.base, step.commit, settings, coming).check(collections, who)


def _check_role(repo: Quarantine, path: str, who: str) -> None:
    """Check that a user may change a file, by the policy before the push."""
    try:
        if COLLECTION.fullmatch(path):
            from blastgit.collections.access import check_access
            from blastgit.collections.names import check_name as check_collection
            from blastgit.collections.names import name_of

            if repo.ref(MAIN) is not None:
                check_access(repo.settings, check_collection(name_of(path)), who)
        else:
            is_admins = path == FILE or path in dot_files(b"") or is_tombstones(path)
            repo.policy.check("admin" if is_admins else "curator", who)
    except BlastgitError as error:
        raise Denied(f"{path}: {error}") from None


def _check_file(repo: Quarantine, path: str, data: bytes, coming: Mapping[str, str | None]) -> None:
    """Check the contents of a new or changed file."""
    deny(file_faults(path, data, partial(_state, repo, coming)))
    if QUERY.fullmatch(path):
        check_sql(read_query(data, check_name(PurePosixPath(path).stem)))


def _state(
    repo: Quarantine, coming: Mapping[str, str | None], line: str, number: int, draft: int | None
) -> Snapshot | None:
    """Return a revision that is here, or is pushed at the same time; or a draft that is here."""
    if draft is not None:
        return Drafts(repo, line).one(number, draft)
    ref = tag_ref(line, number)
    oid = repo.ref(ref) or coming.get(ref)
    if oid is None:
        return None
    return Revision(repo.git, line, repo.commit(repo.tag(oid, tag_name(line, number)).target, ref), number)


def _check_remotes(repo: Quarantine, old: pygit2.Commit | None, config: bytes) -> None:
    """Check that no remote is removed, since published pointers may name it."""
    before = None if old is None else files_of(repo, old.tree_id).get(CONFIG)
    gone = set() if before is None else {*remote_names(repo.blob(before, SIZE_LIMIT))} - {*remote_names(config)}
    if gone:
        raise Denied(
            f"{CONFIG} would lose the remote {min(gone)!r}, which published pointers may name: give it another URL, "
            "but keep its name"
        )


def _check_settings(repo: Quarantine, old: pygit2.Commit | None, text: bytes) -> Settings:
    new = read_settings(text)
    check_settings(new)
    if old is None:
        return new
    before: Settings = repo.settings
    if new.format < before.format:
        raise Denied(f"{FILE}: the format is {before.format} and never goes back to {new.format}")
    if new.simulated != before.simulated:
        raise Denied(f"{FILE}: real and simulated data never mix: make another data repo with `blastgit init`")
    return new
