"""The rows of an export as Django's serialiser writes them: every key of version 1.13.1, in the same order."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from blastgit.demo import sed
from blastgit.demo.bands import BANDS, Band, filter_rows, survey_rows
from blastgit.demo.scene import Scene, random

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Row = dict[str, Any]

# In the order of the workflow.
TASKS = (
    "Cutout download",
    "Generate thumbnail",
    "Transient MWEBV",
    "Host match",
    "Host information",
    "Host MWEBV",
    "Global aperture construction",
    "Global aperture photometry",
    "Validate global photometry",
    "Local aperture photometry",
    "Validate local photometry",
    "Crop transient images",
    "Generate thumbnail final",
    "Global host SED inference",
    "Generate thumbnail SED global",
    "Local host SED inference",
    "Generate thumbnail SED local",
)

_SED_COLUMNS = (
    "log_mass", "mass_surviving_ratio", "log_sfr", "log_ssfr", "log_age", "age", "log_tau", "logzsol", "dust2",
    "dust_index", "dust1_fraction", "log_fagn", "log_agn_tau", "gas_logz", "duste_qpah", "duste_umin",
    "log_duste_gamma",
)  # fmt: skip
_LOCAL_SHARE = 0.15  # of the host's light, in an aperture of 1 kpc around the transient
_DUST = 0.026  # E(B-V) of the Milky Way


@dataclass(slots=True)
class Keys:
    """Generates primary keys, in one sequence for each table."""

    start: int
    _counters: dict[str, Iterator[int]] = field(default_factory=dict)

    def next(self, model: str) -> int:
        """Return the next free key of a table."""
        return next(self._counters.setdefault(model, itertools.count(self.start)))


@dataclass(frozen=True, slots=True)
class Writer:
    """Makes the rows of one transient as they are after one run of one Blast version."""

    scene: Scene
    software: str  # without the leading v
    keys: Keys
    transient_key: int

    def row(self, model: str, fields: Row, **children: list[Row]) -> Row:
        """One row with a new primary key."""
        return {"model": f"host.{model}", "pk": self.keys.next(model), "fields": fields, **children}

    def transient(self, host_key: int) -> Row:
        """The transient itself."""
        fields = {
            "ra_deg": self.scene.ra_deg,
            "dec_deg": self.scene.dec_deg,
            "name": self.scene.name,
            "display_name": None,
            "tns_id": 100_000 + int(random(self.scene.name, "tns").integers(900_000)),
            "tns_prefix": "SN",
            "public_timestamp": "2026-02-11T08:24:00Z",
            "host": host_key,
            "tasks_initialized": "True",
            "redshift": self.scene.redshift,
            "spectroscopic_class": "SN Ia",
            "photometric_class": None,
            "milkyway_dust_reddening": _DUST,
            "processing_status": "completed",
            "progress": 100,
            "software_version": self.software,
            "update_comment": None,
            "update_fields": None,
            "aliases": [],
        }
        return {"model": "host.transient", "pk": self.transient_key, "fields": fields}

    def host(self) -> Row:
        """The host galaxy, named by its position as in large catalogues."""
        ra, dec = self.scene.host_position
        fields = {
            "ra_deg": ra,
            "dec_deg": dec,
            "name": f"DEMO J{ra:.4f}{dec:+.4f}",
            "redshift": self.scene.redshift,
            "redshift_err": 0.0001,
            "photometric_redshift": None,
            "photometric_redshift_err": None,
            "milkyway_dust_reddening": _DUST,
            "object_id": str(10_000 + int(random(self.scene.name, "object").integers(90_000))),
            "catalog_name": "decals",
            "catalog_release": "dr9",
            "software_version": self.software,
            "aliases": [],
        }
        return self.row("host", fields)

    def cutout(self, filter_name: str, filter_key: int, path: str | None) -> Row:
        """The row of one filter's image, or of a missing image."""
        fields = {
            "name": f"{self.scene.name}_{filter_name}",
            "filter": filter_key,
            "transient": self.transient_key,
            "fits": f"/data/{path}" if path else "",
            "message": None if path else "No image found",
            "software_version": self.software,
            "cropped": path is not None,
        }
        return self.row("cutout", fields)

    def aperture(self, cutout: Row | None) -> Row:
        """The global aperture on a cutout, or without a cutout the local aperture."""
        ra, dec = self.scene.host_position if cutout else (self.scene.ra_deg, self.scene.dec_deg)
        major = self.scene.semi_major_arcsec if cutout else 1.6 * 0.03 / self.scene.redshift
        fields = {
            "ra_deg": ra,
            "dec_deg": dec,
            "name": f"{cutout['fields']['name']}_global" if cutout else f"{self.scene.name}_local",
            "cutout": cutout["pk"] if cutout else None,
            "transient": self.transient_key,
            "orientation_deg": self.scene.orientation_deg if cutout else 0.0,
            "semi_major_axis_arcsec": major,
            "semi_minor_axis_arcsec": major * self.scene.axis_ratio if cutout else major,
            "type": "global" if cutout else "local",
            "software_version": self.software,
        }
        return self.row("aperture", fields, sedfittingresults=[], aperturephotometry=[], starformationhistoryresult=[])

    def photometry(self, aperture: Row, band: Band, filter_key: int) -> Row:
        """The host's flux in one filter and aperture: in µJy, and as magnitudes in the filter's own system."""
        local = aperture["fields"]["type"] == "local"
        flux, error = self.scene.flux(band), self.scene.flux_error(band)
        if local:
            flux, error = _LOCAL_SHARE * flux, _LOCAL_SHARE * 2 * error
        crowded = random(self.scene.name, self.scene.seed, "stars", band.name).random() < 0.08
        valid = "false" if local and band.fwhm_arcsec > 6.45 else "true"  # a local aperture must resolve 1 kpc
        fields = {
            "aperture": aperture["pk"],
            "filter": filter_key,
            "transient": self.transient_key,
            "flux": flux,
            "flux_error": error,
            "magnitude": magnitude(flux, band.ab_offset),
            "magnitude_error": 2.5 / math.log(10) * error / flux,
            "is_validated": "contamination warning" if crowded and not local else valid,
            "software_version": self.software,
        }
        return self.row("aperturephotometry", fields)

    def carry(self, aperture: Row, result: sed.Fit) -> None:
        """Add the rows of a fit to the aperture that it belongs to."""
        stem = f"/data/{sed_stem(self.scene.name, aperture['fields']['type'])}"
        bins = [
            self.row(
                "starformationhistoryresult", {"transient": self.transient_key, "aperture": aperture["pk"], **line}
            )
            for line in history_fields(result, self.software)
        ]
        fields = {
            "transient": self.transient_key,
            "aperture": aperture["pk"],
            "posterior": f"{stem}.h5",
            **sed_fields(result),
            "chains_file": f"{stem}_chain.npz",
            "percentiles_file": f"{stem}_perc.npz",
            "model_file": f"{stem}_modeldata.npz",
            "software_version": self.software,
            "logsfh": [row["pk"] for row in bins],
        }
        aperture["sedfittingresults"] = [self.row("sedfittingresult", fields)]
        aperture["starformationhistoryresult"] = bins


