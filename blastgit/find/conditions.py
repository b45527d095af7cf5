"""From criteria to conditions in SQL on rows of `revisions`; values are parameters, never part of the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from blastgit.errors import UsageError
from blastgit.find.criteria import Criteria, begin_of, end_of
from blastgit.sky.angles import read_dec, read_ra, read_radius
from blastgit.sky.sql import Place, in_circle, separation

_PLACE = Place("ra_deg", "dec_deg", "healpix")
_CHANGES = {"hosts": "host", "cutout": "cutout_cdn", "cutouts": "cutout_cdn", "sed_files": "sed_output"}
"""Other words for what may have changed."""


@dataclass
class Values:
    """The parameters of a query that is being put together."""

    given: dict[str, Any] = field(default_factory=dict)

    def __call__(self, value: object) -> str:
        """Return what stands for a value."""
        name = f"_{len(self.given)}"
        self.given[name] = value
        return f"${name}"


def scope(wanted: Criteria, values: Values) -> list[str]:
    """Return the conditions on revisions that are looked at; none means the latest of each transient."""
    found = []
    if wanted.at is not None:
        found.append(f"export_time <= {values(end_of(wanted.at))}")
    if wanted.run is not None:
        found.append(f"run = {values(wanted.run)}")
    if wanted.app_version is not None:
        found.append(_by_version(values(wanted.app_version)))
    if wanted.collection is not None:
        found.append(_among("members", f"collection = {values(wanted.collection)} AND NOT is_personal"))
    return found


def tests(wanted: Criteria, values: Values) -> Iterator[str]:
    """Yield the conditions that these must fulfil, those of the sky apart."""
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
    if wanted.failed is not None:
        which = "" if wanted.failed == "any" else f" AND stage = {values(wanted.failed)}"
        yield _among("stages", f"state = 'failed'{which}")
    if wanted.changed is not None:
        what = values(_CHANGES.get(wanted.changed, wanted.changed))
        yield _among("changes", f"what = {what} OR starts_with(what, {what} || '/') OR what GLOB {what}")
    for flag in wanted.flags:
        yield _marked("flags", _flag(flag.lstrip("!"), values), is_not=flag.startswith("!"))
    for tag in wanted.tags:
        word = values(f" {tag.lstrip('!')} ")
        yield _marked("annotations", f"m.state = 'current' AND contains(m.tags, {word})", is_not=tag.startswith("!"))


def on_sky(wanted: Criteria) -> Iterator[str]:
    """Yield the conditions on the position."""
    if wanted.cone is not None:
        yield in_circle(_PLACE, *centre(wanted))
    if wanted.region is not None:
        yield _region(wanted.region)


def distance(wanted: Criteria) -> str:
    """Return the separation from the centre of the cone in arcseconds."""
    ra, dec, _ = centre(wanted)
    return f"3600 * {separation(_PLACE, Place(repr(ra), repr(dec)))}"


def centre(wanted: Criteria) -> tuple[float, float, float]:
    """Return right ascension, declination and radius of the cone in degrees."""
    assert wanted.cone is not None
    ra, dec, radius = wanted.cone
    return read_ra(ra), read_dec(dec), read_radius(radius)


def _region(text: str) -> str:
    try:
        read: Any = import_module("blastgit.sky.region").read_region
    except ImportError:
        raise UsageError("regions cannot be asked for yet: give a cone") from None
    return str(read(text).sql(_PLACE))


def _by_version(version: str) -> str:
    same = f"ltrim(app_version, 'v') = ltrim({version}, 'v')"
    return f"({same} OR {_among('reproductions', same)})"


def _flag(flag: str, values: Values) -> str:
    return "m.is_disputed" if flag == "disputed" else f"m.flag = {values(flag)}"


def _marked(table: str, test: str, *, is_not: bool) -> str:
    """Return whether something was said of a revision, wherever: of itself, its transient, its run, a file of it."""
    named = {kind: f"(SELECT m.{column} FROM {table} m WHERE m.kind = '{kind}' AND {test})"  # noqa: S608
             for kind, column in (("transient", "transient"), ("run", "name"), ("file", "name"))}  # fmt: skip
    anywhere = (
        _among(f"{table} m", f"m.kind = 'revision' AND {test}"),
        f"transient IN {named['transient']}",
        f"coalesce(run IN {named['run']}, false)",
        _among("files", f"'sha256:' || sha256 IN {named['file']}"),
    )
    return f"{'NOT ' if is_not else ''}({' OR '.join(anywhere)})"


def _among(table: str, test: str) -> str:
    return f"(transient, revision) IN (SELECT transient, revision FROM {table} WHERE {test})"  # noqa: S608
