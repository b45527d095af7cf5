"""Check pushes to main: which files it may have, and who may change which."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import pygit2

from blastgit.checks.settings import check_settings
from blastgit.checks.tombstones import tombstone_faults
from blastgit.datasets.storage import check_storage
from blastgit.errors import BlastgitError, Denied, InvalidFiles
from blastgit.guard.deny import deny
from blastgit.guard.new_commits import Step, steps
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.trees import changed_files, files_of
from blastgit.naming.paths import check_path
from blastgit.naming.refs import MAIN, Change, tag_name, tag_ref
from blastgit.plumbing.safe_text import is_control
from blastgit.repository.commits import Revision, Snapshot
from blastgit.repository.configuration import FOLDER as CONFIGURATIONS
from blastgit.repository.configuration import digest_of, fault_of
from blastgit.repository.configuration import path_of as configuration_path
from blastgit.repository.drafts import Drafts
from blastgit.repository.format import CONFIG, FILE
from blastgit.repository.settings import Settings, read_settings
from blastgit.repository.skeleton import dot_files, is_dot_file
from blastgit.repository.tombstones import ATTACHMENT, FOLDER
from blastgit.safe_yaml import SIZE_LIMIT, load_yaml
from blastgit.search.saved.check import check_sql
from blastgit.search.saved.names import check_name
from blastgit.search.saved.text import read_query
from blastgit.store.config import check_config, remote_names

_TEXTS = {"README.md", "CITATION.cff"}
_COLLECTION = re.compile(r"collections/.+\.yaml")
_QUERY = re.compile(r"queries/[^/]+\.sql")
_CONFIGURATION = re.compile(rf"{CONFIGURATIONS}/[0-9a-f]{{2}}/[0-9a-f]{{62}}")
_TOMBSTONES = re.compile(
    rf"{FOLDER}/(?:(?:u/[^/]+/)?[^/]+/(0|[1-9][0-9]*)(-draft-[1-9][0-9]*)?|{ATTACHMENT}/[0-9a-f]{{2}}/[0-9a-f]{{62}})\.yaml"
)


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
            raise Denied(f"it would lack {path}, without which this is no data repo")
    if any(old is None for old, _ in changed.values()):
        _check_names(files_of(repo, step.commit.tree_id))
    for path, (old, oid) in changed.items():
        if _CONFIGURATION.fullmatch(path) and old is not None:
            raise Denied(f"{path}: a run was begun with it, so it stays as it is")
        if oid is None or _COLLECTION.fullmatch(path):
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
    collections = {path: oid for path, (_, oid) in changed.items() if _COLLECTION.fullmatch(path)}
    if collections:
        from blastgit.guard.collections import Pushed

        Pushed(repo, step.base, step.commit, settings, coming).check(collections, who)


def _check_names(files: dict[str, pygit2.Oid]) -> None:
    dots = dot_files(b"")
    seen: dict[str, str] = {}
    for path in sorted(files):
        known = path in _TEXTS or path == FILE or path in dots
        if not known and not any(kind.fullmatch(path) for kind in (_COLLECTION, _QUERY, _CONFIGURATION, _TOMBSTONES)):
            raise Denied(
                f"{path!r} has no place on main: README.md, CITATION.cff, {FILE}, {CONFIG}, collections/**.yaml, "
                f"queries/*.sql, {CONFIGURATIONS}/ and {FOLDER}/NAME/N.yaml have"
            )
        if not known:
            try:
                check_path(path)
            except InvalidFiles as error:
                raise Denied(str(error)) from None
        twin = seen.setdefault(path.casefold(), path)
        if twin != path:
            raise Denied(f"{path!r} and {twin!r} differ only in case: a clone may not hold both")


def _check_role(repo: Quarantine, path: str, who: str) -> None:
    """Check that a user may change a file, by the policy before the push."""
    try:
        if _COLLECTION.fullmatch(path):
            from blastgit.collections.access import check_access
            from blastgit.collections.names import check_name as check_collection
            from blastgit.collections.names import name_of

            if repo.ref(MAIN) is not None:
                check_access(repo.settings, check_collection(name_of(path)), who)
        else:
            is_admins = path == FILE or path in dot_files(b"") or _TOMBSTONES.fullmatch(path)
            repo.policy.check("admin" if is_admins else "curator", who)
    except BlastgitError as error:
        raise Denied(f"{path}: {error}") from None


def _check_file(repo: Quarantine, path: str, data: bytes, coming: Mapping[str, str | None]) -> None:
    """Check the contents of a new or changed file."""
    if path == CONFIG:
        check_config(data)
    elif path in dot_files(b""):
        if not is_dot_file(path, data):
            raise Denied("it is not the one that blastgit ships, which plain git and DVC rely on")
    elif _TOMBSTONES.fullmatch(path):
        deny(tombstone_faults(path, data, partial(_state, repo, coming)))
    elif _CONFIGURATION.fullmatch(path):
        _check_configuration(path, data)
    elif _QUERY.fullmatch(path):
        check_sql(read_query(data, check_name(PurePosixPath(path).stem)))
    elif path.endswith((".yaml", ".cff")):
        value: Any = load_yaml(data, PurePosixPath(path).name)
        if not isinstance(value, dict):
            raise Denied("it should be a mapping of settings")
        _check_text(data)
    else:
        _check_text(data)


def _check_configuration(path: str, data: bytes) -> None:
    fault = fault_of(data)
    if fault:
        raise Denied(f"it {fault}")
    if configuration_path(digest_of(data)) != path:
        raise Denied(f"it should be named after its own SHA-256, {configuration_path(digest_of(data))}")


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


def _check_text(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Denied("it is not UTF-8 text") from None
    if control := next((letter for letter in text if is_control(letter) and letter not in "\n\r\t\f"), ""):
        raise Denied(f"it is not text: it has the control character U+{ord(control):04X}")


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
