"""Check the state in one commit, a revision or the marker of a stage: document, pointers, dot files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pygit2

from blastgit.checks.line import stage_faults
from blastgit.checks.state import state_faults
from blastgit.checks.trailers import Stated, version_faults
from blastgit.errors import BlastgitError, DamagedData
from blastgit.maintenance.verify.contents import fault_in_git
from blastgit.maintenance.verify.report import Report
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot, StageState
from blastgit.repository.history import History
from blastgit.repository.tombstones import Withdrawals
from blastgit.store.hashing import Checksums
from blastgit.workflow.markers import Run


def check_state(
    repository: Repository, state: Snapshot, number: int, gone: Mapping[str, object], report: Report
) -> Iterator[tuple[str, Checksums]]:
    """Note the faults of a state's document, pointers and files in git; yield the contents that stores must hold.

    Args:
        repository: The data repo.
        state: The state.
        number: The revision that it is, or leads to.
        gone: The tombstones of withdrawn files, which are only noted.
        report: Where to note faults.

    Yields:
        Where each content is used, and its checksums.
    """
    try:
        for text, path in state_faults(state, number, simulated=repository.settings.simulated):
            report.add("pointer" if path else "document", f"{state}:{path}" if path else state, text)
    except DamagedData as error:
        report.add("damaged", state, error)
        return
    try:
        document, pointers = state.dr, state.pointers
    except BlastgitError:
        return  # which was noted
    for path in sorted(document.files.keys() & pointers.keys()):
        if path in gone:
            report.withdrawn[f"{state}:{path}"] = str(gone[path])
        elif not state.held[path].in_git:
            yield f"{state}:{path}", Checksums(pointers[path].md5, state.sha256(path), pointers[path].size)
        elif problem := fault_in_git(state, path):
            report.problems.append(problem)


def check_stages(repository: Repository, name: str, report: Report) -> Iterator[tuple[str, Checksums]]:
    """Note the faults of the markers of stages, on a transient's branch and of its run in progress.

    Yields:
        Where each content is used, and its checksums; withdrawn ones are only noted.
    """
    seen: set[pygit2.Oid] = set()
    withdrawals = Withdrawals(repository)
    try:
        for state in _states(repository, name):
            _check_mark(state, report)
            if state.commit.tree_id in seen:
                continue
            seen.add(state.commit.tree_id)
            yield from check_state(repository, state, state.towards, withdrawals.concerning(state), report)
    except DamagedData as error:
        report.add("damaged", name, error)


def _states(repository: Repository, name: str) -> Iterator[StageState]:
    history = History(repository)
    latest = history.latest(name)
    towards = 0 if latest is None else latest.number + 1
    for marker in history.all_markers(name):
        if marker.stage is not None:
            yield StageState(repository.git, name, marker.commit, towards)
        elif marker.number is not None:
            towards = marker.number
    run = Run.of(repository, name)
    for each in () if run is None else run.markers:
        yield StageState(repository.git, name, each.commit, run.towards if run else 0)


def _check_mark(state: StageState, report: Report) -> None:
    where = f"{state.name}, commit {state.id:.10}"
    for text in stage_faults(state):
        report.add("commit", where, text)
    try:
        stated = Stated(state.name, state, state.dr, {})
    except BlastgitError:
        return  # noted when its tree is checked
    for text in version_faults(stated):
        report.add("document", where, text)
