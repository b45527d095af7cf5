"""A sky with transients at difficult positions, and annotations of them."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.demo import Sample, fail_stage, refit, small
from blastgit.repository.init import init

pytest.importorskip("duckdb", reason="the extra `index` is not installed")

CHECKOUT = Path(__file__).resolve().parents[3]
QUERY = """\
-- description: transients with good photometry in a filter
-- parameters:
--   snr: {type: double, default: 5, description: the least ratio of signal to noise}
--   filter: {type: text, default: DES_z}
SELECT transient, revision, max(flux / flux_error) AS best_snr FROM photometry
WHERE is_latest AND filter = $filter AND flux > $snr * flux_error GROUP BY ALL ORDER BY ALL;
"""
PLACES = {
    "2026aa": (150.0, 2.0),
    "2026ab": (150.001, 2.0),
    "2026ac": (0.0005, -30.0),
    "2026ad": (359.9995, -30.0),
    "2026ae": (10.0, 89.9995),
    "2026af": (190.0, 89.9995),
    "2026ag": (77.0, -90.0),
}


def moved(sample: Sample, ra: float, dec: float, redshift: float | None = None) -> Sample:
    export = copy.deepcopy(sample.export)
    export["transient"]["fields"].update(ra_deg=ra, dec_deg=dec)
    if redshift is not None:
        export["transient"]["fields"]["redshift"] = redshift
    return Sample(export, sample.files)


def stamped(sample: Sample, version: str, time: str) -> Sample:
    export = copy.deepcopy(sample.export)
    export["metadata"].update(app_version=version, export_time=time)
    return Sample(export, sample.files)


@pytest.fixture(scope="session")
def _sky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven transients; of 2026aa three revisions and a reproduction, with remarks, a collection, a run, a metric."""
    path = tmp_path_factory.mktemp("sky") / "repo"
    init(path, simulated=True)
    repo = DataRepo(path)

    def record(sample: Sample, **options: Any) -> None:
        export, data = sample.write(tmp_path_factory.mktemp("in"))
        repo.record(sample.name, export, data, **options)

    for number, (name, place) in enumerate(PLACES.items()):
        first = moved(small(name), *place, redshift=0.1 * (number + 1))
        first.export["metadata"].update(app_version="v1.12.0", export_time="2026-05-01T00:00:00+00:00")
        first.export["transient"]["fields"]["aliases"] = [f"ZTF26{name[-2:]}"]
        record(first, run="night-1" if number < 2 else None)
        if number:
            continue
        record(stamped(first, "v1.13.0", "2026-05-10T00:00:00+00:00"))
        second = stamped(refit(first, seed=3), "v1.13.1", "2026-06-01T12:00:00+00:00")
        record(second)
        third = stamped(fail_stage(second, "Host match"), "v1.14.0", "2026-07-01T12:00:00+00:00")
        record(third)
    repo.collections.create("sample", "TAGGED", "to try")
    repo.collections.add("sample", ["2026aa@1", "2026ad@0"], "to try")
    repo.annotations.add(["2026ab@0"], AnnotationBody(flag="bad", comment="a trail"))
    repo.annotations.add(["transient:2026ac"], AnnotationBody(flag="suspect", tags=("lens",)))
    repo.annotations.add(["2026aa@1"], AnnotationBody(tags=("golden",)))
    repo.annotations.add(["2026ae@0:cutout_cdn/DES/DES_z.fits"], AnnotationBody(flag="unusable"))
    repo.metrics.put("2026ad@0", {"seeing": (0.8, "arcsec")})
    repo.metrics.put("2026ae@0", {"seeing": (1.4, "arcsec")})
    repo.queries.add("deep", QUERY, "to try")
    return path


@pytest.fixture
def sky(_sky: Path) -> DataRepo:
    return DataRepo(_sky)


@pytest.fixture
def process() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run a command in a process of its own."""

    def call(*arguments: object, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "blastgit", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        return subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, check=False)

    return call


@pytest.fixture
def names(sky: DataRepo) -> Callable[..., list[str]]:
    """Find, and return just the names."""
    return lambda **given: sky.find(**given).names
