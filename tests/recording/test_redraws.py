"""A fit that was only redrawn makes no revision, if the rules say so: `equal_within`."""

import copy
import dataclasses
import io
import shutil

import h5py
import numpy as np
import pytest
import yaml

from benchmarks.redraws import rates, trials
from blastgit import DataRepo
from blastgit.demo import Sample, add_alias, edit_flux, refit, reprocess, small
from blastgit.plumbing.process import run_git
from blastgit.repository.history import History
from blastgit.repository.local import LocalRepository

SIGMA = 0.35
RULE = {"sed": {"equal_within": {"sigma": SIGMA}}, "sfh": {"equal_within": {"sigma": SIGMA}}}
SAMPLES = (".h5", "_chain.npz", "_perc.npz", "_modeldata.npz")


@pytest.fixture(scope="module")
def drawn():
    """What was published: as many samples as Blast draws."""
    return refit(small("2026dgt"), seed=1, draws=2500)


@pytest.fixture(scope="module")
def other(drawn):
    """The same, processed again."""
    return again(drawn, 2)


@pytest.fixture(scope="module")
def published(tmp_path_factory, drawn, run):
    """A data repo in which the rule is on, with revision 0, for dry runs."""
    folder = tmp_path_factory.mktemp("redraws")
    repo = DataRepo.init(folder / "repo.git", simulated=True).path
    set_rules(repo, {"tables": RULE}, folder / "main", run)
    DataRepo(repo).record("2026dgt", *drawn.write(folder / "first"))
    return repo


@pytest.fixture
def ruled(published, repo):
    """The same, to write into."""
    shutil.rmtree(repo, ignore_errors=True)
    return shutil.copytree(published, repo)


def set_rules(repo, rules, folder, run):
    run("git", "clone", "--quiet", repo, folder)
    settings = yaml.safe_load((folder / "blastgit.yaml").read_text())
    (folder / "blastgit.yaml").write_text(yaml.safe_dump({**settings, "rules": rules}))
    run("git", "commit", "--quiet", "-am", "Set rules", cwd=folder)
    run("git", "push", "--quiet", "origin", "main", cwd=folder)
    return repo


def again(sample, seed, day=11):
    """The same transient processed again: nothing changed but what the sampler drew."""
    time = f"2026-06-{day:02}T08:00:00+00:00"
    return refit(reprocess(sample, app_version=f"v1.13.{day}", export_time=time, seed=seed), seed=seed)


def sed_rows(sample, scope):
    for aperture in sample.export["apertures"]:
        if aperture["fields"]["type"] == scope:
            yield from (row["fields"] for row in aperture["sedfittingresults"])


def moved(sample, name, by, scope="global"):
    """One posterior of a sample moved by so many of its widths."""
    export = copy.deepcopy(sample.export)
    for row in sed_rows(Sample(export, {}), scope):
        width = (row[f"{name}_84"] - row[f"{name}_16"]) / 2
        for percentile in (16, 50, 84):
            row[f"{name}_{percentile}"] += by * width
    return Sample(export, sample.files)


def with_file(sample, end, change):
    path = next(path for path in sample.files if path.endswith(end))
    return Sample(sample.export, {**sample.files, path: change(sample.files[path])})


def test_it_is_off_by_default(repo, drawn, record, other):
    record(repo, drawn)
    result = record(repo, other)
    assert (result.status, result.redrawn) == ("recorded", None)
    assert result.reason == (
        "the global and local SED results differ though no input changed (the fit draws random samples)"
    )


