import hashlib
import json

import pytest

from blastgit import DataRepo
from blastgit.demo import inject_nonfinite
from blastgit.errors import DamagedData, NotFound


def test_the_document_is_what_was_published(library, run):
    shown = DataRepo(library).show("2026dgt@1")
    assert (shown.revision, shown.path, shown.kind) == ("2026dgt@1", None, "document")
    assert shown.value == json.loads(run("git", "-C", library, "show", "2026dgt/1:2026dgt.json"))
    assert shown.value["metadata"]["dataset_version"] == 1


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ("2026dgt@0:transient.name", "2026dgt"),
        ("2026dgt@0:photometry/2026dgt_DES_z_global/DES_z.filter", "DES_z"),
        ("2026dgt@0:workflow_tasks/Host match.status", "processed"),
        ("2026dgt@1:metadata.app_version", "v1.13.1"),
        ("2026dgt@1:metadata.dataset_version", 1),
        ("2026dgt/0:metadata.dataset_version", 0),
        ("2026dgt@2026-06-01:metadata.app_version", "v1.12.0"),
    ],
)
def test_one_value(library, spec, value):
    shown = DataRepo(library).show(spec)
    assert (shown.kind, shown.value) == ("field", value)


def test_values_are_exact(library, states):
    rows = [
        row for a in states[0].export["apertures"] for row in a["sedfittingresults"] if a["fields"]["type"] == "local"
    ]
    shown = DataRepo(library).show("2026dgt@0:sed/local.log_mass_50")
    assert shown.value == rows[0]["fields"]["log_mass_50"]


def test_fields_that_never_count_can_be_seen_too(library, states):
    shown = DataRepo(library).show("2026dgt@1:transient.fields.software_version")
    assert shown.value == states[2].export["transient"]["fields"]["software_version"]


def test_the_beginning_of_a_path_shows_all_below(library):
    shown = DataRepo(library).show("2026dgt:host")
    assert shown.kind == "rows"
    assert {"host.name", "host.redshift"} < set(shown.value)
    assert all(path.startswith("host.") for path in shown.value)
    below = DataRepo(library).show("2026dgt:photometry/2026dgt_DES_z_global").value
    assert {path.rpartition(".")[2] for path in below} >= {"flux", "flux_error", "magnitude"}


def test_the_facts_of_a_file(library, states):
    content = states[2].files["cutout_cdn/2026dgt/DES/DES_z.fits"]
    shown = DataRepo(library).show("2026dgt@1:cutout_cdn/DES/DES_z.fits")
    assert shown.kind == "file"
    assert shown.value == {
        "size": len(content),
        "md5": hashlib.md5(content).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "withdrawn": None,
    }


@pytest.mark.parametrize("folder", ["cutout_cdn/DES", "cutout_cdn/DES/"])
def test_the_files_of_a_folder(library, folder):
    shown = DataRepo(library).show(f"2026dgt:{folder}")
    assert sorted(shown.value) == [f"cutout_cdn/DES/DES_{end}" for end in ("g.fits", "z.fits", "z.jpg")]


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("host.redshif", "host.redshift"),
        ("cutout_cdn/DES/DES_y.fits", "cutout_cdn/DES/DES_z.fits"),
        ("sed/global.logmass_50", "sed/global.log_mass_50"),
        ("metadata.nothing", ""),
        ("transient.name.x", "transient.name"),
    ],
)
def test_an_unknown_field_is_answered_with_the_nearest(library, path, near):
    with pytest.raises(NotFound) as caught:
        DataRepo(library).show(f"2026dgt@1:{path}")
    assert f"has no {path!r}" in str(caught.value)
    assert near in str(caught.value)


def test_infinities_and_nan_are_words(repo, sample, record):
    record(repo, inject_nonfinite(sample))
    assert DataRepo(repo).show("2026dgt:sed/local.log_sfr_16").value == "-Infinity"
    document = DataRepo(repo).show("2026dgt").value
    assert len(document["metadata"]["nonfinite"]) == 3
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_a_document_that_is_no_more(history, loose):
    loose(history, "2026dgt/1:2026dgt.json").unlink()
    with pytest.raises(DamagedData):
        DataRepo(history).show("2026dgt@1")
