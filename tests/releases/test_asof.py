"""A date gives one consistent state: data, calibrations, flags and collections as they were then."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.cli.main import main
from blastgit.errors import InvalidInput, InvalidName, NotFound, UsageError

FILE = "cutout_cdn/DES/DES_z.fits"
MAY, JUNE, JULY = "2026-05-31", "2026-06-15", "2026-07-20"


@pytest.fixture
def days(history, monkeypatch):
    """2026dgt with revisions of 27 May and 3 June; collections and flags that change between May and July."""

    def on(day: str) -> DataRepo:
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{day}T12:00:00Z")
        return DataRepo(history)

    def said(day: str) -> datetime:
        return datetime.fromisoformat(f"{day}T12:00:00+00:00")

    made = on("2026-05-28").collections
    made.create("nearby/v1", "TAGGED", "the sample")
    made.add("nearby/v1", ["2026dgt@0"], "looks fine")
    made.create("calib/DM-1", "CALIBRATION", "images to compare with")
    made.certify("calib/DM-1", [f"2026dgt@0:{FILE}"], "by eye", None, "2026-06-01T00:00:00Z")
    made.chain("defaults", ["nearby/v1", "calib/DM-1"], "what we recommend")
    made = on("2026-06-10").collections
    made.certify("calib/DM-1", [f"2026dgt@1:{FILE}"], "likewise", "2026-06-01T00:00:00Z", None)
    made.create("nearby/v2", "TAGGED", "the sample, again")
    made.add("nearby/v2", ["2026dgt@1"], "brighter")
    made.chain("defaults", ["nearby/v2", "calib/DM-1"], "the new state")
    return history


def test_a_day_gives_data_calibrations_and_collections_together(days):
    repo = DataRepo(days)
    then, later = repo.asof(MAY, "defaults"), repo.asof(JUNE, "defaults")
    assert [str(each) for each in then.datasets] == ["2026dgt@0", f"2026dgt@0:{FILE}"]
    assert [str(each) for each in later.datasets] == ["2026dgt@1", f"2026dgt@1:{FILE}"]
    assert then.main != later.main
    assert [each.is_certified for each in then.datasets] == [False, True]
    assert repo.asof(MAY, "nearby/v1").content != then.content
    assert repo.asof("2026-05-31T12:00:00+09:00", "defaults").content == then.content
    assert repo.asof("2026-05-30", "defaults").content == then.content  # nothing changed between these days


def test_a_day_in_another_zone_is_the_same_moment(days):
    repo = DataRepo(days)
    moment = datetime(2026, 5, 31, 20, tzinfo=UTC)
    here = repo.asof(moment, "defaults")
    assert here.when == moment
    assert repo.asof("2026-06-01T05:00:00+09:00", "defaults").to_json() == here.to_json()
    edge = [repo.asof(text, "calib/DM-1").datasets[0].dataset.number for text in (
        "2026-06-01T08:59:59+09:00", "2026-06-12T09:00:00+09:00")]  # fmt: skip
    assert edge == [0, 1]


def test_without_a_collection_it_is_all_of_it(days):
    repo = DataRepo(days)
    assert [str(each) for each in repo.asof("2026-05-27").datasets] == ["2026dgt@0"]  # before main had anything to say
    assert [str(each) for each in repo.asof(JUNE).datasets] == ["2026dgt@1", f"2026dgt@1:{FILE}"]
    assert [str(each) for each in repo.asof(JUNE, names=["2026d*"]).datasets] == ["2026dgt@1", f"2026dgt@1:{FILE}"]
    with pytest.raises(NotFound, match=r"no data of 2026x\* at"):
        repo.asof(JUNE, names=["2026x*"])


def test_flags_are_those_of_the_day(days, monkeypatch):
    repo = DataRepo(days)
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-06-20T12:00:00Z")
    repo.annotations.add(["2026dgt@1"], AnnotationBody(flag="suspect"))
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-07-01T12:00:00Z")
    repo.annotations.add(["2026dgt@1"], AnnotationBody(flag="bad"))
    assert repo.asof(JUNE, "defaults").flags == {}
    assert repo.asof("2026-06-25", "nearby/v2").flags == {"2026dgt@1": "suspect"}
    assert repo.asof(JULY, "nearby/v2").flags == {"2026dgt@1": "bad"}


def test_compared_with_today(days, capsys):
    repo = DataRepo(days)
    changes = repo.asof_since(repo.asof(MAY, "defaults"))
    assert ("2026dgt@0", "2026dgt@1") in changes.datasets.replaced
    assert not repo.asof_since(repo.asof(JULY, "defaults"))
    assert main(["-C", str(days), "asof", MAY, "--in", "defaults", "--diff", "--exit-code"]) == 1
    assert "! 2026dgt@0 -> 2026dgt@1\n" in capsys.readouterr().out
    assert main(["-C", str(days), "asof", JULY, "--in", "defaults", "--diff", "--exit-code"]) == 0
    assert capsys.readouterr().out == f"nothing differs from {JULY}\n"


def test_got_and_cited(days, tmp_path, capsys):
    repo = DataRepo(days)
    words = ["-C", str(days), "asof", MAY, "--in", "defaults"]
    assert main([*words, "--get", str(tmp_path / "then")]) == 0
    state = json.loads((tmp_path / "then/asof.json").read_text())
    assert state == repo.asof(MAY, "defaults").to_json()
    assert (tmp_path / "then/2026dgt@0" / FILE).is_file()
    assert main([*words, "--get", str(tmp_path / "then")]) == 0  # again, and nothing is in the way
    capsys.readouterr()
    assert main(["-C", str(days), "asof", JUNE, "--in", "defaults", "--get", str(tmp_path / "then")]) != 0
    assert "describes another state" in capsys.readouterr().err
    assert main([*words, "--cite"]) == 0
    said = capsys.readouterr().out
    assert f"defaults as of {MAY}" in said
    assert f"content {state['content']}" in said
    for form in ("bibtex", "cff", "datacite"):
        assert main([*words, "--cite", form]) == 0
        assert MAY in capsys.readouterr().out


def test_on_the_command_line(days, capsys):
    assert main(["-C", str(days), "asof", MAY, "--in", "defaults"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"defaults as of {MAY}: 2 datasets, main at ")
    assert said[1].split() == ["2026dgt@0", "in", "nearby/v1"]
    assert said[2].endswith("in calib/DM-1  valid from ever until 2026-06-01T00:00:00Z")
    assert main(["-C", str(days), "asof", MAY, "--json"]) == 0
    assert [each["transient"] for each in json.loads(capsys.readouterr().out)["datasets"]] == ["2026dgt"] * 2


@pytest.mark.parametrize(
    ("day", "collection", "error", "why"),
    [
        ("yesterday", "", InvalidName, "is not a date"),
        ("7", "", InvalidName, "is not a date"),
        ("2026-06-15:host", "", InvalidName, "is not a date"),
        ("2026-02-30", "", InvalidName, "is not a date"),
        ("2026-06-15T25:00:00Z", "", InvalidName, "is not a date: write"),
        ("2020-01-01", "", NotFound, "there were no data at 2020.*the first revision here is of 2026-05-27"),
        ("2020-01-01", "defaults", NotFound, "had no collections yet"),
        (JUNE, "nowhere", NotFound, "there is no collection 'nowhere'"),
        (MAY, "nearby/v2", NotFound, "there is no collection 'nearby/v2'"),
        ("9998-12-31", "", InvalidInput, "is in the future"),
    ],
)
def test_days_that_have_no_answer(days, day, collection, error, why):
    with pytest.raises(error, match=why):
        DataRepo(days).asof(day, collection)


def test_today_is_no_future(days):
    today = datetime.now(UTC)
    assert DataRepo(days).asof(f"{today:%Y-%m-%d}").datasets
    with pytest.raises(InvalidInput, match="is in the future"):
        DataRepo(days).asof(f"{max(today, datetime(2026, 7, 1, tzinfo=UTC)) + timedelta(days=2):%Y-%m-%d}")


def test_a_chain_does_not_hide_what_was_certified(days):
    collections = DataRepo(days).collections
    may, june = "2026-05-28T00:00:00Z", "2026-06-20T00:00:00Z"
    assert str(collections.resolve("defaults", "2026dgt", FILE, may)) == f"2026dgt@0:{FILE}"
    assert str(collections.resolve("defaults", "2026dgt", FILE, june)) == f"2026dgt@1:{FILE}"
    with pytest.raises(UsageError, match="give the time"):
        collections.resolve("defaults", "2026dgt", FILE)
    other = FILE.replace("DES_z", "DES_g")
    assert str(collections.resolve("defaults", "2026dgt", other)) == f"2026dgt@1:{other}"
    assert str(collections.resolve("defaults", "2026dgt")) == "2026dgt@1"
    assert [str(each) for each in collections.members("defaults", may)] == [f"2026dgt@0:{FILE}", "2026dgt@1"]


def test_a_dataset_of_a_day(days):
    pytest.importorskip("astropy", reason="the extra `readers` is not installed")
    from blastgit.readers import identity_of

    repo = DataRepo(days)
    image = {"filter": "DES_z", "reader": "bytes"}
    for day, number in ((MAY, 0), (JUNE, 1)):
        got = repo.dataset("cutout", "2026dgt", revision=day, collection="defaults", **image)
        assert str(identity_of(got)) == f"2026dgt@{number}:{FILE}"
    early = repo.dataset("cutout", "2026dgt", collection="defaults", time="2026-05-28T00:00:00Z", **image)
    assert str(identity_of(early)) == f"2026dgt@0:{FILE}"
    with pytest.raises(UsageError, match="give the time"):
        repo.dataset("cutout", "2026dgt", collection="defaults", **image)
    with pytest.raises(UsageError, match="not both"):
        repo.dataset("cutout", "2026dgt", revision=1, collection="defaults", **image)


def test_a_release_keeps_validity(days):
    repo = DataRepo(days)
    repo.releases.freeze("defaults", "1")
    entries = {str(each.dataset): each for each in repo.releases.show("release/defaults/1").entries}
    assert set(entries) == {"2026dgt@1", f"2026dgt@0:{FILE}", f"2026dgt@1:{FILE}"}
    assert entries[f"2026dgt@0:{FILE}"].end == datetime(2026, 6, 1, tzinfo=UTC)
    assert repo.releases.verify("release/defaults/1").is_sound


def test_searching_obeys_validity(days):
    pytest.importorskip("duckdb", reason="the extra `index` is not installed")
    repo = DataRepo(days)

    def found(at: str, collection: str) -> list[int]:
        return [row[1] for row in repo.find(at=at, collection=collection).rows]

    assert found(MAY, "calib/DM-1") == [0]
    assert found(JUNE, "calib/DM-1") == [1]
    assert found("2026-05-31T23:59:59Z", "calib/DM-1") == [0]
    with repo.index.open() as index:
        rows = index.query("SELECT dataset FROM members WHERE collection = 'defaults' ORDER BY 1").rows
    assert [row[0] for row in rows] == [f"2026dgt@0:{FILE}", "2026dgt@1", f"2026dgt@1:{FILE}"]