def test_a_redraw_is_a_reproduction_with_the_largest_deviation(ruled, record, other):
    result = record(ruled, other)
    assert (result.status, result.revision) == ("unchanged", 0)
    assert 0 < result.redrawn <= SIGMA
    rounded = np.ceil(result.redrawn * 100) / 100
    assert result.reason == f"the values are those of revision 0, redrawn within {rounded:g} sigma"
    assert {file.change for file in result.files} == {"redrawn"}
    assert {file.path.partition("_")[2].partition("_")[2] for file in result.files} >= {"global.h5", "local_chain.npz"}
    assert len(result.files) == 2 * len(SAMPLES)
    [marker] = [each for each in History(LocalRepository(ruled)).markers("2026dgt") if each.reproduces == 0]
    assert marker.redrawn_within == pytest.approx(result.redrawn, abs=1e-4)
    assert marker.redrawn_within >= result.redrawn
    assert "redrawn       the global SED results, within 0." in marker.commit.message
    [entry] = DataRepo(ruled).log("2026dgt")
    assert str(entry.reproductions[0]).endswith(f", redrawn within {rounded:g} sigma")
    assert entry.reproductions[0].to_json()["redrawn_within"] == marker.redrawn_within
    assert not DataRepo(ruled).verify().problems


def test_the_published_bytes_stay(ruled, drawn, record, tmp_path, other):
    record(ruled, other)
    DataRepo(ruled).get("2026dgt", tmp_path / "got")
    for path, data in drawn.files.items():
        assert (tmp_path / "got" / path.replace("2026dgt/", "", 1)).read_bytes() == data


def test_half_a_width_is_a_revision(ruled, record, other):
    result = record(ruled, moved(other, "logzsol", 0.5))
    assert (result.status, result.revision) == ("recorded", 1)
    assert result.reason == (
        "the global SED results differ though no input changed (the fit draws random samples); "
        "the local SED results were redrawn within 0.14 sigma"
    ).replace("0.14", f"{np.ceil(result.redrawn * 100) / 100:g}")
    changed = {file.path.partition("2026dgt_")[2]: file.change for file in result.files if "sed_output" in file.path}
    assert {changed[f"global{end}"] for end in SAMPLES} == {"changed"}
    assert {changed[f"local{end}"] for end in SAMPLES} == {"redrawn"}


def test_a_value_that_is_no_percentile_is_compared_in_the_width_of_what_it_is_a_factor_of(ruled, record, other):
    other = copy.deepcopy(other)
    for row in sed_rows(other, "global"):
        row["mass_surviving_ratio"] *= 1.2  # 0.08 dex, the width of the mass
    assert record(ruled, other, dry_run=True).status == "recorded"
    for row in sed_rows(other, "global"):
        row["mass_surviving_ratio"] = None
    assert record(ruled, other).status == "recorded"


def test_what_a_fit_reads_makes_its_results_count(ruled, record, other):
    result = record(ruled, edit_flux(other, "DES_z", 1.001))
    assert result.reason.startswith("flux changed in DES_z by +0.1 %; the global SED results follow; ")
    assert "the local SED results were redrawn within" in result.reason


def test_a_revision_for_another_reason_has_the_new_draws_with_their_files(ruled, record, tmp_path, other):
    later = add_alias(other, "AT2026dgt")
    result = record(ruled, later)
    assert result.status == "recorded"
    assert "the global SED results were redrawn within" in result.reason
    assert "labels changed" in result.reason
    DataRepo(ruled).get("2026dgt@1", tmp_path / "got")
    for path, data in later.files.items():
        if path.endswith(SAMPLES):
            assert (tmp_path / "got" / path.replace("2026dgt/", "", 1)).read_bytes() == data
    assert not DataRepo(ruled).verify().problems


def test_no_slow_drift(ruled, drawn, record):
    """Each step is small, and what is compared with stays where it is."""
    found = [record(ruled, at_day(moved(drawn, "age", 0.2 * step), step)) for step in (1, 2)]
    assert [each.status for each in found] == ["unchanged", "recorded"]
    assert found[0].redrawn == pytest.approx(0.2)


def at_day(sample, day):
    time = f"2026-06-{day:02}T08:00:00+00:00"
    metadata = {"app_version": f"v1.13.{day}", "export_time": time}
    return dataclasses.replace(sample, export={**sample.export, "metadata": metadata})


