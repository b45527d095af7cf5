"""Checking what one commit holds, be it a revision or the marker of a stage: document, pointers, dot files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pygit2

from blastgit.checks.line import stage_faults
from blastgit.checks.trailers import Stated, version_faults
from blastgit.errors import BlastgitError, DamagedData, InvalidFiles
from blastgit.maintenance.verify.contents import fault_in_git
from blastgit.maintenance.verify.report import Report
from blastgit.naming.paths import check_path
from blastgit.plumbing.trees import read_blob
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot, StageState
from blastgit.repository.history import History
from blastgit.repository.skeleton import dot_files, is_dot_file
from blastgit.repository.tombstones import Withdrawals
from blastgit.revision.dr import write_dr
from blastgit.store.hashing import Checksums
from blastgit.workflow.markers import Run


def check_state(
    state: Snapshot, number: int, gone: Mapping[str, object], report: Report
) -> Iterator[tuple[str, Checksums]]:
    """Note what is wrong with a state's document, pointers and what git itself keeps; yield what a store must hold.

    Args:
        state: The state.
        number: The revision that it is, or is on the way to.
        gone: The tombstones of files that were withdrawn, which are only noted.
        report: Where to note it.

    Yields:
        Where each content is promised, and what it should be.
    """
    try:
        document, pointers = state.dr, state.pointers
    except BlastgitError as error:
        report.add("document", state, error)
        return
    for text in _document_faults(state, number):
        report.add("document", state, text)
    for path in sorted(document.files.keys() ^ pointers.keys()):
        lacking = "no pointer" if path in document.files else "no checksum in the document"
        report.add("pointer", f"{state}:{path}", f"it has {lacking}")
    for path in sorted(document.files.keys() & pointers.keys()):
        try:
            check_path(path)
        except InvalidFiles as error:
            report.add("pointer", f"{state}:{path}", error)
            continue
        sums = Checksums(pointers[path].md5, state.sha256(path), pointers[path].size)
        if path in gone:
            report.withdrawn[f"{state}:{path}"] = str(gone[path])
        elif not state.held[path].in_git:
            yield f"{state}:{path}", sums
        elif problem := fault_in_git(state, path, sums):
            report.problems.append(problem)


def _document_faults(state: Snapshot, number: int) -> Iterator[str]:
    document = state.dr
    if document.number != number:
        yield f"its document says that it is revision {document.number}" + ("" if state.number else f", not {number}")
    if document.export.name != state.transient:
        yield f"its document is about {document.export.name}"
    if write_dr(document.export, document.number, document.files) != document.data:
        yield "its document is not written as the format asks"
    for path in dot_files(b""):
        found = read_blob(state.commit.tree, path)
        if found is None or not is_dot_file(path, found):
            yield f"its {path} is not the one that plain git and DVC need"


def check_stages(repository: Repository, name: str, report: Report) -> Iterator[tuple[str, Checksums]]:
    """Note what is wrong with the markers of stages, on a transient's branch and of its run in progress.

    Yields:
        Where each content is promised, and what it should be; those that were withdrawn are only noted.
    """
    seen: set[pygit2.Oid] = set()
    withdrawals = Withdrawals(repository)
    try:
        for state in _states(repository, name):
            _check_mark(state, report)
            if state.commit.tree_id in seen:
                continue
            seen.add(state.commit.tree_id)
            yield from check_state(state, state.towards, withdrawals.concerning(state), report)
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
        return  # which is noted where its tree is looked at
    for text in version_faults(stated):
        report.add("document", where, text)
