"""Extract the rows of the tables from the document of one revision."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache

from blastgit.index.rows import Values, moment, number
from blastgit.index.tables import tables
from blastgit.repository.hosts import Hosts
from blastgit.revision.document import Json, restore_nonfinite
from blastgit.revision.normalise import host_name

_CLOSE = 0.02  # Blast uses the host's redshift for the transient's if they are this close
_ROOTS = re.compile(r"/data/(cutout_cdn|sed_output)/[^/]+/(.+)")
_KINDS = (
    (re.compile(r"cutout_cdn/(?P<survey>[^/]+)/(?P<filter>[^/]+)\.fits"), "cutout"),
    (re.compile(r"sed_output/.+_(?P<aperture>local|global)\.h5"), "sed_posterior"),
    (re.compile(r"sed_output/.+_(?P<aperture>local|global)_chain\.npz"), "sed_chain"),
    (re.compile(r"sed_output/.+_(?P<aperture>local|global)_perc\.npz"), "sed_percentiles"),
    (re.compile(r"sed_output/.+_(?P<aperture>local|global)_modeldata\.npz"), "sed_model"),
    (re.compile(r"cutout_cdn/(?P<survey>[^/]+)/(?P<filter>[^/]+)\.jpe?g"), "thumbnail"),
    (re.compile(r"sed_output/.+_(?P<aperture>local|global)\.jpe?g"), "thumbnail"),
)


def read_document(data: bytes) -> dict[str, Json]:
    """Parse a published document fast, without checks: it was checked when it was recorded.

    Anything may be raised for a document that is not valid.
    """
    try:
        import orjson

        document = orjson.loads(data)
    except (ImportError, ValueError):
        document = json.loads(data)
    if any(map(_is_large, _named_fields(document))):  # orjson reads an integer beyond 64 bits as a float
        document = json.loads(data)
    restore_nonfinite(document, document["metadata"].get("nonfinite", []))
    found: dict[str, Json] = document
    return found


def _named_fields(document: Mapping[str, Json]) -> Iterator[Json]:
    """Yield the values of the tables that have identifiers."""
    for table in ("transient", "host"):
        yield from ((document.get(table) or {}).get("fields") or {}).values()


def _is_large(value: Json) -> bool:
    return type(value) is float and not -(2.0**63) < value < 2.0**63


class Document:
    """The rows of one document, without the columns of the revision, and with HEALPix cells to be filled in later."""

    def __init__(self, document: Mapping[str, Json], hosts: Hosts | None = None) -> None:
        """Open a published document.

        Args:
            document: The document.
            hosts: The keys of hosts in this repo.
        """
        self._document = document
        self._keys = hosts or Hosts({})
        self._filters = {row["pk"]: row["fields"] for row in document["filters"]}
        self._surveys = {row["pk"]: row["fields"].get("name") for row in document["surveys"]}

    def transient(self) -> Values:
        """Return the part of the row of `revisions` that is from the document."""
        said = self._document["transient"]["fields"]
        host = (self._document["host"] or {}).get("fields", {})
        ra, dec = number(said.get("ra_deg")), number(said.get("dec_deg"))
        return (
            said.get("display_name") or None, ra, dec, None, said.get("tns_id"), said.get("tns_prefix"),
            moment(said.get("public_timestamp")), said.get("redshift"), _best_redshift(said, host),
            said.get("spectroscopic_class"), said.get("photometric_class"), said.get("milkyway_dust_reddening"),
            said.get("processing_status"), self._host_name(),
        )  # fmt: skip

    def tables(self) -> dict[str, list[Values]]:
        """Return the rows of all tables that depend only on the document."""
        return {
            "aliases": list(self._aliases()),
            "hosts": list(self._hosts()),
            "apertures": [self._aperture(each["fields"]) for each in self._document["apertures"]],
            "photometry": list(self._photometry()),
            "sed": list(self._sed()),
            "sfh": list(self._sfh()),
            "cutouts": [self._cutout(row["fields"]) for row in self._document["cutouts"]],
        }

    def filters(self) -> list[Values]:
        """Return the document's definition of each filter; the last column is the time of the export."""
        when = moment(self._document["metadata"]["export_time"])
        names = [column.name for column in tables()["filters"].columns[2:-1]]
        return [
            (said.get("name"), self._surveys.get(said.get("survey")), *map(said.get, names), when)
            for said in self._filters.values()
        ]

    def _host_name(self) -> str | None:
        host = self._document["host"]
        return None if host is None else str(host_name(host["fields"]))

    def _aliases(self) -> Iterator[Values]:
        said = self._document["transient"]["fields"]
        if said.get("display_name"):
            yield said["display_name"], "display"
        for alias in said.get("aliases") or []:
            yield alias, "transient"
        for alias in ((self._document["host"] or {}).get("fields", {})).get("aliases") or []:
            yield alias, "host"

    def _hosts(self) -> Iterator[Values]:
        if self._document["host"] is not None:
            said = self._document["host"]["fields"]
            ra, dec = number(said.get("ra_deg")), number(said.get("dec_deg"))
            names = [column.name for column in tables()["hosts"].columns[8:]]
            yield self._host_name(), self._keys.key(said) or None, ra, dec, None, *map(said.get, names)

    def _aperture(self, said: Mapping[str, Json]) -> Values:
        filter_ = next((row["fields"].get("filter") for row in self._document["cutouts"]
                        if row["pk"] == said.get("cutout")), None)  # fmt: skip
        return (
            said["name"], said["type"], self._filters.get(filter_, {}).get("name"), said.get("ra_deg"),
            said.get("dec_deg"), said.get("orientation_deg"), said.get("semi_major_axis_arcsec"),
            said.get("semi_minor_axis_arcsec"),
        )  # fmt: skip

    def _photometry(self) -> Iterator[Values]:
        for aperture in self._document["apertures"]:
            name, kind = aperture["fields"]["name"], aperture["fields"]["type"]
            for row in aperture["aperturephotometry"]:
                said = row["fields"]
                filter_ = self._filters.get(said.get("filter"), {}).get("name")
                yield (
                    name, kind, filter_, said.get("flux"), said.get("flux_error"), said.get("magnitude"),
                    said.get("magnitude_error"), said.get("is_validated"),
                )  # fmt: skip

    def _sed(self) -> Iterator[Values]:
        pick = _pick_sed()
        for aperture in self._document["apertures"]:
            for row in aperture["sedfittingresults"]:
                said = row["fields"]
                for percentile in ("16", "50", "84"):
                    if said.get(f"age_{percentile}") is None:  # Blast before 1.10.0
                        said[f"age_{percentile}"] = said.get(f"log_age_{percentile}")
                yield aperture["fields"]["type"], *map(said.get, pick)

    def _sfh(self) -> Iterator[Values]:
        names = [column.name for column in tables()["sfh"].columns[4:]]
        for aperture in self._document["apertures"]:
            for row in aperture["starformationhistoryresult"]:
                yield aperture["fields"]["type"], *map(row["fields"].get, names)

    def _cutout(self, said: Mapping[str, Json]) -> Values:
        filter_ = self._filters.get(said.get("filter"), {})
        match = _ROOTS.fullmatch(said.get("fits") or "")
        path = None if match is None else f"{match[1]}/{match[2]}"
        survey = self._surveys.get(filter_.get("survey"))
        return filter_.get("name"), survey, path, said.get("message"), said.get("cropped")


@cache
def _pick_sed() -> tuple[str, ...]:
    return tuple(column.name for column in tables()["sed"].columns[4:])


def file_row(path: str, sha256: str, size: int | None, md5: str | None) -> Values:
    """Return the row of one file."""
    for pattern, kind in _KINDS:
        match = pattern.fullmatch(path)
        if match:
            said = match.groupdict()
            return path, kind, said.get("survey"), said.get("filter"), said.get("aperture"), size, sha256, md5, False
    return path, "other", None, None, None, size, sha256, md5, False


def _best_redshift(said: Mapping[str, Json], host: Mapping[str, Json]) -> float | None:
    """Return the redshift that Blast uses (its `Transient.best_redshift`)."""
    own, hosts = number(said.get("redshift")), number(host.get("redshift"))
    if own is not None:
        return hosts if hosts is not None and abs(hosts - own) < _CLOSE else own
    return hosts if hosts is not None else number(host.get("photometric_redshift"))
