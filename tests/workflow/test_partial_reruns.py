"""Out of date and true inputs, compared with a model that remembers all inputs, over partial reruns."""

import copy
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blastgit import DataRepo
from blastgit.demo import Sample, change_image, small
from blastgit.repository.init import init

NAME = "2026dgt"
FILTERS = ("DES_g", "WISE_W1")  # those that the global fit of the sample was made of
SURVEYS = {"DES_g": "DES", "WISE_W1": "WISE"}
GROUPS = {
    "images": ("Cutout download", "Crop transient images"),
    "dust": ("Host MWEBV",),
    "photometry": ("Global aperture construction", "Global aperture photometry", "Validate global photometry"),
    "fit": ("Global host SED inference",),
    "pictures": ("Generate thumbnail", "Generate thumbnail final"),
}


@cache
def image(filter_name: str, version: int) -> bytes:
    sample = small(NAME)
    path = f"cutout_cdn/{NAME}/{SURVEYS[filter_name]}/{filter_name}.fits"
    return (
        sample.files[path]
        if not version
        else change_image(sample, filter_name, seed=3, brighter=1 + version / 50).files[path]
    )


@dataclass(frozen=True)
class Run:
    """What runs, in the order of the workflow, and what the world changes before it does."""

    groups: frozenset[str]
    images: dict[str, int]
    dust: int


@dataclass
class Model:
    """What there is, and what it was made of: versions of images and dust are small numbers, results their inputs."""

    world: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*FILTERS, "dust"), 0))
    images: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FILTERS, 0))
    dust: int = 0
    photometry: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FILTERS, 0))
    fit: tuple[int, ...] = (0, 0, 0)

    def run(self, run: Run) -> None:
        self.world |= {**run.images, "dust": run.dust}
        if "images" in run.groups:
            self.images = {each: self.world[each] for each in FILTERS}
        if "dust" in run.groups:
            self.dust = self.world["dust"]
        if "photometry" in run.groups:
            self.photometry = dict(self.images)
        if "fit" in run.groups:
            self.fit = (*self.photometry.values(), self.dust)

    def late_photometry(self) -> set[str]:
        return {each for each in FILTERS if self.photometry[each] != self.images[each]}

    def is_fit_late(self) -> bool:
        return self.fit != (*self.photometry.values(), self.dust) or bool(self.late_photometry())

    def sample(self, runs: list[Run]) -> Sample:
        base = small(NAME)
        export = copy.deepcopy(base.export)
        files = dict(base.files)
        for each in FILTERS:
            files[f"cutout_cdn/{NAME}/{SURVEYS[each]}/{each}.fits"] = image(each, self.images[each])
        export["host"]["fields"]["milkyway_dust_reddening"] = 0.026 + self.dust / 100
        names = {row["pk"]: row["fields"]["name"] for row in export["filters"]}
        for aperture in export["apertures"]:
            for row in aperture["aperturephotometry"]:
                name = names[row["fields"]["filter"]]
                if name in FILTERS and aperture["fields"]["type"] == "global":
                    row["fields"]["flux"] *= 1 + self.photometry[name] / 50
            for row in aperture["sedfittingresults"]:
                if aperture["fields"]["type"] == "global":
                    row["fields"]["log_mass_50"] += sum(n * 10.0**-i for i, n in enumerate(self.fit, 1))
        begin = datetime(2026, 8, 1, tzinfo=UTC)
        for task in export["workflow_tasks"]:
            for day, run in enumerate(runs):
                order = [name for group in GROUPS if group in run.groups for name in GROUPS[group]]
                if task["task_name"] in order:
                    task["last_modified"] = (
                        begin + timedelta(days=day, minutes=5 * order.index(task["task_name"]))
                    ).isoformat()
        export["metadata"]["export_time"] = (begin + timedelta(days=len(runs) - 1, hours=5)).isoformat()
        return Sample(export, files)


runs = st.builds(
    Run,
    st.frozensets(st.sampled_from(sorted(GROUPS)), min_size=1),
    st.dictionaries(st.sampled_from(FILTERS), st.integers(0, 2), max_size=1),
    st.sampled_from((0, 0, 1)),
)


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(st.lists(runs, min_size=1, max_size=4))
def test_what_is_out_of_date_and_what_was_used_is_what_a_model_remembers(history: list[Run]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        init(repo := Path(folder) / "repo", simulated=True)
        model, images = Model(), [dict.fromkeys(FILTERS, 0)]
        _record(repo, model.sample([]), 0)
        for number, run in enumerate(history, 1):
            model.run(run)
            result = _record(repo, model.sample(history[:number]), number)
            if result.status == "recorded":
                images.append(dict(model.images))
            _compare(DataRepo(repo), model, images)


def _record(repo: Path, sample: Sample, number: int):
    export, data = sample.write(repo.parent / f"in-{number}")
    return DataRepo(repo).record(NAME, export, data)


def _compare(data: DataRepo, model: Model, images: list[dict[str, int]]) -> None:
    late = data.validity(NAME).outdated
    found = {each for each in FILTERS if f"photometry/{NAME}_{each}_global/{each}.flux" in late}
    assert found == model.late_photometry()
    assert ("sed/global.log_mass_50" in late) == model.is_fit_late()
    graph = data.provenance(NAME)
    for each in FILTERS:
        [source] = [
            use.source for use in graph.sources[f"photometry/{NAME}_{each}_global/{each}"] if "cutouts/" in use.source
        ]
        revision = source.partition(":")[0] if ":" in source else f"{NAME}@{len(images) - 1}"
        assert images[int(revision.partition("@")[2])][each] == model.photometry[each]
