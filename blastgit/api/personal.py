"""`repo.personal`: users' own lines, beside the official ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.api.recording import read_used
from blastgit.errors import InvalidName
from blastgit.naming.names import parse_spec
from blastgit.repository.base import LOCK_TIMEOUT
from blastgit.repository.policy import current_identity
from blastgit.repository.question import Asked

if TYPE_CHECKING:
    from blastgit.api.session import Session
    from blastgit.recording.options import RecordOptions
    from blastgit.recording.result import Recorded
    from blastgit.repository.commits import Revision
    from blastgit.store.bucket import Bucket


class Personal(Asked):
    """Users' own lines of a data repo: `u/USER/NAME`, each with its branch and its numbers from 0."""

    def __init__(self, session: Session) -> None:
        """Use the personal lines of an open data repo."""
        self._session = session
        self._repository = session.repository

    def lines(self, user: str = "") -> Sequence[str]:
        """Return the names of users' own lines, of one user or of all: `u/alice/2026dgt`."""
        from blastgit.repository.lines import own_lines

        return own_lines(self._repository, user)

    def origin(self, line: str) -> Revision | None:
        """Return the revision that a line forks from.

        Raises:
            InvalidName: It is not the name of a line.
        """
        from blastgit.repository.lines import origin

        return origin(self._repository, parse_spec(line).name)

    def record(  # noqa: PLR0913 (the parameters of `DataRepo.record`, plus the line)
        self,
        name: str,
        export: bytes | Path,
        data: Path | Bucket,
        *,
        user: str | None = None,
        fork: str | None = None,
        run: str | None = None,
        dry_run: bool = False,
        timeout: float = LOCK_TIMEOUT,
        used: Sequence[str] = (),
    ) -> Recorded:
        """Record the state of a transient in a user's own line; see `DataRepo.record`.

        Args:
            name: The transient.
            export: The export, or the file that holds it.
            data: The folder of its files, possibly in a bucket.
            user: The owner of the line; by default the current user.
            fork: The revision that a new line forks from, `NAME@N` or `u/USER/NAME@N`; by default the latest official
                one.
            run: The RUN collection of the new revision: one of the user's own.
            dry_run: Decide, but write nothing.
            timeout: Seconds to wait for another writer of the same transient.
            used: The revisions of references that the run used, as for `DataRepo.record`.

        Raises:
            InvalidInput: The input cannot be recorded, or the line exists and forks from another revision.
            NotFound: No revision exists to fork from.
            Denied: The line belongs to somebody else.
        """
        from blastgit.recording.options import RecordOptions
        from blastgit.recording.record import record
        from blastgit.recording.sources import find
        from blastgit.revision.export import read_given

        checked = read_given(export)
        if checked.name != name:
            raise InvalidName(f"the export is about {checked.name!r}, and should be recorded as {name!r}")
        options = RecordOptions(run, dry_run, timeout, used=read_used(self._repository, used))
        sources = find(data, name, checked.document)
        return record(self._repository, checked, sources, self._options(user, fork, options), self._session.progress)

    def record_archive(  # noqa: PLR0913 (the parameters of `DataRepo.record_archive`, plus the line)
        self,
        archive: Path,
        *,
        user: str | None = None,
        fork: str | None = None,
        run: str | None = None,
        dry_run: bool = False,
        timeout: float = LOCK_TIMEOUT,
        used: Sequence[str] = (),
    ) -> Recorded:
        """Record Blast's own archive in a user's own line; see `record`."""
        from blastgit.recording.archive import open_archive
        from blastgit.recording.options import RecordOptions
        from blastgit.recording.record import record

        options = RecordOptions(run, dry_run, timeout, used=read_used(self._repository, used))
        options = self._options(user, fork, options)
        with open_archive(archive) as (export, sources):
            return record(self._repository, export, sources, options, self._session.progress)

    def promote(  # noqa: PLR0913 (options that most calls omit)
        self,
        spec: str,
        *,
        run: str | None = None,
        dry_run: bool = False,
        timeout: float = LOCK_TIMEOUT,
        even_withdrawn: bool = False,
        even_invalid: bool = False,
    ) -> Recorded:
        """Make a revision of a user's own line the next official one, if it differs from the latest official one.

        Args:
            spec: The revision, `u/alice/2026dgt@2`.
            run: The RUN collection of the official revision.
            dry_run: Decide, but write nothing.
            timeout: Seconds to wait for another writer of the same transient.
            even_withdrawn: Republish withdrawn files; only admins may.
            even_invalid: Promote it although a stage of its workflow failed or never ran.

        Raises:
            NotFound: The revision does not exist.
            InvalidInput: It is not in a user's own line.
            InvalidData: A stage of its workflow failed or never ran.
            Withdrawn: A file of it was taken down.
            Denied: This user may not record the transient.
        """
        from blastgit.recording.options import RecordOptions
        from blastgit.recording.promote import promote

        state = self._session.resolve(parse_spec(spec))
        options = RecordOptions(run, dry_run, timeout, even_withdrawn=even_withdrawn)
        return promote(self._repository, state, options, self._session.progress, even_invalid=even_invalid)

    def _options(self, user: str | None, fork: str | None, options: RecordOptions) -> RecordOptions:
        from blastgit.repository.commits import Revision

        state = None if fork is None else self._session.resolve(parse_spec(fork))
        if state is not None and not isinstance(state, Revision):
            raise InvalidName(f"{state} is not a revision, and lines fork only from revisions")
        return replace(options, user=user or current_identity(), fork=state)
