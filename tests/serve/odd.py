"""A data repo of what is rare: forty filters, names without end, and every state that a value can be in."""

import copy
from pathlib import Path
from typing import Any
from unittest import mock

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.demo import Sample, bands, edit_flux, fail_stage, process, small
from tests.reruns import new_image
from tests.settings import add_settings

FORTY, LONG, LATE, FAILED, DRAFT = "2026fil", "N" + "2026abcdefg" * 5 + "long-one", "2026old", "2026bad", "2026dra"
"""Transients: of forty filters, of the longest name, out of date, failed, and one whose second run is a draft."""

ENDLESS = "Unbroken" * 25
"""A text of 200 characters in which there is no place to break a line."""

FIT = "Global host SED inference"
WITHDRAWN = "cutout_cdn/WISE/WISE_W1.fits"


def fill(place: Path, aside: Path) -> DataRepo:
    """Make the data repo."""
    repo = DataRepo.init(place, simulated=True)

    def record(sample: Sample, **options: Any) -> None:
        export, data = sample.write(aside / f"{sample.name}-{len(list(aside.glob('*')))}")
        repo.record(sample.name, export, data, **options)

    aside.mkdir(exist_ok=True)
    record(_of_forty_filters(), run=f"night/{ENDLESS[:100]}")
    record(_with_long_texts(small(LONG)))
    first = small(LATE)
    record(first)
    record(new_image(first))
    record(fail_stage(small(FAILED), FIT, message=f"failed: {ENDLESS}"))
    record(small(DRAFT))
    add_settings(place, "publish: complete")
    repo = DataRepo(place)
    record(fail_stage(edit_flux(small(DRAFT), "DES_g", 1.5), FIT))
    repo.withdraw(f"{FORTY}@0:{WITHDRAWN}", f"{ENDLESS} asked for it")
    repo.collections.create(ENDLESS[:60], "TAGGED", "for the tests", ENDLESS)
    repo.collections.add(ENDLESS[:60], [f"{name}@0" for name in (FORTY, LONG, FAILED)], ENDLESS)
    repo.collections.add(ENDLESS[:60], [f"{LATE}@1", f"{DRAFT}@0"], "more")
    repo.releases.freeze(ENDLESS[:60], "1")
    flags = {FORTY: "good", FAILED: "bad", LATE: "suspect"}
    for name, flag in flags.items():
        repo.annotations.add([f"{name}@0"], AnnotationBody(comment=ENDLESS, flag=flag, tags=(ENDLESS[:60],)))
    repo.index.update()
    return repo


def _of_forty_filters() -> Sample:
    more = tuple(
        each._replace(name=f"{each.name}_narrowband_{number:02}", wavelength=each.wavelength + 37.0 * number)
        for number, each in enumerate((bands._ROWS * 2)[: 40 - len(bands._ROWS)])
    )
    rows = (*bands._ROWS, *more)
    with mock.patch.object(bands, "_ROWS", rows), mock.patch.dict(bands.BANDS, {each.name: each for each in more}):
        return process(FORTY, filters=tuple(each.name for each in rows), pixels=16)


def _with_long_texts(sample: Sample) -> Sample:
    export = copy.deepcopy(sample.export)
    export["transient"]["fields"] |= {"display_name": ENDLESS, "spectroscopic_class": ENDLESS[:64]}
    export["host"]["fields"]["name"] = ENDLESS
    export["cutouts"][0]["fields"]["message"] = ENDLESS
    return Sample(export, sample.files)
