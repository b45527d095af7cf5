"""Comparing two runs of a small survey, as its user would."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import refit, small
from blastgit.repository.init import init

pytest.importorskip("duckdb", reason="the extra `index` is not installed")

NAMES = ["2026aa", "2026ab", "2026ac"]
OLD, NEW = "reprocessing/w0", "reprocessing/w1"


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three transients: run `w1` has new fits of two, and finds the values of the third again."""
    folder = tmp_path_factory.mktemp("survey")
    init(folder / "repo", simulated=True)
    repo = DataRepo(folder / "repo")
    for number, name in enumerate(NAMES):
        first = small(name)
        second = first if name == NAMES[2] else refit(first, seed=number + 1)
        for run, sample in (("w0", first), ("w1", second)):
            export = sample.export if run == "w0" else {**sample.export, "metadata": _later(sample.export["metadata"])}
            place = folder / f"{name}-{run}"
            place.mkdir()
            repo.record(name, *type(sample)(export, sample.files).write(place), run=f"reprocessing/{run}")
    return folder / "repo"


def _later(metadata: dict[str, Any]) -> dict[str, Any]:
    return {**metadata, "app_version": "v9.9.9", "export_time": "2027-01-01T00:00:00+00:00"}


def test_a_run_holds_what_it_found_again(survey: Path) -> None:
    compared = DataRepo(survey).compare(OLD, NEW, type="sed")
    assert (compared.both, compared.same) == (3, 1)
    found = {(each.group, each.quantity): each for each in compared.statistics}
    mass = found[("global",), "log_mass_50"]
    assert (mass.both, mass.changed) == (3, 2)
    assert compared.statistics[0].group == ("global",)
    assert not any(name.endswith(("_16", "_84")) for _, name in found)


@pytest.mark.parametrize(
    "sides", [("app:v1.12.0", "app:v9.9.9"), ("app:1.12.0", "app:9.9.9"), ("at:2026-12-31", "at:2027-01-01")]
)
def test_versions_of_blast_and_dates(survey: Path, sides: tuple[str, str]) -> None:
    by_run = DataRepo(survey).compare(OLD, NEW, type="sed")
    assert DataRepo(survey).compare(*sides, type="sed").statistics == by_run.statistics


def test_a_collection_against_a_run(survey: Path, cli: Callable[..., Any], tmp_path: Path) -> None:
    assert cli("-C", survey, "collection", "create", "some", "--type", "tagged", "-m", "a test").code == 0
    assert cli("-C", survey, "collection", "add", "some", "2026aa@1", "-m", "a test").code == 0
    compared = DataRepo(survey).compare(OLD, "some", type="sed")
    assert (compared.both, compared.only_old, compared.only_new) == (1, 2, 0)


def test_what_it_prints(survey: Path, cli: Callable[..., Any]) -> None:
    said = cli("-C", survey, "compare", OLD, NEW, "--type", "sed", "--columns", "log_mass_50,age_50").out
    assert said.startswith(f"{OLD} -> {NEW}: 3 transients in both, 1 of them with the same revision\n\nquantity ")
    assert len([line for line in said.splitlines() if line.startswith(("global ", "local "))]) == 4
    assert "Gyr" in said
    said = cli("-C", survey, "compare", OLD, NEW).out
    assert "no transient differs in 16 numbers" in said
    assert cli("-C", survey, "compare", "at:2020-01-01", NEW).out.startswith(
        f"at:2020-01-01 -> {NEW}: 0 transients in both, 0 only in A, 3 only in B\n"
    )


def test_it_is_data_too(survey: Path, cli: Callable[..., Any]) -> None:
    words = ["-C", survey, "compare", OLD, NEW, "--type", "sed"]
    told = json.loads(cli(*words, "--json").out)
    assert (told["both"], told["same"], told["type"]) == (3, 1, "sed")
    assert told["statistics"][0]["group"] == ["global"]
    lines = cli(*words, "--format", "csv").out.splitlines()
    assert lines[0].startswith("group,quantity,unit,both,")
    assert len(lines) == 1 + len(told["statistics"])
    lines = cli(*words, "--each", "--format", "csv").out.splitlines()
    assert lines[0] == "transient,aperture,quantity,old,new,difference,relative,in_sigma"
    assert {line.split(",")[0] for line in lines[1:]} == {"2026aa", "2026ab"}


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_picture(survey: Path, cli: Callable[..., Any], tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("matplotlib", reason="the extra `pictures` is not installed")
    path = tmp_path / f"out.{suffix}"
    said = cli("-C", survey, "compare", OLD, NEW, "--type", "sed", "--picture", path)
    assert f"12 numbers drawn in {path}" in said.out
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG") if suffix == "png" else b"<svg" in data


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([OLD, "reprocessing/w2"], 5, "no run or collection 'reprocessing/w2'; did you mean reprocessing/w"),
        ([OLD, "at:tomorrow"], 4, "'tomorrow' is not a date"),
        ([OLD, NEW, "--columns", "nonsense"], 2, "photometry has no number 'nonsense'"),
        ([OLD, NEW, "--picture", "out.bmp"], 2, r"should end in .png, .svg or .pdf"),
    ],
)
def test_bad_input(survey: Path, cli: Callable[..., Any], words: list[str], code: int, said: str) -> None:
    found = cli("-C", survey, "compare", *words)
    assert (found.code, said in found.err) == (code, True), found.err
