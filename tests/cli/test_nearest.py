"""A misspelt name gives suggestions, for any kind of name and any verb."""

from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.errors import InvalidName, NotFound, RepoError, UsageError
from blastgit.naming.nearest import did_you_mean, nearest, with_beginnings
from blastgit.repository.settings import read_settings

FILE = "cutout_cdn/DES/DES_z.fits"


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nearest")


@pytest.fixture
def grouped(_made: Path, cli, states, tmp_path: Path) -> Path:
    """A repo with two transients, a frozen collection and a saved query; made once, tests only read it."""
    path = _made / "repo"
    if not path.exists():
        repo = DataRepo.init(path, simulated=True)
        repo.record("2026dgt", *states[0].write(tmp_path / "handed-in"), run="legacy/2026-05-27")
        query = tmp_path / "bright.sql"
        query.write_text("SELECT transient, revision FROM revisions")
        for words in (
            ["collection", "create", "sample", "--type", "TAGGED", "-m", "a sample"],
            ["collection", "add", "sample", "2026dgt@0", "-m", "x"],
            ["collection", "freeze", "sample", "1.0", "-m", "for the paper"],
            ["metric", "2026dgt@0", "astrometry.rms", "0.1", "arcsec"],
            ["query", "add", "bright", query, "-m", "of use"],
        ):  # fmt: skip
            said = cli("-C", path, *words)
            assert said.code == 0, said
    return path


@pytest.mark.parametrize(
    "words",
    [
        *(f"{verb} 2026dgx" for verb in ("log", "show", "blame", "notes", "cite", "provenance", "plan", "types")),
        *(f"{verb} 2026dgx@0" for verb in ("show", "notes", "cite", "provenance", "types")),
        *(f"{verb} 2026dgx:host.redshift" for verb in ("show", "blame", "notes", "provenance")),
        "get 2026dgx@0 /nowhere/x", "export 2026dgx@0 /nowhere/x", "diff 2026dgt@0 2026dgx@0",
    ],
)  # fmt: skip
def test_a_transient(cli, grouped, words):
    said = cli("-C", grouped, *words.split())
    assert said.code == NotFound.exit_code
    assert "there is no transient 2026dgx" in said.err
    assert "did you mean 2026dgt?" in said.err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["blame", "2026dgt:hots.redshift"], "host.redshift"),
        (["blame", "2026dgt", "hots"], "host"),
        (["blame", "2026dgt", "cutout_cdn/DSE"], "cutout_cdn/DES"),
        (["show", "2026dgt@0:photometri"], "photometry"),
        (["show", "2026dgt@0:cutout_cdn/DES/DES_x.fits"], FILE),
        (["notes", "2026dgt@0:hots"], "host"),
        (["notes", "collection:sampel"], "sample"),
        (["get", "2026dgt@0", "/nowhere/x", "--only", "cutout_cdn/DES/DES_zz.fits"], FILE),
        (["provenance", "2026dgt@0:cutout_cdn/DES/DES_zz.fits"], FILE),
        (["affected", "2026dgt@0:hots"], "host"),
        (["withdraw", "2026dgt@0:cutout_cdn/DSE", "--reason", "x", "--dry-run"], "cutout_cdn/DES"),
        (["collection", "add", "sample", "2026dgt@0:cutout_cdn/DES/DES_zz.fits", "-m", "x"], FILE),
        (["collection", "resolve", "sample", "2026dgx"], "2026dgt"),
        (["collection", "show", "Sampel"], "sample"),
        (["cite", "release/sampel/1.0"], "release/sample/1.0"),
        (["cite", "release/sample/1.1"], "release/sample/1.0"),
        (["cite", "sampel"], "release/sample/1.0"),
        (["cite", "sample/1.0"], "release/sample/1.0"),
        (["metric", "2026dgt@0", "astrometry.rns"], "astrometry.rms"),
        (["query", "log", "brigth"], "bright"),
        (["query", "show", "brigth"], "bright"),
        (["find", "--query", "brigth"], "bright"),
        (["find", "--run", "legacy/2026-05-72"], "legacy/2026-05-27"),
        (["compare", "v1.12.0", "app:v1.12.0"], "app:v1.12.0"),
        (["compare", "2026-05-30", "app:v1.12.0"], "at:2026-05-30"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_something_else(cli, grouped, words, meant):
    said = cli("-C", grouped, *words)
    assert said.code in (NotFound.exit_code, InvalidName.exit_code), said
    _, _, offered = said.err.partition("; did you mean ")
    assert meant in offered.replace(",", " ").replace("?", " ").split(), said.err


def test_blame_takes_a_path_as_other_verbs_do(cli, grouped):
    one, other = (
        cli("-C", grouped, "blame", *words) for words in (["2026dgt:host.redshift"], ["2026dgt", "host.redshift"])
    )
    assert (one.code, one.out) == (0, other.out)
    for words in (["2026dgt:host", "host"], ["2026dgt@0:host"]):
        assert cli("-C", grouped, "blame", *words).code == UsageError.exit_code


def test_a_setting():
    with pytest.raises(RepoError, match=r"unknown key 'citatoin'; did you mean citation\?"):
        read_settings(b"format: 1\ncitatoin: {}\n")
    with pytest.raises(RepoError, match="unknown key 'zzz'; its keys are citation, collections"):
        read_settings(b"format: 1\nzzz: {}\n")


def test_how_it_is_said():
    assert did_you_mean("host match", ["Host-match", "Cutout"]) == "; did you mean Host-match?"
    assert did_you_mean("hos", ["host", "hose", "hosp"]).count(" or ") == 1
    assert did_you_mean("zzz", ["host"]) == ""
    assert did_you_mean("zzz", ["host"], "`x` lists them") == "; `x` lists them"
    assert nearest("DES_Z", ["DES_z", "des_z"]) == ["DES_z"]
    assert list(with_beginnings(["a/b.c", "a/d"])) == ["a", "a/b", "a/b.c", "a/d"]
