"""`repo.tap`: what the TAP service needs of a data repo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import InvalidData, NotFound, RepoError
from blastgit.naming.names import parse_spec
from blastgit.repository.question import Asked

if TYPE_CHECKING:
    from blastgit.api.session import Session
    from blastgit.reading.checkout import Item


class Tap(Asked):
    """The files of a data repo one by one, for the service to send."""

    def __init__(self, session: Session) -> None:
        """Use an open data repo."""
        self._session = session
        self._repository = session.repository

    @property
    def here(self) -> Path:
        """The folder of the data repo on this machine.

        Raises:
            RepoError: The repo is remote.
        """
        if not self._repository.is_here:
            raise RepoError(f"{self._repository.location} is remote: clone it, or serve it where the repository is")
        return self._repository.path.resolve()

    def file(self, revision: str, path: str, *, even_invalid: bool = False) -> Item:
        """Return a file or the document of a revision, to be read.

        Args:
            revision: The revision, `2026dgt@1`.
            path: The file's path in it.
            even_invalid: Return it even if the stage that makes it failed.

        Raises:
            NotFound: The revision or file does not exist.
            Withdrawn: It was taken down.
            InvalidData: The stage that makes it failed.
        """
        from blastgit.reading.get import item_of
        from blastgit.repository.tombstones import Withdrawals
        from blastgit.workflow.judged import ValidityReport

        state = self._session.look_up(parse_spec(revision))
        if state is None:
            raise NotFound(f"there is no revision {revision[:100]!r} here")
        if path != state.document_name and path not in state.pointers:
            raise NotFound(f"{state} has no file {path[:200]!r}")
        withdrawals = Withdrawals(self._repository)
        withdrawals.refuse(state, [each for each in withdrawals.concerning(state) if each == path])
        if path != state.document_name:
            problem = ValidityReport(self._repository, state).invalid_files.get(path)
            if problem is not None and not even_invalid:
                raise InvalidData(
                    f"{path} of {state} is not to be relied on: {problem.because}. ?even_invalid=1 after the address "
                    "gives it all the same"
                )
        return item_of(self._repository, state, path)
