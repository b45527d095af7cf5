"""Check the history of a transient: branch, tags, numbering, commits, documents and pointers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pygit2

from blastgit.checks.commit import commit_faults, tag_faults
from blastgit.checks.line import Sequence
from blastgit.checks.outdated import outdated_faults
from blastgit.checks.trailers import Stated, revision_faults, trailer_faults
from blastgit.errors import BlastgitError, DamagedData, NotFound
from blastgit.maintenance.verify.drafts import check_drafts
from blastgit.maintenance.verify.report import Report
from blastgit.maintenance.verify.states import check_stages, check_state
from blastgit.naming.names import is_personal, is_reference, transient_of
from blastgit.naming.refs import draft_ref, run_ref, tag_ref
from blastgit.plumbing.objects import commit_of
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.history import History
from blastgit.repository.lines import origin
from blastgit.repository.tombstones import Stones, Withdrawals
from blastgit.store.hashing import Checksums


class LineCheck:
    """The check of one transient."""

    def __init__(self, repository: Repository, name: str, report: Report) -> None:
        """Prepare to check a transient, and to note faults in `report`."""
        self._repository = repository
        self._history = History(repository)
        self._name = name
        self._report = report
        self._after_stages: set[str] = set()

    def run(self) -> Iterator[tuple[str, Checksums]]:
        """Check it; yield where each content is used, and its checksums; withdrawn ones are only noted."""
        for revision in self._check_history():
            if is_reference(self._name):
                self._report.references += 1
            else:
                self._report.revisions += 1
            gone = self._withdrawn(revision)
            yield from check_state(self._repository, revision, revision.number, gone, self._report)
            self._check_statements(revision)
        yield from check_stages(self._repository, self._name, self._report)
        yield from check_drafts(self._repository, self._name, self._report)

    def _check_statements(self, revision: Revision) -> None:
        """Note where a revision's commit contradicts its document and files."""
        try:
            sizes = {path: pointer.size for path, pointer in revision.pointers.items()}
            state = Stated(self._name, revision, revision.dr, sizes)
        except BlastgitError:
            return  # already noted
        has_stages = revision.id in self._after_stages
        for text in revision_faults(state, self._repository.rules, has_stages=has_stages):
            self._report.add("document", revision, text)
        with suppress(BlastgitError):  # an earlier revision that cannot be read is already noted
            for text in outdated_faults(self._repository, revision):
                self._report.add("document", revision, text)

    def _withdrawn(self, revision: Revision) -> Stones:
        try:
            return Withdrawals(self._repository).of(revision.name, revision.number)
        except BlastgitError as error:
            self._report.add("document", revision, error)
            return {}

    def _check_history(self) -> list[Revision]:
        """Check the branch against its tags, and return the revisions."""
        name, report = self._name, self._report
        on_the_way = (run_ref(name), draft_ref(name))
        if self._history.tip(name) is None and any(map(self._repository.reference, on_the_way)):
            return []  # its first run is in progress, or did not complete
        try:
            if is_personal(name):
                self._check_fork()
            if is_personal(name) and self._history.latest(name) is None:
                return []  # the branch was made by hand, and nothing recorded yet
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
        """Check that a personal line forks from a published revision of its transient."""
        found = origin(self._repository, self._name)
        tagged = None if found is None else self._history.tagged(found.name, found.number)
        if found is None or found.transient != transient_of(self._name):
            self._report.add("refs", self._name, "it does not fork from a revision of its transient")
        elif tagged is None or tagged.id != found.id:
            self._report.add("refs", self._name, f"it forks from {found.id:.10}, which is not what {found.tag} names")

    def _check_tag(self, revision: Revision) -> None:
        report, git = self._report, self._repository.git
        reference = self._repository.reference(tag_ref(revision.name, revision.number))
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
        else:
            for text in tag_faults(tag):
                report.add("refs", revision, text)

    def _check_markers(self) -> None:
        """Check every commit of the branch by itself, and in sequence."""
        before = Sequence(self._name)
        for marker in reversed(list(self._history.markers(self._name))):
            where = f"{self._name}, commit {marker.id:.10}"
            for faults in (commit_faults(marker.commit), trailer_faults(marker), before.faults(marker)):
                for text in faults:
                    self._report.add("commit", where, text)
            if before.has_stages:
                self._after_stages.add(marker.id)
            before.follow(marker)
