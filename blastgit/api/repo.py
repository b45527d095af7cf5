"""`DataRepo`, the front door: every verb of blastgit as a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.api.maintenance import Care
from blastgit.api.provenance import Origins
from blastgit.api.reading import Reading
from blastgit.api.workflow import Workflows
from blastgit.errors import InvalidName
from blastgit.naming.names import check_line, check_transient, parse_spec
from blastgit.repository.base import LOCK_TIMEOUT
from blastgit.revision.export import read_given

if TYPE_CHECKING:
    from blastgit.api.annotations import Annotations
    from blastgit.api.collections import Collections
    from blastgit.api.files import Tap
    from blastgit.api.index import Index
    from blastgit.api.personal import Personal
    from blastgit.api.releases import Releases
    from blastgit.exchange.export import Exported
    from blastgit.exchange.other_repo import TakenIn
    from blastgit.exchange.run import Import
    from blastgit.maintenance.subset import Subset
    from blastgit.reading.blame import Blamed
    from blastgit.reading.diff import Diff, State
    from blastgit.reading.listing import Listing
    from blastgit.reading.log import Entry
    from blastgit.reading.show import Shown
    from blastgit.recording.record import Recorded
    from blastgit.store.bucket import Bucket


class DataRepo(Care, Origins, Reading, Workflows):
    """A data repo: the git repository of many transients, and the store of their files.

    Open one with `DataRepo("/data/blast")`, or by the URL of one elsewhere. An object of this class belongs to one
    thread; as many processes as you like may open the same repo.
    """

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
        from blastgit.repository.init import init

        init(Path(path), store=store, options=options, simulated=simulated)
        return cls(Path(path))

    def record(  # noqa: PLR0913 (an export, its files, and four things that most calls leave out)
        self,
        name: str,
        export: bytes | Path,
        data: Path | Bucket,
        *,
        run: str | None = None,
        dry_run: bool = False,
        timeout: float = LOCK_TIMEOUT,
        even_withdrawn: bool = False,
    ) -> Recorded:
        """Record the present state of a transient: a new revision if its values or contents differ from the latest.

        Args:
            name: The transient.
            export: The export, or the file that holds it.
            data: The folder that holds `cutout_cdn/NAME/…` and `sed_output/NAME/…`, as Blast lays them out; it may be
                that of a bucket.
            run: The RUN collection that a new revision is born into.
            dry_run: Decide, and write nothing.
            timeout: Seconds to wait for another writer of the same transient.
            even_withdrawn: Publish files again that were withdrawn, which takes an admin.

        Raises:
            InvalidInput: The input cannot be recorded; the repo is as it was.
            Withdrawn: A file has the bytes of one that was taken down; nothing was recorded.
            Busy: Another writer of the same transient was not done in time.
            StoreError: The store fails; nothing was recorded.
            Denied: The policy, or a hook of a repo elsewhere, does not let this be recorded.
            RepoError: The repo cannot be written, or not be reached.
        """
        from blastgit.recording.record import RecordOptions, record
        from blastgit.recording.sources import find

        check_transient(name)
        checked = read_given(export)
        if checked.name != name:
            raise InvalidName(f"the export is about {checked.name!r}, and should be recorded as {name!r}")
        sources = find(data, name, checked.document)
        options = RecordOptions(run, dry_run, timeout, even_withdrawn=even_withdrawn)
        return record(self._repository, checked, sources, options, self._progress)

    def record_archive(
        self,
        archive: Path,
        *,
        run: str | None = None,
        dry_run: bool = False,
        timeout: float = LOCK_TIMEOUT,
        even_withdrawn: bool = False,
    ) -> Recorded:
        """Record from Blast's own archive (`transient.json`, `cutouts/`, `sed_data/`); see `record`."""
        from blastgit.recording.archive import open_archive
        from blastgit.recording.record import RecordOptions, record

        options = RecordOptions(run, dry_run, timeout, even_withdrawn=even_withdrawn)
        with open_archive(archive) as (export, sources):
            return record(self._repository, export, sources, options, self._progress)

    def list(self, pattern: str = "*") -> Listing:
        """Return the transients whose name matches a shell pattern (`u/*`: users' own lines), with the latest revision.

        One that git cannot read is no failure of the call: `damaged` of what is returned names it.
        """
        from blastgit.reading.listing import list_transients

        return list_transients(self._repository, pattern)

    def log(self, name: str) -> Sequence[Entry]:
        """Return the revisions of a transient, newest first: when, why, what changed, reproduced by which runs.

        Those under its former names follow, if the repo's settings know any.

        Raises:
            NotFound: There is no such transient.
        """
        from blastgit.reading.log import log

        names = self._names(check_line(name))
        return [entry for each in names for entry in log(self._repository, each)]

    def show(self, spec: str, *, even_invalid: bool = False) -> Shown:
        """Return a revision's document, or what stands at `:PATH` in it: a value, some rows, a file's facts.

        Args:
            spec: The revision, and what of it.
            even_invalid: Show what a failed stage left behind, too.

        Raises:
            NotFound: There is no such revision, or nothing at that path.
            InvalidData: A stage that makes it, or part of it, failed.
        """
        from blastgit.reading.show import show

        parsed = parse_spec(spec)
        return show(self._repository, self._resolve(parsed), parsed.path, even_invalid=even_invalid)

    def diff(self, old: str, new: str) -> Diff:
        """Compare two states, each a revision (`2026dgt@0`) or the file of an export.

        Raises:
            NotFound: There is no such revision.
            InvalidExport: A file is no export.
        """
        from blastgit.reading.diff import diff

        return diff(self._repository, self._state(old), self._state(new), self._repository.rules)

    @property
    def collections(self) -> Collections:
        """Named groups of datasets that all read alike: RUN, TAGGED, CHAINED and CALIBRATION."""
        from blastgit.api.collections import Collections

        return Collections(self._repository)

    @property
    def releases(self) -> Releases:
        """Frozen collections: made, cited, brought and proved."""
        from blastgit.api.releases import Releases

        return Releases(self._repository, self._progress)

    @property
    def personal(self) -> Personal:
        """Lines of users' own: recording into them, and promoting what they hold."""
        from blastgit.api.personal import Personal

        return Personal(self._repository, self._resolve, self._progress)

    @property
    def annotations(self) -> Annotations:
        """What people and bots say about data: comments, quality flags, tags."""
        from blastgit.api.annotations import Annotations

        return Annotations(self._repository)

    @property
    def index(self) -> Index:
        """Tables of what all revisions say, to be asked by SQL; they follow from the repo, and may be deleted."""
        from blastgit.api.index import Index

        return Index(self._repository, self._progress)

    @property
    def tap(self) -> Tap:
        """What the TAP service needs of this repo: its files, one by one."""
        from blastgit.api.files import Tap

        return Tap(self._repository, self._look_up)

    def import_all(  # noqa: PLR0913 (each is one thing that most calls leave out)
        self,
        source: str | Path,
        *,
        exports: str | Path | None = None,
        run: str | None = None,
        jobs: int | None = None,
        options: Mapping[str, str] | None = None,
        broker: str | None = None,
        reflink: bool = False,
        only: str = "*",
        without: str = "",
        dry_run: bool = False,
    ) -> Import:
        """Make revision 0 of every transient of a Blast's `/data`, of its bucket, or of a folder of its archives.

        Args:
            source: Where they are: a folder, or `s3://BUCKET/FOLDER`.
            exports: For the first two, the folder of their exports; by default `exports` inside a folder.
            run: The RUN collection that they are born into; by default `legacy/DATE`.
            jobs: Processes at once; by default one a processor.
            options: What a bucket needs beside its URL: `endpointurl`, `region`.
            broker: The URL of the Celery broker whose workers do it; see `adopt/workers.py`.
            reflink: Have files share their blocks on disk with the store, where the file system can do that.
            only: A pattern that the names of transients (of archives: theirs) must match.
            without: A pattern that they must not match.
            dry_run: Read and decide, and write nothing.

        Raises:
            UsageError: The source is none.
            StoreError: The store fails; what was adopted stays, and another call goes on.
        """
        from blastgit.exchange.run import ImportOptions, import_all, place_of

        folder = None if exports is None else Path(exports)
        chosen = ImportOptions(folder, run, jobs, broker, reflink, only, without, dry_run)
        return import_all(self._local(), place_of(source, options or {}), chosen, self._progress)

    def take_in(self, source: str | Path, only: str = "*", *, dry_run: bool = False) -> TakenIn:
        """Take in the revisions of another data repo that are not here; see `adopt/other_repo.py`.

        Args:
            source: The other repo: a folder, or a URL.
            only: A pattern that the names of transients must match; `u/USER/*` for a user's own lines.
            dry_run: Look at all, and change nothing.

        Raises:
            InvalidInput: It holds data of the other kind, defines a filter or survey otherwise, or both have gone on
                with a transient; nothing was taken in.
        """
        from blastgit.exchange.other_repo import import_repo

        return import_repo(self._local(), source, only, dry_run=dry_run, progress=self._progress)

    def export(
        self, spec: str, target: str | Path | None = None, *, form: str = "blast", force: bool = False
    ) -> Exported:
        """Write a revision as Blast's own archive (`blast`), or with all before it in the first layout (`tree`).

        Args:
            spec: The revision.
            target: The archive, by default `NAME.tar.gz`; or the folder, by default the present one.
            form: "blast" or "tree".
            force: Overwrite files that differ.

        Raises:
            NotFound: There is no such revision.
            WouldOverwrite: A file in the way differs; nothing was written.
            Withdrawn: A file was taken down.
            DamagedData: The store lacks a content, or holds something else.
        """
        from blastgit.exchange.export import export_archive, export_tree

        state = self._resolve(parse_spec(spec))
        if form == "tree":
            return export_tree(self._repository, state, Path(target or "."), force=force, progress=self._progress)
        place = Path(target or f"{state.transient}.tar.gz")
        return export_archive(self._repository, state, place, force=force, progress=self._progress)

    def subset(
        self,
        target: str | Path,
        chosen: str | Sequence[str],
        *,
        only: str | None = None,
        store: str | None = None,
    ) -> Subset:
        """Make a data repo of its own with just some revisions, their contents and annotations.

        Args:
            target: Where it shall be.
            chosen: The name of a collection, or revisions: `NAME@REV`, or `NAME@REV:PATH` for a part of one.
            only: A pattern that paths must match.
            store: The URL of its store; by default a folder inside it.

        Raises:
            NotFound: A revision does not exist, or no file matches.
            DamagedData: The store lacks a content, or holds something else.
            RepoError: The target exists, or cannot be written.
        """
        from blastgit.maintenance.subset import SubsetOptions, subset

        names, collection = (chosen, None) if not isinstance(chosen, str) else ([], chosen)
        if collection is not None and ("@" in collection or collection.startswith("release/")):
            names, collection = [collection], None
        return subset(self._repository, Path(target), names, SubsetOptions(only, store, collection), self._progress)

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
        from blastgit.reading.pictures import draw

        return draw(self._repository, difference, Path(target))

    def blame(self, name: str, field: str | None = None) -> Sequence[Blamed]:
        """Return which revision last changed each value and file of a transient.

        Args:
            name: The transient.
            field: A natural path, a file, the beginning of one, or a shell pattern; None for all.

        Raises:
            NotFound: There is no such transient or field.
        """
        from blastgit.reading.blame import blame

        return blame(self._repository, self._names(check_line(name))[0], field)

    def _state(self, text: str) -> State:
        from blastgit.reading.diff import State

        file = Path(text)
        if file.is_file():
            return State(text, read_given(file))
        revision = self._resolve(parse_spec(text))
        return State(str(revision), revision.dr.export, revision)


def compare_exports(old: Path, new: Path) -> Diff:
    """Compare the files of two exports by the rules as shipped; no data repo is needed.

    Raises:
        InvalidExport: A file is no export.
    """
    from blastgit.reading.diff import State, diff
    from blastgit.revision.rules import default_rules

    return diff(None, State(str(old), read_given(old)), State(str(new), read_given(new)), default_rules())
