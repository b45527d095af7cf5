"""Changes of a published transient: each function takes a sample and returns a changed one.

A reprocess changes the same things as in Blast (according to its source, version 1.13.1): tables have no order, and
photometry rows are deleted and inserted again, while apertures, SED and history rows are updated in place, without a
new software version.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from blastgit.demo import images, sed, tables
from blastgit.demo.bands import BANDS
from blastgit.demo.sample import Sample
from blastgit.demo.scene import random

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from blastgit.demo.tables import Row

_VERSIONED = {"host.transient", "host.host", "host.cutout", "host.aperturephotometry"}
_NOISY = {  # fields whose last bit depends on the order in which Blast visits the filters
    "host.aperture": ("semi_major_axis_arcsec", "semi_minor_axis_arcsec"),
    "host.aperturephotometry": ("flux", "flux_error", "magnitude_error"),
}


def reprocess(sample: Sample, *, app_version: str, export_time: str, seed: int, all_keys: bool = False) -> Sample:
    """Run the workflow again on the same images: the bytes change, but no scientific value does.

    Args:
        sample: The previously published sample.
        app_version: The version of Blast that runs, with its leading v.
        export_time: When the new export is taken, in ISO format with microseconds and time zone.
        seed: Determines the order of rows, the noise in the last bit, and which aperture has the global fit.
        all_keys: Give every row a new primary key, as deleting and adding the transient does; otherwise only
            photometry rows get new keys.
    """
    rng = random(sample.name, seed, "reprocess")
    export = copy.deepcopy(sample.export)
    export["metadata"] = {"app_version": app_version, "export_time": export_time}
    for row in _rows(export):
        if "software_version" in row["fields"] and (all_keys or row["model"] in _VERSIONED):
            row["fields"]["software_version"] = app_version.removeprefix("v")
    _rekey(export, {row["model"] for row in _rows(export)} if all_keys else {"host.aperturephotometry"}, rng)
    _rerun_tasks(export, export_time, rng)
    _wobble(export, rng)
    _hop(export, rng)
    _shuffle(export, rng)
    files = dict(sample.files)
    posterior = f"{tables.sed_stem(sample.name, 'global')}.h5"
    if posterior in files:
        count = len(sed.observed_filters(files[posterior]))
        files[posterior] = sed.observed_again(files[posterior], 1 + rng.choice([-1, 1], count) * 2.0**-52)
    return Sample(export, files)


def change_image(sample: Sample, filter_name: str = "DES_z", *, seed: int, brighter: float = 1.03) -> Sample:
    """Simulate that a survey publishes a brighter image: its photometry changes, and therefore the global fit.

    The values of the local fit stay, as if one filter did not influence its posterior; its file of observed fluxes
    changes.
    """
    export, files = copy.deepcopy(sample.export), dict(sample.files)
    path = f"cutout_cdn/{sample.name}/{BANDS[filter_name].survey}/{filter_name}"
    files[f"{path}.fits"] = images.brighten(files[f"{path}.fits"], brighter, random(sample.name, seed, "image"))
    if (thumbnail := f"{path}.jpg") in files:
        files[thumbnail] = images.thumbnail(files[f"{path}.fits"], images.side(files[thumbnail]))
    for fields in _photometry(export, {filter_name}):
        fields["flux"] *= brighter
        fields["flux_error"] *= brighter
        fields["magnitude"] -= 2.5 * math.log10(brighter)
    if (local := f"{tables.sed_stem(sample.name, 'local')}.h5") in files:
        seen = np.array(sed.observed_filters(files[local])) == filter_name
        files[local] = sed.observed_again(files[local], np.where(seen, brighter, 1.0))
        _fit_again(export, files, "global", seed)
    return Sample(export, files)


def refit(sample: Sample, *, seed: int, draws: int | None = None) -> Sample:
    """Draw both posteriors again: only SED and history values and the SED files change, within their errors.

    Args:
        sample: The published sample.
        seed: The seed of the random numbers.
        draws: How many samples of each posterior; by default as many as its files have.
    """
    export, files = copy.deepcopy(sample.export), dict(sample.files)
    for scope in ("local", "global"):
        _fit_again(export, files, scope, seed, draws)
    return Sample(export, files)


def flip_validation(sample: Sample, filters: Collection[str]) -> Sample:
    """Invert the validity of the global photometry of some filters, as noise in the last bit of an ellipse can."""
    export = copy.deepcopy(sample.export)
    for fields in _photometry(export, filters, "global"):
        fields["is_validated"] = "false" if fields["is_validated"] == "true" else "true"
    return Sample(export, sample.files)


def edit_flux(sample: Sample, filter_name: str, factor: float) -> Sample:
    """Edit one global flux in the database; nothing else changes."""
    export = copy.deepcopy(sample.export)
    for fields in _photometry(export, {filter_name}, "global"):
        fields["flux"] *= factor
    return Sample(export, sample.files)


def add_alias(sample: Sample, alias: str) -> Sample:
    """Add another name of the transient, which Blast allows without running a task."""
    export = copy.deepcopy(sample.export)
    export["transient"]["fields"]["aliases"].append(alias)
    return Sample(export, sample.files)


def without_host(sample: Sample) -> Sample:
    """Return the same transient as if no host had been found: images as downloaded, and no results after the search."""
    export = copy.deepcopy(sample.export)
    export["transient"]["fields"] |= {"host": None, "redshift": None, "processing_status": "blocked"}
    export |= {"host": None, "apertures": []}
    for cutout in export["cutouts"]:
        cutout["fields"]["cropped"] = False
    search = tables.TASKS.index("Host match")
    for task in export["workflow_tasks"]:
        if tables.TASKS.index(task["task_name"]) > search:
            task["status"] = {"type": "blank", "message": "not processed"}
            task |= {"last_modified": None, "last_processing_time_seconds": None}
    return fail_stage(
        Sample(export, {path: content for path, content in sample.files.items() if path.startswith("cutout_cdn/")}),
        "Host match",
        "no host match",
    )


def fail_stage(sample: Sample, task_name: str, message: str = "failed") -> Sample:
    """Let one task end in an error; its results of an earlier run stay, as in Blast.

    Raises:
        ValueError: No task has this name.
    """
    export = copy.deepcopy(sample.export)
    tasks = [task for task in export["workflow_tasks"] if task["task_name"] == task_name]
    if not tasks:
        raise ValueError(f"no task {task_name!r}; there are {', '.join(tables.TASKS)}")
    tasks[0]["status"] = {"type": "error", "message": message}
    export["transient"]["fields"]["processing_status"] = "blocked"
    return Sample(export, sample.files)


def break_off(sample: Sample, task_name: str, message: str = "failed", *, raises: bool = False) -> Sample:
    """Let one task of a new run fail, with the same consequences as in Blast.

    Later tasks do not run, and their rows and files of the previous run stay. Images are downloaded uncropped at the
    start of each run, and stay uncropped if the run does not reach the task that crops them.

    Args:
        sample: The previously published sample.
        task_name: The task that fails.
        message: The final status of the task; Blast reports statuses such as `no host match` as errors.
        raises: Whether the task raises instead of returning its error: then the workflow stops without a report.

    Raises:
        ValueError: No task has this name.
    """
    from blastgit.workflow.stages import default_stages

    failed = fail_stage(sample, task_name, message)
    later = {stage.name for stage in default_stages().after(task_name)}
    if raises:
        later |= set(tables.TASKS[tables.TASKS.index(task_name) + 1 :])
        failed.export["transient"]["fields"] |= {"processing_status": "processing", "progress": 100 - 6 * len(later)}
    for task in failed.export["workflow_tasks"]:
        if task["task_name"] in later:
            task["status"] = {"type": "blank", "message": "not processed"}
    if "Crop transient images" not in later:
        return failed
    for cutout in failed.export["cutouts"]:
        cutout["fields"]["cropped"] = False
    files = {p: images.uncropped(content) if p.endswith(".fits") else content for p, content in failed.files.items()}
    return Sample(failed.export, files)


def inject_nonfinite(sample: Sample) -> Sample:
    """Put NaN and both infinities into the tables, as Blast's database holds them."""
    export = copy.deepcopy(sample.export)
    local = next(aperture for aperture in export["apertures"] if aperture["fields"]["type"] == "local")
    local["sedfittingresults"][0]["fields"]["log_sfr_16"] = -math.inf
    local["aperturephotometry"][0]["fields"] |= {"magnitude": math.nan, "magnitude_error": math.inf}
    return Sample(export, sample.files)


