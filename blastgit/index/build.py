"""Build the index, and update it from the refs that moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blastgit.index.annotations import update_remarks
from blastgit.index.gather import Gathered, gather
from blastgit.index.groups import Groups
from blastgit.index.lines import Line
from blastgit.index.origin import Known, Origin, read_known, read_origin
from blastgit.index.place import prepare, replacing
from blastgit.index.references import update_inherited, update_references
from blastgit.index.tables import tables
from blastgit.index.write import DamagedIndex, insert_arrow, make_tables, open_to_write, write_meta
from blastgit.naming.names import is_reference
from blastgit.plumbing.locks import hold
from blastgit.progress import Progress
from blastgit.repository.base import Repository
from blastgit.repository.tombstones import Withdrawals

if TYPE_CHECKING:
    import duckdb

_COLLECTION = "collection "  # the prefix of a damaged collection's name


@dataclass(frozen=True)
class Updated:
    """The result of an update.

    Attributes:
        path: The file of the index.
        rebuilt: Why it was rebuilt; "" if it was not.
        revisions: How many revisions were added.
        transients: How many transients they belong to.
        gone: How many transients no longer exist, or have another history now.
        damaged: What cannot be read, and why; it is missing from the index in whole or in part.
        changed: Whether the index changed.
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
class UpdateOptions:
    """How to bring an index up to date.

    Attributes:
        rebuild: Whether to rebuild it in any case.
        jobs: How many processes read the data repo; None for one per processor if there is much to read.
        wait: Seconds to wait for another process that is updating it.
    """

    rebuild: bool = False
    jobs: int | None = None
    wait: float = 3600.0


def update(repository: Repository, path: Path, progress: Progress, how: UpdateOptions = UpdateOptions()) -> Updated:
    """Bring the index at `path` up to date with the data repo.

    Raises:
        RepoError: The index cannot be written, or what it needs is not installed.
        Busy: Another process was updating it for longer than that.
    """
    prepare(repository, path)
    with hold(path.with_name("index.lock"), how.wait):
        origin, why, known = _read(repository, path, how)
        if known is not None and known.branches == origin.branches and known.meta == origin.meta:
            return Updated(path, damaged=known.damaged, changed=False)
        write = _Writing(repository, path, origin, progress, how.jobs)
        if known is not None:
            try:
                return write(known, "")
            except DamagedIndex:
                why = "the old one was damaged"
        return write(None, why)


def _read(repository: Repository, path: Path, how: UpdateOptions) -> tuple[Origin, str, Known | None]:
    """Return the present state, and that of the index; or None and the reason if the index must be rebuilt."""
    if how.rebuild:
        return read_origin(repository), "as was asked", None
    with ThreadPoolExecutor(1) as pool:  # while git lists the branches
        reading = pool.submit(read_known, path)
        origin = read_origin(repository)
        why, known = reading.result()
    if known is not None and known.meta.get("stages") != origin.meta["stages"]:
        return origin, "the stages or rules of blastgit.yaml are others now", None
    return origin, why, known


@dataclass(frozen=True)
class _Writing:
    """One attempt to write the file."""

    repository: Repository
    path: Path
    origin: Origin
    progress: Progress
    jobs: int | None

    def __call__(self, known: Known | None, why: str) -> Updated:
        moved = _moved(self.origin, known)
        batches = gather(self.repository, moved, self.jobs)
        with (
            _read_ahead(batches) as read,
            replacing(self.path, is_new=known is None) as target,
            open_to_write(target) as connection,
        ):
            done = _Update(self.repository, connection, self.origin, known).run(moved, read, self.progress)
        return Updated(self.path, why, **done)


@contextmanager
def _read_ahead(batches: Iterator[Gathered]) -> Iterator[Iterator[Gathered]]:
    """Yield the same batches, reading the first one while the file is copied and opened."""
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: list(islice(batches, 1)))
        yield _after(first, batches)


def _after(first: Future[list[Gathered]], rest: Iterator[Gathered]) -> Iterator[Gathered]:
    yield from first.result()
    yield from rest


def _moved(now: Origin, known: Known | None) -> list[Line]:
    """Return the branches that moved, sorted by name."""
    old = known.branches if known else {}
    moved = sorted(name for name, tip in now.branches.items() if old.get(name) != tip)
    return [Line(name, now.branches[name], old.get(name, "")) for name in moved]


