"""The exceptions, grouped by what a caller can do about them.

Every expected failure is a `BlastgitError`: its text says what went wrong, where, and what to do next. `kind` is a
stable word for programs, `exit_code` the exit code of the command line (`docs/exit-codes.md`).
"""

from __future__ import annotations

from typing import ClassVar


class BlastgitError(Exception):
    """The base class of all expected failures."""

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1


class UsageError(BlastgitError):
    """The call itself is wrong. Correct it."""

    kind = "usage"
    exit_code = 2


class InvalidQuery(UsageError):
    """A query is not SQL, asks for what the index does not have, or does more than read. Mend the query."""

    kind = "invalid-query"


class InvalidInput(BlastgitError):
    """The input cannot be recorded. Correct it; the repository is unchanged."""

    kind = "invalid-input"
    exit_code = 4


class InvalidName(InvalidInput):
    """A name breaks the rules for transients, revisions or files."""

    kind = "invalid-name"


class InvalidExport(InvalidInput):
    """The document is not an export that Blast could have written."""

    kind = "invalid-export"


class InvalidFiles(InvalidInput):
    """The files of an export are missing, unsafe, unreadable, or change while they are read."""

    kind = "invalid-files"


class NotFound(BlastgitError):
    """The requested transient, revision, field or file does not exist."""

    kind = "not-found"
    exit_code = 5


class RepoError(BlastgitError):
    """The data repo cannot be used: it is missing, somebody else's, of a newer format, or read-only."""

    kind = "repo"
    exit_code = 6


class Busy(BlastgitError):
    """Somebody else holds what this call needs. Try again later."""

    kind = "busy"
    exit_code = 7


class LostLease(Busy):
    """Somebody else has taken over the stage of this call. Its output was not recorded; let them end the stage."""

    kind = "lost-lease"


class StoreError(BlastgitError):
    """The store of file contents fails, is full, or cannot be reached. Fix it, then try again."""

    kind = "store"
    exit_code = 8


class DamagedData(BlastgitError):
    """Something stored is missing or does not match its checksum. Verify and repair."""

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
    """The file was published and has been taken down, for the reason in the error. Nothing is damaged."""

    kind = "withdrawn"
    exit_code = 12


class InvalidData(BlastgitError):
    """A stage of the workflow failed, and the requested data are invalid. Use another revision."""

    kind = "invalid-data"
    exit_code = 13


class ReaderFailed(BlastgitError):
    """A dataset is as published, but its reader cannot read it. Fix the reader, or use another."""

    kind = "reader"
    exit_code = 14


class OverLimit(BlastgitError):
    """A query exceeds the limits on time or memory. Ask for less, or raise the limits."""

    kind = "over-limit"
    exit_code = 15


class OutOfDateWarning(UserWarning):
    """A dataset was made of what has changed since. It is as it was published; `strict` refuses it."""
