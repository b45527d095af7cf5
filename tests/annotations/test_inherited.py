"""Annotations of inputs are shown for the products that really used them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.api.annotations import Annotations
from blastgit.demo import Sample, flip_validation, small
from blastgit.revision.export import read_export
from blastgit.revision.normalise import normalise
from blastgit.revision.rules import default_rules
from blastgit.workflow.inputs import Use, Uses, read_uses

VALID, INVALID = "cutout_cdn/DES/DES_g.fits", "cutout_cdn/DES/DES_z.fits"


def uses_of(document: Any) -> Uses:
    form = normalise(read_export(json.dumps(document).encode()), default_rules())
    return read_uses(form, [])


def test_an_image_whose_photometry_was_not_validated_was_not_used() -> None:
    sample = small("2026dgt")
    photometry = "photometry/2026dgt_DES_z_global/DES_z"
    assert Use("sed/global", photometry, really=False) in uses_of(sample.export).steps
    inputs = uses_of(sample.export).inputs(["sed/global"])
    assert inputs["photometry/2026dgt_DES_g_global/DES_g"] == 1
    assert inputs[VALID] == 3
    assert INVALID not in inputs
    flipped = uses_of(flip_validation(sample, ["DES_z"]).export)
    assert flipped.inputs(["sed/global"])[INVALID] == 3


def test_without_any_judgement_all_of_it_was_used() -> None:
    sample = small("2026dgt")
    for aperture in sample.export["apertures"]:
        for row in aperture["aperturephotometry"]:
            row["fields"]["is_validated"] = None
    assert INVALID in uses_of(sample.export).inputs(["sed/global"])


def test_files_come_of_the_fit_and_pictures_of_files() -> None:
    sample = small("2026dgt")
    form = normalise(read_export(json.dumps(sample.export).encode()), default_rules())
    files = [VALID, "cutout_cdn/DES/DES_g.jpg", "sed_output/2026dgt_global.h5"]
    uses = read_uses(form, files)
    assert uses.inputs(["cutout_cdn/DES/DES_g.jpg"]) == {VALID: 1}
    assert uses.inputs(["sed_output/2026dgt_global.h5"])[VALID] == 4
    assert "sed/global" in uses.results
    assert "cutout_cdn/DES/DES_g.jpg" not in uses.results


def test_real_cases(cases: Path) -> None:
    for file in sorted(cases.glob("*/*/export.json")):
        document = json.loads(file.read_bytes())
        form = normalise(read_export(file.read_bytes()), default_rules())
        inputs = read_uses(form, []).inputs(["sed/global"])
        rejected = {
            (aperture["fields"]["name"], row["fields"]["filter"])
            for aperture in document["apertures"]
            for row in aperture["aperturephotometry"]
            if aperture["fields"]["type"] == "global" and row["fields"]["is_validated"] != "true"
        }
        used = [path for path in inputs if path.startswith("photometry/")]
        rows = [row for row in form.tables["photometry"] if str(row.key[0]).endswith("_global")]
        if form.tables["sed"]:
            assert len(used) == len(rows) - len(rejected) > 0
        else:
            assert used == []


def origins(room: Annotations, spec: str, **options: Any) -> dict[str, int]:
    found = room.about(spec, **options)
    return {note.event.remark.comment: note.distance for note in found.notes}


def test_notes_of_inputs_with_their_distance(history: Path, room: Annotations, speak: Callable[..., Any]) -> None:
    speak(history, "alice", f"2026dgt@0:{VALID}", comment="used", flag="bad")
    speak(history, "alice", f"2026dgt@0:{INVALID}", comment="not in the global fit", flag="suspect")
    speak(history, "alice", "2026dgt@0:photometry/2026dgt_DES_g_global/DES_g.flux", comment="flux")
    speak(history, "alice", "2026dgt:host", comment="host")
    speak(history, "alice", "2026dgt@0", comment="all of it")
    assert origins(room, "2026dgt@0:sed/global") == {"all of it": 0}
    found = {"used": 3, "flux": 1, "host": 3, "all of it": 0}
    assert origins(room, "2026dgt@0:sed/global", inherited=True) == found
    deeper = {"used": 4, "flux": 2, "host": 4, "all of it": 0}
    assert origins(room, "2026dgt@0:sed_output/2026dgt_global.h5", inherited=True) == deeper
    assert "not in the global fit" not in origins(room, "2026dgt@0:sed/global", inherited=True)
    assert origins(room, "2026dgt@0:sed/local", inherited=True)["not in the global fit"] == 3
    assert origins(room, "2026dgt@0", inherited=True)["used"] == 3
    notes = room.about("2026dgt@0:sed/global", inherited=True)
    assert notes.inherited == "bad"
    assert notes.own is None
    assert room.about("2026dgt@0:sed/global").inherited is None


def test_a_flag_on_an_input_may_mark_its_outputs(
    history: Path, room: Annotations, speak: Callable[..., Any], set_main: Callable[..., None]
) -> None:
    speak(history, "alice", f"2026dgt@0:{VALID}", flag="bad")
    assert room.about("2026dgt@0").inherited is None
    set_main(history, "flags: {inherit: true}\n")
    assert room.about("2026dgt@0").inherited == "bad"


def test_a_run_is_among_what_a_revision_comes_of(
    repo: Path, sample: Sample, record: Callable[..., Any], speak: Callable[..., Any]
) -> None:
    record(repo, sample, run="DES/1")
    speak(repo, "alice", "run:DES/1", comment="wrong filter curve")
    room = DataRepo(repo).annotations
    assert origins(room, "2026dgt@0") == {}
    assert origins(room, "2026dgt@0", inherited=True) == {"wrong filter curve": 1}


@pytest.mark.parametrize("spec", ["2026dgt@1", "2026dgt@1:cutout_cdn", "2026dgt@1:host", "2026dgt", "2026dgt:host"])
def test_what_nobody_spoke_of(room: Annotations, spec: str) -> None:
    assert room.about(spec, inherited=True).notes == ()
