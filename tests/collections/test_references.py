"""References in collections, under the names of DMTN-167: runs, a chain, calibrations by time, releases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.errors import Denied, NotFound

GAIA, FLAT, SKY = "r/catalogue/gaia-dr3", "r/calibration/flat", "r/skymap/rings-v1"
REFCATS, CALIB = "refcats/DM-1", "LSSTCam/calib/DM-1"
MADE, SUMMER, NEXT = (datetime(*day, tzinfo=UTC) for day in ((2026, 1, 1), (2026, 7, 1), (2027, 1, 1)))


@pytest.fixture
def shelf(repo: Path, tmp_path: Path) -> DataRepo:
    """A catalogue, a sky map and two flats, each born into a run."""
    made, file = DataRepo(repo), tmp_path / "data.csv"
    for number, (line, run) in enumerate(
        [(GAIA, REFCATS), (SKY, "skymaps"), (FLAT, f"{CALIB}/2026a/flatGen"), (FLAT, f"{CALIB}/2026b/flatGen")]
    ):
        file.write_text(str(number))
        made.references.record(line, files=[file], run=run, time=MADE)
    return made


def test_a_catalogue_joins_the_chain_when_validated(shelf, tmp_path):
    collections = shelf.collections
    assert [str(each) for each in collections.members(REFCATS)] == [f"{GAIA}@0"]
    collections.create(REFCATS, "RUN", "made")
    with pytest.raises(Denied, match="is not marked as validated"):
        collections.chain("refcats", [REFCATS], "all")
    collections.validate(REFCATS, "compared by eye")
    collections.chain("refcats", [REFCATS], "all")
    assert str(collections.resolve("refcats", GAIA)) == f"{GAIA}@0"
    assert [str(each) for each in collections.members("skymaps")] == [f"{SKY}@0"]
    assert {each.name for each in collections.runs()} == {
        REFCATS, "skymaps", f"{CALIB}/2026a/flatGen", f"{CALIB}/2026b/flatGen",
    }  # fmt: skip
    release = shelf.releases.freeze("refcats", "1")
    assert str(release.label) == "release/refcats/1"
    shelf.releases.get("release/refcats/1", tmp_path / "out")
    assert (tmp_path / "out" / f"{GAIA}@0" / "files" / "data.csv").read_text() == "0"
    assert (tmp_path / "out" / f"{GAIA}@0" / "gaia-dr3.json").is_file()
    assert shelf.verify().problems == []


def test_a_calibration_is_valid_for_a_time(shelf):
    collections = shelf.collections
    collections.create(CALIB, "CALIBRATION", "by time")
    for number, (begin, end) in enumerate([(MADE, SUMMER), (SUMMER, NEXT)]):
        collections.certify(CALIB, [f"{FLAT}@{number}"], "measured", begin, end)
    assert str(collections.resolve(CALIB, FLAT, time=SUMMER - timedelta(seconds=1))) == f"{FLAT}@0"
    assert str(collections.resolve(CALIB, FLAT, time=SUMMER)) == f"{FLAT}@1"
    with pytest.raises(NotFound):
        collections.resolve(CALIB, FLAT, time=NEXT)
