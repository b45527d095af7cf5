"""The content of a revision as plain values, in the order of its page `/t/NAME@N`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from blastgit.naming.trailers import Trailer
from blastgit.serve.marks import of_entry
from blastgit.serve.quantities import QUANTITIES, SCOPES

if TYPE_CHECKING:
    from blastgit.api.repo import DataRepo
    from blastgit.reading.log import Entry

Rows = list[dict[str, Any]]
_MAIL = re.compile(r" <[^<>\s]*>")
_UNKNOWN = 1e9  # Å: filters of unknown wavelength come last


@dataclass
class Facts:
    """The content of one revision, prepared for a page.

    Attributes:
        repo: The data repo.
        entry: The entry of the revision in the history.
    """

    repo: DataRepo
    entry: Entry

    @property
    def name(self) -> str:
        """The name that the transient had in this revision."""
        return str(self.entry.revision.name)

    @property
    def spec(self) -> str:
        """The name of the revision: `2026dgt@1`."""
        return f"{self.name}@{self.entry.revision.number}"

    @cached_property
    def _judged(self) -> Any:
        return self.repo.validity(self.spec)

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """Each value by its natural path."""
        found: Mapping[str, Any] = self._judged.values
        return found

    @cached_property
    def invalid(self) -> dict[str, str]:
        """For each invalid value and file, why it is invalid."""
        return {path: str(problem) for path, problem in self._judged.invalid.items()}

    @cached_property
    def out_of_date(self) -> dict[str, str]:
        """For each value and file that is out of date, why it is."""
        return {path: str(why) for path, why in self._judged.outdated.items()}

    def row(self, table: str) -> dict[str, Any]:
        """Return the one row of a table such as `host`."""
        return {key.partition(".")[2]: value for key, value in self.values.items() if key.startswith(f"{table}.")}

    def rows(self, table: str) -> Rows:
        """Return the rows of a table, each with its natural path as `_path`."""
        found: dict[str, dict[str, Any]] = {}
        for key, value in self.values.items():
            if key.startswith(f"{table}/"):
                path, _, field = key.rpartition(".")
                found.setdefault(path, {"_path": path})[field] = value
        return list(found.values())

    @cached_property
    def filters(self) -> dict[str, dict[str, Any]]:
        """The row of each filter."""
        return {str(row.get("name")): row for row in self.rows("filters")}

    def wavelength(self, name: str) -> float | None:
        """Return the effective wavelength of a filter in Å."""
        value = self.filters.get(name, {}).get("wavelength_eff_angstrom")
        return float(value) if isinstance(value, int | float) else None

    @cached_property
    def withdrawn(self) -> dict[str, str]:
        """For each withdrawn file, why it was withdrawn; without the e-mail addresses of those who withdrew it."""
        return {path: _MAIL.sub("", why) for path, why in self.entry.withdrawn.items()}

    def images(self) -> Rows:
        """Return the images, bluest first, and then the filters without an image, with the messages of Blast."""
        messages = {str(row.get("filter")): row.get("message") for row in self.rows("cutouts")}
        paths = [path for path in self.entry.revision.held if path.startswith("cutout_cdn/") and path.endswith(".fits")]
        changed = {each["path"] for each in self.entry.files if each["change"] == "changed"}
        found = [self._image(path, changed) for path in paths]
        have = {each["filter"] for each in found}
        absent = [
            {"filter": name, "survey": self.filters.get(name, {}).get("survey"), "path": None, "state": "absent",
             "reason": str(why), "changed": False, "wavelength_angstrom": self.wavelength(name)}
            for name, why in messages.items() if why and name not in have
        ]  # fmt: skip
        order = lambda each: (each["wavelength_angstrom"] or _UNKNOWN, each["filter"])  # noqa: E731
        return [*sorted(found, key=order), *sorted(absent, key=order)]

    def _image(self, path: str, changed: set[str]) -> dict[str, Any]:
        name = path.rpartition("/")[2].removesuffix(".fits")
        state, reason = self._state(path)
        return {
            "filter": name, "survey": path.split("/")[1] if path.count("/") > 1 else None, "path": path, "state": state,
            "reason": reason, "changed": path in changed, "wavelength_angstrom": self.wavelength(name),
        }  # fmt: skip

    def _state(self, path: str) -> tuple[str, str | None]:
        if path in self.withdrawn:
            return "withdrawn", self.withdrawn[path]
        if path in self.invalid:
            return "invalid", self.invalid[path]
        if path in self.out_of_date:
            return "out of date", self.out_of_date[path]
        return "ok", None

    def apertures(self) -> Rows:
        """Return the apertures: position and size of each, and from which image a global one was made."""
        keys = ("name", "type", "cutout", "ra_deg", "dec_deg", "semi_major_axis_arcsec", "semi_minor_axis_arcsec",
                "orientation_deg")  # fmt: skip
        return [{key: row.get(key) for key in keys} for row in self.rows("apertures")]

    def photometry(self) -> dict[str, Rows]:
        """Return the photometry in each kind of aperture, bluest filter first."""
        kinds = {str(row.get("name")): str(row.get("type")) for row in self.rows("apertures")}
        found: dict[str, Rows] = {scope: [] for scope in SCOPES}
        for row in self.rows("photometry"):
            scope = kinds.get(row["_path"].split("/")[1], "global")
            name = str(row.get("filter"))
            found.setdefault(scope, []).append({
                "filter": name, "wavelength_angstrom": self.wavelength(name), "flux_ujy": _number(row.get("flux")),
                "flux_error_ujy": _number(row.get("flux_error")), "magnitude": _number(row.get("magnitude")),
                "magnitude_error": _number(row.get("magnitude_error")), "validated": row.get("is_validated"),
                "path": row["_path"], **self._verdict(row["_path"]),
            })  # fmt: skip
        for rows in found.values():
            rows.sort(key=lambda each: (each["wavelength_angstrom"] or _UNKNOWN, each["filter"]))
        return found

    def inference(self) -> dict[str, Rows]:
        """Return the percentiles of each quantity of the fit, in each kind of aperture."""
        found: dict[str, Rows] = {}
        for scope in SCOPES:
            row = {
                key.partition(".")[2]: value for key, value in self.values.items() if key.startswith(f"sed/{scope}.")
            }
            found[scope] = [
                {
                    "quantity": each.name, "label": each.label, "unit": each.unit, "about": each.about,
                    **{f"p{p}": _number(row.get(f"{each.name}_{p}")) for p in (16, 50, 84)},
                    "path": f"sed/{scope}.{each.name}_50", **self._verdict(f"sed/{scope}"),
                }
                for each in QUANTITIES if row.get(f"{each.name}_50") is not None
            ]  # fmt: skip
        return found

    def sfh(self) -> dict[str, Rows]:
        """Return the star formation rate in each bin of look-back time, in each kind of aperture."""
        found: dict[str, Rows] = {scope: [] for scope in SCOPES}
        for row in self.rows("sfh"):
            scope = row["_path"].split("/")[1]
            numbers = {key: _number(value) for key, value in row.items() if key.startswith("logsfr")}
            found.setdefault(scope, []).append({**numbers, **self._verdict(row["_path"])})
        for rows in found.values():
            rows.sort(key=lambda each: each.get("logsfr_tmin") or 0.0)
        return found

    def _verdict(self, path: str) -> dict[str, str | None]:
        """Return why a row is invalid, and why it is out of date, if any value of it is."""
        return {"invalid": _first_below(path, self.invalid), "out_of_date": _first_below(path, self.out_of_date)}

    def stages(self) -> Rows:
        """Return the state of each stage of the workflow."""
        return [each.to_json() for each in self._judged.validity.standings.values()]

    def files(self) -> Rows:
        """Return every file with its size and its checksum."""
        return list(self._files())

    def _files(self) -> Iterator[dict[str, Any]]:
        revision = self.entry.revision
        for path in sorted(revision.held):
            state, reason = self._state(path)
            size = revision.pointer(path).size
            yield {"path": path, "bytes": size, "sha256": revision.sha256(path), "state": state, "reason": reason}

    def transient(self) -> dict[str, Any]:
        """Return the values of the transient itself."""
        row = self.row("transient")
        keys = ("display_name", "ra_deg", "dec_deg", "redshift", "spectroscopic_class", "photometric_class", "tns_id",
                "tns_prefix", "public_timestamp", "milkyway_dust_reddening")  # fmt: skip
        return {**{key: row.get(key) for key in keys}, "aliases": _texts(row.get("aliases"))}

    def host(self) -> dict[str, Any] | None:
        """Return the values of the host; None if no host was found."""
        row = self.row("host")
        keys = ("name", "ra_deg", "dec_deg", "redshift", "redshift_err", "photometric_redshift",
                "photometric_redshift_err", "catalog_name", "catalog_release", "object_id")  # fmt: skip
        return {key: row.get(key) for key in keys} if row else None


def _first_below(path: str, reasons: Mapping[str, str]) -> str | None:
    return next((why for each, why in reasons.items() if each.startswith(f"{path}.")), None)


def history(entries: Sequence[Entry]) -> Rows:
    """Return the revisions of a transient, newest first, each with the runs that reproduced its values."""
    return [
        {
            "revision": f"{entry.revision.name}@{entry.revision.number}", "number": entry.revision.number,
            "export_time": entry.revision.time, "recorded_time": entry.revision.recorded,
            "app_version": entry.revision.app_version, "reason": entry.revision.reason,
            "status": entry.status, "marks": [each.to_json() for each in of_entry(entry)],
            "run": entry.revision.trailers.get(Trailer.RUN),
            "commit": entry.revision.id, "flag": entry.flag, "withdrawn_files": len(entry.withdrawn),
            "failures": [str(each) for each in entry.failures],
            "invalid": [each.what for each in entry.invalid],
            "out_of_date": [str(each) for each in entry.out_of_date],
            "reproductions": [
                {"app_version": each.app_version, "time": each.time, "redrawn": each.redrawn, "run": each.run}
                for each in entry.reproductions
            ],
        }
        for entry in entries
    ]  # fmt: skip


def _number(value: object) -> float | str | None:
    """Return a number; one that is not finite as the word that the document has for it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        return value if value in ("NaN", "Infinity", "-Infinity") else None
    return float(value) if math.isfinite(value) else str(value)


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else []
