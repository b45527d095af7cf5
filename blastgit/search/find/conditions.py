"""Turn criteria into SQL conditions on rows of `revisions`; values are passed as parameters, never as text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from blastgit.search.find.criteria import Criteria, begin_of, end_of
from blastgit.search.sky.angles import read_dec, read_ra, read_radius
from blastgit.search.sky.region import read_region
from blastgit.search.sky.sql import Place, in_circle, separation

_PLACE = Place("ra_deg", "dec_deg", "healpix")
_PLACES = ("revision", "transient", "run", "file")
_CHECKSUM = "m.name[8:]"  # of `sha256:0123…`
_CHANGES = {"hosts": "host", "cutout": "cutout_cdn", "cutouts": "cutout_cdn", "sed_files": "sed_output"}
"""Synonyms for what may have changed."""


Listed = Sequence[tuple[str, int | None]] | None
"""Transients, or revisions by their numbers."""


@dataclass
class Values:
    """The parameters of a query under construction."""

    given: dict[str, Any] = field(default_factory=dict)

    def __call__(self, value: object) -> str:
        """Add a value, and return its placeholder."""
        name = f"_{len(self.given)}"
        self.given[name] = value
        return f"${name}"


def scope(wanted: Criteria, values: Values, listed: Listed = None) -> list[str]:
    """Return the conditions that select the revisions to search; none means the latest of each transient.

    Args:
        wanted: The criteria.
        values: The parameters of the query.
        listed: The transients or revisions of `wanted.among`, by their names in this repo.
    """
    found = []
    if wanted.at is not None:
        found.append(f"export_time <= {values(end_of(wanted.at))}")
    if wanted.run is not None:
        found.append(_among("holdings", f"run = {values(wanted.run)}"))
    if listed is not None and any(number is not None for _, number in listed):
        found.append(f"({_numbered(listed, values)} OR {_named(listed, values)})")
    if wanted.app_version is not None:
        found.append(_by_version(values(wanted.app_version)))
    if wanted.collection is not None:
        valid = "" if wanted.at is None else f" AND {_is_valid(values(end_of(wanted.at)))}"
        found.append(_among("members", f"collection = {values(wanted.collection)} AND NOT is_personal{valid}"))
    return found


def _is_valid(time: str) -> str:
    """Return the SQL for whether a member is valid at a time; one without validity always is."""
    return f"coalesce(valid_from <= {time}, true) AND coalesce({time} < valid_until, true)"


def filters(wanted: Criteria, values: Values, said: Collection[str]) -> Iterator[str]:
    """Yield the conditions that these revisions must fulfil, except those on the position.

    Args:
        wanted: The criteria.
        values: The parameters of the query.
        said: The kinds of subjects that have annotations; the others need not be searched.
    """
    if wanted.since is not None:
        yield f"export_time >= {values(begin_of(wanted.since))}"
    if wanted.name is not None:
        yield f"lower(transient) GLOB lower({values(wanted.name)})"
    if wanted.alias is not None:
        yield _among("aliases", f"lower(alias) GLOB lower({values(wanted.alias)})")
    low, high = wanted.redshifts
    if low is not None:
        yield f"best_redshift >= {values(low)}"
    if high is not None:
        yield f"best_redshift <= {values(high)}"
    for state, stage in (("failed", wanted.failed), ("out of date", wanted.out_of_date)):
        if stage is not None:
            which = "" if stage == "any" else f" AND stage = {values(stage)}"
            yield _among("stages", f"state = '{state}'{which}")
    if wanted.changed is not None:
        what = values(_CHANGES.get(wanted.changed, wanted.changed))
        yield _among("changes", f"what = {what} OR starts_with(what, {what} || '/') OR what GLOB {what}")
    for flag in wanted.flags:
        yield _marked(flag, "flags", said, lambda flag: _flag(flag, values))
    for flag in wanted.inherited:
        name = flag.removeprefix("!")
        own = _marked(name, "flags", said, lambda flag: _flag(flag, values))
        reached = _among("inherited_flags m", _flag(name, values))
        yield f"{'NOT ' if flag.startswith('!') else ''}({own} OR {reached})"
    for tag in wanted.tags:
        yield _marked(tag, "annotations", said, lambda tag: _tag(tag, values))


def on_sky(wanted: Criteria) -> Iterator[str]:
    """Yield the conditions on the position."""
    if wanted.cone is not None:
        yield in_circle(_PLACE, *centre(wanted))
    if wanted.region is not None:
        region = read_region(wanted.region) if isinstance(wanted.region, str) else wanted.region
        yield region.sql(_PLACE)


def distance(wanted: Criteria) -> str:
    """Return the SQL of the separation from the centre of the cone in arcseconds."""
    ra, dec, _ = centre(wanted)
    return f"3600 * {separation(_PLACE, Place(repr(ra), repr(dec)))}"


def centre(wanted: Criteria) -> tuple[float, float, float]:
    """Return right ascension, declination and radius of the cone in degrees."""
    assert wanted.cone is not None
    ra, dec, radius = wanted.cone
    return read_ra(ra), read_dec(dec), read_radius(radius)


def _by_version(version: str) -> str:
    same = f"ltrim(app_version, 'v') = ltrim({version}, 'v')"
    return f"({same} OR {_among('reproductions', same)})"


def among(listed: Listed, values: Values) -> Iterator[str]:
    """Yield the condition that a transient is in the list, unless `scope` has it."""
    if listed is not None and all(number is None for _, number in listed):
        yield _named(listed, values)


def _named(listed: Sequence[tuple[str, int | None]], values: Values) -> str:
    return f"list_contains({values([name for name, number in listed if number is None])}::VARCHAR[], transient)"


def _numbered(listed: Sequence[tuple[str, int | None]], values: Values) -> str:
    names = [f"{name}@{number}" for name, number in listed if number is not None]
    return f"list_contains({values(names)}::VARCHAR[], dataset)"


def _flag(flag: str, values: Values) -> str:
    return "m.is_disputed" if flag == "disputed" else f"m.flag = {values(flag)}"


def _tag(tag: str, values: Values) -> str:
    return f"m.state = 'current' AND contains(m.tags, {values(f' {tag} ')})"


def _marked(mark: str, table: str, said: Collection[str], test_of: Callable[[str], str]) -> str:
    """Return the SQL for whether a flag or tag was given to a revision itself, its transient, its run or a file."""
    kinds = [kind for kind in _PLACES if kind in said]
    test = test_of(mark.removeprefix("!")) if kinds else ""  # else it would add a value that the query does not use

    def names(column: str, kind: str) -> str:
        return f"(SELECT {column} FROM {table} m WHERE m.kind = '{kind}' AND {test})"  # noqa: S608

    anywhere = {
        "revision": _among(f"{table} m", f"m.kind = 'revision' AND {test}"),
        "transient": f"transient IN {names('m.transient', 'transient')}",
        "run": f"coalesce(run IN {names('m.name', 'run')}, false)",
        "file": _among("files", f"sha256 IN {names(_CHECKSUM, 'file')}"),
    }
    found = " OR ".join(anywhere[kind] for kind in kinds)
    return f"{'NOT ' if mark.startswith('!') else ''}({found or 'false'})"


def _among(table: str, test: str) -> str:
    return f"(transient, revision) IN (SELECT transient, revision FROM {table} WHERE {test})"  # noqa: S608
