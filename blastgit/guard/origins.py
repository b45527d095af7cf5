"""Check the stated origin of a pushed marker: a fork, a promotion, a former name, the collections it read."""

from __future__ import annotations

from collections.abc import Callable

import pygit2

from blastgit.checks.trailers import promotion_faults
from blastgit.errors import BlastgitError, Denied
from blastgit.guard.deny import deny
from blastgit.guard.quarantine import Quarantine
from blastgit.naming.names import parse_spec
from blastgit.naming.refs import MAIN, Line, branch_ref, place
from blastgit.naming.trailers import Trailer, read_used
from blastgit.repository.commits import Marker, Snapshot
from blastgit.repository.renames import Renames

Tagged = Callable[[Line, int], str | None]
"""Returns the commit of a line's revision, after the push; None if it does not exist."""


def check_origins(repo: Quarantine, line: Line, marker: Marker, fork: str, tagged: Tagged) -> None:
    """Check that all that a marker refers to is here, and is what it says.

    Args:
        repo: The data repo.
        line: The line that the marker is pushed to.
        marker: The commit.
        fork: The revision that the line forks from, as far as that was seen; else "".
        tagged: Which revisions there are.

    Raises:
        Denied: With the trailer that does not say the truth.
    """
    said = marker.trailers
    if "Forked-From" in said and said["Forked-From"] != fork:
        raise Denied(f"its trailer Forked-From says {said['Forked-From']}, and it forks from {fork or 'nothing here'}")
    if Trailer.PROMOTED_FROM in said:
        _check_promotion(repo, line, marker, tagged)
    if "Formerly" in said:
        _check_former_name(repo, line, said["Formerly"], tagged)
    for used in read_used(said):
        if _revision(used, tagged) is None:
            raise Denied(f"its trailer Used names {used}, which is not here: push that first, or with it")
    if "Collections-At" in said:
        _check_main(repo, said["Collections-At"])


def _check_promotion(repo: Quarantine, line: Line, marker: Marker, tagged: Tagged) -> None:
    """Check that the source of a promotion is here and has the same document."""
    deny(promotion_faults(str(line), marker))
    origin = marker.trailers[Trailer.PROMOTED_FROM]
    commit = _revision(origin, tagged)
    if commit is None:
        raise Denied(f"its trailer Promoted-From names {origin}, which is not here: push that first, or with it")
    if marker.number is None:
        return
    try:
        source = Snapshot(repo.git, origin.partition("@")[0], repo.commit(commit, origin)).dr
        promoted = Snapshot(repo.git, str(line), marker.commit).dr
    except BlastgitError as error:
        raise Denied(str(error)) from None
    if source.export.document != promoted.export.document:
        raise Denied(f"its trailer Promoted-From names {origin}, whose document has different content")


def _check_former_name(repo: Quarantine, line: Line, formerly: str, tagged: Tagged) -> None:
    former = formerly.partition("@")[0]
    if former not in Renames.of(repo.settings).former(line.name):
        raise Denied(f"its trailer Formerly names {formerly}, and by blastgit.yaml {line.name} was never called so")
    if _revision(formerly, tagged) is None:
        raise Denied(f"its trailer Formerly names {formerly}, which is not here: push that first, or with it")


def _check_main(repo: Quarantine, commit: str) -> None:
    """Check that a commit is on main. One unknown here may be from the repo that the data come from."""
    main = repo.ref(MAIN)
    oid = pygit2.Oid(hex=commit)
    if main is None or oid not in repo.git:
        return
    if not isinstance(repo.git[oid], pygit2.Commit) or not repo.is_ancestor(commit, main):
        raise Denied(f"its trailer Collections-At names {commit:.10}, which is not a commit of main")


def _revision(spec: str, tagged: Tagged) -> str | None:
    try:
        parsed = parse_spec(spec)
        line = place(branch_ref(parsed.name)).line
        number = int(spec.rpartition("@")[2])
    except (BlastgitError, ValueError):
        return None
    return None if line is None else tagged(line, number)
