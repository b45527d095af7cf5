"""The states of transients when they were last recorded, for restoring the ledger after the cache was emptied."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from blastgit.contrib.blast.standing import Standing, standing_of
from blastgit.errors import BlastgitError
from blastgit.naming.refs import BRANCHES
from blastgit.repository.drafts import Drafts, drafted
from blastgit.repository.history import History
from blastgit.repository.local import LocalRepository
from blastgit.repository.location import local_path


def published_standings(location: str, names: Collection[str]) -> Iterator[Standing]:
    """Yield the states of transients in their latest documents in a data repo, including drafts.

    For a remote data repo nothing is yielded: fetching the documents would take longer than recording the transients
    again.

    Raises:
        RepoError: The data repo does not exist.
    """
    folder = local_path(location)
    if folder is None or not names:
        return
    repository = LocalRepository(folder)
    history = History(repository)
    there = {ref.removeprefix(BRANCHES) for ref in repository.branches()} | set(drafted(repository))
    for name in sorted(there.intersection(names)):
        try:
            state = Drafts(repository, name).open() or history.latest(name)
            if state is not None:
                yield standing_of(json.loads(state.dr_bytes))
        except (BlastgitError, KeyError, TypeError, ValueError):
            continue  # it is treated as never recorded; recording it then reports the damage