class _Update:
    """One update of the file."""

    def __init__(
        self, repository: Repository, connection: duckdb.DuckDBPyConnection, refs: Origin, known: Known | None
    ) -> None:
        self._repository = repository
        self._connection = connection
        self._refs = refs
        self._is_new = known is None
        self._known = known or Known({}, {})
        self._runs: set[str] = set()

    def run(self, moved: Sequence[Line], batches: Iterator[Gathered], progress: Progress) -> dict[str, Any]:
        """Write the changes, and return the counts."""
        if self._is_new:
            make_tables(self._connection)
        self._connection.execute("BEGIN")
        old, now = self._known.branches, self._refs.branches
        gone = sorted(old.keys() - now.keys())
        self._forget(gone)
        read = {line.name for line in moved}
        damaged = {what: why for what, why in self._known.damaged.items() if _name(what) not in read | set(gone)}
        counts = self._take_in(batches, damaged, lambda done: progress("transients", done, len(moved)))
        self._groups(damaged, has_new=bool(counts[0]))
        self._main(has_new=bool(counts[0]))
        self._references(damaged, has_changed=bool(counts[0] or counts[2] or gone))
        self._note(moved, damaged)
        self._connection.execute("COMMIT")
        self._connection.execute("CHECKPOINT")
        return {"revisions": counts[0], "transients": counts[1], "gone": len(gone) + counts[2], "damaged": damaged}

    def _take_in(
        self, batches: Iterator[Gathered], damaged: dict[str, str], progress: Callable[[int], None]
    ) -> tuple[int, int, int]:
        """Write what was read; return the numbers of revisions, of transients, and of transients read again."""
        revisions = transients = renewed = done = 0
        for read in batches:
            done += read.lines
            self._forget(read.renewed)
            found = read.tables.get("revisions")
            if found is not None:
                names = found.column("transient").unique().to_pylist()
                self._outdate(sorted(name for name in names if name in self._known.branches))
                revisions, transients = revisions + len(found), transients + len(names)
            for table in ("revisions", "reproductions"):
                if table in read.tables:
                    self._runs.update(filter(None, read.tables[table].column("run").unique().to_pylist()))
            insert_arrow(self._connection, read.tables)
            self._filters(read.tables.get("filters"))
            renewed += len(read.renewed)
            damaged.update(read.damaged)
            progress(done)
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
        query = "SELECT DISTINCT run FROM holdings WHERE transient IN (SELECT unnest(?))"
        self._runs.update(run for (run,) in self._connection.execute(query, [list(names)]).fetchall())
        for table in (each.name for each in tables().values() if each.of_revision and not each.view):
            self._connection.execute(
                f"DELETE FROM {table} WHERE transient IN (SELECT unnest(?))",  # noqa: S608 (a name of ours)
                [list(names)],
            )

    def _filters(self, found: Any) -> None:
        """Keep the definition of each filter from the newest export."""
        if found is not None:
            self._connection.execute(
                "CREATE OR REPLACE TEMP TABLE latest AS SELECT * FROM filters"
                " QUALIFY row_number() OVER (PARTITION BY filter ORDER BY defined_time DESC NULLS LAST) = 1"
            )
            self._connection.execute("DELETE FROM filters")
            self._connection.execute("INSERT INTO filters SELECT * FROM latest")

    def _groups(self, damaged: dict[str, str], *, has_new: bool) -> None:
        if has_new or self._runs or self._moved("collections"):
            for what in [what for what in damaged if what.startswith(_COLLECTION)]:
                del damaged[what]
            found = Groups(self._repository, self._connection).update(self._runs)
            damaged.update({f"{_COLLECTION}{name}": why for name, why in found.items()})

    def _main(self, *, has_new: bool) -> None:
        if self._moved("annotations") or self._moved("flags"):
            known = "" if self._moved("flags") else self._known.meta.get("annotations", "")
            update_remarks(self._repository, self._connection, known)
        if self._moved("withdrawn") or (has_new and self._refs.meta["withdrawn"]):
            self._withdraw()

    def _references(self, damaged: dict[str, str], *, has_changed: bool) -> None:
        if self._moved("references"):
            for what in [what for what in damaged if is_reference(what)]:
                del damaged[what]
            update_references(self._repository, self._connection, damaged)
        if has_changed or self._moved("references") or self._moved("annotations") or self._moved("flags"):
            update_inherited(self._connection)

    def _withdraw(self) -> None:
        self._connection.execute("UPDATE files SET is_withdrawn = false WHERE is_withdrawn")
        for name, number, stones in Withdrawals(self._repository).all():
            self._connection.execute(
                "UPDATE files SET is_withdrawn = true"
                " WHERE transient = ? AND revision = ? AND path IN (SELECT unnest(?))",
                [name, number, list(stones)],
            )

    def _moved(self, what: str) -> bool:
        return self._refs.meta[what] != self._known.meta.get(what, "")

    def _note(self, moved: Sequence[Line], damaged: dict[str, str]) -> None:
        """Note the state that the index now reflects; a branch that could not be read is tried again next time."""
        import pyarrow as pa

        names = {line.name for line in moved} - damaged.keys()
        gone = [*names, *(self._known.branches.keys() - self._refs.branches.keys())]
        rows = {name: self._refs.branches[name] for name in names}
        self._connection.execute("DELETE FROM state.branches WHERE name IN (SELECT unnest(?))", [gone])
        self._connection.register("incoming", pa.table({"name": list(rows), "commit_id": list(rows.values())}))
        self._connection.execute("INSERT INTO state.branches SELECT * FROM incoming")
        self._connection.unregister("incoming")
        self._connection.execute("DELETE FROM state.damaged")
        if damaged:
            self._connection.executemany("INSERT INTO state.damaged VALUES (?, ?)", [*map(list, damaged.items())])
        write_meta(self._connection, self._refs.meta)


def _name(what: str) -> str:
    """Return the transient of a damaged revision, `2026dgt@1`."""
    return what.partition("@")[0]
