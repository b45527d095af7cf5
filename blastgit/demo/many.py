"""Fills a data repo with many invented transients, for pages that need many: `make demo-web`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.annotations.annotation import AnnotationBody
from blastgit.api.repo import DataRepo
from blastgit.demo.changes import change_image, edit_flux, fail_stage, refit, reprocess, without_host
from blastgit.demo.generate import process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from blastgit.demo.sample import Sample

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_FILTERS = ("2MASS_J", "2MASS_H", "DES_g", "DES_r", "DES_z", "WISE_W1")
_RUNS = ("reprocessing/2026-05", "reprocessing/2026-07")


def fill(folder: Path, count: int, *, tell: Callable[[int, int], None], pixels: int = 40) -> DataRepo:
    """Make a data repo of invented transients: some are reprocessed, failed, flagged or partly withdrawn.

    Args:
        folder: The folder of the data repo, which must not exist yet.
        count: How many transients, from 6 on.
        tell: Called with the number of recorded states and the total number.
        pixels: The side length of the images.

    Returns:
        The data repo.
    """
    repo = DataRepo.init(folder, simulated=True)
    found = list(names(count))
    with tempfile.TemporaryDirectory(prefix="blastgit-demo-") as aside:
        later = _write_first(Path(aside), found, pixels)
        repo.import_all(Path(aside) / "data", exports=Path(aside) / "exports", run=_RUNS[0])
        tell(count, count + len(later))
        for done, (run, sample) in enumerate(later, 1):
            export, data = sample.write(Path(aside) / f"later-{done}")
            repo.record(sample.name, export, data, run=run)
            tell(count + done, count + len(later))
    _gather(repo, found)
    return repo


def _write_first(aside: Path, found: list[str], pixels: int) -> list[tuple[str, Sample]]:
    """Write the first state of each transient in the layout of Blast, and return the later ones with their runs."""
    (aside / "exports").mkdir()
    later: list[tuple[str, Sample]] = []
    for number, name in enumerate(found):
        (_, first), *rest = _states(name, number, pixels)
        export, _ = first.write(aside)
        export.rename(aside / "exports" / f"{name}.json")
        later += rest
    return later


def names(count: int) -> Iterator[str]:
    """Yield names like those of the Transient Name Server: 2026aaa, 2026aab, and so on."""
    for number in range(count):
        first, rest = divmod(number, 26 * 26)
        second, third = divmod(rest, 26)
        yield f"2026{_LETTERS[first]}{_LETTERS[second]}{_LETTERS[third]}"


def _states(name: str, number: int, pixels: int) -> Iterator[tuple[str, Sample]]:
    """Yield each state of a transient with the run that it belongs to."""
    first = process(name, seed=number, filters=_FILTERS, pixels=pixels)
    if number % 23 == 5:
        yield _RUNS[0], fail_stage(first, "Global host SED inference")
        return
    if number % 29 == 7:
        yield _RUNS[0], without_host(first)
        return
    yield _RUNS[0], first
    if number % 3 == 0:
        again = reprocess(first, app_version="v1.13.1", export_time="2026-06-20T09:12:44.120001+00:00", seed=number)
        yield _RUNS[1], again
    elif number % 3 == 1:
        later = reprocess(first, app_version="v1.13.1", export_time="2026-07-02T11:30:05.702113+00:00", seed=number)
        changed = change_image(later, "DES_z", seed=number) if number % 2 else refit(later, seed=number)
        yield _RUNS[1], changed
        if number % 11 == 1:
            again = reprocess(changed, app_version="v1.14.0", export_time="2026-08-11T08:02:51.100000+00:00", seed=1)
            edited = edit_flux(again, "DES_g", 1.1) if number % 2 else fail_stage(again, "Local host SED inference")
            yield _RUNS[1], edited


def _gather(repo: DataRepo, found: list[str]) -> None:
    """Make a collection and release it, and annotate some transients."""
    repo.collections.create("nearby", "TAGGED", "A sample to show", "hosts that are near enough to be resolved")
    repo.collections.add("nearby", [f"{name}@0" for name in found[: max(3, len(found) // 6)]], "The first of the list")
    repo.releases.freeze("nearby", "1")
    said = repo.annotations
    said.add([f"{found[0]}@0"], AnnotationBody(comment="Aperture checked against the Legacy image.", flag="good"))
    doubt = "The host may be the fainter galaxy to the north."
    said.add([f"{found[min(2, len(found) - 1)]}@0"], AnnotationBody(comment=doubt, flag="suspect", tags=("host",)))
    said.add(
        found[1:2],
        AnnotationBody(comment="Spectrum at +12 days in the WISeREP archive.", link="https://www.wiserep.org/"),
    )
    path = "cutout_cdn/2MASS/2MASS_J.fits"
    repo.withdraw(f"{found[min(3, len(found) - 1)]}@0:{path}", "the survey took this image back")