def truncated(data):
    return data[: len(data) // 2]


def with_flipped_byte(data):
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def with_other_observations(data):
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        file["obs/maggies"][0] *= 1.01
    return buffer.getvalue()


def with_nan(data):
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        file["sampling/chain"][0, 0] = np.nan
    return buffer.getvalue()


def with_fewer_arrays(data):
    arrays = dict(np.load(io.BytesIO(data)))
    del arrays["spec_16"]
    return packed(arrays)


def with_another_shape(data):
    arrays = dict(np.load(io.BytesIO(data)))
    return packed({**arrays, "spec": arrays["spec"][:-1]})


def with_another_grid(data):
    arrays = dict(np.load(io.BytesIO(data)))
    return packed({**arrays, "rest_wavelength": arrays["rest_wavelength"] * 1.01})


def packed(arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("end", "change"),
    [
        ("_global.h5", truncated), ("_local_chain.npz", truncated), ("_global_perc.npz", truncated),
        ("_local_chain.npz", with_flipped_byte), ("_global_modeldata.npz", with_flipped_byte),
        ("_global.h5", with_other_observations), ("_global.h5", with_nan),
        ("_local_modeldata.npz", with_fewer_arrays), ("_local_modeldata.npz", with_another_shape),
        ("_local_modeldata.npz", with_another_grid),
    ],
)  # fmt: skip
def test_a_file_of_samples_that_differs_in_more_than_its_draws_counts(published, record, end, change, other):
    result = record(published, with_file(other, end, change), dry_run=True)
    assert result.status == "recorded"
    assert {file.path.partition("2026dgt")[2] for file in result.files if file.counts} == {end}
    assert (
        f"also 2026dgt{end} changed in content" in result.reason or f"2026dgt{end} changed in content" in result.reason
    )


def test_a_file_of_samples_that_is_gone_counts(published, record, other):
    other = copy.deepcopy(other)
    files = {path: data for path, data in other.files.items() if not path.endswith("_local.jpg")}
    path = next(path for path in files if path.endswith("_global_perc.npz"))
    for row in sed_rows(other, "global"):
        row["percentiles_file"] = ""
    del files[path]
    assert record(published, Sample(other.export, files), dry_run=True).status == "recorded"


def test_a_fit_that_is_gone_counts(published, record, other):
    other = copy.deepcopy(other)
    for aperture in other.export["apertures"]:
        aperture["sedfittingresults"] = []
    assert record(published, other, dry_run=True).status == "recorded"


def test_an_equal_table_whose_samples_were_drawn_again(ruled, drawn, record, other):
    other = copy.deepcopy(other)
    chain = next(path for path in other.files if path.endswith("_global_chain.npz"))
    found = record(ruled, at_day(Sample(drawn.export, {**drawn.files, chain: other.files[chain]}), 12))
    assert (found.status, found.redrawn) == ("unchanged", 0.0)


def test_the_same_draws_are_no_redraw(ruled, drawn, record):
    found = record(ruled, reprocess(drawn, app_version="v1.13.1", export_time="2026-06-11T08:00:00+00:00", seed=3))
    assert (found.status, found.redrawn) == ("unchanged", None)
    assert "Redrawn-Within" not in run_git(ruled, "log", "-1", "--format=%B", "refs/heads/2026dgt").decode()


def test_one_table_alone(repo, drawn, record, tmp_path, run, other):
    """Without the rule for its table, the history of star formation counts as ever."""
    set_rules(repo, {"tables": {"sed": RULE["sed"]}}, tmp_path / "main", run)
    record(repo, drawn)
    assert record(repo, other, dry_run=True).status == "recorded"


def test_a_diff_shows_what_differs_and_says_that_it_is_noise(ruled, record, other):
    record(ruled, add_alias(other, "AT2026dgt"))
    found = DataRepo(ruled).diff("2026dgt@0", "2026dgt@1")
    assert "SED results were redrawn within" in found.reason
    assert sum(change.table == "sed" for change in found.fields) > 60


def test_redraws_are_told_from_shifts():
    found = list(trials(25, [0.35], shift=0.5))
    assert rates(found, 0.35)[0] <= 0.04
    assert rates(found, 0.35)[1] == 1


def test_a_redraw_of_an_older_revision_is_its_values_again(ruled, drawn, record, other):
    assert record(ruled, edit_flux(drawn, "DES_z", 1.5)).status == "recorded"
    assert record(ruled, other).reason.endswith("; the values are those of revision 0 again")
