"""The files of `index --parquet`, as other programs read them."""

import shutil
import subprocess

import pytest

from blastgit import DataRepo

pytestmark = pytest.mark.slow


@pytest.fixture
def published(library, tmp_path):
    DataRepo(library).index.parquet(tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.parametrize("reader", ["pandas", "polars"])
def test_it_is_a_frame(library, published, reader):
    frames = pytest.importorskip(reader, reason=f"{reader} is not installed")
    index = DataRepo(library).index
    found = frames.read_parquet(published / "photometry.parquet")
    with index.open() as db:
        asked = db.query("SELECT flux FROM photometry ORDER BY 1").rows
    assert list(found.columns) == list(index.tables["photometry"].names)
    assert sorted(found["flux"].to_list()) == [flux for (flux,) in asked]


def test_stilts_reads_it(published):
    if shutil.which("stilts") is None:
        pytest.skip("stilts is not installed")
    where = f"in={published / 'photometry.parquet'}"
    command = ["stilts", "tpipe", where, "ifmt=parquet", "ofmt=csv", "cmd=keepcols 'flux filter'"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "No table handler available for parquet" in done.stderr:
        pytest.skip("this stilts, as Debian's, was built without Parquet")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert (lines[0], len(lines)) == ("flux,filter", 17)
