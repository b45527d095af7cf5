import copy
from datetime import UTC, datetime

import pytest

from blastgit import DataRepo
from blastgit.demo import Sample, add_alias, fail_stage, small
from blastgit.errors import InvalidName, NotFound

ENDS = (".h5", "_chain.npz", "_modeldata.npz", "_perc.npz")
FITS = [f"2026dgt_{scope}{end}" for scope in ("global", "local") for end in ENDS]
CHANGED = ["cutout_cdn/DES/DES_z.fits", "cutout_cdn/DES/DES_z.jpg", *(f"sed_output/{name}" for name in FITS)]


def test_list_tells_the_latest_of_each(history, states, record):
    record(history, fail_stage(small("2010H"), "Host match", "no host match"))
    first, second = DataRepo(history).list()
    assert (first.name, first.revision, first.status) == ("2010H", 0, "answered: Host match")
    assert (second.name, second.revision, second.app_version) == ("2026dgt", 1, "v1.13.1")
    assert second.time == datetime(2026, 6, 3, 10, tzinfo=UTC)
    assert second.status == "complete"
    assert (second.files, second.size) == (len(states[2].files), sum(map(len, states[2].files.values())))


@pytest.mark.parametrize(("pattern", "count"), [("*", 1), ("2026*", 1), ("2026dgt", 1), ("2010*", 0), ("2026DGT", 0)])
def test_list_by_pattern(library, pattern, count):
    assert len(DataRepo(library).list(pattern)) == count


def test_list_of_an_empty_repo(repo):
    assert DataRepo(repo).list() == []


def test_only_transients_are_listed(history, run):
    for branch in ("annotations", "u/ann/2026dgt"):
        run("git", "-C", history, "branch", branch, "2026dgt")
    assert [each.name for each in DataRepo(history).list()] == ["2026dgt"]


def test_log_tells_why_and_what(library):
    latest, first = DataRepo(library).log("2026dgt")
    assert (latest.revision.number, first.revision.number) == (1, 0)
    assert latest.revision.reason.startswith("DES_z image changed; flux changed in DES_z by +3 %")
    assert latest.files == [{"path": path, "change": "changed"} for path in CHANGED]
    assert any("DES_z.flux: " in line for line in latest.details)
    assert [(each.app_version, each.time.day) for each in first.reproductions] == [("v1.13.1", 2)]
    assert {file["change"] for file in first.files} == {"added"}
    assert first.revision.reason.startswith("first revision")


def test_log_keeps_the_run(repo, sample, record):
    record(repo, sample, run="2026-05-night-3")
    (entry,) = DataRepo(repo).log("2026dgt")
    assert entry.to_json()["run"] == "2026-05-night-3"


@pytest.mark.parametrize("verb", ["log", "blame"])
def test_an_unknown_transient(library, verb):
    with pytest.raises(NotFound, match=r"did you mean 2026dgt\?"):
        getattr(DataRepo(library), verb)("2026dgu")
    with pytest.raises(InvalidName):
        getattr(DataRepo(library), verb)("../2026dgt")


def test_blame_names_the_last_revision_that_changed_each(history, states, record):
    record(history, add_alias(states[2], "SN 2026dgt"))
    found = {each.path: each.revision.number for each in DataRepo(history).blame("2026dgt")}
    assert found["transient.aliases"] == 2
    assert found["sed/global.log_mass_50"] == found["cutout_cdn/DES/DES_z.fits"] == 1
    assert found["photometry/2026dgt_DES_z_global/DES_z.flux"] == 1
    assert found["photometry/2026dgt_DES_g_global/DES_g.flux"] == found["host.redshift"] == 0
    # its bytes differ from run to run; what is published are those of revision 0
    assert found["cutout_cdn/DES/DES_g.fits"] == found["sed_output/2026dgt_global.jpg"] == 0
    assert {path for path in found if path.startswith(("cutout_cdn/", "sed_output/")) and found[path]} == set(CHANGED)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ("host.redshift", 1), ("cutout_cdn/DES/DES_z.fits", 1), ("cutout_cdn", 5), ("cutout_cdn/", 5),
        ("cutout_cdn/*/*.jpg", 1), ("sfh/global/*.logsfr_50", 7), ("*", None), (None, None),
    ],
)  # fmt: skip
def test_blame_of_some(library, wanted, count):
    found = DataRepo(library).blame("2026dgt", wanted)
    assert len(found) == (count or len(DataRepo(library).blame("2026dgt")))


def test_blame_shows_values(library):
    (found,) = DataRepo(library).blame("2026dgt", "sed/global.log_mass_50")
    assert found.value == DataRepo(library).show("2026dgt:sed/global.log_mass_50").value
    assert found.revision.app_version == "v1.13.1"


def test_blame_of_twins(repo, sample, record):
    """A row that gets a twin may be numbered anew, and each value of both has a revision that it is from."""
    record(repo, sample)
    twice = Sample(copy.deepcopy(sample.export), sample.files)
    photometry = twice.export["apertures"][0]["aperturephotometry"]
    before = photometry[0]["fields"]
    twin = {key: value for key, value in before.items() if key != "flux_error"}
    photometry.append({**photometry[0], "pk": 10**6, "fields": {**twin, "flux": -1.0, "is_validated": None}})
    assert record(repo, twice).revision == 1
    found = DataRepo(repo).blame("2026dgt", "photometry/*/*.flux*")
    assert {each.revision.number for each in found if each.value == -1.0} == {1}
    assert sum(each.value == before["flux"] for each in found) == 1
    assert record(repo, sample).revision == 2
    assert DataRepo(repo).blame("2026dgt")


def test_blame_of_nothing(library):
    with pytest.raises(NotFound, match=r"2026dgt@1 has no value or file 'host\.x'"):
        DataRepo(library).blame("2026dgt", "host.x")
