"""The exception tree, grouped by what a caller would do about an error.

Every expected failure is a `BlastgitError`: its text says what went wrong, where, and what to do next. `kind` is a
stable word for programs, `exit_code` what the command line ends with (`docs/exit-codes.md`).
"""

from __future__ import annotations

from typing import ClassVar


class BlastgitError(Exception):
    """Anything that blastgit expects to go wrong. Catch this to catch them all."""

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1


class UsageError(BlastgitError):
    """The call itself is wrong. Correct the call."""

    kind = "usage"
    exit_code = 2


class InvalidQuery(UsageError):
    """A query is not SQL, asks for what the index does not have, or does more than read. Mend the query."""

    kind = "invalid-query"


class InvalidInput(BlastgitError):
    """What was handed in cannot be recorded. Mend the input; the repository is as it was."""

    kind = "invalid-input"
    exit_code = 4


class InvalidName(InvalidInput):
    """A name breaks the rules for transients, revisions or files."""

    kind = "invalid-name"


class InvalidExport(InvalidInput):
    """The document is not an export that Blast could have written."""

    kind = "invalid-export"


class InvalidFiles(InvalidInput):
    """The files beside an export are missing, unsafe, unreadable, or change while they are read."""

    kind = "invalid-files"


class NotFound(BlastgitError):
    """The transient, revision, field or file asked for does not exist. Ask for another."""

    kind = "not-found"
    exit_code = 5


class RepoError(BlastgitError):
    """The data repo cannot be used as it stands: not one, not ours, of a newer format, read-only."""

    kind = "repo"
    exit_code = 6


class Busy(BlastgitError):
    """Somebody else holds what this call needs. Try again later."""

    kind = "busy"
    exit_code = 7


class LostLease(Busy):
    """Somebody else took over the stage that this call is about. What it brought was not taken in; let them end it."""

    kind = "lost-lease"


class StoreError(BlastgitError):
    """The store of file contents fails, is full, or cannot be reached. Mend it, then repeat the call."""

    kind = "store"
    exit_code = 8


class DamagedData(BlastgitError):
    """Something stored is missing or is not what its checksum says. Verify and repair."""

    kind = "damaged"
    exit_code = 9


class WouldOverwrite(BlastgitError):
    """A file in the way differs from what would be written. Move it away, or force."""

    kind = "would-overwrite"
    exit_code = 10


class Denied(BlastgitError):
    """A rule or a policy forbids this. Ask an admin of the data repo."""

    kind = "denied"
    exit_code = 11


class Withdrawn(BlastgitError):
    """The file was published and has been taken down, for a reason that the error tells. Nothing is damaged."""

    kind = "withdrawn"
    exit_code = 12


class InvalidData(BlastgitError):
    """A stage of the workflow failed, and what was asked for is not to be relied on. Ask for another revision."""

    kind = "invalid-data"
    exit_code = 13


class ReaderFailed(BlastgitError):
    """A dataset is as it was published, and its reader cannot read it. Mend the reader, or take another."""

    kind = "reader"
    exit_code = 14


class OverLimit(BlastgitError):
    """A query takes longer, or needs more memory, than it may. Ask for less, or allow more."""

    kind = "over-limit"
    exit_code = 15


class OutOfDateWarning(UserWarning):
    """A dataset was made of what has changed since. It is as it was published; `strict` refuses it."""
