"""Rules for names: types, umbrellas and their runs; validated, unique, private and protected collections."""

import pytest

from blastgit import DataRepo
from blastgit.collections.change import Intent
from blastgit.collections.start import Start
from blastgit.demo import refit, small
from blastgit.errors import Denied, InvalidInput, InvalidName, NotFound

FILE = "cutout_cdn/DES/DES_z.fits"


def given(collections, name):
    return [str(found) for found in collections.members(name)]


@pytest.mark.parametrize(
    ("name", "kind", "error", "said"),
    [
        ("DES/raw/all", "TAGGED", InvalidInput, "should be RUN and not TAGGED"),
        ("2.2i/raw/DM-1", "RUN", InvalidInput, "should be TAGGED and not RUN"),
        ("DES/whatever/DM-1/x", "TAGGED", InvalidName, "there may be <instrument>/defaults"),
        ("calib/notaticket", "CALIBRATION", InvalidName, "not a name for a collection here"),
        ("a b", "TAGGED", InvalidName, "not a name of a collection"),
    ],
)
def test_name_and_type_against_the_table(collections, name, kind, error, said):
    with pytest.raises(error, match=said):
        collections.create(name, kind, "why")
    assert collections.list() == []


def test_what_differs_only_in_case_is_one_too_many(collections):
    collections.create("nearby", "TAGGED", "why")
    with pytest.raises(InvalidName, match="differs only in case"):
        collections.create("Nearby", "TAGGED", "why")


def test_a_run_of_processing_has_its_umbrella(collections, stocked, tmp_path):
    collections.create("nearby", "TAGGED", "why")
    before = DataRepo(stocked).session.repository.main.id
    collections.chain("defaults", ["nearby"], "why")
    read = str(DataRepo(stocked).session.repository.main.id)
    assert str(before) != read
    umbrella = "runs/nearby/v1.13.1/DM-7"
    done = collections.start_run(Start("nearby", "v1.13.1", "DM-7", run=f"{umbrella}/first"), "newer Blast")
    assert set(done.names) == {umbrella, f"{umbrella}/first"}
    assert collections.get(umbrella).children == (f"{umbrella}/first", "defaults")
    run = collections.get(f"{umbrella}/first")
    assert (run.main, run.inputs) == (read, ("defaults",))
    collections.add("nearby", ["2026abc@0"], "later")
    assert collections.at(f"{umbrella}/first").members("defaults") == []
    assert given(collections, "defaults") == ["2026abc@0"]
    for number, name in enumerate(("first", "second")):
        if number:
            collections.start_run(Start("nearby", "v1.13.1", "DM-7", run=f"{umbrella}/{name}"), "once more")
        export, data = refit(small("2026xyz"), seed=number + 3).write(tmp_path / name)
        recorded = DataRepo(stocked).record("2026xyz", export, data, run=f"{umbrella}/{name}")
        assert str(collections.resolve(umbrella, "2026xyz")) == f"2026xyz@{recorded.revision}"
    with pytest.raises(InvalidInput, match="exists already"):
        collections.start_run(Start("nearby", "v1.13.1", "DM-7", run=f"{umbrella}/first"), "why")
    with pytest.raises(InvalidName, match=r"should be called runs/nearby/v1\.13\.1/DM-7/"):
        collections.start_run(Start("nearby", "v1.13.1", "DM-7", run="elsewhere"), "why")
    assert any("by version" in each for each in collections.show(f"{umbrella}/first").warnings)


def test_runs_that_were_superseded_are_screened(collections, stocked, tmp_path):
    umbrella = "runs/all/v1/DM-7"
    for number, name in enumerate(("2026dgt", "2026dgt", "2026xyz")):
        run = f"{umbrella}/{'ab'[number > 0]}"
        if number < 2:
            collections.start_run(Start("all", "v1", "DM-7", run=run), "why")
        export, data = refit(small(name), seed=number + 5).write(tmp_path / str(number))
        DataRepo(stocked).record(name, export, data, run=run)
    done = collections.filter(umbrella, "only what counts")
    assert f"{umbrella}/filtered" in done.names
    assert given(collections, umbrella) == given(collections, f"{umbrella}/filtered") == ["2026dgt@3", "2026xyz@1"]
    assert collections.get(umbrella).children == (f"{umbrella}/filtered",)
    with pytest.raises(InvalidInput, match="cannot be another child"):
        collections.chain(umbrella, [f"{umbrella}/filtered", f"{umbrella}/a"], "why")
    with pytest.raises(NotFound, match="no runs of its own"):
        collections.filter(umbrella, "again")


def test_what_is_private_is_chained_by_its_umbrella_alone(collections):
    umbrella = "runs/all/v1/DM-7"
    collections.start_run(Start("all", "v1", "DM-7", run=f"{umbrella}/a"), "why")
    with pytest.raises(Denied, match="is private to runs/all/v1/DM-7"):
        collections.chain("defaults", [f"{umbrella}/a"], "why")
    collections.chain("defaults", [umbrella], "why")


