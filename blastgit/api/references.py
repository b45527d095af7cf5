"""`repo.references`: lines for what many transients use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.api.session import Session
from blastgit.errors import InvalidName
from blastgit.naming.names import check_line, is_reference
from blastgit.repository.base import LOCK_TIMEOUT

if TYPE_CHECKING:
    from blastgit.recording.result import Recorded
    from blastgit.repository.references import ReferenceType
    from blastgit.revision.document import Json


class References:
    """Reference lines, `r/TYPE/NAME`: filters, surveys, trained models, catalogues.

    All reading verbs of `DataRepo` accept the name of a reference in place of a transient's.
    """

    def __init__(self, session: Session) -> None:
        """Use the references of an open data repo."""
        self._session = session

    def lines(self, of_type: str = "") -> Sequence[str]:
        """Return the names of all reference lines, or of those of one type: `r/filter/DES_z`."""
        from blastgit.repository.lines import reference_lines

        return reference_lines(self._session.repository, of_type)

    def types(self) -> Sequence[ReferenceType]:
        """Return the reference types of this data repo."""
        from blastgit.repository.references import ReferenceTypes

        return list(ReferenceTypes.of(self._session.repository.settings).types.values())

    def record(  # noqa: PLR0913 (the parts of a state, and options that most calls omit)
        self,
        line: str,
        *,
        files: Iterable[Path] | None = None,
        data: Path | None = None,
        values: Mapping[str, Json] | None = None,
        changed: Mapping[str, Json] | None = None,
        app_version: str | None = None,
        time: datetime | None = None,
        run: str | None = None,
        dry_run: bool = False,
        timeout: float = LOCK_TIMEOUT,
        even_withdrawn: bool = False,
    ) -> Recorded:
        """Record the current state of a reference: a new revision if its values or contents differ from the latest.

        What is not given stays unchanged: new values leave the files alone, and new files the values.

        Args:
            line: The reference, `r/model/sbi-global`.
            files: Its files, all of them; each is recorded as `files/NAME`.
            data: A folder that holds its files.
            values: All its values, by name.
            changed: Single values to replace; None removes one.
            app_version: The version of the program that made it.
            time: The time of this state; by default now.
            run: The RUN collection of the new revision.
            dry_run: Decide, but write nothing.
            timeout: Seconds to wait for another writer of the same reference.
            even_withdrawn: Republish withdrawn files; only admins may.

        Raises:
            InvalidInput: No such type, or the input cannot be recorded; the repo is unchanged.
            Denied: The policy does not allow this.
            Busy: Another writer did not finish in time.
            StoreError: The store fails; nothing was recorded.
        """
        from blastgit.recording.options import RecordOptions
        from blastgit.recording.reference import Given, gather_files, record_reference

        if not is_reference(check_line(line)):
            raise InvalidName(f"{line} is not a reference; write r/TYPE/NAME")
        found = None if files is None and data is None else gather_files(files or (), data)
        given = Given(values, changed or {}, found, app_version, time)
        options = RecordOptions(run, dry_run, timeout, even_withdrawn=even_withdrawn)
        return record_reference(self._session.repository, line, given, options, self._session.progress)
