"""Recording the state of a transient: verbs of `DataRepo`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import InvalidName
from blastgit.naming.names import check_transient
from blastgit.repository.base import LOCK_TIMEOUT

if TYPE_CHECKING:
    from blastgit.api.session import Session
    from blastgit.recording.result import Recorded
    from blastgit.repository.base import Repository
    from blastgit.store.bucket import Bucket


def record(  # noqa: PLR0913 (an export, its files, and options that most calls omit)
    session: Session,
    /,
    name: str,
    export: bytes | Path,
    data: Path | Bucket,
    *,
    run: str | None = None,
    dry_run: bool = False,
    timeout: float = LOCK_TIMEOUT,
    even_withdrawn: bool = False,
    used: Sequence[str] = (),
) -> Recorded:
    """Record the current state of a transient: a new revision if its values or contents differ from the latest.

    Args:
        name: The transient.
        export: The export, or the file that holds it.
        data: The folder, possibly in a bucket, that holds `cutout_cdn/NAME/…` and `sed_output/NAME/…` in Blast's
            layout.
        run: The RUN collection of the new revision.
        dry_run: Decide, but write nothing.
        timeout: Seconds to wait for another writer of the same transient.
        even_withdrawn: Republish withdrawn files; only admins may.
        used: The revisions of references that the run used, `r/model/sbi-global@2`; by default the latest ones at the
            time of the export.

    Raises:
        InvalidInput: The input cannot be recorded; the repo is unchanged.
        Withdrawn: A file has the bytes of one that was taken down; nothing was recorded.
        Busy: Another writer of the same transient did not finish in time.
        StoreError: The store fails; nothing was recorded.
        Denied: The policy, or a hook of the remote repo, does not allow this.
        RepoError: The repo cannot be written or reached.
    """
    from blastgit.recording.options import RecordOptions
    from blastgit.recording.record import record
    from blastgit.recording.sources import find
    from blastgit.revision.export import read_given

    check_transient(name)
    checked = read_given(export)
    if checked.name != name:
        raise InvalidName(f"the export is about {checked.name!r}, and should be recorded as {name!r}")
    sources = find(data, name, checked.document)
    used = read_used(session.repository, used)
    options = RecordOptions(run, dry_run, timeout, even_withdrawn=even_withdrawn, used=used)
    return record(session.repository, checked, sources, options, session.progress)


def record_archive(  # noqa: PLR0913 (the parameters of `record`)
    session: Session,
    /,
    archive: Path,
    *,
    run: str | None = None,
    dry_run: bool = False,
    timeout: float = LOCK_TIMEOUT,
    even_withdrawn: bool = False,
    used: Sequence[str] = (),
) -> Recorded:
    """Record from Blast's own archive (`transient.json`, `cutouts/`, `sed_data/`); see `record`."""
    from blastgit.recording.archive import open_archive
    from blastgit.recording.options import RecordOptions
    from blastgit.recording.record import record

    used = read_used(session.repository, used)
    options = RecordOptions(run, dry_run, timeout, even_withdrawn=even_withdrawn, used=used)
    with open_archive(archive) as (export, sources):
        return record(session.repository, export, sources, options, session.progress)


def read_used(repository: Repository, used: Sequence[str]) -> tuple[str, ...]:
    """Return the revisions of references that a run used; nearly always none, and then nothing is loaded for it.

    Raises:
        InvalidInput: One is not a reference, no stage works with it, or two are of one reference.
        NotFound: The revision does not exist.
    """
    if not used:
        return ()
    from blastgit.workflow.made_with import check_used

    return check_used(repository, used)
