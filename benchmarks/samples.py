"""The data for the benchmarks: one transient of 24 files and 10 MB, changed versions of it, and many like it."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from blastgit import demo

NAME = "2026dgt"
TWO = ("DES_z", "2MASS_H")
"""The filters whose images change."""

_LATER = "2026-06-01T12:00:00.000000+00:00"


@dataclass(frozen=True)
class Written:
    """A sample on disk.

    Attributes:
        name: The transient.
        export: The file of its export.
        data: The folder of its files.
    """

    name: str
    export: Path
    data: Path

    @property
    def files(self) -> list[Path]:
        """All files but the export, sorted."""
        return sorted(path for path in self.data.rglob("*") if path.is_file())


def first() -> demo.Sample:
    """Return the transient after its first processing."""
    return demo.process(NAME, pixels=300)


def write(sample: demo.Sample, folder: Path) -> Written:
    """Write a sample into a fresh folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return Written(sample.name, *sample.write(folder))


def reprocessed(sample: demo.Sample, seed: int) -> demo.Sample:
    """Return the sample after another run on the same images: new keys, row order, noise in the last bits of values.

    No file differs, as is usual (24 of 24 files of the real case `2010H b1`).
    """
    return demo.Sample(noisy(sample, seed).export, sample.files)


def noisy(sample: demo.Sample, seed: int) -> demo.Sample:
    """Return the sample after a run whose noise also changed an HDF5 file."""
    return demo.reprocess(sample, app_version="v1.13.1", export_time=_LATER, seed=seed)


def two_changed(sample: demo.Sample, seed: int) -> demo.Sample:
    """Return the sample with other images and fluxes in two filters, and everything else unchanged."""
    export, files = sample, dict(sample.files)
    for band in TWO:
        changed = demo.change_image(sample, band, seed=seed, brighter=1.03)
        path = next(path for path in files if path.endswith(f"/{band}.fits"))
        files[path] = changed.files[path]
        export = demo.edit_flux(export, band, 1.03)
    return demo.Sample(export.export, files)


def paths_of_two(written: Written) -> list[Path]:
    """Return the files that `two_changed` changes, in a written sample."""
    return [path for path in written.files if path.name in {f"{band}.fits" for band in TWO}]


def variant(sample: demo.Sample, number: int) -> demo.Sample:
    """Return another transient with its own name and contents, made by overwriting a few bytes of each file."""
    name = f"{NAME}{number:04}"
    noise = random.Random(number).randbytes(8)
    files = {}
    for path, content in sample.files.items():
        middle = len(content) // 2
        files[path.replace(NAME, name)] = content[:middle] + noise + content[middle + 8 :]
    return demo.Sample(json.loads(sample.text.replace(NAME, name)), files)
