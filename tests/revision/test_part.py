"""Parts of an export, merged into another one: rows by name, and fields one by one."""

import copy
from typing import Any

import pytest

from blastgit.demo import Sample, change_image, edit_flux, fail_stage, refit, reprocess, small, without_host
from blastgit.errors import InvalidExport
from blastgit.revision.export import check_export
from blastgit.revision.part import carry_over, is_whole, lay_over, skeleton


@pytest.fixture(scope="module")
def first() -> Sample:
    return small("2026dgt")


@pytest.mark.parametrize(
    "change",
    [
        lambda sample: sample,
        lambda sample: edit_flux(sample, "DES_z", 2.0),
        lambda sample: change_image(sample, "DES_g", seed=3),
        lambda sample: refit(sample, seed=3),
        lambda sample: fail_stage(sample, "Host match"),
        without_host,
        lambda sample: reprocess(sample, app_version="v2", export_time="2026-06-02T09:00:00+00:00", seed=1),
    ],
)
def test_what_differs_laid_over_the_old_gives_the_new(first: Sample, change: Any) -> None:
    old, new = first.export, change(first).export
    merged = carry_over(copy.deepcopy(old), old, new)
    assert by_name(merged) == by_name(new)


def by_name(document: dict[str, Any]) -> dict[str, Any]:
    """A document whose lists are in an order that depends on names alone."""
    lists = ("apertures", "cutouts", "filters", "surveys")
    ordered = {key: sorted(document[key], key=lambda row: row["fields"]["name"]) for key in lists}
    tasks = sorted(document["workflow_tasks"], key=lambda row: row["task_name"])
    return {**document, **ordered, "workflow_tasks": tasks}


def test_only_what_was_made_is_carried_over(first: Sample) -> None:
    elsewhere = edit_flux(first, "WISE_W1", 3.0)
    merged = carry_over(elsewhere.export, first.export, edit_flux(first, "DES_z", 2.0).export)
    assert by_name(merged) == by_name(edit_flux(elsewhere, "DES_z", 2.0).export)


def test_fields_are_merged_and_rows_are_found_by_name(first: Sample) -> None:
    cutout = first.export["cutouts"][0]["fields"]["name"]
    part = {
        "host": {"fields": {"redshift": 0.5}},
        "cutouts": [{"fields": {"name": cutout, "message": "seen"}}],
        "apertures": [{"model": "host.aperture", "pk": 999, "fields": {"name": "new", "type": "local"}}],
    }
    merged = check_export(lay_over(first.export, part)).document
    assert merged["host"]["fields"] == {**first.export["host"]["fields"], "redshift": 0.5}
    assert merged["cutouts"][0]["fields"]["message"] == "seen"
    assert len(merged["cutouts"]) == len(first.export["cutouts"])
    assert merged["apertures"][-1]["aperturephotometry"] == []


def test_another_host_and_none(first: Sample) -> None:
    other = {"model": "host.host", "pk": 12345, "fields": {"name": "another"}}
    assert lay_over(first.export, {"host": other})["host"] == other
    assert lay_over(first.export, {"host": None})["host"] is None
    assert lay_over({**first.export, "host": None}, {"host": other})["host"] == other


def test_a_whole_export_replaces_all(first: Sample) -> None:
    whole = {**first.export, "cutouts": []}
    assert is_whole(whole)
    assert lay_over(first.export, whole) == whole
    assert not is_whole({**whole, "apertures": [{"fields": {"name": "x"}}]})


def test_the_skeleton_is_an_export() -> None:
    export = check_export(skeleton("2026dgt", "2026-07-01T12:00:00+00:00"))
    assert (export.name, export.app_version) == ("2026dgt", "")


@pytest.mark.parametrize(
    "part",
    [{"cutouts": {}}, {"cutouts": [{}]}, {"cutouts": [1]}, {"workflow_tasks": [{"status": {}}]}, {"metadata": []},
     {"apertures": [{"fields": {"name": None}}]}, {"host": []}, {"host": {"fields": 1}}],
)  # fmt: skip
def test_what_is_no_part(first: Sample, part: dict[str, Any]) -> None:
    with pytest.raises(InvalidExport):
        lay_over(first.export, part)
