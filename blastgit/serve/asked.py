"""The query of the search page: the search box and the facets, translated into SQL, ADQL and Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from blastgit.errors import InvalidInput
from blastgit.search.sky.angles import read_dec, read_ra, read_radius
from blastgit.search.sky.sql import Place, in_circle, separation

_PLACE = Place("ra_deg", "dec_deg", "healpix")
_RADIUS = "1arcmin"
_PREFIX = re.compile(r"(?:at|sn)\s*(?=\d{4}[a-z]|\d{3,4}[A-Z])", re.IGNORECASE)
_SPACED = re.compile(r"(\d+)\s+(\d+)\s+([\d.]+)[\s,]+([+-]\d+)\s+(\d+)\s+([\d.]+)(?:[\s,]+(\S+))?")
_SEPARATION = "separation_arcsec"

REDSHIFTS = {"..0.01": (None, 0.01), "0.01..0.05": (0.01, 0.05), "0.05..0.1": (0.05, 0.1), "0.1..0.3": (0.1, 0.3),
             "0.3..": (0.3, None)}  # fmt: skip
SORTS = {
    "transient": "transient", "z": "best_redshift", "class": "spectroscopic_class", "version": "app_version",
    "date": "export_time", "revision": "revision", "ra": "ra_deg", "dec": "dec_deg", "separation": _SEPARATION,
}  # fmt: skip
FACETS = ("z", "class", "version", "status", "flag", "changed")


@dataclass(frozen=True)
class Cone:
    """A circle on the sky, in degrees."""

    ra: float
    dec: float
    radius: float


@dataclass(frozen=True)
class Asked:
    """The query of the search page.

    Attributes:
        text: The text in the search box.
        facets: The chosen value of each facet, by the name of the facet.
        cone: The circle, if the text is one.
        word: The name or a part of one, if the text is not a circle.
        sort: A key of `SORTS`, by which the result is sorted; a `-` before it reverses the order.
    """

    text: str = ""
    facets: Mapping[str, str] = field(default_factory=dict)
    cone: Cone | None = None
    word: str = ""
    sort: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether the query has no condition, so that every transient matches."""
        return not (self.cone or self.word or self.facets)

    def where(self, without: str = "") -> tuple[str, list[object]]:
        """Return the condition on rows of `transients`, and its parameters; the facet `without` is left out."""
        tests: list[str] = []
        values: list[object] = []
        if self.cone:
            tests.append(in_circle(_PLACE, self.cone.ra, self.cone.dec, self.cone.radius))
        if self.word:
            tests.append(
                "(contains(lower(transient), ?) OR transient IN "
                "(SELECT transient FROM aliases WHERE is_latest AND contains(lower(alias), ?)))"
            )
            values += [self.word.lower()] * 2
        for name, value in self.facets.items():
            if name != without:
                test, given = _facet(name, value)
                tests.append(test)
                values += given
        return (" AND ".join(tests) or "true"), values

    @property
    def order(self) -> str:
        """The `ORDER BY` of the SQL query."""
        name = self.sort.lstrip("-")
        column = SORTS.get(name) or (_SEPARATION if self.cone else "")
        if not column or (column == _SEPARATION and not self.cone):
            return "export_time DESC, transient" if self.is_empty else "transient"
        return f"{column} {'DESC' if self.sort.startswith('-') else 'ASC'} NULLS LAST, transient"

    @property
    def columns(self) -> str:
        """The additional column of the SQL query: the distance from the centre of the circle, if there is one."""
        if not self.cone:
            return ""
        return f", 3600 * {separation(_PLACE, Place(repr(self.cone.ra), repr(self.cone.dec)))} AS {_SEPARATION}"

    def adql(self) -> str:
        """Return the same query in ADQL, for the TAP service."""
        tests = []
        if self.cone:
            circle = f"CIRCLE({self.cone.ra:.6f}, {self.cone.dec:.6f}, {self.cone.radius:.6g})"
            tests.append(f"1 = CONTAINS(POINT(ra_deg, dec_deg), {circle})")
        if self.word:
            tests.append(f"LOWER(transient) LIKE '%{_quoted(self.word.lower())}%'")
        for name, value in self.facets.items():
            tests.append(_facet_adql(name, value))
        where = f"\nWHERE {' AND '.join(tests)}" if tests else ""
        return f"SELECT transient, revision, ra_deg, dec_deg, best_redshift\nFROM blastgit.transients{where}"

    def python(self, repo: str) -> str:
        """Return the same query as Python code."""
        given = []
        if self.cone:
            given.append(f"cone=({self.cone.ra:.6f}, {self.cone.dec:.6f}, {self.cone.radius:.6g})")
        if self.word:
            given.append(f"name={f'*{self.word}*'!r}")
        for name, value in self.facets.items():
            given.append(_facet_python(name, value))
        return f"from blastgit import DataRepo\n\nfound = DataRepo({repo!r}).find({', '.join(given)})\nfound.to_table()"


