"""A data repo of what is rare: forty filters, names without end, hostile texts, every state that a value can be in."""

import copy
import io
from pathlib import Path
from typing import Any
from unittest import mock

from astropy.io import fits

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.demo import Sample, bands, edit_flux, fail_stage, process, small
from tests.reruns import new_image
from tests.settings import add_settings

FORTY, LONG, LATE, FAILED, DRAFT = "2026fil", "N" + "2026abcdefg" * 5 + "long-one", "2026old", "2026bad", "2026dra"
"""Transients: of forty filters, of the longest name, out of date, failed, and one whose second run is a draft."""

ENDLESS = "Unbroken" * 25
"""A text of 200 characters in which there is no place to break a line."""

EVIL = "2026evl"
HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>\u202etxt.exe\u2028\x1b[2J&amp;{{7*7}}'
"""Markup, an event handler, what turns the direction of writing, a command for a terminal, an entity and a template."""

TAME = "".join(each for each in HOSTILE if each.isprintable())
"""The same, as far as a line of blastgit's own may have it."""

NAMED = "cutout_cdn/DES/'&lt;script&gt; onerror=alert(1) %0d%0a;{{7+7}}#é\N{SNOWMAN} x.fits"
"""A file of that transient: what every system takes for a name, and a page might take for more."""

QUERY = f"""\
-- description: {TAME}
-- parameters:
--   most: {{type: double, default: 1, description: 'a <script>alert(1)</script>'}}
SELECT transient, hosts.host, '{TAME}' AS answer FROM transients JOIN hosts USING (transient)
WHERE best_redshift <= $most
"""

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
    record(_hostile(small(EVIL)))
    record(fail_stage(edit_flux(_hostile(small(EVIL)), "DES_g", 1.5), FIT, message=HOSTILE))
    repo.withdraw(f"{EVIL}@0:{WITHDRAWN}", TAME)
    repo.queries.add("evil", QUERY, TAME)
    note = aside / "<script>alert(1)<img src=x>'&.html"
    note.write_text("<script>alert(1)</script>")
    body = AnnotationBody(
        comment=HOSTILE.replace("\x1b", ""), link="https://example.org/?q=&lt;script&gt;javascript:alert(1)"
    )
    repo.annotations.add([f"{EVIL}@0"], body, attach=note)
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


def _hostile(sample: Sample) -> Sample:
    export = copy.deepcopy(sample.export)
    export["transient"]["fields"] |= {"display_name": HOSTILE, "spectroscopic_class": HOSTILE[:60]}
    export["host"]["fields"]["name"] = HOSTILE
    export["cutouts"][0]["fields"]["message"] = HOSTILE
    path = f"cutout_cdn/{sample.name}/{NAMED.removeprefix('cutout_cdn/')}"
    return Sample(export, {**sample.files, path: _with_hostile_cards(sample.files, sample.name)})


def _with_hostile_cards(files: dict[str, bytes], name: str) -> bytes:
    """Return an image whose header brings markup in, as its unit and its names."""
    with fits.open(io.BytesIO(files[f"cutout_cdn/{name}/DES/DES_z.fits"])) as found:
        found[0].header["BUNIT"] = "<script>alert(1)</script>"
        found[0].header["OBJECT"] = "'<img src=x onerror=alert(1)>"
        buffer = io.BytesIO()
        found.writeto(buffer)
    return buffer.getvalue()
