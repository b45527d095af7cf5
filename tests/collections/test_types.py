"""The four types of collections: what each contains, in which order, and what each refuses."""

import pytest

from blastgit import DataRepo
from blastgit.collections.rules import DEPTH_LIMIT
from blastgit.demo import refit, small
from blastgit.errors import Denied, InvalidInput, InvalidName, NotFound, UsageError

FILE, OTHER = "cutout_cdn/DES/DES_z.fits", "cutout_cdn/DES/DES_g.fits"
MAY, JUNE, JULY = "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z"


@pytest.fixture
def shelf(collections):
    """TAGGED a and b, a CALIBRATION, and the RUNs of the repo."""
    collections.create("a", "TAGGED", "why")
    collections.add("a", ["2026dgt@0", f"2026abc@0:{FILE}"], "why")
    collections.create("b", "TAGGED", "why")
    collections.add("b", ["2026dgt@1", "2026abc@0", "2026xyz@0"], "why")
    collections.create("calib/DM-1", "CALIBRATION", "why")
    for run in ("night-1", "night-2"):
        collections.create(run, "RUN", "why")
    return collections


def given(collections, name, **options):
    return [str(found) for found in collections.members(name, **options)]


def test_the_first_of_a_chain_gives_it(shelf):
    shelf.chain("best", ["a", "b"], "why")
    assert given(shelf, "best") == ["2026abc@0", f"2026abc@0:{FILE}", "2026dgt@0", "2026xyz@0"]
    shelf.chain("best", ["b", "a"], "the other way round")
    assert given(shelf, "best") == ["2026abc@0", "2026dgt@1", "2026xyz@0"], "a revision hides its own files"
    found = shelf.resolve("best", "2026dgt")
    assert (str(found), found.via) == ("2026dgt@1", ("best", "b"))
    assert found.to_json()["tag"] == "2026dgt/1"


def test_chains_nest_and_a_chain_of_one_is_a_pointer(shelf):
    shelf.chain("best", ["a"], "why")
    shelf.chain("defaults", ["best", "night-2", "b"], "why")
    assert str(shelf.resolve("defaults", "2026dgt")) == "2026dgt@0"
    shelf.chain("best", ["night-2"], "point elsewhere")
    found = shelf.resolve("defaults", "2026dgt")
    assert (str(found), found.via) == ("2026dgt@1", ("defaults", "best", "night-2"))
    assert str(shelf.resolve("defaults", "2026xyz", OTHER)) == f"2026xyz@0:{OTHER}"
    assert str(shelf.resolve("defaults", "2026dgt", "sed_output/<name>_global.h5")).endswith("2026dgt_global.h5")
    for name, path in (("2026other", None), ("2026dgt", "cutout_cdn/none.fits")):
        with pytest.raises(NotFound, match="has no"):
            shelf.resolve("defaults", name, path)


@pytest.mark.parametrize(
    ("name", "children", "error", "said"),
    [
        ("best", ["best"], InvalidInput, "in a circle: best > best"),
        ("best", [], InvalidInput, "would chain nothing"),
        ("best", ["a", "a"], InvalidInput, "a child twice"),
        ("defaults", ["defaults"], InvalidInput, "in a circle: defaults > defaults"),
        ("middle", ["defaults"], InvalidInput, "in a circle: middle > defaults > middle"),
        ("best", ["../a"], InvalidName, "is not a name"),
    ],
)
def test_a_chain_leads_nowhere_but_down(shelf, name, children, error, said):
    shelf.chain("middle", ["a"], "why")
    shelf.chain("defaults", ["middle"], "why")
    before = [each.to_json() for each in shelf.list()]
    with pytest.raises(error, match=said):
        shelf.chain(name, children, "why")
    assert [each.to_json() for each in shelf.list()] == before


def test_chains_within_chains_end_somewhere(shelf):
    last = "a"
    for number in range(DEPTH_LIMIT - 1):
        shelf.chain(f"level-{number}", [last], "why")
        last = f"level-{number}"
    assert str(shelf.resolve(last, "2026dgt")) == "2026dgt@0"
    with pytest.raises(InvalidInput, match=f"more than {DEPTH_LIMIT} chains"):
        shelf.chain("one-more", [last], "why")


