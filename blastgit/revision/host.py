"""Which host galaxy a row of an export is about: a key that is the same in all exports that carry the host."""

from __future__ import annotations

from collections.abc import Mapping

from blastgit.revision.document import Json

_CATALOGUE = ("catalog_name", "catalog_release", "object_id")
_PLACES = 5  # decimals of a degree; 1e-5 degree is 0.036 arcseconds, far less than the distance between two galaxies


def host_key(fields: Mapping[str, Json]) -> str:
    """Return the key of a host: its entry in a catalogue, else its name, else its position.

    An entry is `CATALOGUE/RELEASE/ID`; a position, in degrees, `J150.11630-02.20580`. "" if the row has none of these.
    """
    entry = [_word(fields.get(key)) for key in _CATALOGUE]
    if all(entry):
        return "/".join(entry)
    name = _word(fields.get("name"))
    if name:
        return name
    ra, dec = fields.get("ra_deg"), fields.get("dec_deg")
    if not isinstance(ra, int | float) or not isinstance(dec, int | float):
        return ""
    return f"J{round(ra, _PLACES) % 360:09.{_PLACES}f}{round(dec, _PLACES) + 0.0:+0{_PLACES + 4}.{_PLACES}f}"


def _word(value: Json) -> str:
    """Return a value as written in a key: one line without spaces around it."""
    return "" if value is None or isinstance(value, dict | list) else " ".join(str(value).split())
