"""Log which revisions are read and when. Off by default, and kept only on this machine.

`git -C REPO config blastgit.usage true` logs every read of a repo on this machine in the repo's folder; for remote
repos, users name their own file in BLASTGIT_USAGE. Failures to write the log are ignored.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from blastgit.errors import NotFound
from blastgit.naming.trailers import Trailer
from blastgit.repository.base import USAGE_SETTING, USAGE_VARIABLE, Repository
from blastgit.repository.commits import Snapshot
from blastgit.repository.policy import current_identity


@dataclass(frozen=True, slots=True)
class Usage:
    """How often a revision was read.

    Attributes:
        revision: The revision, `2026dgt@1`.
        run: The run that it was born into, or "".
        count: How many reads were logged.
        last: The time of the last one (ISO 8601, UTC).
        users: Who read it, sorted.
    """

    revision: str
    run: str
    count: int
    last: str
    users: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "revision": self.revision, "run": self.run, "count": self.count, "last": self.last,
            "users": list(self.users),
        }  # fmt: skip


def note(repository: Repository, state: Snapshot) -> None:
    """Log that a revision is read, if the log is enabled."""
    log = repository.usage_log
    if log is None:
        return
    words = (
        f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        str(state),
        state.trailers.get(Trailer.RUN, ""),
        current_identity(),
    )
    line = "\t".join(word.replace("\t", " ") for word in words) + "\n"
    with suppress(OSError):
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            os.write(descriptor, line.encode())  # in one call, so that the lines of concurrent readers do not mix
        finally:
            os.close(descriptor)


def read_usage(repository: Repository, pattern: str = "*") -> list[Usage]:
    """Return the logged reads by revision, latest first.

    Args:
        repository: The data repo.
        pattern: A shell pattern of revisions or runs.

    Raises:
        NotFound: The log is not enabled.
    """
    log = repository.usage_log
    if log is None:
        raise NotFound(
            f"reads of {repository.location} are not noted: `git -C {repository.path} config {USAGE_SETTING} true` "
            f"would have them noted from now on, or {USAGE_VARIABLE}=FILE your own"
        )
    found: dict[str, list[list[str]]] = {}
    with suppress(FileNotFoundError):
        for line in log.read_text("utf-8", "replace").splitlines():
            words = line.split("\t")
            if len(words) == 4:
                found.setdefault(words[1], []).append(words)
    usages = []
    for revision, lines in found.items():
        run = lines[-1][2]
        if fnmatchcase(revision, pattern) or (run and fnmatchcase(run, pattern)):
            users = tuple(sorted({words[3] for words in lines}))
            usages.append(Usage(revision, run, len(lines), max(words[0] for words in lines), users))
    return sorted(usages, key=lambda usage: usage.last, reverse=True)