def test_reference_catalogues_join_when_validated(collections):
    collections.create("refcats/DM-1", "RUN", "why")
    collections.create("nearby", "TAGGED", "why")
    for child in ("refcats/DM-1", "nearby"):
        with pytest.raises(Denied, match="takes nothing else"):
            collections.chain("refcats", [child], "why")
    collections.validate("refcats/DM-1", "compared with Gaia")
    collections.chain("refcats", ["refcats/DM-1"], "why")
    assert collections.show("refcats/DM-1").facts["validated"] == "compared with Gaia"
    with pytest.raises(InvalidInput):
        collections.validate("nearby", "why")


def test_a_sky_map_is_made_once(collections):
    collections.create("skymaps", "RUN", "why")
    with pytest.raises(InvalidInput, match="exists already"):
        collections.create("skymaps", "RUN", "why")
    with pytest.raises(Denied, match="made once"):
        collections.delete("skymaps", "why")


def test_calibrations_keep_their_validity(settle):
    collections = settle('collections: {calibrations: ["*/flat.fits", "cutout_cdn/*_g.fits"]}\n')
    collections.create("calib/DM-1", "CALIBRATION", "why")
    collections.certify("calib/DM-1", [f"2026dgt@0:{FILE}"], "why", None, None)
    collections.create("nearby", "TAGGED", "why")
    for dataset in (f"2026dgt@0:{FILE}", "2026dgt@0:cutout_cdn/DES/DES_g.fits"):
        with pytest.raises(Denied, match=r"is a calibration.* would lose the time"):
            collections.add("nearby", [dataset], "why")
    collections.add("nearby", ["2026dgt@1"], "a revision is none")


def test_what_is_ones_own(collections, me, stocked, monkeypatch):
    own = f"u/{me}/DM-1/try"
    assert collections.create(own, "TAGGED", "why").warnings == ()
    assert "names no ticket" in collections.create(f"u/{me}/try", "TAGGED", "why").warnings[0]
    with pytest.raises(Denied, match=f"shared collections do not refer to personal ones, such as {own}"):
        collections.chain("best", [own], "why")
    collections.create("nearby", "TAGGED", "why")
    collections.chain(f"u/{me}/DM-1/mine", [own, "nearby"], "one's own may refer to anything")
    for other in ("u/somebody-else/DM-1/x",):
        with pytest.raises(Denied, match="belongs to somebody-else"):
            collections.create(other, "TAGGED", "why")
    monkeypatch.setenv("GL_USER", "somebody-else")
    with pytest.raises(Denied, match=f"belongs to {me}"):
        collections.add(own, ["2026dgt@0"], "why")


def test_curators_of_some_names_and_until_a_day(settle, monkeypatch):
    collections = settle(
        "policy:\n  roles:\n    admin: [root-of-all]\n    curator:\n"
        '      - {who: carl, until: 2026-01-01}\n      - {who: cora, for: ["DES/*"], until: 2999-12-31}\n'
    )
    monkeypatch.setenv("GL_USER", "carl")
    with pytest.raises(Denied, match="carl does not have the role 'curator'"):
        collections.create("DES/raw/DM-1", "TAGGED", "why")
    monkeypatch.setenv("GL_USER", "cora")
    collections.create("DES/raw/DM-1", "TAGGED", "why")
    with pytest.raises(Denied, match="cora does not have the role 'curator' for nearby"):
        collections.create("nearby", "TAGGED", "why")


def test_what_is_protected_asks_twice(settle):
    collections = settle('collections: {protected: ["*/defaults", best]}\n')
    collections.create("nearby", "TAGGED", "why")
    with pytest.raises(Denied, match="protected because many rely on it"):
        collections.chain("best", ["nearby"], "why")
    collections.chain("best", ["nearby"], Intent("it is meant", yes=True))
    with pytest.raises(Denied, match="protected"):
        collections.delete("best", "why")


def test_a_table_of_ones_own(settle):
    collections = settle(
        "collections:\n  tables: [blast]\n  parts: {camera: '[a-z]{3}'}\n  names:\n"
        '    flats: {name: "flats/<camera>", type: TAGGED, about: Flat fields}\n'
    )
    collections.create("flats/des", "TAGGED", "why")
    with pytest.raises(InvalidInput, match="should be TAGGED"):
        collections.create("flats/sdp", "RUN", "why")
    with pytest.raises(InvalidName, match="not a name for a collection here"):
        collections.create("DES/raw/all/x", "RUN", "why")


def test_what_breaks_a_rule_is_found_afterwards(collections, by_hand, stocked):
    by_hand(stocked, {"collections/best.yaml": b'type: CHAINED\nchildren:\n- "best"\n'})
    by_hand(stocked, {"collections/odd.yaml": b'type: TAGGED\nmembers:\n- "2026dgt@7"\n'})
    fresh = DataRepo(stocked)
    found = dict(fresh.collections.check())
    assert "in a circle" in found["best"]
    assert "no revision 7" in found["odd"]
    assert {problem.where for problem in fresh.verify(fast=True).problems} == {"best", "odd"}
