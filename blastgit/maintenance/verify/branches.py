"""Check the files of main, and the ids of annotations."""

from __future__ import annotations

from blastgit.annotations.admit import check_identity
from blastgit.annotations.annotation import Annotation
from blastgit.annotations.branch import Branch
from blastgit.checks.mainline import file_faults, place_faults
from blastgit.checks.settings import check_settings
from blastgit.datasets.storage import check_storage
from blastgit.errors import BlastgitError, DamagedData
from blastgit.maintenance.verify.report import Report
from blastgit.plumbing.trees import blob_data, flatten
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.repository.drafts import Drafts
from blastgit.repository.format import FILE
from blastgit.repository.history import History


def check_main(repository: Repository, report: Report) -> None:
    """Note what has no place on main, and what is wrong with the files that have; collections are checked apart."""

    def find(name: str, number: int, draft: int | None) -> Snapshot | None:
        if draft is None:
            return History(repository).tagged(name, number)
        return Drafts(repository, name).one(number, draft)

    files = dict(flatten(repository.main.tree))
    for text in place_faults(files):
        report.add("document", "main", text)
    for path, blob in files.items():
        for text in file_faults(path, blob_data(repository.git, blob), find):
            report.add("document", f"main:{path}", text)
    try:
        check_settings(repository.settings)
        check_storage(repository.settings, repository.config)
    except BlastgitError as error:
        report.add("document", f"main:{FILE}", error)


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
