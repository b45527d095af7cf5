"""Checking the history of a transient: branch, tags, numbering, commits, documents and pointers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pygit2

from blastgit.errors import BlastgitError, DamagedData, NotFound
from blastgit.maintenance.verify.report import Report
from blastgit.maintenance.verify.states import check_stages, check_state
from blastgit.naming.names import is_personal, run_ref, tag_ref, transient_of
from blastgit.plumbing.objects import commit_of
from blastgit.repository.commits import Marker, Revision
from blastgit.repository.history import History
from blastgit.repository.lines import origin
from blastgit.repository.local import Repository
from blastgit.repository.tombstones import Stones, Withdrawals
from blastgit.store.hashing import Checksums

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_KINDS = ("revision", "reproduction", "stage")


class LineCheck:
    """The check of one transient."""

    def __init__(self, repository: Repository, name: str, report: Report) -> None:
        """Prepare to check a transient, and to note in `report` what is wrong."""
        self._repository = repository
        self._history = History(repository)
        self._name = name
        self._report = report

    def run(self) -> Iterator[tuple[str, Checksums]]:
        """Yield where each content is promised, and what it should be; those that were withdrawn are only noted."""
        for revision in self._check_history():
            self._report.revisions += 1
            yield from check_state(revision, revision.number, self._withdrawn(revision), self._report)
        yield from check_stages(self._repository, self._name, self._report)

    def _withdrawn(self, revision: Revision) -> Stones:
        try:
            return Withdrawals(self._repository).of(revision.name, revision.number)
        except BlastgitError as error:
            self._report.add("document", revision, error)
            return {}

    def _check_history(self) -> list[Revision]:
        """Check the branch against its tags, and return the revisions."""
        name, report = self._name, self._report
        if self._history.tip(name) is None and run_ref(name) in self._repository.git.references:
            return []  # its first run is in progress
        try:
            if is_personal(name):
                self._check_fork()
            if is_personal(name) and self._history.latest(name) is None:
                return []  # begun by hand, and nothing recorded yet
            revisions = self._history.revisions(name)
            self._check_markers()
        except NotFound:
            report.add("refs", name, "its branch has no revision")
            return []
        except DamagedData as error:
            report.add("damaged", name, error)
            return []
        numbers = [revision.number for revision in revisions]
        if numbers != list(range(len(numbers))):
            report.add("refs", name, f"its revisions are numbered {numbers}, not 0 to {len(numbers) - 1}")
        for revision in revisions:
            self._check_tag(revision)
        if self._history.tagged(name, len(numbers)) is not None:
            report.add("refs", name, f"there is a tag {name}/{len(numbers)} that its branch does not know")
        return revisions

    def _check_fork(self) -> None:
        """Check that a user's own line forks from a published revision of its transient."""
        found = origin(self._repository, self._name)
        tagged = None if found is None else self._history.tagged(found.name, found.number)
        if found is None or found.transient != transient_of(self._name):
            self._report.add("refs", self._name, "it does not fork from a revision of its transient")
        elif tagged is None or tagged.id != found.id:
            self._report.add("refs", self._name, f"it forks from {found.id:.10}, which is not what {found.tag} names")

    def _check_tag(self, revision: Revision) -> None:
        report, git = self._report, self._repository.git
        reference = git.references.get(tag_ref(revision.name, revision.number))
        if reference is None:
            report.add("refs", revision, "its tag is missing")
            return
        try:
            named = str(commit_of(reference).id)
        except DamagedData as error:
            report.add("damaged", revision, error)
            return
        tag = git[reference.resolve().target]
        if not isinstance(tag, pygit2.Tag):
            report.add("refs", revision, "its tag is not an annotated one")
        elif named != revision.id:
            report.add("refs", revision, "its tag names another commit than the branch has for it")
        elif tag.name != revision.tag:
            report.add("refs", revision, f"its tag calls itself {tag.name!r}")

    def _check_markers(self) -> None:
        """Check what every commit of the branch says of itself, newest first."""
        awaited: list[Marker] = []
        for marker in self._history.markers(self._name):
            if marker.line is not None and not is_personal(self._name):
                text = f"it is of {marker.line}, and has no place on an official branch"
                self._report.add("commit", f"{self._name}, commit {marker.id:.10}", text)
            for text in _commit_faults(marker):
                self._report.add("commit", f"{self._name}, commit {marker.id:.10}", text)
            if marker.number is not None:
                for later in awaited:
                    self._check_reproduction(later, marker)
                awaited = []
            elif marker.reproduces is not None:
                awaited.append(marker)
        for marker in awaited:
            self._report.add("commit", f"{self._name}, commit {marker.id:.10}", "it reproduces a revision before any")

    def _check_reproduction(self, marker: Marker, revision: Marker) -> None:
        where = f"{self._name}, commit {marker.id:.10}"
        if marker.reproduces != revision.number:
            text = f"it says that it reproduces revision {marker.reproduces}, and follows {revision.number}"
            self._report.add("commit", where, text)
        elif marker.commit.tree_id != revision.commit.tree_id:
            self._report.add("commit", where, f"its tree is not that of revision {revision.number}")


def _commit_faults(marker: Marker) -> Iterator[str]:
    commit, trailers = marker.commit, marker.trailers
    if len(commit.parent_ids) > 1:
        yield "it is a merge, and revisions form a single line"
    for what, who in (("author", commit.author), ("committer", commit.committer)):
        if not who.name or not who.email:
            yield f"its {what} has no name or no address"
    try:
        _ = marker.time, marker.recorded
    except (ValueError, OverflowError, OSError):
        yield "its dates lie outside of any calendar"
    kind = trailers.get("Marker")
    if kind not in _KINDS or (kind == "revision") != (marker.number is not None):
        yield f"its trailers do not tell what it is (Marker: {kind})"
    elif kind != "stage" and not all(_DIGEST.fullmatch(trailers.get(key, "")) for key in ("Rules", "Science-Digest")):
        yield "its trailers Rules and Science-Digest are not sha256:… in 64 digits"
