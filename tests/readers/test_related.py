"""Related objects: from a list of transients to hosts, images, filters, others in the same host, and neighbours."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import add_alias, small
from blastgit.errors import InvalidInput, NotFound, UsageError
from blastgit.search.find.related import read_angle

pytest.importorskip("duckdb", reason="the index needs duckdb")
pytest.importorskip("pyarrow", reason="the index needs pyarrow")

PLACES = {"2026one": (359.9999, 89.0), "2026two": (0.0001, 89.0), "2026far": (180.0, 89.0), "2026pole": (90.0, -90.0)}


def placed(name: str, host: dict | None = None):
    """A sample at a place of its own, in a host of another one."""
    sample = small(name)
    export = deepcopy(sample.export)
    export["transient"]["fields"] |= dict(zip(("ra_deg", "dec_deg"), PLACES[name], strict=True))
    if host is not None:
        export["host"]["fields"] |= {key: host[key] for key in ("name", "catalog_name", "object_id")}
    return replace(sample, export=export)


@pytest.fixture(scope="module")
def _sky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sky")
    repo = DataRepo.init(folder / "repo", simulated=True)
    first = add_alias(placed("2026one"), "ZTF26abc")
    hosts = {"2026two": first.export["host"]["fields"], "2026far": {**first.export["host"]["fields"], "name": "X"}}
    for sample in [first, *(placed(name, hosts.get(name)) for name in ("2026two", "2026far", "2026pole"))]:
        export, data = sample.write(folder / sample.name)
        repo.record(sample.name, export, data)
    return folder / "repo"


@pytest.fixture
def sky(_sky: Path) -> DataRepo:
    """Four transients: two close to each other across right ascension 0, one beyond the pole, one at the other pole."""
    return DataRepo(_sky)


def targets(repo: DataRepo, name: str, kind: str, **options: float) -> list[str]:
    return [each.target for each in repo.related([name], [kind], **options)]


def test_neighbours_across_right_ascension_zero_and_at_poles(sky):
    assert targets(sky, "2026one", "neighbour", radius=0.001) == ["2026two"]
    [near] = sky.related(["2026one"], ["neighbour"], radius=0.001)
    assert near.facts["separation_arcsec"] == pytest.approx(0.0002 * 0.0174524064 * 3600, rel=1e-6)
    assert targets(sky, "2026one", "neighbour", radius=1.9) == ["2026two"]
    assert targets(sky, "2026one", "neighbour", radius=2.1) == ["2026two", "2026far"]
    assert targets(sky, "2026pole", "neighbour", radius=178.0) == []
    assert len(targets(sky, "2026pole", "neighbour", radius=180.0)) == 3


def test_others_of_the_same_host_by_name_or_catalogue(sky):
    assert targets(sky, "2026one", "same-host") == ["2026far", "2026two"]
    assert targets(sky, "2026pole", "same-host") == []


def test_hosts_cutouts_and_filters(sky):
    assert targets(sky, "2026one", "cutout")[0] == "2026one@0:cutout_cdn/2MASS/2MASS_J.fits"
    assert targets(sky, "2026one@0", "filter") == ["2MASS_J", "DES_g", "DES_z", "WISE_W1"]
    [host] = sky.related(["2026pole"], ["host"])
    assert host.target.startswith("DEMO J")
    assert host.to_json()["dataset"] == "2026pole@0:host"


def test_many_at_once_in_the_order_in_which_they_were_named(sky):
    found = sky.related(["2026two", "2026one"])
    assert list(dict.fromkeys(each.transient for each in found)) == ["2026two", "2026one"]
    assert {each.kind for each in found} == {"host", "cutout", "filter", "same-host"}


def test_by_another_name(sky):
    assert targets(sky, "ztf26ABC", "same-host") == ["2026far", "2026two"]


@pytest.mark.parametrize(
    ("names", "kinds", "radius", "error", "words"),
    [
        (["2026on"], ["host"], None, NotFound, "no transient 2026on; did you mean 2026one"),
        (["2026one@7"], ["host"], None, NotFound, "2026one has no revision 7"),
        (["2026one@2026-05-27"], ["host"], None, UsageError, "write NAME, or NAME@N"),
        ([], ["host"], None, UsageError, "Name a transient"),
        (["2026one"], ["cousin"], None, UsageError, "not a kind of relation"),
        (["2026one"], ["neighbour"], None, UsageError, "Give one"),
        (["2026one"], ["neighbour"], -1.0, InvalidInput, "is out of range"),
        (["2026one"], ["neighbour"], float("nan"), InvalidInput, "is out of range"),
    ],
)
def test_what_cannot_be_answered(sky, names, kinds, radius, error, words):
    with pytest.raises(error, match=words):
        sky.related(names, kinds, radius=radius)


@pytest.mark.parametrize(
    ("text", "degrees"), [("30arcsec", 30 / 3600), ("2 arcmin", 2 / 60), ("0.1deg", 0.1), ("1", 1)]
)
def test_angles(text, degrees):
    assert read_angle(text) == pytest.approx(degrees)


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "-1", "200", "1e", "3parsec"])
def test_what_is_no_angle(text):
    with pytest.raises(InvalidInput):
        read_angle(text)


def test_on_the_command_line(sky, tmp_path, capsys):
    (tmp_path / "names").write_text("2026one\n# a comment\n2026two\n")
    words = ["-C", str(sky.path), "related"]
    assert main([*words, "--from", str(tmp_path / "names"), "--same-host", "--list"]) == 0
    assert capsys.readouterr().out.split() == ["2026far", "2026two", "2026one"]
    assert main([*words, "2026one", "--neighbours", "1arcmin", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["target"], found["relation"]) == ("2026two", "neighbour")
    assert main([*words, "2026one", "--neighbours", "1parsec"]) == 4
