"""Find what is related to transients: hosts, images, filters, other transients of the host, neighbours on the sky."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from blastgit.errors import InvalidInput, NotFound, UsageError
from blastgit.index.described import plain
from blastgit.naming.names import parse_spec
from blastgit.naming.nearest import did_you_mean

if TYPE_CHECKING:
    from blastgit.index.open_index import OpenIndex

KINDS = ("host", "cutout", "filter", "same-host", "neighbour")
"""The kinds of relations."""

_ANGLE = re.compile(r"([0-9.eE+-]+)\s*(deg|arcmin|arcsec)?")
_DEGREES = {None: 1.0, "deg": 1.0, "arcmin": 1 / 60, "arcsec": 1 / 3600}

_STATE = """
WITH wanted AS (SELECT unnest($names) AS transient, unnest($numbers) AS revision),
state AS (
    SELECT r.* FROM wanted w JOIN revisions r
    ON r.transient = w.transient AND (r.revision = w.revision OR (w.revision IS NULL AND r.is_latest)))
"""

_QUERIES = {
    "host": """
        SELECT s.transient, h.host, h.ra_deg, h.dec_deg, h.redshift, s.dataset || ':host' AS dataset
        FROM state s JOIN hosts h USING (transient, revision) ORDER BY ALL""",
    "cutout": """
        SELECT s.transient, s.dataset || ':' || f.path AS target, f.survey, f.filter
        FROM state s JOIN files f USING (transient, revision)
        WHERE f.kind = 'cutout' AND NOT f.is_withdrawn ORDER BY ALL""",
    "filter": """
        SELECT s.transient, f.filter, any_value(f.survey) AS survey,
               bool_or(f.is_image) AS has_image, NOT bool_and(f.is_image) AS has_photometry
        FROM state s JOIN (
            SELECT transient, revision, filter, survey, true AS is_image FROM cutouts WHERE path IS NOT NULL
            UNION ALL
            SELECT p.transient, p.revision, p.filter, i.survey, false
            FROM photometry p LEFT JOIN filters i USING (filter)
        ) f USING (transient, revision) GROUP BY s.transient, f.filter ORDER BY ALL""",
    "same-host": """
        , same AS (
            SELECT s.transient, o.transient AS target, o.host
            FROM state s JOIN hosts h USING (transient, revision) JOIN hosts o ON o.host = h.host
            WHERE o.is_latest AND o.transient <> s.transient
            UNION
            SELECT s.transient, o.transient, o.host FROM state s JOIN hosts h USING (transient, revision)
            JOIN hosts o ON o.catalog_name = h.catalog_name AND o.object_id = h.object_id
            WHERE o.is_latest AND o.transient <> s.transient)
        SELECT * FROM same ORDER BY ALL""",
    "neighbour": """
        , near AS (
            SELECT s.transient, t.transient AS target, t.ra_deg, t.dec_deg, 7200 * degrees(asin(least(1, sqrt(
                pow(sin(radians(t.dec_deg - s.dec_deg) / 2), 2)
                + cos(radians(s.dec_deg)) * cos(radians(t.dec_deg)) * pow(sin(radians(t.ra_deg - s.ra_deg) / 2), 2)
            )))) AS separation_arcsec
            FROM state s JOIN transients t
            ON t.dec_deg BETWEEN s.dec_deg - $radius AND s.dec_deg + $radius AND t.transient <> s.transient)
        SELECT * FROM near WHERE separation_arcsec <= 3600 * $radius ORDER BY transient, separation_arcsec, target""",
}


@dataclass(frozen=True)
class Relation:
    """A relation of a transient to something.

    Attributes:
        transient: The transient.
        kind: One of `KINDS`.
        target: The name of a host, a file (`2026dgt@1:cutout_cdn/DES/DES_z.fits`), a filter, a transient.
        facts: Other facts about it, such as `separation_arcsec`.
    """

    transient: str
    kind: str
    target: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"transient": self.transient, "relation": self.kind, "target": self.target, **self.facts}


def related(
    index: OpenIndex, asked: Sequence[str], kinds: Iterable[str], radius: float | None = None
) -> list[Relation]:
    """Return what is related to some transients.

    Args:
        index: The index.
        asked: The transients: `NAME` for the latest revision, `NAME@N`, or another name of one.
        kinds: Which of `KINDS`.
        radius: The radius for neighbours, in degrees.

    Raises:
        NotFound: A transient or revision does not exist.
        UsageError: A kind is unknown, or the radius for neighbours is missing.
    """
    wanted = list(dict.fromkeys(kinds))
    for kind in wanted:
        if kind not in _QUERIES:
            raise UsageError(f"{kind!r} is not a kind of relation: {', '.join(KINDS)}")
    if not asked:
        raise UsageError("related to what? Name a transient at least")
    params = checked(index, asked)
    found: list[Relation] = []
    for kind in wanted:
        more = {"radius": _radius(radius)} if kind == "neighbour" else {}
        found += _ask(index, kind, {**params, **more})
    order = {name: place for place, name in enumerate(params["names"])}
    places = {kind: place for place, kind in enumerate(wanted)}
    return sorted(found, key=lambda each: (order[each.transient], places[each.kind]))


def read_angle(text: str) -> float:
    """Return an angle such as `30arcsec`, `2arcmin` or `0.1deg` in degrees; a plain number is in degrees.

    Raises:
        InvalidInput: It is not an angle, or out of range.
    """
    match = _ANGLE.fullmatch(text.strip())
    try:
        value = float(match[1]) * _DEGREES[match[2]] if match else math.nan
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise InvalidInput(f"{text[:80]!r} is not an angle: write it like 30arcsec, 2arcmin or 0.1deg")
    return _radius(value)


def _radius(value: float | None) -> float:
    if value is None:
        raise UsageError("neighbours within which radius? Give one")
    if not 0 <= value <= 180:
        raise InvalidInput(f"a radius of {value:g} degrees is out of range: from 0 to 180")
    return value


def _ask(index: OpenIndex, kind: str, params: Mapping[str, Any]) -> Iterator[Relation]:
    result = index.query(_STATE + _QUERIES[kind], params)
    names = [column.name for column in plain(result.columns)]
    for transient, target, *rest in result:
        yield Relation(transient, kind, target, dict(zip(names[2:], rest, strict=True)))


def checked(index: OpenIndex, asked: Sequence[str]) -> dict[str, list[Any]]:
    """Return the names and revision numbers of transients, with other names replaced by those in this repo.

    Raises:
        NotFound: A transient or revision does not exist.
        UsageError: A text is something else.
    """
    specs = [parse_spec(text) for text in asked]
    for spec, text in zip(specs, asked, strict=True):
        if not (spec.is_latest or spec.number is not None) or spec.path or spec.stage:
            raise UsageError(f"{text!r} is not a transient or revision by its number: write NAME, or NAME@N")
    names = list(dict.fromkeys(spec.name for spec in specs))
    known = {
        name
        for (name,) in index.query("SELECT transient FROM transients WHERE transient IN (SELECT unnest(?))", [names])
    }
    others = {name: _other_name(index, name) for name in names if name not in known}
    pairs = list(dict.fromkeys((others.get(spec.name, spec.name), spec.number) for spec in specs))
    numbered = [(name, number) for name, number in pairs if number is not None]
    if numbered:
        listed = index.query(
            "SELECT transient, revision FROM revisions WHERE transient IN (SELECT unnest(?))",
            [[name for name, _ in numbered]],
        )
        lacking = [pair for pair in numbered if pair not in set(listed.rows)]
        if lacking:
            raise NotFound(f"{lacking[0][0]} has no revision {lacking[0][1]}")
    return {"names": [name for name, _ in pairs], "numbers": [number for _, number in pairs]}


def _other_name(index: OpenIndex, name: str) -> str:
    """Return the transient that has a name as an alias.

    Raises:
        NotFound: It does not exist, or several.
    """
    found = index.query(
        "SELECT DISTINCT transient FROM aliases WHERE is_latest AND kind <> 'host' AND lower(alias) = lower(?)", [name]
    ).rows
    if len(found) == 1:
        return str(found[0][0])
    names = [each for (each,) in index.query("SELECT transient FROM transients")]
    raise NotFound(f"there is no transient {name}{did_you_mean(name, names)}")
