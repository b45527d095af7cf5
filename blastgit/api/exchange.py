"""Importing and exporting data as a whole: verbs of `DataRepo`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from blastgit.errors import UsageError
from blastgit.naming.names import parse_spec

if TYPE_CHECKING:
    from blastgit.api.session import Session
    from blastgit.exchange.export import Exported
    from blastgit.exchange.other_repo import TakenIn
    from blastgit.exchange.run import Import
    from blastgit.maintenance.migrate import Migrated
    from blastgit.maintenance.subset import Subset

_Mode = TypeVar("_Mode", bound=StrEnum)


def import_all(  # noqa: PLR0913 (options that most calls omit)
    session: Session,
    /,
    source: str | Path,
    *,
    exports: str | Path | None = None,
    run: str | None = None,
    jobs: int | None = None,
    options: Mapping[str, str] | None = None,
    broker: str | None = None,
    reflink: bool = False,
    mode: str | None = None,
    only: str = "*",
    without: str = "",
    dry_run: bool = False,
) -> Import:
    """Make revision 0 of every transient in a Blast's `/data`, its bucket, or a folder of its archives.

    Args:
        source: Where the transients are: a folder, or `s3://BUCKET/FOLDER`.
        exports: For the first two, the folder with the exports; by default `exports` inside a folder.
        run: The RUN collection of the new revisions; by default `legacy/DATE`.
        jobs: Number of processes; by default one per processor.
        options: What a bucket needs besides its URL: `endpointurl`, `region`.
        broker: The URL of a Celery broker whose workers do the import; see `exchange/workers.py`.
        reflink: The same as `mode="reflink"`.
        mode: How to take files in: "copy" (the default); "reflink", which shares their disk blocks with the store
            where the file system can; "hardlink", which makes the files themselves contents of the store, if nobody
            may rewrite them; or "inplace", which leaves them where they are and fills a store with links to them.
        only: A pattern that the names of transients (or of archives) must match.
        without: A pattern that they must not match.
        dry_run: Read and decide, but write nothing.

    Raises:
        UsageError: The source is not valid.
        StoreError: The store fails; what was imported stays, and another call continues.
    """
    from blastgit.exchange.run import ImportOptions, import_all, place_of
    from blastgit.store.taking import Taking

    folder = None if exports is None else Path(exports)
    if reflink and mode not in (None, "reflink"):
        raise UsageError(f"files cannot be taken in two ways at once: leave out reflink, or the mode {mode!r}")
    taking = _mode(Taking, "reflink" if reflink else mode or "copy")
    chosen = ImportOptions(folder, run, jobs, broker, taking, only, without, dry_run)
    return import_all(session.local(), place_of(source, options or {}), chosen, session.progress)


def _mode(modes: type[_Mode], text: str) -> _Mode:
    try:
        return modes(text)
    except ValueError:
        raise UsageError(f"the mode {text!r} does not exist: choose one of {', '.join(modes)}") from None


def take_in(session: Session, /, source: str | Path, only: str = "*", *, dry_run: bool = False) -> TakenIn:
    """Import the revisions of another data repo that this one lacks; see `exchange/other_repo.py`.

    Args:
        source: The other repo: a folder or a URL.
        only: A pattern that the names of transients must match; `u/USER/*` for a user's own lines.
        dry_run: Check everything, but change nothing.

    Raises:
        InvalidInput: One repo is simulated and the other is not, they define a filter or survey differently, or both
            have new revisions of a transient; nothing was imported.
    """
    from blastgit.exchange.other_repo import import_repo

    return import_repo(session.local(), source, only, dry_run=dry_run, progress=session.progress)


def export(
    session: Session, /, spec: str, target: str | Path | None = None, *, form: str = "blast", force: bool = False
) -> Exported:
    """Write a revision as Blast's own archive (`blast`), or with all earlier ones in the first layout (`tree`).

    Args:
        spec: The revision.
        target: The archive, by default `NAME.tar.gz`; or the folder, by default the current one.
        form: "blast" or "tree".
        force: Overwrite files that differ.

    Raises:
        NotFound: The revision does not exist.
        WouldOverwrite: A file in the way differs; nothing was written.
        Withdrawn: A file was taken down.
        DamagedData: The store lacks a content, or holds other bytes.
    """
    from blastgit.exchange.export import export_archive, export_tree

    state = session.resolve(parse_spec(spec))
    if form == "tree":
        return export_tree(session.repository, state, Path(target or "."), force=force, progress=session.progress)
    place = Path(target or f"{state.transient}.tar.gz")
    return export_archive(session.repository, state, place, force=force, progress=session.progress)


def subset(
    session: Session,
    /,
    target: str | Path,
    chosen: str | Sequence[str],
    *,
    only: str | None = None,
    store: str | None = None,
) -> Subset:
    """Make a separate data repo with selected revisions, their contents and annotations.

    Args:
        target: Where to make it.
        chosen: The name of a collection, or revisions: `NAME@REV`, or `NAME@REV:PATH` for a part of one.
        only: A pattern that paths must match.
        store: The URL of its store; by default a folder inside it.

    Raises:
        NotFound: A revision does not exist, or no file matches.
        DamagedData: The store lacks a content, or holds other bytes.
        RepoError: The target exists, or cannot be written.
    """
    from blastgit.maintenance.subset import SubsetOptions, subset

    names, collection = (chosen, None) if not isinstance(chosen, str) else ([], chosen)
    if collection is not None and ("@" in collection or collection.startswith("release/")):
        names, collection = [collection], None
    return subset(session.repository, Path(target), names, SubsetOptions(only, store, collection), session.progress)


def migrate(  # noqa: PLR0913 (options that most calls omit)
    session: Session,
    /,
    target: str | Path,
    *,
    mode: str = "auto",
    store: str | None = None,
    options: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Migrated:
    """Make a new data repo with everything in this one, in another place or with other stores; this one stays.

    Args:
        target: Where to make it.
        mode: How to bring contents over: "hardlink", "copy", "reference" (they stay where they are), or "auto":
            hard links where the file system can, else references.
        store: The URL of a store to copy them to; by default folders inside the new repo.
        options: What DVC needs besides that URL (`endpointurl`, `region`, …); no secrets, since everybody can read
            them.
        dry_run: Check everything, but make nothing.

    Raises:
        RepoError: The target exists, cannot be written, or lies inside this repo.
        DamagedData: Git or a store lacks something; nothing was made.
        StoreError: A store fails, or files cannot be linked as asked.
        UsageError: The mode does not exist, or cannot be combined with a store.
    """
    from blastgit.maintenance.carry import Mode
    from blastgit.maintenance.migrate import MigrateOptions, migrate

    how = MigrateOptions(_mode(Mode, mode), store, dict(options or {}), dry_run)
    return migrate(session.local(), Path(target), how, session.progress)
