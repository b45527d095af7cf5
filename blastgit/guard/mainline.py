"""Changes of main: which files it may have, and who may change which."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import pygit2

from blastgit.datasets.storage import check_storage
from blastgit.errors import BlastgitError, Denied, InvalidFiles
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.trees import changed_files, files_of
from blastgit.naming.paths import check_path
from blastgit.naming.refs import Change
from blastgit.repository.format import CONFIG, FILE
from blastgit.repository.settings import Settings, read_settings
from blastgit.repository.skeleton import dot_files, is_dot_file
from blastgit.repository.tombstones import ATTACHMENT, FOLDER, read_tombstones
from blastgit.safe_yaml import SIZE_LIMIT, load_yaml
from blastgit.search.saved.check import check_sql
from blastgit.search.saved.names import check_name
from blastgit.search.saved.text import read_query
from blastgit.store.config import default_remote, remote_names

_TEXTS = {"README.md", "CITATION.cff"}
_COLLECTION = re.compile(r"collections/.+\.yaml")
_QUERY = re.compile(r"queries/[^/]+\.sql")
_TOMBSTONES = re.compile(
    rf"{FOLDER}/(?:(?:u/[^/]+/)?[^/]+/(0|[1-9][0-9]*)|{ATTACHMENT}/[0-9a-f]{{2}}/[0-9a-f]{{62}})\.yaml"
)


def check_main(repo: Quarantine, change: Change, who: str, coming: Mapping[str, str | None]) -> None:
    """Check a push to main.

    Args:
        repo: The data repo.
        change: Where main is to go.
        who: Who pushes.
        coming: All refs that are pushed, and what they shall be.

    Raises:
        Denied: With the file that is wrong, or the role that it takes.
    """
    assert change.new is not None
    new = repo.commit(change.new, "main's commit")
    old = None if change.old is None else repo.commit(change.old, "main's commit")
    if old is not None and not repo.is_ancestor(str(old.id), str(new.id)):
        raise Denied("it would not move forward from where it is: fetch main, merge or rebase, and push again")
    files = files_of(repo, new.tree_id)
    for path in (FILE, CONFIG):
        if path not in files:
            raise Denied(f"it would lack {path}, without which this is no data repo")
    _check_names(files)
    collections: dict[str, pygit2.Oid | None] = {}
    for path, _, oid in changed_files(repo, None if old is None else old.tree_id, new.tree_id):
        if _COLLECTION.fullmatch(path):
            collections[path] = oid
            continue
        try:
            _check_role(repo, path, who)
            if oid is not None:
                _check_file(path, repo.blob(oid, SIZE_LIMIT))
        except BlastgitError as error:
            raise Denied(f"{path}: {error}") from None
    settings = _check_settings(repo, old, repo.blob(files[FILE], SIZE_LIMIT))
    config = repo.blob(files[CONFIG], SIZE_LIMIT)
    _check_remotes(repo, old, config)
    check_storage(settings, config)
    if collections:
        from blastgit.guard.collections import Pushed

        Pushed(repo, old, new, settings, coming).check(collections, who)


def _check_names(files: dict[str, pygit2.Oid]) -> None:
    dots = dot_files(b"")
    seen: dict[str, str] = {}
    for path in sorted(files):
        known = path in _TEXTS or path == FILE or path in dots
        if not known and not any(kind.fullmatch(path) for kind in (_COLLECTION, _QUERY, _TOMBSTONES)):
            raise Denied(
                f"{path!r} has no place on main: README.md, CITATION.cff, {FILE}, {CONFIG}, collections/**.yaml, "
                f"queries/*.sql and {FOLDER}/NAME/N.yaml have"
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
    if path == FILE or path in dot_files(b"") or _TOMBSTONES.fullmatch(path):
        repo.policy.check("admin", who)
        return
    repo.policy.check("curator", who)


def _check_file(path: str, data: bytes) -> None:
    """Check the contents of a file that is new or changed."""
    if path == CONFIG:
        default_remote(data)
    elif path in dot_files(b""):
        if not is_dot_file(path, data):
            raise Denied("it is not the one that blastgit ships, which plain git and DVC rely on")
    elif _TOMBSTONES.fullmatch(path):
        read_tombstones(data, path)
    elif _QUERY.fullmatch(path):
        check_sql(read_query(data, check_name(PurePosixPath(path).stem)))
    elif path.endswith((".yaml", ".cff")):
        value: Any = load_yaml(data, PurePosixPath(path).name)
        if not isinstance(value, dict):
            raise Denied("it should be a mapping of settings")
    else:
        _check_text(data)


def _check_text(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Denied("it is not UTF-8 text") from None
    if "\x00" in text:
        raise Denied("it is not text: it has null characters")


def _check_remotes(repo: Quarantine, old: pygit2.Commit | None, config: bytes) -> None:
    """Check that no remote goes: published pointers may name it."""
    before = None if old is None else files_of(repo, old.tree_id).get(CONFIG)
    gone = set() if before is None else {*remote_names(repo.blob(before, SIZE_LIMIT))} - {*remote_names(config)}
    if gone:
        raise Denied(
            f"{CONFIG} would lose the remote {min(gone)!r}, which published pointers may name: give it another URL, "
            "but keep its name"
        )


def _check_settings(repo: Quarantine, old: pygit2.Commit | None, text: bytes) -> Settings:
    new = read_settings(text)
    new.check()
    if old is None:
        return new
    before: Settings = repo.settings
    if new.format < before.format:
        raise Denied(f"{FILE}: the format is {before.format} and never goes back to {new.format}")
    if new.simulated != before.simulated:
        raise Denied(f"{FILE}: real and simulated data never mix: make another data repo with `blastgit init`")
    return new