def magnitude(flux: float, ab_offset: float) -> float:
    """Magnitude of a flux in µJy, in a system whose magnitudes are smaller than AB by `ab_offset`."""
    return 23.9 - 2.5 * math.log10(flux) - ab_offset


def sed_stem(name: str, scope: str) -> str:
    """The common beginning of Blast's paths of a fit's files."""
    return f"sed_output/{name}/{name}_{scope}"


def sed_fields(result: sed.Fit) -> Row:
    """The values of an SED row in the table's order; tau has none because histories are non-parametric."""
    numbers = sed.values(result)
    names = itertools.chain.from_iterable(
        [column] if column in numbers else [f"{column}_{p}" for p in sed.PERCENTILES] for column in _SED_COLUMNS
    )
    return {name: numbers.get(name) for name in names}


def history_fields(result: sed.Fit, software: str) -> Iterator[Row]:
    """The fields of each history row that do not refer to other rows."""
    names = "logsfr_16", "logsfr_50", "logsfr_84", "logsfr_tmin", "logsfr_tmax"
    for values in sed.history(result):
        yield {**dict(zip(names, values, strict=True)), "software_version": software}


def filter_names(export: Row) -> dict[int, str]:
    """The instance's filters by primary key."""
    return {row["pk"]: row["fields"]["name"] for row in export["filters"]}


