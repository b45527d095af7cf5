"""The state of a day: verbs of `DataRepo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from blastgit.api.session import Session
    from blastgit.releases.asof import AsOf, Since
    from blastgit.releases.cite import Cited


def asof(session: Session, /, day: str | datetime, collection: str = "", *, names: Sequence[str] = ()) -> AsOf:
    """Return the state of a day: data, the calibrations that were valid and the flags, by the collections as they were.

    Args:
        day: A day (its end, UTC), or a moment; one without a zone is UTC.
        collection: The collection that says which datasets; "" for all transients, and all that was certified.
        names: Patterns of transients; none for all.

    Raises:
        InvalidName: It is not a day.
        InvalidInput: It lies in the future.
        NotFound: The collection did not exist then, or there was nothing at all.
    """
    from blastgit.releases.asof import as_of

    return as_of(session.repository, day, collection, names)


def asof_since(session: Session, /, then: AsOf, *, names: Sequence[str] = ()) -> Since:
    """Compare what `asof` returned with the present state.

    Raises:
        NotFound: The collection is gone, or is empty now.
    """
    from blastgit.releases.asof import since

    return since(session.repository, then, names)


def asof_cited(session: Session, /, state: AsOf) -> Cited:
    """Return how what `asof` returned is cited."""
    from blastgit.releases.asof import cited

    return cited(session.repository, state)
