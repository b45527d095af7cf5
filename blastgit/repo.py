"""`DataRepo`, the front door: every verb of blastgit as a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import InvalidExport, InvalidInput, InvalidName, RepoError
from blastgit.handle import LOCK_TIMEOUT, Handle
from blastgit.history import History, Revision
from blastgit.location import local_path
from blastgit.names import Spec, check_transient, parse_spec
from blastgit.progress import Progress, silent
from blastgit.recovery import recover
from blastgit.revision.export import Export, read_export

if TYPE_CHECKING:
    from datetime import timedelta

    from blastgit.blame import Blamed
    from blastgit.diff import Diff, State
    from blastgit.gc import Report as Collected
    from blastgit.get import Got
    from blastgit.listing import Transient
    from blastgit.log import Entry
    from blastgit.maintain import Maintained
    from blastgit.record import Recorded
    from blastgit.show import Shown
    from blastgit.verify import Report
    from blastgit.withdraw import Withdrawal


class DataRepo:
    """A data repo: the git repository of many transients, and the store of their files.

    Open one with `DataRepo("/data/blast")`, or by the URL of one elsewhere. An object of this class belongs to one
    thread; as many processes as you like may open the same repo.
    """

    def __init__(self, location: str | Path, *, progress: Progress = silent) -> None:
        """Open a data repo, completing what a writer left unfinished when it died.

        Args:
            location: A folder, or any URL that git can fetch from (then only what is asked for is fetched, and what is
                recorded is pushed).
            progress: Called during long work with what is done, how much, of how much.

        Raises:
            RepoError: There is no data repo, or it cannot be used.
        """
        self._handle = _open(location)
        self._history = History(self._handle)
        self._progress = progress

    @classmethod
    def init(
        cls,
        path: str | Path,
        *,
        store: str | None = None,
        options: Mapping[str, str] | None = None,
        simulated: bool = False,
    ) -> DataRepo:
        """Make a data repo.

        Args:
            path: Where; it may exist as an empty folder.
            store: The URL of the store, any DVC remote; by default the folder `dvc` inside the repo.
            options: What DVC needs beside the URL (`endpointurl`, `region`, …); no secrets, for all read them.
            simulated: Whether it is to hold simulated data, which never mixes with real data.

        Raises:
            RepoError: Something is there already, or the options are not for all to use.
        """
        from blastgit.init import init

        init(Path(path), store=store, options=options, simulated=simulated)
        return cls(Path(path))

    @property
    def path(self) -> Path:
        """Where the git repository is on this machine (for one elsewhere: the part that was fetched)."""
        return self._handle.path

    @property
    def store_url(self) -> str:
        """Where the contents of the files are kept."""
        return self._handle.store.url

    def record(  # noqa: PLR0913 (an export, its files, and four things that most calls leave out)
        self,
        name: str,
        export: bytes | Path,
        data: Path,
        *,
        run: str | None = None,
        dry_run: bool = False,
        timeout: float = LOCK_TIMEOUT,
    ) -> Recorded:
        """Record the present state of a transient: a new revision if its values or contents differ from the latest.

        Args:
            name: The transient.
            export: The export, or the file that holds it.
            data: The folder that holds `cutout_cdn/NAME/…` and `sed_output/NAME/…`, as Blast lays them out.
            run: The RUN collection that a new revision is born into.
            dry_run: Decide, and write nothing.
            timeout: Seconds to wait for another writer of the same transient.

        Raises:
            InvalidInput: The input cannot be recorded; the repo is as it was.
            Busy: Another writer of the same transient was not done in time.
            StoreError: The store fails; nothing was recorded.
            Denied: The policy, or a hook of a repo elsewhere, does not let this be recorded.
            RepoError: The repo cannot be written, or not be reached.
        """
        from blastgit.record import Options, record
        from blastgit.sources import gather

        check_transient(name)
        checked = _read(export)
        if checked.name != name:
            raise InvalidName(f"the export is about {checked.name!r}, and should be recorded as {name!r}")
        sources = gather(data, name, checked.document)
        return record(self._handle, checked, sources, Options(run, dry_run, timeout), self._progress)

    def record_archive(
        self, archive: Path, *, run: str | None = None, dry_run: bool = False, timeout: float = LOCK_TIMEOUT
    ) -> Recorded:
        """Record from Blast's own archive (`transient.json`, `cutouts/`, `sed_data/`); see `record`."""
        from blastgit.archive import open_archive
        from blastgit.record import Options, record

        with open_archive(archive) as (export, sources):
            return record(self._handle, export, sources, Options(run, dry_run, timeout), self._progress)

    def list(self, pattern: str = "*") -> Sequence[Transient]:
        """Return the transients whose name matches a shell pattern, each with its latest revision."""
        from blastgit.listing import list_transients

        self._handle.need(None)
        return list_transients(self._handle, pattern)

    def log(self, name: str) -> Sequence[Entry]:
        """Return the revisions of a transient, newest first: when, why, what changed, reproduced by which runs.

        Raises:
            NotFound: There is no such transient.
        """
        from blastgit.log import log

        self._handle.need(check_transient(name), whole=True)
        return log(self._handle, name)

    def show(self, spec: str) -> Shown:
        """Return a revision's document, or what stands at `:PATH` in it: a value, some rows, a file's facts.

        Raises:
            NotFound: There is no such revision, or nothing at that path.
        """
        from blastgit.show import show

        parsed = parse_spec(spec)
        return show(self._handle, self._resolve(parsed), parsed.path)

    def diff(self, old: str, new: str) -> Diff:
        """Compare two states, each a revision (`2026dgt@0`) or the file of an export.

        Raises:
            NotFound: There is no such revision.
            InvalidExport: A file is no export.
        """
        from blastgit.diff import diff

        return diff(self._handle, self._state(old), self._state(new), self._handle.rules)

    def move_store(self, url: str, options: Mapping[str, str] | None = None, *, check: bool = True) -> None:
        """Make main name another store, to which the contents have been copied; old tags stay as they are.

        Args:
            url: Where the contents are now.
            options: What DVC needs beside the URL; none of the old ones is kept.
            check: Whether to refuse a store that lacks contents of any tag which the present one has.

        Raises:
            Denied: This user is no admin.
            StoreError: The new store lacks contents, or one of the two fails.
        """
        from blastgit.move_store import move_store

        move_store(self._local(), url, options, check=check)

    def pictures(self, difference: Diff, target: str | Path) -> int:
        """Draw the changed cutouts of a diff: before, after and difference, in the same stretch.

        Args:
            difference: What `diff` returned for two revisions.
            target: An `.html` file, which opens without a network, or a folder for PNG files.

        Returns:
            How many cutouts were drawn.

        Raises:
            RepoError: The target cannot be written.
        """
        from blastgit.pictures import draw

        return draw(self._handle, difference, Path(target))

    def blame(self, name: str, field: str | None = None) -> Sequence[Blamed]:
        """Return which revision last changed each value and file of a transient.

        Args:
            name: The transient.
            field: A natural path, a file, the beginning of one, or a shell pattern; None for all.

        Raises:
            NotFound: There is no such transient or field.
        """
        from blastgit.blame import blame

        self._handle.need(check_transient(name), whole=True)
        return blame(self._handle, name, field)

    def get(self, spec: str, folder: str | Path | None = None, *, only: str | None = None, force: bool = False) -> Got:
        """Write the files and the document of a revision into a folder, verifying each; what is right there stays.

        Args:
            spec: The revision.
            folder: Where to; by default `NAME@N` in the present folder.
            only: A pattern that a file's path or name must match, or a folder of the dataset.
            force: Overwrite files that differ.

        Raises:
            NotFound: There is no such revision, or no file matches.
            WouldOverwrite: A file in the way differs; nothing was written.
            DamagedData: The store lacks a content, or holds something else.
        """
        from blastgit.get import Wanted, get

        parsed = parse_spec(spec)
        wanted = Wanted(None if folder is None else Path(folder), only or parsed.path, force)
        return get(self._handle, self._resolve(parsed), wanted, self._progress)

    def verify(  # noqa: PLR0913 (each is one way to do less, or more)
        self,
        name: str | None = None,
        *,
        fast: bool = False,
        sample: float | None = None,
        seed: int | None = None,
        resume: bool = False,
        repair: bool = False,
        sources: Sequence[str] = (),
    ) -> Report:
        """Check refs, numbering, commits, documents, pointers and contents, of one transient or of all.

        Args:
            name: The transient; None for all.
            fast: Do not read contents, only see that they are there.
            sample: Read this many per cent of the contents.
            seed: Which ones: the same seed chooses the same again.
            resume: Go on where an interrupted call stopped.
            repair: Bring contents that are missing or damaged from `sources`, or from the store's quarantine.
            sources: Stores to repair from, each the folder or URL of a DVC remote, or the folder of a DVC cache.

        Raises:
            NotFound: There is no such transient.
            UsageError: `sample` is no percentage, or two wishes contradict each other.
            Denied: Somebody who is no admin wants to repair.
        """
        from blastgit.verify import Options, verify

        self._handle.need(None if name is None else check_transient(name), whole=True)
        report = verify(self._handle, name, Options(fast, sample, seed, resume), self._progress)
        if repair:
            from blastgit.repair import repair as mend

            mend(self._local(), report, sources, self._progress)
        return report

    def gc(
        self,
        *,
        delete: bool = False,
        restore: bool = False,
        grace: timedelta | None = None,
        also: Sequence[Path] = (),
    ) -> Collected:
        """Find the contents that no ref of any kind reaches, and move them to the store's quarantine if asked to.

        Args:
            delete: Do it, and delete for good what has been in the quarantine for longer than `grace`.
            restore: Bring back all that is in the quarantine, and do nothing else.
            grace: How long contents are left alone after a writer last relied on them; 14 days by default.
            also: Other data repos that use the same store.

        Raises:
            Denied: Somebody who is no admin wants it done.
            DamagedData: Git lacks something, so that it cannot be known what is needed.
            StoreError: The store fails, or cannot move contents.
        """
        from blastgit.gc import GRACE, Options, gc

        options = Options(GRACE if grace is None else grace, delete, restore, also)
        return gc(self._local(), options, self._progress)

    def withdraw(self, spec: str, reason: str) -> Withdrawal:
        """Take down the files of a revision, or those at `:PATH` of it; tag, document and a tombstone stay.

        Args:
            spec: The revision by its number, `2026dgt@1` or `2026dgt@1:cutout_cdn/DES/DES_z.fits`.
            reason: Why, in one line that everybody will read.

        Raises:
            NotFound: There is no such revision or file.
            Denied: Whoever asks is no admin.
        """
        from blastgit.withdraw import withdraw

        return withdraw(self._local(), parse_spec(spec), reason)

    def maintain(self, *, only_if_due: bool = False) -> Maintained:
        """Pack refs and objects, beside writers; with `only_if_due`, not unless there is much to pack.

        Raises:
            Busy: Another process is at it.
        """
        from blastgit.maintain import maintain

        return maintain(self._local(), only_if_due=only_if_due, progress=self._progress)

    def _resolve(self, spec: Spec) -> Revision:
        self._handle.need(spec.name, spec.number)
        return self._history.resolve(spec)

    def _state(self, text: str) -> State:
        from blastgit.diff import State

        file = Path(text)
        if file.is_file():
            return State(text, _read(file))
        revision = self._resolve(parse_spec(text))
        return State(str(revision), revision.dr.export, revision)

    def _local(self) -> Handle:
        if not self._handle.is_here:
            raise RepoError(f"{self._handle.location} lies elsewhere: do this where its repository is")
        return self._handle


def _open(location: str | Path) -> Handle:
    folder = location if isinstance(location, Path) else local_path(location)
    if folder is None:
        from blastgit.mirror import Mirror

        return Mirror(str(location))
    handle = Handle(folder)
    recover(handle)
    return handle


def compare_exports(old: Path, new: Path) -> Diff:
    """Compare the files of two exports by the rules as shipped; no data repo is needed.

    Raises:
        InvalidExport: A file is no export.
    """
    from blastgit.diff import State, diff
    from blastgit.revision.rules import default_rules

    return diff(None, State(str(old), _read(old)), State(str(new), _read(new)), default_rules())


def _read(export: bytes | Path) -> Export:
    if isinstance(export, bytes):
        return read_export(export)
    from blastgit.revision.document import SIZE_LIMIT

    try:
        if export.stat().st_size > SIZE_LIMIT:
            raise InvalidExport(f"{export} has {export.stat().st_size:,} bytes, more than the {SIZE_LIMIT:,} allowed")
        return read_export(export.read_bytes(), str(export))
    except OSError as error:
        raise InvalidInput(f"{export} cannot be read: {error.strerror}") from None
