"""Check the tombstones and stores on main, and the ids of annotations."""

from __future__ import annotations

import pygit2

from blastgit.annotations.admit import check_identity
from blastgit.annotations.annotation import Annotation
from blastgit.annotations.branch import Branch
from blastgit.checks.tombstones import tombstone_faults
from blastgit.errors import BlastgitError, DamagedData
from blastgit.maintenance.verify.report import Report
from blastgit.plumbing.trees import blob_data, flatten
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.repository.drafts import Drafts
from blastgit.repository.format import CONFIG
from blastgit.repository.history import History
from blastgit.repository.tombstones import FOLDER
from blastgit.store.config import check_config


def check_tombstones(repository: Repository, report: Report) -> None:
    """Note each tombstone that does not match what was published."""
    main = repository.main.tree

    def find(name: str, number: int, draft: int | None) -> Snapshot | None:
        if draft is None:
            return History(repository).tagged(name, number)
        return Drafts(repository, name).one(number, draft)

    tree = main[FOLDER] if FOLDER in main else None  # noqa: SIM401 (a tree has no `get`)
    for path, blob in flatten(tree, f"{FOLDER}/") if isinstance(tree, pygit2.Tree) else ():
        for text in tombstone_faults(path, blob_data(repository.git, blob), find):
            report.add("document", path, text)


def check_stores(repository: Repository, report: Report) -> None:
    """Note the faults of the stores in main's `.dvc/config`."""
    try:
        check_config(repository.config)
    except BlastgitError as error:
        report.add("document", f"main:{CONFIG}", error)


def check_ids(repository: Repository, report: Report) -> None:
    """Note each annotation with the id of another one."""
    first: dict[str, Annotation] = {}
    try:
        for events in Branch(repository).all():
            for event in events:
                try:
                    check_identity(event, [first.setdefault(event.id, event)])
                except BlastgitError as error:
                    report.add("annotation", event.subject.path, error)
    except DamagedData as error:
        report.add("damaged", "annotations", error)
