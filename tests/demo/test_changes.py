"""Each change changes what it describes and nothing else, and does not modify its input."""

import copy
import io
import json
import math

import h5py
import numpy as np
import pytest

from blastgit.demo import (
    add_alias,
    change_image,
    edit_flux,
    fail_stage,
    flip_validation,
    inject_nonfinite,
    process,
    refit,
    reprocess,
    small,
    without_host,
)

LATER = "2026-06-11T08:00:00.000001+00:00"
VOLATILE = {"software_version", "cropped", "message", "last_modified", "last_processing_time_seconds"}


@pytest.fixture(scope="module")
def before():
    return small("2026a")


def science(export):
    """Flatten an export to natural keys and what they say, without keys, order, times and versions."""
    filters = {row["pk"]: row["fields"]["name"] for row in export["filters"]}
    flat = {}

    def add(key, fields):
        skip = VOLATILE | {"transient", "host", "cutout", "aperture", "survey", "logsfh", "filter"}
        for name, value in fields.items():
            if name not in skip:
                assert (*key, name) not in flat
                flat[(*key, name)] = value

    add(("transient",), export["transient"]["fields"])
    if export["host"]:
        add(("host",), export["host"]["fields"])
    for table in ("cutouts", "filters", "surveys"):
        for row in export[table]:
            add((table, row["fields"]["name"]), row["fields"])
    for aperture in export["apertures"]:
        scope = aperture["fields"]["type"]
        add(("aperture", aperture["fields"]["name"]), aperture["fields"])
        for row in aperture["aperturephotometry"]:
            assert row["fields"]["aperture"] == aperture["pk"]
            add(("photometry", scope, filters[row["fields"]["filter"]]), row["fields"])
        for row in aperture["sedfittingresults"]:
            assert row["fields"]["aperture"] == aperture["pk"]
            bins = aperture["starformationhistoryresult"]
            assert sorted(row["fields"]["logsfh"]) == sorted(line["pk"] for line in bins)
            add(("sed", scope), row["fields"])
        for row in aperture["starformationhistoryresult"]:
            add(("history", scope, row["fields"]["logsfr_tmin"]), row["fields"])
    for task in export["workflow_tasks"]:
        flat["task", task["task_name"]] = tuple(task["status"].items())
    return flat


def differing(a, b, tolerance=1e-12):
    """Keys of `science` whose values differ by more than the tolerance."""
    assert a.keys() == b.keys()

    def same(x, y):
        both = isinstance(x, float) and isinstance(y, float)
        return x == y or (both and abs(x - y) <= tolerance * max(abs(x), abs(y)))

    return {key for key in a if not same(a[key], b[key])}


def changed_files(a, b):
    return {path for path in a.files.keys() | b.files.keys() if a.files.get(path) != b.files.get(path)}


def keys(export, child):
    return {row["pk"] for aperture in export["apertures"] for row in aperture[child]}


@pytest.mark.parametrize("all_keys", [False, True])
def test_reprocess_keeps_the_science_and_little_else(all_keys):
    before = process(pixels=32)
    after = reprocess(before, app_version="v1.13.1", export_time=LATER, seed=4, all_keys=all_keys)
    assert not differing(science(before.export), science(after.export), 4e-16)
    assert before.text != after.text
    assert after.export["metadata"] == {"app_version": "v1.13.1", "export_time": LATER}
    assert not keys(before.export, "aperturephotometry") & keys(after.export, "aperturephotometry")
    assert (keys(before.export, "sedfittingresults") == keys(after.export, "sedfittingresults")) != all_keys
    order = [[a["fields"]["name"] for a in s.export["apertures"]] for s in (before, after)]
    assert order[0] != order[1]
    carriers = [[a["fields"]["name"] for a in s.export["apertures"] if a["sedfittingresults"]] for s in (before, after)]
    assert set(carriers[0]) != set(carriers[1])
    assert after.export["transient"]["fields"]["software_version"] == "1.13.1"
    versions = {a["fields"]["software_version"] for a in after.export["apertures"]}
    assert versions == {"1.13.1" if all_keys else "1.12.0"}


def test_reprocess_changes_only_the_last_bits_of_one_file(before):
    after = reprocess(before, app_version="v1.12.0", export_time=LATER, seed=1)
    assert changed_files(before, after) == {"sed_output/2026a/2026a_global.h5"}
    with (
        h5py.File(io.BytesIO(before.files["sed_output/2026a/2026a_global.h5"])) as old,
        h5py.File(io.BytesIO(after.files["sed_output/2026a/2026a_global.h5"])) as new,
    ):
        assert (old["obs/maggies"][:] != new["obs/maggies"][:]).any()
        np.testing.assert_allclose(old["obs/maggies"][:], new["obs/maggies"][:], rtol=4.5e-16)
        np.testing.assert_array_equal(old["sampling/chain"][:], new["sampling/chain"][:])


