"""The state of a repo on a given day: verbs of `DataRepo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from blastgit.api.session import Session
    from blastgit.releases.asof import AsOf, Since
    from blastgit.releases.cite import Cited


def asof(session: Session, /, day: str | datetime, collection: str = "", *, names: Sequence[str] = ()) -> AsOf:
    """Return the state of a day: the data, the valid calibrations and the flags, using the collections as of then.

    Args:
        day: A day (its end, UTC) or a time; without a zone it is UTC.
        collection: The collection that selects datasets; "" for all transients and all certified datasets.
        names: Patterns of transients; none for all.

    Raises:
        InvalidName: It is not a day.
        InvalidInput: It lies in the future.
        NotFound: The collection did not exist then, or the repo was empty.
    """
    from blastgit.releases.asof import as_of

    return as_of(session.repository, day, collection, names)


def asof_since(session: Session, /, then: AsOf, *, names: Sequence[str] = ()) -> Since:
    """Compare what `asof` returned with the present state.

    Raises:
        NotFound: The collection is gone or empty now.
    """
    from blastgit.releases.asof import since

    return since(session.repository, then, names)


def asof_cited(session: Session, /, state: AsOf) -> Cited:
    """Return the citation of a state that `asof` returned."""
    from blastgit.releases.asof import cited

    return cited(session.repository, state)