def read_asked(text: str, facets: Mapping[str, str], sort: str = "") -> Asked:
    """Parse a query: a position with a radius, or a name, TNS name with or without AT and SN, alias, or part of one.

    Raises:
        InvalidInput: The text looks like a position, but is not a valid one.
    """
    trimmed = " ".join(text.split())[:200]
    chosen = {name: value for name, value in facets.items() if name in FACETS and value}
    cone = _cone(trimmed)
    word = "" if cone else _PREFIX.sub("", trimmed, count=1) if _PREFIX.match(trimmed) else trimmed
    return Asked(trimmed, chosen, cone, word, sort if sort.lstrip("-") in SORTS else "")


def _cone(text: str) -> Cone | None:
    spaced = _SPACED.fullmatch(text)
    if spaced:
        ra, dec = ":".join(spaced.group(1, 2, 3)), ":".join(spaced.group(4, 5, 6))
        words = [ra, dec, spaced.group(7) or _RADIUS]
    else:
        words = text.replace(",", " ").split()
    if len(words) not in (2, 3) or not all(re.match(r"[+\-\N{MINUS SIGN}]?[\d.]", each) for each in words[:2]):
        return None
    try:
        return Cone(read_ra(words[0]), read_dec(words[1]), read_radius(words[2] if len(words) == 3 else _RADIUS))
    except InvalidInput as error:
        raise InvalidInput(f"{error}; a position is RA Dec radius, such as 150.1 -2.2 30arcsec") from None


def _facet(name: str, value: str) -> tuple[str, list[object]]:
    return _TESTS[name](value)


def _by_redshift(value: str) -> tuple[str, list[object]]:
    low, high = _redshift(value)
    tests = ["best_redshift >= ?"] if low is not None else []
    tests += ["best_redshift < ?"] if high is not None else []
    return (" AND ".join(tests) or "best_redshift IS NULL"), [each for each in (low, high) if each is not None]


def _by_class(value: str) -> tuple[str, list[object]]:
    return ("spectroscopic_class IS NULL", []) if value == "none" else ("spectroscopic_class = ?", [value])


def _by_status(value: str) -> tuple[str, list[object]]:
    """Return the condition of how a workflow ended: `complete`, `incomplete`, or the first word of its status."""
    if value in ("complete", "incomplete"):
        return ("is_complete" if value == "complete" else "NOT is_complete"), []
    return "starts_with(status, ?)", [f"{value}:"]


def _by_flag(value: str) -> tuple[str, list[object]]:
    kinds = "kind IN ('revision', 'transient') AND part IS NULL AND transient IS NOT NULL"
    return f"transient IN (SELECT transient FROM flags WHERE {kinds} AND flag = ?)", [value]  # noqa: S608


def _by_change(value: str) -> tuple[str, list[object]]:
    found = "SELECT transient, revision FROM changes WHERE what = ? OR starts_with(what, ?)"
    return f"(transient, revision) IN ({found})", [value, f"{value}/"]


_TESTS: dict[str, Callable[[str], tuple[str, list[object]]]] = {
    "z": _by_redshift, "class": _by_class, "version": lambda value: ("app_version = ?", [value]),
    "status": _by_status, "flag": _by_flag, "changed": _by_change,
}  # fmt: skip
"""The condition of each facet on a row of `transients`, and its parameters."""


def _redshift(value: str) -> tuple[float | None, float | None]:
    if value in REDSHIFTS:
        return REDSHIFTS[value]
    low, dots, high = value.partition("..")
    try:
        return (float(low) if low else None), (float(high) if high else None) if dots else None
    except ValueError:
        return None, None


def _facet_adql(name: str, value: str) -> str:
    if name == "z":
        low, high = _redshift(value)
        parts = [f"best_redshift >= {low:g}"] if low is not None else []
        parts += [f"best_redshift < {high:g}"] if high is not None else []
        return " AND ".join(parts) or "best_redshift IS NULL"
    column = {"class": "spectroscopic_class", "version": "app_version"}.get(name)
    if column:
        return f"{column} IS NULL" if value == "none" else f"{column} = '{_quoted(value)}'"
    if name == "status":
        if value in ("complete", "incomplete"):
            return f"status {'=' if value == 'complete' else '<>'} 'complete'"
        return f"status LIKE '{_quoted(value)}:%'"
    if name == "flag":
        return f"transient IN (SELECT transient FROM blastgit.flags WHERE flag = '{_quoted(value)}')"  # noqa: S608
    changed = f"SELECT transient FROM blastgit.changes WHERE is_latest AND what LIKE '{_quoted(value)}%'"  # noqa: S608
    return f"transient IN ({changed})"


def _facet_python(name: str, value: str) -> str:
    if name == "z":
        return f"redshift={value!r}"
    if name == "version":
        return f"app_version={value!r}"
    if name == "flag":
        return f"flags={value!r}"
    if name == "changed":
        return f"changed={value!r}"
    return f"where={_facet_adql(name, value)!r}"


def _quoted(text: str) -> str:
    return text.replace("'", "''")