def test_references_follow_new_keys(before):
    export = reprocess(before, app_version="v1.13.1", export_time=LATER, seed=4, all_keys=True).export
    transient = export["transient"]["pk"]
    assert export["transient"]["fields"]["host"] == export["host"]["pk"]
    assert {row["fields"]["survey"] for row in export["filters"]} <= {row["pk"] for row in export["surveys"]}
    assert {row["fields"]["transient"] for row in export["cutouts"] + export["apertures"]} == {transient}
    cutouts = {row["pk"]: row["fields"]["name"] for row in export["cutouts"]}
    for aperture in export["apertures"]:
        if aperture["fields"]["type"] == "global":
            assert aperture["fields"]["name"] == f"{cutouts[aperture['fields']['cutout']]}_global"


def test_change_image_takes_photometry_and_global_fit_along(before):
    after = change_image(before, "DES_z", seed=1)
    difference = differing(science(before.export), science(after.export))
    photometry = {key for key in difference if key[0] == "photometry"}
    assert photometry == {
        ("photometry", scope, "DES_z", name)
        for scope in ("local", "global")
        for name in ("flux", "flux_error", "magnitude")
    }
    assert ("sed", "global", "log_mass_50") in difference
    assert {key[:2] for key in difference - photometry} == {("sed", "global"), ("history", "global")}
    files = {path.removeprefix("sed_output/2026a/2026a_") for path in changed_files(before, after)}
    assert {"global.h5", "global_chain.npz", "global_perc.npz", "global_modeldata.npz", "local.h5"} <= files
    assert "cutout_cdn/2026a/DES/DES_z.fits" in files
    assert not files & {"local_chain.npz", "local_perc.npz", "local_modeldata.npz", "cutout_cdn/2026a/DES/DES_g.fits"}


def test_refit_changes_only_the_fits(before):
    after = refit(before, seed=1)
    difference = differing(science(before.export), science(after.export))
    assert {key[0] for key in difference} == {"sed", "history"}
    assert all(path.startswith("sed_output/") for path in changed_files(before, after))
    assert changed_files(after, refit(before, seed=1)) == set()


def test_table_edits_change_one_thing(before):
    old = science(before.export)
    flipped = flip_validation(before, ["DES_g", "WISE_W1"])
    assert differing(old, science(flipped.export)) == {
        ("photometry", "global", name, "is_validated") for name in ("DES_g", "WISE_W1")
    }
    edited = edit_flux(before, "DES_g", 1.001)
    assert differing(old, science(edited.export)) == {("photometry", "global", "DES_g", "flux")}
    renamed = add_alias(before, "ZTF26xyz")
    assert differing(old, science(renamed.export)) == {("transient", "aliases")}
    failed = fail_stage(before, "Local host SED inference", "not enough filters")
    assert differing(old, science(failed.export)) == {
        ("task", "Local host SED inference"),
        ("transient", "processing_status"),
    }
    assert not any(changed_files(before, after) for after in (flipped, edited, renamed, failed))


def test_fail_stage_knows_its_tasks(before):
    with pytest.raises(ValueError, match="no task 'Dinner'"):
        fail_stage(before, "Dinner")


def test_without_host_ends_after_the_search(before):
    after = without_host(before)
    assert after.export["host"] is None
    assert after.export["apertures"] == []
    status = {task["task_name"]: task["status"]["message"] for task in after.export["workflow_tasks"]}
    assert status["Host match"] == "no host match"
    assert status["Crop transient images"] == "not processed"
    assert all(path.startswith("cutout_cdn/") for path in after.files)
    reprocess(after, app_version="v1.13.1", export_time=LATER, seed=1)


def test_nonfinite_numbers_reach_the_text(before):
    after = inject_nonfinite(before)
    assert "NaN" in after.text
    assert "-Infinity" in after.text
    assert "NaN" not in before.text
    again = reprocess(after, app_version="v1.13.1", export_time=LATER, seed=1)
    found = [value for value in science(again.export).values() if isinstance(value, float) and not math.isfinite(value)]
    assert sorted(map(str, found)) == ["-inf", "inf", "nan"]


def test_no_change_touches_its_input():
    before = small("2026a")
    export, files = copy.deepcopy(before.export), dict(before.files)
    for change in (
        lambda s: reprocess(s, app_version="v1.13.1", export_time=LATER, seed=1, all_keys=True),
        lambda s: change_image(s, seed=1),
        lambda s: refit(s, seed=1),
        lambda s: flip_validation(s, ["DES_g"]),
        lambda s: edit_flux(s, "DES_g", 2.0),
        lambda s: add_alias(s, "other"),
        lambda s: fail_stage(s, "Host match"),
        without_host,
        inject_nonfinite,
    ):
        assert json.dumps(change(before).export) != json.dumps(export)
        assert before.export == export
        assert before.files == files
