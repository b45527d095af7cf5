"""`DataRepo`, the entry point of the API: verbs are methods, groups of verbs are attributes."""

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
    from blastgit.api.attachments import Attachments
    from blastgit.api.collections import Collections
    from blastgit.api.dataset import ReadDataset
    from blastgit.api.index import Index
    from blastgit.api.metrics import Metrics
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

    Open one with `DataRepo("/data/blast")`, or with the URL of a remote one. Use an object of this class in one thread
    only; any number of processes may open the same repo.
    """

    def __init__(self, location: str | Path, *, progress: Progress = silent) -> None:
        """Open a data repo, completing any work of a crashed writer.

        Args:
            location: A folder, or any URL that git can fetch from; of a remote repo only what is needed is fetched,
                and recorded revisions are pushed.
            progress: Called during long work with the step, the amount done, and the total.

        Raises:
            RepoError: The data repo does not exist, or cannot be used.
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
            path: Where to make it: a new or an empty folder.
            store: The URL of the store, any DVC remote; by default the folder `dvc` inside the repo.
            options: What DVC needs besides the URL (`endpointurl`, `region`, …); no secrets, since everybody can read
                them.
            simulated: Whether it will hold simulated data, which are never mixed with real data.

        Raises:
            RepoError: The folder is not empty, or an option must not be shared, such as a secret.
        """
        from blastgit.repository.init import init

        init(Path(path), store=store, options=options, simulated=simulated)
        return cls(Path(path))

    @property
    def path(self) -> Path:
        """Where the git repository is on this machine (for a remote repo: the part that was fetched)."""
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
    get = download  # the name of the command

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
        """The dataset types, and the datasets of a revision by type."""
        from blastgit.api.types import Types

        return Types(self.session)

    @property
    def collections(self) -> Collections:
        """Named groups of datasets: RUN, TAGGED, CHAINED and CALIBRATION."""
        from blastgit.api.collections import Collections

        return Collections(self.session.repository)

    @property
    def releases(self) -> Releases:
        """Frozen collections that can be cited, downloaded and verified."""
        from blastgit.api.releases import Releases

        return Releases(self.session.repository, self.session.progress)

    @property
    def personal(self) -> Personal:
        """Users' own lines: recording in them, and promoting their revisions."""
        from blastgit.api.personal import Personal

        return Personal(self.session)

    @property
    def references(self) -> References:
        """Lines for what many transients use: filters, surveys, trained models, catalogues."""
        from blastgit.api.references import References

        return References(self.session)

    @property
    def variants(self) -> ComponentVariants:
        """The variants of components (`photometry@jointcal`), and which is the default."""
        from blastgit.api.variants import ComponentVariants

        return ComponentVariants(self.session)

    @property
    def annotations(self) -> Annotations:
        """Comments, quality flags and tags that people and bots add to data."""
        from blastgit.api.annotations import Annotations

        return Annotations(self.session.repository)

    @property
    def metrics(self) -> Metrics:
        """Numbers measured on revisions and files, beside the published data."""
        from blastgit.api.metrics import Metrics

        return Metrics(self.session.repository, self.session.progress)

    @property
    def attachments(self) -> Attachments:
        """Files attached to revisions, beside the published data: plots, logs."""
        from blastgit.api.attachments import Attachments

        return Attachments(self.session.repository, self.session.progress)

    @property
    def index(self) -> Index:
        """Tables of the contents of all revisions, for SQL queries; derived from the repo, and safe to delete."""
        from blastgit.api.index import Index

        return Index(self.session.repository, self.session.progress)

    @property
    def queries(self) -> Queries:
        """Saved queries: list, save and change them."""
        from blastgit.search.saved.queries import Queries

        return Queries(self.session.repository)

    @property
    def stores(self) -> Stores:
        """The stores of the files' contents, and the repos that rely on them."""
        from blastgit.api.stores import Stores

        return Stores(self.session)

    @property
    def tap(self) -> Tap:
        """The files of this repo one by one, for the TAP service."""
        from blastgit.api.tap import Tap

        return Tap(self.session)
