"""Making a revision of a user's own line the next official one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from blastgit.errors import InvalidData, InvalidInput
from blastgit.naming.names import is_personal, user_of
from blastgit.naming.trailers import read_used
from blastgit.progress import Progress
from blastgit.recording.run_end import StoredIntake
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision, Snapshot
from blastgit.repository.tombstones import Withdrawals
from blastgit.workflow.judging import validity_of
from blastgit.workflow.publish import Publish
from blastgit.workflow.validity import State

if TYPE_CHECKING:
    from blastgit.recording.options import RecordOptions
    from blastgit.recording.result import Recorded


def promote(
    repository: Repository, state: Snapshot, options: RecordOptions, progress: Progress, *, even_invalid: bool = False
) -> Recorded:
    """Record a revision of a user's own line as the next official one, if it differs from the latest.

    Args:
        repository: The data repo.
        state: The revision.
        options: How to record it.
        progress: Called with bytes copied.
        even_invalid: Whether to promote it even if a stage of its workflow failed.

    Raises:
        InvalidData: A stage failed or never ran, and `even_invalid` is false.
        InvalidInput: It is not in a user's own line, or only one of it and the repo is simulated.
        Withdrawn: A file of it was taken down.
        DamagedData: The store has lost a file of it.
        Denied: The caller may not record the transient.
    """
    from blastgit.recording.record import record_from

    if not isinstance(state, Revision) or not is_personal(state.name):
        raise InvalidInput(f"{state} is not a revision of a user's own line: only those are promoted (u/USER/NAME@N)")
    if not even_invalid:
        _check_whole(repository, state)
    Withdrawals(repository).refuse(state, list(state.held))
    export = state.dr.export
    owner, used = f"promotion of {user_of(state.name)}", read_used(state.trailers)
    chosen = replace(options, origin=state, owner=owner, used=used)
    return record_from(repository, export, StoredIntake(repository, state, progress), chosen)


def _check_whole(repository: Repository, state: Revision) -> None:
    """Check that no stage failed or is missing, since everybody will read the result."""
    validity = validity_of(repository, state)
    failed = [each for each in validity.failures if each.state in (State.FAILED, State.NOT_RUN)]
    if failed:
        takes_all = Publish.of(repository.settings) is Publish.ALL
        otherwise = ", or promote it as it is (--even-invalid)" if takes_all else ""
        raise InvalidData(
            f"{state} is not complete: {'; '.join(map(str, failed))}. Nothing was promoted: fix it on your own line "
            f"first{otherwise}; `blastgit show {state} --validity` shows what is invalid"
        )
