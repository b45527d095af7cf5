"""A run stores the commit of the collections that it read, so later changes of them do not affect it."""

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.collections.start import Start
from blastgit.demo import refit, small
from blastgit.errors import Denied, InvalidInput, NotFound


@pytest.fixture
def begun(shelf):
    """A repo whose pointer `defaults` is on one sample while a run begins, and on another afterwards; and the RUN."""
    made = DataRepo(shelf).collections
    for version, member in (("sample/v1", "2026dgt@0"), ("sample/v2", "2026dgt@1")):
        made.create(version, "TAGGED", "for all")
        made.add(version, [member], "chosen")
    made.chain("defaults", ["sample/v1"], "the first")
    made.start_run(Start("hosts", "v1", "DM-7", run="runs/hosts/v1/DM-7/first"), "to fit")
    made.chain("defaults", ["sample/v2"], "a better one")
    return shelf


def test_a_pointer_that_moves_later_changes_nothing_that_was_done(begun, tries, record):
    run = "runs/hosts/v1/DM-7/first"
    made = DataRepo(begun).collections
    assert str(made.resolve("defaults", "2026dgt")) == "2026dgt@1"
    stored = made.get(run).main
    assert str(made.at(stored).resolve("defaults", "2026dgt")) == "2026dgt@0"
    assert str(made.at(run).resolve("defaults", "2026dgt")) == "2026dgt@0"
    record(begun, tries[0], run=run)
    trailers = DataRepo(begun).log("2026dgt")[0].revision.trailers
    assert (trailers["Run"], trailers["Collections-At"]) == (run, stored)
    made.chain("defaults", ["sample/v1", "sample/v2"], "again")
    assert str(made.at(trailers["Collections-At"]).resolve("defaults", "2026dgt")) == "2026dgt@0"


def test_a_run_without_a_beginning_stores_the_present(begun, tries, record):
    record(begun, tries[0], run="some-night")
    repo = DataRepo(begun)
    stored = repo.log("2026dgt")[0].revision.trailers["Collections-At"]
    repo.collections.chain("defaults", ["sample/v1"], "back")
    assert str(repo.collections.at(stored).resolve("defaults", "2026dgt")) == "2026dgt@1"
    record(begun, tries[1])
    assert "Collections-At" not in repo.log("2026dgt")[0].revision.trailers


def test_a_run_that_is_made_by_hand_stores_it_too(begun):
    made = DataRepo(begun).collections
    made.create("night-9", "RUN", "tonight")
    made.chain("defaults", ["sample/v1"], "back")
    assert str(made.at("night-9").resolve("defaults", "2026dgt")) == "2026dgt@1"
    with pytest.raises(NotFound, match="RUN that has stored one"):
        made.at("sample/v1").resolve("defaults", "2026dgt")


def test_on_the_command_line(begun, capsys):
    words = ["collection", "show", "defaults", "--at", "runs/hosts/v1/DM-7/first"]
    assert main(["-C", str(begun), *words]) == 0
    assert "sample/v1" in capsys.readouterr().out


def test_reference_catalogues_join_their_chain_when_they_are_validated(shelf):
    made = DataRepo(shelf).collections
    made.create("refcats/DM-1", "RUN", "Gaia")
    with pytest.raises(Denied, match="not marked as validated"):
        made.chain("refcats", ["refcats/DM-1"], "to use it")
    made.validate("refcats/DM-1", "astrometry within 5 mas of the last one")
    made.chain("refcats", ["refcats/DM-1"], "to use it")
    assert made.get("refcats").children == ("refcats/DM-1",)
    made.create("refcats/DM-2", "RUN", "another")
    with pytest.raises(Denied, match="not marked as validated"):
        made.chain("refcats", ["refcats/DM-2", "refcats/DM-1"], "no")


def test_sky_maps_are_made_once(shelf, record):
    made = DataRepo(shelf).collections
    made.create("skymaps", "RUN", "the definitions")
    with pytest.raises(InvalidInput, match="exists already"):
        made.create("skymaps", "RUN", "again")
    with pytest.raises(Denied, match="made once"):
        made.delete("skymaps", "away")
    record(shelf, small("2026sky"), run="skymaps")
    with pytest.raises(InvalidInput, match="holds 2026sky@0 already"):
        record(shelf, refit(small("2026sky"), seed=2), run="skymaps")
