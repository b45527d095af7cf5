"""The state from which an index is made: the branches of transients, parts of main, and the annotations."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from blastgit.errors import RepoError
from blastgit.index.annotations import remarks_tip
from blastgit.index.open_index import connect
from blastgit.index.tables import tables
from blastgit.index.write import read_meta
from blastgit.naming.refs import BRANCHES, PERSONAL_BRANCHES, REFERENCE_BRANCHES, branch_ref
from blastgit.repository.base import Repository
from blastgit.repository.tombstones import FOLDER as WITHDRAWN
from blastgit.workflow.stages import Stages

_NOT_TRANSIENTS = ("main", "annotations")
_MEMORY = 1_000_000_000  # bytes


@dataclass(frozen=True)
class Origin:
    """The state of the data repo.

    Attributes:
        branches: The tip of each transient's branch.
        meta: Digests of everything else from which an index is made, and the version of its tables.
    """

    branches: dict[str, str]
    meta: dict[str, str]


@dataclass(frozen=True)
class Known(Origin):
    """The state from which an index was made.

    Attributes:
        damaged: What could not be read, and why.
    """

    damaged: dict[str, str] = field(default_factory=dict)


def read_known(path: Path) -> tuple[str, Known | None]:
    """Return the state from which the index at `path` was made; or None and the reason if it must be rebuilt."""
    if not path.exists():
        return "there was none", None
    try:
        connection = connect(path, _MEMORY)
    except RepoError:
        return "the old one was damaged", None
    import duckdb

    try:
        meta = read_meta(connection)
        if meta.get("version") != tables().version:
            return "the old one was made by another version of blastgit", None
        branches = dict(connection.execute("SELECT name, commit_id FROM state.branches").fetchall())
        damaged = dict(connection.execute("SELECT what, reason FROM state.damaged").fetchall())
    except (duckdb.Error, ValueError):
        return "the old one was damaged", None
    finally:
        connection.close()
    return "", Known(branches, meta, damaged)


def is_usable(path: Path) -> bool:
    """Whether this version can read the index at `path`, up to date or not."""
    import duckdb

    try:
        with connect(path, _MEMORY) as connection:
            return read_meta(connection).get("version") == tables().version
    except (RepoError, duckdb.Error):
        return False


def read_origin(repository: Repository) -> Origin:
    """Return the present state of a data repo."""
    start = len(BRANCHES)  # slicing is three times as fast as `removeprefix`
    listed = repository.object_ids(BRANCHES, PERSONAL_BRANCHES)
    branches = {ref[start:]: oid for ref, oid in listed.items() if "/" not in ref[start:]}
    references = sorted(f"{ref} {oid}" for ref, oid in listed.items() if ref.startswith(REFERENCE_BRANCHES))
    for name in _NOT_TRANSIENTS:
        branches.pop(name, None)
    tree, settings = repository.main.tree, repository.settings
    used = sorted(line for line in Stages.of(settings).references if branch_ref(line) in listed)
    parts = {
        "version": tables().version,
        "stages": f"{settings.rules.digest} {_digest(settings.sections.get('stages'))}"
        + (f" {_digest(settings.sections['hosts'])}" if "hosts" in settings.sections else "")
        + (f" {_digest(used)}" if used else ""),
        "flags": _digest(settings.sections.get("flags")),
        "collections": str(tree["collections"].id) if "collections" in tree else "",
        "withdrawn": str(tree[WITHDRAWN].id) if WITHDRAWN in tree else "",
        "annotations": remarks_tip(repository),
        "references": _digest(references),
    }
    return Origin(branches, parts)


def _digest(section: object) -> str:
    return hashlib.sha256(repr(section).encode()).hexdigest()
