"""Find runs and markers that are not cited, collected, annotated or read: forgotten, or candidates for cleanup."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pygit2

from blastgit.errors import DamagedData, NotFound
from blastgit.naming.refs import RELEASES, RUNS
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.objects import undamaged
from blastgit.plumbing.trees import blob_data, flatten
from blastgit.provenance.usage import read_usage
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker
from blastgit.repository.history import History

AGE = timedelta(days=30)
"""The age at which a run or marker can count as an orphan."""

_DATASET = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_/-]*@\d+")


@dataclass(frozen=True)
class Orphan:
    """A run, or the markers of a run in progress, that nothing refers to.

    Attributes:
        kind: "run" or "markers".
        name: The run's name, or the transient's.
        revisions: The revisions born into the run.
        last: The time of its last commit (ISO 8601, UTC).
    """

    kind: str
    name: str
    last: str
    revisions: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"kind": self.kind, "name": self.name, "last": self.last, "revisions": self.revisions}


def orphans(repository: Repository, age: timedelta = AGE) -> list[Orphan]:
    """Return the runs of which no revision is collected, cited, annotated or read, and old markers.

    Reads every revision's commit. A run with the latest revision of a transient is not an orphan, since users get that
    revision by default; nor are revisions without a run.

    Args:
        repository: The data repo.
        age: Younger runs and markers are not orphans yet.
    """
    before = datetime.now(UTC) - age
    wanted = _wanted(repository)
    found = [run for run in _runs(repository) if not wanted & {run.name, *run.revisions}]
    return [each for each in (*found, *_markers(repository)) if each.last < f"{before:%Y-%m-%dT%H:%M:%SZ}"]


def _runs(repository: Repository) -> list[Orphan]:
    history = History(repository)
    runs: dict[str, Orphan] = {}
    current = set()
    for name in history.transients():
        try:
            revisions = history.revisions(name)
        except (NotFound, DamagedData):
            continue  # `verify` reports it
        current.add(revisions[-1].trailers.get(Trailer.RUN))
        for revision in revisions:
            run = revision.trailers.get(Trailer.RUN)
            if run:
                last = max(_time(revision), runs[run].last) if run in runs else _time(revision)
                runs[run] = Orphan("run", run, last, [*(runs[run].revisions if run in runs else ()), str(revision)])
    return [runs[name] for name in sorted(runs.keys() - current)]


def _markers(repository: Repository) -> list[Orphan]:
    found = []
    for ref, oid in repository.object_ids(RUNS).items():
        with suppress(DamagedData), undamaged(ref):  # `status` reports it
            marker = Marker(repository.git[oid].peel(pygit2.Commit))
            found.append(Orphan("markers", ref.removeprefix(RUNS), _time(marker)))
    return found


def _wanted(repository: Repository) -> set[str]:
    """Return the names of revisions and runs that collections, releases, annotations or reads refer to."""
    names: set[str] = set()
    annotations, trees = repository.tip("annotations"), [repository.main.tree]
    for name, oid in repository.object_ids(RELEASES).items():
        with undamaged(name):
            trees.append(repository.git[oid].peel(pygit2.Tree))
    trees += [] if annotations is None else [annotations.tree]
    git = repository.git
    for tree in trees:
        for path, blob in flatten(tree):
            if path.startswith("run/"):
                names.add(path.removeprefix("run/").removesuffix(".jsonl"))
            elif path.startswith("revision/"):
                names.add("@".join(path.removeprefix("revision/").removesuffix(".jsonl").rsplit("/", 1)))
            elif path.startswith("collections/") or (tree is not trees[0] and "@" not in path):
                data = blob_data(git, blob)
                names |= {match.decode() for match in _DATASET.findall(data)}
                names |= {line.strip(b" -\"'").decode("utf-8", "replace") for line in data.splitlines()}
    if repository.usage_log is not None:
        names |= {name for usage in read_usage(repository) for name in (usage.revision, usage.run)}
    return names


def _time(marker: Marker) -> str:
    return f"{marker.recorded:%Y-%m-%dT%H:%M:%SZ}"
