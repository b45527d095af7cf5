"""`DataRepo`, the front door: every verb of blastgit as a method, and an attribute for each thing that has several."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.api import days, exchange, lineage, maintenance, reading, recording, search, stages
from blastgit.api.session import Session
from blastgit.api.verb import Verb
from blastgit.progress import Progress, silent

if TYPE_CHECKING:
    from blastgit.api.annotations import Annotations
    from blastgit.api.attachments import Attachments, Metrics
    from blastgit.api.collections import Collections
    from blastgit.api.dataset import ReadDataset
    from blastgit.api.index import Index
    from blastgit.api.personal import Personal
    from blastgit.api.references import References
    from blastgit.api.releases import Releases
    from blastgit.api.stores import Stores
    from blastgit.api.tap import Tap
    from blastgit.api.types import Types
    from blastgit.api.variants import ComponentVariants
    from blastgit.search.saved.queries import Queries


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
        self.session = Session(location, progress=progress)

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

    @property
    def path(self) -> Path:
        """Where the git repository is on this machine (for one elsewhere: the part that was fetched)."""
        return self.session.repository.path

    @property
    def store_url(self) -> str:
        """Where the contents of the files are kept."""
        return self.session.repository.store.url

    record = Verb(recording.record)
    record_archive = Verb(recording.record_archive)

    list = Verb(reading.list_transients)
    log = Verb(reading.log)
    drafts = Verb(reading.drafts)
    show = Verb(reading.show)
    diff = Verb(reading.diff)
    blame = Verb(reading.blame)
    pictures = Verb(reading.pictures)
    identify = Verb(reading.identify)
    download = Verb(reading.download)
    get = download  # as the command is called

    find = Verb(search.find)
    query = Verb(search.query)
    compare = Verb(search.compare)
    related = Verb(search.related)

    workflow = Verb(stages.workflow)
    status = Verb(stages.status)
    plan = Verb(stages.plan)
    plan_all = Verb(stages.plan_all)
    replay_check = Verb(stages.replay_check)
    validity = Verb(stages.validity)

    asof = Verb(days.asof)
    asof_since = Verb(days.asof_since)
    asof_cited = Verb(days.asof_cited)

    provenance = Verb(lineage.provenance)
    affected = Verb(lineage.affected)
    usage = Verb(lineage.usage)
    orphans = Verb(lineage.orphans)

    verify = Verb(maintenance.verify)
    gc = Verb(maintenance.gc)
    withdraw = Verb(maintenance.withdraw)
    maintain = Verb(maintenance.maintain)
    checkpoint = Verb(maintenance.checkpoint)
    locks = Verb(maintenance.locks)
    free_lock = Verb(maintenance.free_lock)

    import_all = Verb(exchange.import_all)
    take_in = Verb(exchange.take_in)
    export = Verb(exchange.export)
    subset = Verb(exchange.subset)
    migrate = Verb(exchange.migrate)

    @property
    def dataset(self) -> ReadDataset:
        """Reads one dataset as an object: `repo.dataset("cutout", "2026dgt", filter="DES_z")`."""
        from blastgit.api.dataset import ReadDataset

        return ReadDataset(self.session)

    @property
    def types(self) -> Types:
        """The dataset types, and which datasets of each a revision has."""
        from blastgit.api.types import Types

        return Types(self.session)

    @property
    def collections(self) -> Collections:
        """Named groups of datasets that all read alike: RUN, TAGGED, CHAINED and CALIBRATION."""
        from blastgit.api.collections import Collections

        return Collections(self.session.repository)

    @property
    def releases(self) -> Releases:
        """Frozen collections: made, cited, brought and proved."""
        from blastgit.api.releases import Releases

        return Releases(self.session.repository, self.session.progress)

    @property
    def personal(self) -> Personal:
        """Lines of users' own: recording into them, and promoting what they hold."""
        from blastgit.api.personal import Personal

        return Personal(self.session)

    @property
    def references(self) -> References:
        """What many transients use, as lines of their own: filters, surveys, trained models, catalogues."""
        from blastgit.api.references import References

        return References(self.session)

    @property
    def variants(self) -> ComponentVariants:
        """In which ways components are made (`photometry@jointcal`), and which way is the default."""
        from blastgit.api.variants import ComponentVariants

        return ComponentVariants(self.session)

    @property
    def annotations(self) -> Annotations:
        """What people and bots say about data: comments, quality flags, tags."""
        from blastgit.api.annotations import Annotations

        return Annotations(self.session.repository)

    @property
    def metrics(self) -> Metrics:
        """Numbers that were measured of revisions and files, beside the published data."""
        from blastgit.api.attachments import Metrics

        return Metrics(self.session.repository, self.session.progress)

    @property
    def attachments(self) -> Attachments:
        """Files that belong to revisions, beside the published data: plots, logs."""
        from blastgit.api.attachments import Attachments

        return Attachments(self.session.repository, self.session.progress)

    @property
    def index(self) -> Index:
        """Tables of what all revisions say, to be asked by SQL; they follow from the repo, and may be deleted."""
        from blastgit.api.index import Index

        return Index(self.session.repository, self.session.progress)

    @property
    def queries(self) -> Queries:
        """Saved queries: those there are, saving and changing them."""
        from blastgit.search.saved.queries import Queries

        return Queries(self.session.repository)

    @property
    def stores(self) -> Stores:
        """Where the contents are kept, and who relies on it."""
        from blastgit.api.stores import Stores

        return Stores(self.session)

    @property
    def tap(self) -> Tap:
        """What the TAP service needs of this repo: its files, one by one."""
        from blastgit.api.tap import Tap

        return Tap(self.session)