def _rows(export: Row) -> Iterator[Row]:
    """Every row that has a primary key, at any depth."""
    yield export["transient"]
    if export["host"]:
        yield export["host"]
    for table in ("cutouts", "filters", "surveys"):
        yield from export[table]
    for aperture in export["apertures"]:
        yield aperture
        for children in _children(aperture):
            yield from children


def _children(aperture: Row) -> tuple[list[Row], ...]:
    return aperture["sedfittingresults"], aperture["aperturephotometry"], aperture["starformationhistoryresult"]


def _photometry(export: Row, filters: Collection[str], *scopes: str) -> Iterator[dict[str, Any]]:
    """Fields of the photometry in some filters, in apertures of some scopes (by default in all)."""
    names = tables.filter_names(export)
    for aperture in export["apertures"]:
        if not scopes or aperture["fields"]["type"] in scopes:
            for row in aperture["aperturephotometry"]:
                if names[row["fields"]["filter"]] in filters:
                    yield row["fields"]


def _rekey(export: Row, models: Collection[str], rng: np.random.Generator) -> None:
    """Give the rows of some tables new primary keys in random order, and update every reference to them."""
    keys: dict[tuple[str, int], int] = {}
    for model in sorted(models):
        old = [row["pk"] for row in _rows(export) if row["model"] == model]
        first = max(old, default=0) + 1 + int(rng.integers(20))
        keys |= {(model, pk): first + int(n) for pk, n in zip(old, rng.permutation(len(old)), strict=True)}
    for row in _rows(export):
        row["pk"] = keys.get((row["model"], row["pk"]), row["pk"])
        fields = row["fields"]
        for reference in ("transient", "host", "cutout", "aperture", "filter", "survey"):
            if isinstance(pk := fields.get(reference), int):
                fields[reference] = keys.get((f"host.{reference}", pk), pk)
        if "logsfh" in fields:
            fields["logsfh"] = [keys.get(("host.starformationhistoryresult", pk), pk) for pk in fields["logsfh"]]


