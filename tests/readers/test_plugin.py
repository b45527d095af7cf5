"""Installed plug-in readers; files whose content does not match their name; the examples of the documentation."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.errors import ReaderFailed
from blastgit.readers import identity_of
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.local import LocalRepository

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/readers.md").read_text("utf-8")


def run(code: str, *paths: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*paths, ROOT]))}
    return subprocess.run([sys.executable, "-c", code], env=env, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A package that is installed, with the reader of the page, and one that fails."""
    folder = tmp_path / "site"
    (folder / "my_package").mkdir(parents=True)
    block = next(block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "def read_spectrum" in block)
    (folder / "my_package/readers.py").write_text(block + "\n\ndef fail(dataset):\n    raise KeyError('flux')\n")
    (folder / "my_package-1.dist-info").mkdir()
    (folder / "my_package-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 1\n")
    points = "[blastgit.readers]\nspectrum = my_package.readers:read_spectrum\nbad = my_package.readers:fail\n"
    (folder / "my_package-1.dist-info/entry_points.txt").write_text(points)
    return folder


@pytest.fixture
def spectra(repo, record, sample):
    """A repo with a dataset of a type that only its own settings know."""
    files = {**sample.files, f"cutout_cdn/{sample.name}/spectra/keck.txt": b"# nm flux\n1.0 2.0\n3.0 4.0\n"}
    record(repo, replace(sample, files=files))
    repository = LocalRepository(repo)
    settings = repository.main_file("blastgit.yaml") + (
        b"dataset_types:\n"
        b"  spectrum: {files: 'cutout_cdn/spectra/{instrument}.txt', reader: spectrum}\n"
        b"  flawed: {files: 'cutout_cdn/spectra/{instrument}.txt', reader: bad}\n"
    )
    commit_to_branch(repository, "main", lambda _: BranchEdit({"blastgit.yaml": settings}, "Types"))
    return repo


def test_a_reader_that_is_installed(spectra, plugin, tmp_path):
    code = f"""
from blastgit import DataRepo
from blastgit.errors import ReaderFailed
from blastgit.readers import identity_of
repo = DataRepo({str(spectra)!r})
assert repo.dataset("spectrum", "2026dgt", instrument="keck") == [(1.0, 2.0), (3.0, 4.0)]
try:
    repo.dataset("flawed", "2026dgt")
except ReaderFailed as error:
    print(error)
"""
    done = run(code, plugin, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (
        "2026dgt@0:cutout_cdn/spectra/keck.txt, a flawed, cannot be read by the reader 'bad': KeyError" in done.stdout
    )
    listed = run(
        "from blastgit.cli.main import main; main(['-C', 'repo', 'types'])", cwd=spectra.parent
    )  # without the package
    assert "spectrum (not installed here)" in listed.stdout


def test_without_astropy_the_extra_is_named_and_the_rest_works(library, tmp_path):
    code = f"""
import sys
sys.modules["astropy"] = None
from blastgit import DataRepo
from blastgit.errors import RepoError
repo = DataRepo({str(library)!r})
assert repo.dataset("photometry", "2026dgt", reader="json")[0]["flux"]
assert len(repo.dataset("chain", "2026dgt", aperture="local")["mwa"])
assert repo.dataset("cutout", "2026dgt", filter="DES_z", reader="bytes").startswith(b"SIMPLE")
for type_, key in (("cutout", {{"filter": "DES_z"}}), ("photometry", {{}})):
    try:
        repo.dataset(type_, "2026dgt", **key)
    except RepoError as error:
        assert "pip install 'blastgit[astropy]'" in str(error)
    else:
        raise AssertionError(type_)
"""
    done = run(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_from_a_repo_elsewhere(library, tmp_path):
    repo = DataRepo(f"file://{library}")
    found = repo.dataset("cutout", "2026dgt", filter="DES_z", revision=0)
    assert identity_of(found) == "2026dgt@0:cutout_cdn/DES/DES_z.fits"
    assert identity_of(repo.dataset("host", "2026dgt")) == "2026dgt@1:host"
    assert len(repo.types.of("2026dgt@0", "cutout")) == 4


@pytest.mark.parametrize("data", [b"", b"SIMPLE  =", b"x" * 5000, b"SIMPLE  =                    T" + b" " * 5730])
def test_a_file_that_is_no_fits(repo, record, sample, data):
    files = {**sample.files, f"cutout_cdn/{sample.name}/DES/DES_z.fits": data or b"\0"}
    record(repo, replace(sample, files=files))
    there = DataRepo(repo)
    for reader in ("ccd", "npz", "hdf5"):
        with pytest.raises(ReaderFailed, match=r"2026dgt@0:cutout_cdn/DES/DES_z\.fits, a cutout"):
            there.dataset("cutout", "2026dgt", filter="DES_z", reader=reader)
    assert there.dataset("cutout", "2026dgt", filter="DES_z", reader="bytes") == (data or b"\0")


def test_the_examples_of_the_page_run(history, tmp_path):
    (tmp_path / "data.git").symlink_to(history)
    subprocess.run(["cp", "-r", f"{history}/.", tmp_path / "noted.git"], check=True)
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        done = run(block, cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_the_units_are_those_of_the_index():
    from astropy import units

    from blastgit.index.tables import tables
    from blastgit.revision.quantities import unit_of

    checked = 0
    for table in ("photometry", "apertures", "hosts", "filters"):
        for column in tables()[table].columns:
            ours = unit_of(column.name)
            if ours and column.unit:
                assert units.Unit(ours) == units.Unit(column.unit, format="vounit"), f"{table}.{column.name}"
                checked += 1
    assert checked > 10
