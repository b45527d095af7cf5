"""Making the index, and bringing it up to date: from refs that moved, into a copy that then takes the file's place.

DuckDB lets one process write a file, or many read it. So nobody ever writes to the file that readers have open: an
update copies it (a reflink where the file system can, else some 0.3 s for each 500 MB), writes to the copy and renames
it. Readers go on with what they opened. Several files (one large, one with what came since) would spare the copy, at
the price of a union and an anti-join in every query.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blastgit.errors import RepoError
from blastgit.handle import Handle
from blastgit.index.gather import gather
from blastgit.index.groups import Groups
from blastgit.index.lines import Line
from blastgit.index.remarks import remarks_tip, update_remarks
from blastgit.index.tables import tables
from blastgit.index.write import insert_arrow, make_tables, open_to_write, read_meta, write_meta
from blastgit.plumbing.locks import hold
from blastgit.plumbing.process import run_git
from blastgit.progress import Progress
from blastgit.withdrawn import FOLDER as WITHDRAWN
from blastgit.withdrawn import Withdrawals

if TYPE_CHECKING:
    import duckdb

_WAIT = 600.0  # seconds for another process that is building the index
_FICLONE = 0x40049409
_NOT_TRANSIENTS = {"main", "annotations"}


@dataclass(frozen=True)
class Updated:
    """What an update did.

    Attributes:
        path: The file of the index.
        rebuilt: Why it was made anew; "" if it was not.
        revisions: How many revisions it took in.
        transients: How many transients these are of.
        gone: How many transients are no longer there, or have another history now.
        damaged: What cannot be read, and why; the index has nothing, or less, of it.
        changed: Whether the file is another one now.
    """

    path: Path
    rebuilt: str = ""
    revisions: int = 0
    transients: int = 0
    gone: int = 0
    damaged: dict[str, str] = field(default_factory=dict)
    changed: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "path": str(self.path), "rebuilt": self.rebuilt or None, "revisions": self.revisions,
            "transients": self.transients, "gone": self.gone, "damaged": self.damaged, "changed": self.changed,
        }  # fmt: skip


@dataclass(frozen=True)
class _Refs:
    """What the index follows from: the branches of transients, and of main and annotations what concerns it."""

    branches: dict[str, str]
    meta: dict[str, str]


def update(
    handle: Handle, path: Path, progress: Progress, *, rebuild: bool = False, jobs: int | None = None
) -> Updated:
    """Bring the index at `path` up to date with the data repo.

    Raises:
        RepoError: The index cannot be written, or what it needs is not installed.
        Busy: Another process is at it, for a long time.
    """
    _prepare(handle, path)
    with hold(path.with_name("index.lock"), _WAIT):
        refs = _read_refs(handle)
        why, known = ("as was asked", None) if rebuild else _known(path, refs)
        if known is not None and known.branches == refs.branches and known.meta == refs.meta:
            return Updated(path, damaged=known.damaged, changed=False)
        with _replacing(path, is_new=known is None) as target:
            with open_to_write(target) as connection:
                done = _Update(handle, connection, refs, known, jobs).run(progress)
    return Updated(path, why, **done)


def _prepare(handle: Handle, path: Path) -> None:
    try:
        handle.work_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RepoError(f"{handle.path} cannot be written: {error.strerror}") from None
    for stale in path.parent.glob(f"{path.name}.new-*"):
        if not Path(f"/proc/{stale.name.partition('-')[2].partition('.')[0]}").exists():
            stale.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Known(_Refs):
    damaged: dict[str, str] = field(default_factory=dict)


def _known(path: Path, refs: _Refs) -> tuple[str, _Known | None]:
    """Return what the index at `path` follows from; None, and why, if it must be made anew."""
    from blastgit.index.opened import connect

    if not path.exists():
        return "there was none", None
    try:
        connection = connect(path, 1_000_000_000)
    except RepoError:
        return "the old one was damaged", None
    import duckdb

    try:
        meta = read_meta(connection)
        if meta.get("version") != refs.meta["version"]:
            return "the old one was made by another version of blastgit", None
        if meta.get("stages") != refs.meta["stages"]:
            return "the stages or rules of blastgit.yaml are others now", None
        branches = dict(connection.execute("SELECT name, commit_id FROM state.branches").fetchall())
        damaged = dict(connection.execute("SELECT what, reason FROM state.damaged").fetchall())
    except (duckdb.Error, ValueError):
        return "the old one was damaged", None
    finally:
        connection.close()
    return "", _Known(branches, meta, damaged)


def _read_refs(handle: Handle) -> _Refs:
    listed = run_git(handle.path, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/").decode()
    prefix = len("refs/heads/")
    branches = {}
    for row in listed.splitlines():
        commit, _, ref = row.partition(" ")
        name = ref[prefix:]
        if "/" not in name and name not in _NOT_TRANSIENTS:
            branches[name] = commit
    tree, settings = handle.main.tree, handle.settings
    parts = {
        "version": tables().version,
        "stages": f"{settings.rules.digest} {_digest(settings.sections.get('stages'))}",
        "flags": _digest(settings.sections.get("flags")),
        "collections": str(tree["collections"].id) if "collections" in tree else "",
        "withdrawn": str(tree[WITHDRAWN].id) if WITHDRAWN in tree else "",
        "annotations": remarks_tip(handle),
    }
    return _Refs(branches, parts)


def _digest(section: object) -> str:
    return hashlib.sha256(repr(section).encode()).hexdigest()


@contextmanager
def _replacing(path: Path, *, is_new: bool) -> Iterator[Path]:
    """Yield a file to write to, a copy of `path` unless it is to be new; it takes its place when all went well."""
    target = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        if not is_new:
            _copy(path, target)
        yield target
        target.replace(path)
    except OSError as error:
        raise RepoError(f"the index {path} cannot be written: {error.strerror or error}") from None
    finally:
        for rest in (target, target.with_name(f"{target.name}.wal")):
            rest.unlink(missing_ok=True)


def _copy(path: Path, target: Path) -> None:
    with path.open("rb") as source, target.open("wb") as copy, suppress(OSError):
        fcntl.ioctl(copy.fileno(), _FICLONE, source.fileno())
        return
    shutil.copyfile(path, target)


class _Update:
    def __init__(
        self, handle: Handle, connection: duckdb.DuckDBPyConnection, refs: _Refs, known: _Known | None, jobs: int | None
    ) -> None:
        self._handle = handle
        self._connection = connection
        self._refs = refs
        self._is_new = known is None
        self._known = known or _Known({}, {})
        self._jobs = jobs
        self._runs: set[str] = set()

    def run(self, progress: Progress) -> dict[str, Any]:
        """Write what is new, and return the counts."""
        if self._is_new:
            make_tables(self._connection)
        self._connection.execute("BEGIN")
        old, now = self._known.branches, self._refs.branches
        moved = [Line(name, tip, old.get(name, "")) for name, tip in sorted(now.items()) if old.get(name) != tip]
        gone = sorted(old.keys() - now.keys())
        self._forget(gone)
        damaged = {what: why for what, why in self._known.damaged.items() if _name(what) in now}
        for line in moved:
            damaged.pop(line.name, None)
        counts = self._take_in(moved, damaged, progress)
        self._groups(damaged, has_new=bool(counts[0]))
        self._main(has_new=bool(counts[0]))
        self._note(moved, damaged)
        self._connection.execute("COMMIT")
        self._connection.execute("CHECKPOINT")
        return {"revisions": counts[0], "transients": counts[1], "gone": len(gone) + counts[2], "damaged": damaged}

    def _take_in(self, moved: Sequence[Line], damaged: dict[str, str], progress: Progress) -> tuple[int, int, int]:
        revisions = transients = renewed = done = 0
        for read in gather(self._handle, moved, self._jobs):
            done += read.lines
            self._forget(read.renewed)
            found = read.tables.get("revisions")
            if found is not None:
                names = found.column("transient").unique().to_pylist()
                self._outdate(sorted(name for name in names if name in self._known.branches))
                self._runs.update(filter(None, found.column("run").unique().to_pylist()))
                revisions, transients = revisions + len(found), transients + len(names)
            insert_arrow(self._connection, read.tables)
            self._filters(read.tables.get("filters"))
            renewed += len(read.renewed)
            damaged.update(read.damaged)
            progress("index", done, len(moved))
        return revisions, transients, renewed

    def _outdate(self, names: list[str]) -> None:
        """Mark revisions that are no longer the latest."""
        for table in (each.name for each in tables().values() if each.of_revision and not each.view):
            if names:
                self._connection.execute(
                    f"UPDATE {table} SET is_latest = false"  # noqa: S608 (a name of ours)
                    " WHERE is_latest AND transient IN (SELECT unnest(?))",
                    [names],
                )

    def _forget(self, names: Sequence[str]) -> None:
        """Delete all rows of some transients."""
        if not names or self._is_new:
            return
        query = "SELECT DISTINCT run FROM revisions WHERE run IS NOT NULL AND transient IN (SELECT unnest(?))"
        self._runs.update(run for (run,) in self._connection.execute(query, [list(names)]).fetchall())
        for table in (each.name for each in tables().values() if each.of_revision and not each.view):
            self._connection.execute(
                f"DELETE FROM {table} WHERE transient IN (SELECT unnest(?))",  # noqa: S608 (a name of ours)
                [list(names)],
            )

    def _filters(self, found: Any) -> None:
        """Keep what the export that was written last says of each filter."""
        if found is not None:
            self._connection.execute(
                "CREATE OR REPLACE TEMP TABLE latest AS SELECT * FROM filters"
                " QUALIFY row_number() OVER (PARTITION BY filter ORDER BY defined_time DESC NULLS LAST) = 1"
            )
            self._connection.execute("DELETE FROM filters")
            self._connection.execute("INSERT INTO filters SELECT * FROM latest")

    def _groups(self, damaged: dict[str, str], *, has_new: bool) -> None:
        if has_new or self._runs or self._moved("collections"):
            damaged.update(Groups(self._handle, self._connection).update(self._runs))

    def _main(self, *, has_new: bool) -> None:
        if self._moved("annotations") or self._moved("flags"):
            known = "" if self._moved("flags") else self._known.meta.get("annotations", "")
            update_remarks(self._handle, self._connection, known)
        if self._moved("withdrawn") or (has_new and self._refs.meta["withdrawn"]):
            self._withdraw()

    def _withdraw(self) -> None:
        self._connection.execute("UPDATE files SET is_withdrawn = false WHERE is_withdrawn")
        for name, number, stones in Withdrawals(self._handle).all():
            self._connection.execute(
                "UPDATE files SET is_withdrawn = true"
                " WHERE transient = ? AND revision = ? AND path IN (SELECT unnest(?))",
                [name, number, list(stones)],
            )

    def _moved(self, what: str) -> bool:
        return self._refs.meta[what] != self._known.meta.get(what, "")

    def _note(self, moved: Sequence[Line], damaged: dict[str, str]) -> None:
        """Remember what the index follows from; a branch that could not be read is tried again next time."""
        import pyarrow as pa

        now = {name: tip for name, tip in self._refs.branches.items() if name not in damaged}
        if self._is_new or len(moved) > len(now) // 2:
            gone = list(self._known.branches)
            rows = now
        else:
            names = {line.name for line in moved}
            gone = [*names, *(self._known.branches.keys() - self._refs.branches.keys())]
            rows = {name: tip for name, tip in now.items() if name in names}
        self._connection.execute("DELETE FROM state.branches WHERE name IN (SELECT unnest(?))", [gone])
        self._connection.register("incoming", pa.table({"name": list(rows), "commit_id": list(rows.values())}))
        self._connection.execute("INSERT INTO state.branches SELECT * FROM incoming")
        self._connection.unregister("incoming")
        self._connection.execute("DELETE FROM state.damaged")
        if damaged:
            self._connection.executemany("INSERT INTO state.damaged VALUES (?, ?)", [*map(list, damaged.items())])
        write_meta(self._connection, self._refs.meta)


def _name(what: str) -> str:
    """Return the transient that a damaged revision, `2026dgt@1`, is of."""
    return what.partition("@")[0]