def _rerun_tasks(export: Row, export_time: str, rng: np.random.Generator) -> None:
    """New times for every task that ran; the outcomes stay."""
    fresh = {row["task_name"]: row for row in tables.task_rows(export_time, rng)}
    for task in export["workflow_tasks"]:
        if task["last_modified"] is not None:
            task |= {key: fresh[task["task_name"]][key] for key in ("last_modified", "last_processing_time_seconds")}


def _wobble(export: Row, rng: np.random.Generator) -> None:
    """Move numbers of the global apertures by one unit in the last place or none, at most 2.3e-16 of the value."""
    for aperture in export["apertures"]:
        if aperture["fields"]["type"] == "global":
            for row in (aperture, *aperture["aperturephotometry"]):
                for name in _NOISY[row["model"]]:
                    value, step = row["fields"][name], int(rng.integers(-1, 2))
                    if step and math.isfinite(value):
                        row["fields"][name] = math.nextafter(value, step * math.inf)


def _hop(export: Row, rng: np.random.Generator) -> None:
    """Move the global fit to another global aperture: Blast takes the first of an unordered query."""
    apertures = [aperture for aperture in export["apertures"] if aperture["fields"]["type"] == "global"]
    carriers = [aperture for aperture in apertures if aperture["sedfittingresults"]]
    others = [aperture for aperture in apertures if not aperture["sedfittingresults"]]
    if not carriers or not others:
        return
    target = others[int(rng.integers(len(others)))]
    for table in ("sedfittingresults", "starformationhistoryresult"):
        target[table], carriers[0][table] = carriers[0][table], target[table]
        for row in target[table]:
            row["fields"]["aperture"] = target["pk"]


def _shuffle(export: Row, rng: np.random.Generator) -> None:
    """Reorder every list, because no query of Blast's export specifies an order."""
    lists = [export[table] for table in ("apertures", "cutouts", "filters", "surveys", "workflow_tasks")]
    for aperture in export["apertures"]:
        lists.extend(_children(aperture))
    lists.extend(row["fields"][key] for row in _rows(export) for key in ("aliases", "logsfh") if key in row["fields"])
    for rows in lists:
        rows[:] = [rows[at] for at in rng.permutation(len(rows))]


def _fit_again(export: Row, files: dict[str, bytes], scope: str, seed: int, draws: int | None = None) -> None:
    """Replace the fit of one scope, in place in the tables as `QuerySet.update` does, and in the files."""
    stem = tables.sed_stem(export["transient"]["fields"]["name"], scope)
    grid = sed.Grid.of(files[f"{stem}.h5"], files[f"{stem}_modeldata.npz"])
    grid = replace(grid, draws=draws or grid.draws)
    result = sed.fit(tables.fit_input(export, scope), grid, random(stem, seed, "fit again"))
    carrier = next(a for a in export["apertures"] if a["fields"]["type"] == scope and a["sedfittingresults"])
    carrier["sedfittingresults"][0]["fields"] |= tables.sed_fields(result)
    bins = sorted(carrier["starformationhistoryresult"], key=lambda row: row["fields"]["logsfr_tmin"])
    for row, fields in zip(bins, tables.history_fields(result, bins[0]["fields"]["software_version"]), strict=True):
        row["fields"] |= fields
    files |= {stem + end: content for end, content in sed.files(result).items()}