def test_validity_begins_with_its_first_instant_and_ends_before_its_last(shelf):
    shelf.certify("calib/DM-1", [f"2026dgt@0:{FILE}"], "why", MAY, JUNE)
    shelf.certify("calib/DM-1", [f"2026dgt@1:{FILE}"], "why", JUNE, None)
    shelf.certify("calib/DM-1", [f"2026dgt@0:{OTHER}"], "another file", None, None)

    def at(time):
        return str(shelf.resolve("calib/DM-1", "2026dgt", FILE, time))

    assert [at(time) for time in (MAY, "2026-05-31T23:59:59.999999Z", JUNE, "2099-01-01T00:00:00Z")] == [
        f"2026dgt@0:{FILE}", f"2026dgt@0:{FILE}", f"2026dgt@1:{FILE}", f"2026dgt@1:{FILE}",
    ]  # fmt: skip
    assert at("2026-06-01T01:00:00+02:00") == f"2026dgt@0:{FILE}", "two hours east it is May still"
    with pytest.raises(NotFound, match="valid at 2026-04-30"):
        at("2026-04-30T00:00:00Z")
    with pytest.raises(UsageError, match="give the time"):
        at(None)
    assert given(shelf, "calib/DM-1", time=MAY) == [f"2026dgt@0:{OTHER}", f"2026dgt@0:{FILE}"]
    assert len(given(shelf, "calib/DM-1")) == 3


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("2026-05-31T00:00:00Z", None, "their validity overlaps"),
        (None, None, "their validity overlaps"),
        (None, "2026-05-01T00:00:01Z", "their validity overlaps"),
        (JULY, JUNE, "not after its begin"),
        (JUNE, JUNE, "not after its begin"),
        ("2026-06-01T00:00:00", None, "has no zone"),
        ("tomorrow", None, "time"),
    ],
)
def test_validity_that_cannot_be(shelf, begin, end, said):
    shelf.certify("calib/DM-1", [f"2026dgt@0:{FILE}"], "why", MAY, JUNE)
    with pytest.raises(InvalidInput, match=said):
        shelf.certify("calib/DM-1", [f"2026xyz@0:{FILE}", f"2026dgt@1:{FILE}"], "why", begin, end)
    assert given(shelf, "calib/DM-1") == [f"2026dgt@0:{FILE}"]


def test_what_is_left_when_validity_is_taken_away(shelf):
    name, dataset = "calib/DM-1", f"2026dgt@0:{FILE}"
    shelf.certify(name, [dataset], "why", MAY, JULY)
    shelf.decertify(name, [dataset], "a cloudy week", "2026-05-10T00:00:00Z", "2026-05-17T00:00:00Z")
    assert [found.to_json()["begin"] for found in shelf.members(name)] == [MAY, "2026-05-17T00:00:00Z"]
    shelf.decertify(name, [dataset], "not that late", JUNE)
    assert [found.to_json()["end"] for found in shelf.members(name)] == ["2026-05-10T00:00:00Z", JUNE]
    with pytest.raises(NotFound, match="does not hold"):
        shelf.decertify(name, [dataset], "why", JULY)
    shelf.certify(name, [f"2026dgt@1:{FILE}"], "into the gap", "2026-05-10T00:00:00Z", "2026-05-17T00:00:00Z")
    shelf.decertify(name, [dataset], "all of it")
    assert given(shelf, name) == [f"2026dgt@1:{FILE}"]


def test_a_run_holds_what_was_born_into_it(shelf, stocked, tmp_path):
    assert given(shelf, "night-1") == ["2026abc@0", "2026dgt@0"]
    assert str(shelf.resolve("night-2", "2026dgt")) == "2026dgt@1"
    for change in (
        lambda: shelf.add("night-1", ["2026xyz@0"], "why"),
        lambda: shelf.remove("night-1", ["2026abc@0"], "why"),
        lambda: shelf.chain("night-1", ["a"], "why"),
    ):
        with pytest.raises(InvalidInput):
            change()
    with pytest.raises(Denied, match=r"holds 2026abc@0, for good"):
        shelf.delete("night-1", "why")
    export, data = refit(small("2026dgt"), seed=7).write(tmp_path / "again")
    with pytest.raises(InvalidInput, match="holds 2026dgt@1 already"):
        DataRepo(stocked).record("2026dgt", export, data, run="night-2")


def test_a_dataset_is_of_one_run_and_of_any_number_of_others(shelf):
    shelf.certify("calib/DM-1", ["2026dgt@0"], "why", None, None)
    assert "2026dgt@0" in given(shelf, "a")
    assert "2026dgt@0" in given(shelf, "calib/DM-1")
    assert "2026dgt@0" in given(shelf, "night-1")
    assert "2026dgt@0" not in given(shelf, "night-2")
