"""Reading datasets as objects, compared with the same libraries on the plain files; recording many metrics at once."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import samples
from benchmarks.race import Row, race, time_alone
from blastgit import DataRepo

_NAME = samples.NAME
_METRICS = 1000


def readers(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    """Read an image, an archive and a table by name; record a thousand metrics in a commit, and read them back."""
    Path(os.environ["XDG_CONFIG_HOME"]).mkdir(parents=True, exist_ok=True)  # astropy warns if it is missing
    import numpy as np
    from astropy.io import fits
    from astropy.table import Table

    written = samples.write(samples.first(), folder / "in")
    repo = DataRepo.init(folder / "repo", simulated=True)
    repo.record(_NAME, written.export, written.data)
    image = written.data / f"cutout_cdn/{_NAME}/DES/DES_z.fits"
    chain = written.data / f"sed_output/{_NAME}/{_NAME}_global_chain.npz"

    def table(_: int) -> None:
        rows = json.loads(written.export.read_bytes())["apertures"]
        Table([row["fields"] for each in rows for row in each["aperturephotometry"]])

    def unpickled(_: int) -> None:
        with np.load(chain, allow_pickle=True) as archive:
            archive["chains"].item()

    contests: list[tuple[str, str, dict[str, str], Callable[[int], object]]] = [
        ("cutout", "fits.open of the file", {"filter": "DES_z"}, lambda _: fits.open(image, memmap=False)[0].data),
        ("chain", "np.load of the file, unpickling", {"aperture": "global"}, unpickled),
        ("photometry", "json and Table of the export", {}, table),
    ]
    for type_, control, key, step in contests:
        times = race(step, {"get": lambda _, t=type_, k=key: _get(folder / "repo", t, k)}, options.rounds)  # type: ignore[misc]
        yield times["get"].row(f"get a {type_}, checked", control)
    yield from _metrics(repo, options.rounds)


def _get(repo: Path, type_: str, key: dict[str, str]) -> Any:
    return DataRepo(repo).dataset(type_, _NAME, **key)


def _metrics(repo: DataRepo, rounds: int) -> Iterator[Row]:
    values = {f"stage.number{number}": (0.1, "mag") for number in range(_METRICS)}

    def put(number: int) -> None:
        repo.metrics.put(f"{_NAME}@0", {key: (value + number, unit) for key, (value, unit) in values.items()})

    yield Row(f"record {_METRICS:,} metrics in a commit", "", time_alone(put, min(rounds, 5)))
    seconds = time_alone(lambda number: repo.metrics.put(f"{_NAME}@0", {"one": number}), rounds)
    yield Row(f"record one more beside {_METRICS:,}", "", seconds)
    yield Row("read one of them", "", time_alone(lambda _: repo.metrics.get(f"{_NAME}@0", "one"), rounds))