def fit_input(export: Row, scope: str) -> sed.Photometry:
    """The validated photometry of one scope ("local" or "global"), in the order of filter names.

    Blast would stop if none is valid; here a fit is always needed, so then all photometry is used.
    """
    names = filter_names(export)
    rows = [
        row["fields"]
        for aperture in export["apertures"]
        for row in aperture["aperturephotometry"]
        if aperture["fields"]["type"] == scope
    ]
    rows = [fields for fields in rows if fields["is_validated"] == "true"] or rows
    rows.sort(key=lambda fields: names[fields["filter"]])
    filters = tuple(names[fields["filter"]] for fields in rows)
    return sed.Photometry(
        filters,
        tuple(float(BANDS[name].wavelength) for name in filters),
        np.array([fields["flux"] for fields in rows]) / sed.MAGGIE,
        np.array([fields["flux_error"] for fields in rows]) / sed.MAGGIE,
        export["host"]["fields"]["redshift"],
    )


def task_rows(export_time: str, rng: np.random.Generator) -> list[Row]:
    """The rows of all tasks, done one after the other, the last one shortly before the export."""
    moments = np.cumsum(rng.uniform(0.1, 2.0, len(TASKS)))
    end = datetime.fromisoformat(export_time)
    return [
        {
            "task_name": name,
            "status": {"type": "success", "message": "processed"},
            "user_warning": False,
            "last_modified": (end - timedelta(seconds=float(moments[-1] - moment) + 0.02)).isoformat(),
            "last_processing_time_seconds": round(float(rng.uniform(0, 1.5)), 2),
        }
        for name, moment in zip(TASKS, moments, strict=True)
    ]


def first_export(scene: Scene, filters: Sequence[str], app_version: str, export_time: str) -> tuple[Row, Writer]:
    """The export after a first run without the fits, and the writer that can add them."""
    software = app_version.removeprefix("v")
    keys = Keys(1 + int(random(scene.name, "keys").integers(2000)))
    write = Writer(scene, software, keys, keys.next("transient"))
    filter_keys = {row["fields"]["name"]: row["pk"] for row in filter_rows()}
    paths = {name: f"cutout_cdn/{scene.name}/{BANDS[name].survey}/{name}.fits" for name in filters}
    host = write.host()
    cutouts = {name: write.cutout(name, key, paths.get(name)) for name, key in filter_keys.items()}
    apertures = [write.aperture(cutouts[name]) for name in filters]
    for aperture, name in zip(apertures, filters, strict=True):
        aperture["aperturephotometry"].append(write.photometry(aperture, BANDS[name], filter_keys[name]))
    local = write.aperture(None)
    local["aperturephotometry"] = [write.photometry(local, BANDS[name], filter_keys[name]) for name in filters]
    export = {
        "metadata": {"app_version": app_version, "export_time": export_time},
        "transient": write.transient(host["pk"]),
        "host": host,
        "apertures": [*apertures, local],
        "cutouts": list(cutouts.values()),
        "filters": filter_rows(),
        "surveys": survey_rows(),
        "workflow_tasks": task_rows(export_time, random(scene.name, scene.seed, "tasks")),
    }
    return export, write
