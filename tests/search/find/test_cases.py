"""Finding in real histories of Blast."""

import pytest

from blastgit import DataRepo
from blastgit.repository.init import init

pytestmark = pytest.mark.slow

pytest.importorskip("duckdb", reason="the extra `index` is not installed")

HISTORY = ["a_first", "b1_reprocess_same_version", "b2_reprocess_new_version", "c1_one_image_changed"]


@pytest.fixture(scope="module")
def real(cases, tmp_path_factory):
    path = tmp_path_factory.mktemp("real") / "repo"
    init(path)
    folders = [*(cases / "2010H" / case for case in HISTORY), *(cases / name / "a_first" for name in ("2010ai",))]
    for folder in folders:
        if not folder.is_dir():
            pytest.skip(f"{folder} is not there")
        DataRepo(path).record(folder.parent.name, folder / "export.json", folder / "data")
    return DataRepo(path)


def test_axes(real):
    assert real.find().names == ["2010H@2", "2010ai@0"]
    [(ra, dec)] = real.find(name="2010h", columns=("ra_deg", "dec_deg")).rows
    assert real.find(cone=(ra, dec, "1mas")).names == ["2010H@2"]
    assert real.find(app_version="v1.12.0", name="2010H").names == ["2010H@0"]
    assert real.find(changed="cutouts", all_revisions=True).names == ["2010H@2"]
    assert real.find(failed="host-match").names == []  # no host was found: an answer, and no failure
    assert real.find(where="sed_local.log_mass_50 IS NOT NULL").names == ["2010H@2"]
