"""The criteria of a search."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from blastgit.errors import InvalidInput, UsageError
from blastgit.index.rows import naive
from blastgit.naming.names import read_instant
from blastgit.search.sky.region import Region

_RANGE = re.compile(r"\s*(?P<low>[^\s.]\S*?)?\s*\.\.\s*(?P<high>\S+)?\s*")

Time = datetime | str | None
Angle = float | str


@dataclass(frozen=True)
class Criteria:
    """The criteria of a search, all of which must be met.

    `at`, `run`, `app_version` and `collection` select the revisions to search: of each transient the highest one that
    meets them (by default the latest), or with `all_revisions` every one. The other criteria are applied to these.

    Attributes:
        cone: Right ascension, declination and radius: in degrees, or as text with units or sexagesimal.
        region: A MOC, polygon or circle: as text, or as read from a file by `blastgit.search.sky.region.load_region`.
        at: Only revisions that Blast had exported by then; a date means its end.
        since: Only revisions exported then or later.
        name: A shell pattern of transients, ignoring case.
        alias: A shell pattern of other names of the transient or its host, ignoring case.
        among: A list of transients, by any name, or revisions (`NAME@N`), made elsewhere.
        redshift: The least and the greatest best redshift, or `0.01..0.1`, `..0.1`, `0.01..`.
        where: A condition in SQL, on the columns of `revisions`, `hosts.…`, `sed_global.…`, `sed_local.…`,
            `metrics['…']`, and `saved.…` (the columns of the saved query).
        flags: Quality flags that hold for the revision, its transient, its run or a file of it; `!bad`: that do not.
        inherited: Quality flags, likewise, that hold for the host, a filter or another reference that the revision was
            made with, or for itself as with `flags`.
        tags: Tags, likewise.
        collection: A collection that contains the revision or a file of it.
        run: The RUN into which the revision was born, or which reproduced it.
        app_version: The version of Blast that made or reproduced it.
        failed: A stage that failed; `any` for any stage.
        out_of_date: A stage whose results are out of date; `any` for any stage.
        changed: What differs from the previous revision: `sed`, `sed/local`, `photometry`, `host`, a path, a pattern.
        query: A saved query whose result must contain the transient or revision.
        params: Values of its parameters.
        all_revisions: Search every revision, not only one of each transient.
        columns: The columns of the result; by default the usual ones.
        limit: The most revisions to return.
    """

    cone: tuple[Angle, Angle, Angle] | None = None
    region: str | Region | None = None
    at: Time = None
    since: Time = None
    name: str | None = None
    alias: str | None = None
    among: tuple[str, ...] | None = None
    redshift: tuple[float | None, float | None] | str | None = None
    where: str | None = None
    flags: tuple[str, ...] = ()
    inherited: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    collection: str | None = None
    run: str | None = None
    app_version: str | None = None
    failed: str | None = None
    out_of_date: str | None = None
    changed: str | None = None
    query: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    all_revisions: bool = False
    columns: tuple[str, ...] = ()
    limit: int | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without the data.

        Raises:
            UsageError: The limit is not valid, or parameters are given without a query.
        """
        for name in ("flags", "inherited", "tags", "columns", "among"):
            value = getattr(self, name)
            if isinstance(value, str):
                object.__setattr__(self, name, (value,))
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"a limit is 1 or more, not {self.limit}")
        if self.params and self.query is None:
            raise UsageError("parameters need a saved query: name one")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Criteria:
        """Return criteria by their names.

        Raises:
            UsageError: A criterion does not exist.
        """
        known = [each.name for each in fields(cls)]
        stray = [name for name in given if name not in known]
        if stray:
            raise UsageError(f"there is no criterion {stray[0]!r}: {', '.join(known)}")
        return cls(**given)

    @property
    def is_query_alone(self) -> bool:
        """Whether a saved query is the only criterion."""
        return self.query is not None and self == Criteria(query=self.query, params=self.params, limit=self.limit)

    @property
    def redshifts(self) -> tuple[float | None, float | None]:
        """The least and the greatest redshift.

        Raises:
            InvalidInput: They are not numbers, or in the wrong order.
        """
        given = self.redshift
        if given is None:
            return None, None
        if isinstance(given, str):
            match = _RANGE.fullmatch(given)
            if match is None or not (match["low"] or match["high"]):
                raise InvalidInput(f"{given[:80]!r} is not a range of redshifts: write 0.01..0.1, ..0.1 or 0.01..")
            given = (_number(match["low"]), _number(match["high"]))
        low, high = (None if each is None else _number(each) for each in given)
        if low is not None and high is not None and low > high:
            raise InvalidInput(
                f"a range of redshifts goes from the least to the greatest, not from {low:g} to {high:g}"
            )
        return low, high


def end_of(time: datetime | str) -> datetime:
    """Return a time in the form of the index; for a date, the end of that day.

    Raises:
        InvalidName: It is not a time.
    """
    return _instant(time, is_end=True)


def begin_of(time: datetime | str) -> datetime:
    """Return a time in the form of the index; for a date, the beginning of that day.

    Raises:
        InvalidName: It is not a time.
    """
    return _instant(time, is_end=False)


def _instant(time: datetime | str, *, is_end: bool) -> datetime:
    if isinstance(time, datetime):
        return naive(time)
    is_date = re.fullmatch(r"\d{4}-\d\d-\d\d", time) is not None
    return naive(read_instant(time if is_end or not is_date else f"{time}T00:00"))


def _number(text: float | str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except (TypeError, ValueError):
        raise InvalidInput(f"{str(text)[:80]!r} is not a redshift: write 0.01..0.1") from None
    if not math.isfinite(value):
        raise InvalidInput(f"{value} is not a redshift")
    return value
