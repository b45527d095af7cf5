"""The verbs: every change is one commit with its reason, and is made completely or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from blastgit import DataRepo
from blastgit.collections.change import Intent
from blastgit.errors import BlastgitError, Denied, InvalidInput, InvalidName, NotFound, UsageError, Withdrawn

FILE = "cutout_cdn/DES/DES_z.fits"
BOTH = ["2026dgt@1", f"2026abc@0:{FILE}"]
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def nearby(collections):
    """TAGGED, with two datasets."""
    collections.create("nearby", "TAGGED", "for the paper", "Hosts near us")
    collections.add("nearby", BOTH, "the first two")
    return collections


def given(collections, name, **options):
    return [str(found.dataset) for found in collections.members(name, **options)]


def test_what_was_added_is_on_main(nearby, stocked, run):
    text = run("git", "-C", stocked, "show", "main:collections/nearby.yaml")
    assert yaml.safe_load(text) == {"type": "TAGGED", "about": "Hosts near us", "members": sorted(BOTH)}
    message = run("git", "-C", stocked, "log", "-1", "--format=%cn%n%B", "main")
    assert message.startswith("Committer\nAdd 2 datasets to nearby: the first two\n\n+ 2026abc@0:")
    assert "\nCollections: nearby\n" in message
    assert given(nearby, "nearby") == sorted(BOTH)


def test_adding_again_changes_nothing(nearby, stocked, run):
    before = run("git", "-C", stocked, "rev-parse", "main")
    done = nearby.add("nearby", BOTH, "once more")
    assert (done.names, done.commit, done.added) == ((), None, ())
    assert run("git", "-C", stocked, "rev-parse", "main") == before


def test_a_dry_run_tells_and_changes_nothing(nearby, stocked, tree_of):
    before = tree_of(stocked)
    done = nearby.remove("nearby", [BOTH[0]], Intent("try", dry_run=True))
    assert (done.names, done.commit, done.removed) == (("nearby",), None, (BOTH[0],))
    assert tree_of(stocked) == before


def test_removing(nearby):
    assert nearby.remove("nearby", [BOTH[0]], "it was another one").removed == (BOTH[0],)
    assert given(nearby, "nearby") == [BOTH[1]]


def test_latest_and_dates_become_numbers(collections):
    collections.create("nearby", "TAGGED", "for the paper")
    collections.add("nearby", ["2026dgt@latest", "2026abc@2100-01-01"], "as they are now")
    assert given(collections, "nearby") == ["2026abc@0", "2026dgt@1"]


@pytest.mark.parametrize(
    ("datasets", "error", "said"),
    [
        (["2026dgt"], InvalidName, "a transient and no dataset"),
        (["2026dgt@1:host"], InvalidName, "is at the root"),
        (["2026dgt@1:post-host-match"], InvalidName, "the state after a stage"),
        (["2026new@0"], NotFound, "no transient 2026new"),
        (["2026dgx@0"], NotFound, "did you mean 2026dgt"),
        (["2026xyz@3"], NotFound, "no revision 3: the latest is 0"),
        (["2026xyz@0:cutout_cdn/DES/DES_x.fits"], NotFound, "did you mean cutout_cdn/DES/DES_"),
        (["2026dgt@0"], InvalidInput, "would hold 2026dgt@.* and 2026dgt@.*, two datasets of one type"),
        ([f"2026dgt@1:{FILE}"], InvalidInput, "two datasets of one type"),
        (["2026abc@0"], InvalidInput, "two datasets of one type"),
        (["u/alice/2026dgt@0"], Denied, "is personal work"),
        (["u/a b/2026dgt@0"], BlastgitError, "cannot be a user's name"),
        (["not a name"], InvalidName, "is not a transient name"),
        ([], UsageError, "which datasets"),
    ],
)
def test_one_bad_dataset_and_nothing_is_added(nearby, stocked, tree_of, datasets, error, said):
    before = tree_of(stocked)
    with pytest.raises(error, match=said):
        nearby.add("nearby", ["2026xyz@0", *datasets] if datasets else [], "more")
    assert tree_of(stocked) == before


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "bell\x07"])
def test_a_reason_is_one_line(nearby, reason):
    with pytest.raises(InvalidInput, match="one line"):
        nearby.add("nearby", ["2026xyz@0"], reason)


def test_two_files_of_one_transient_are_two_types(nearby):
    other = f"2026abc@0:{FILE.replace('DES_z', 'DES_g')}"
    nearby.add("nearby", [other], "another filter")
    assert str(nearby.resolve("nearby", "2026abc", FILE)) == BOTH[1]
    assert str(nearby.resolve("nearby", "2026abc", FILE.replace("DES_z", "DES_g"))) == other


def test_what_was_withdrawn_is_not_added(stocked, tmp_path, sample, record):
    DataRepo.init(tmp_path / "other", simulated=True)
    record(tmp_path / "other", sample)
    repo = DataRepo(tmp_path / "other")
    repo.collections.create("nearby", "TAGGED", "why")
    repo.collections.add("nearby", [f"2026dgt@0:{FILE}"], "while it was there")
    repo.withdraw(f"2026dgt@0:{FILE}", "a mistake")
    repo = DataRepo(tmp_path / "other")
    assert repo.collections.check() == []
    repo.collections.remove("nearby", [f"2026dgt@0:{FILE}"], "it is gone")
    with pytest.raises(Withdrawn, match="a mistake"):
        repo.collections.add("nearby", [f"2026dgt@0:{FILE}"], "why")
    repo.collections.add("nearby", ["2026dgt@0"], "the rest of it is there")
    repo.collections.remove("nearby", ["2026dgt@0"], "why")
    repo.withdraw("2026dgt@0", "all of it")
    with pytest.raises(Withdrawn):
        DataRepo(tmp_path / "other").collections.add("nearby", ["2026dgt@0"], "why")


def test_what_is_not_there_is_not_removed(nearby, stocked, tree_of):
    before = tree_of(stocked)
    with pytest.raises(NotFound, match="does not hold 2026xyz@0"):
        nearby.remove("nearby", [BOTH[0], "2026xyz@0"], "both")
    assert tree_of(stocked) == before


@pytest.mark.parametrize("kind", ["CHAINED", "HEAP", "tagged"])
def test_only_three_types_are_made_empty(collections, kind):
    with pytest.raises(UsageError, match="`chain` makes chains"):
        collections.create("nearby", kind, "why")


def test_a_collection_is_made_once_and_keeps_its_type(nearby):
    for kind in ("TAGGED", "RUN"):
        with pytest.raises(InvalidInput, match="exists already"):
            nearby.create("nearby", kind, "why")
    with pytest.raises(InvalidInput, match="is TAGGED, not a chain"):
        nearby.chain("nearby", ["nearby"], "why")
    with pytest.raises(InvalidName, match="differs only in case"):
        nearby.create("Nearby", "TAGGED", "why")


def test_each_verb_is_for_its_type(nearby):
    nearby.create("night-1", "RUN", "why")
    nearby.create("calib/DM-1", "CALIBRATION", "why")
    nearby.chain("best", ["nearby"], "why")
    for name, said in (("night-1", "is a RUN, and never changes"), ("calib/DM-1", "certify"), ("best", "with chain")):
        with pytest.raises(InvalidInput, match=said):
            nearby.add(name, ["2026xyz@0"], "why")
    with pytest.raises(InvalidInput, match="add and remove"):
        nearby.certify("nearby", ["2026xyz@0"], "why", None, None)


def test_names_that_are_not_there(nearby):
    for call in (
        lambda: nearby.add("nearbi", ["2026xyz@0"], "why"),
        lambda: nearby.delete("nearbi", "why"),
        lambda: nearby.show("nearbi"),
        lambda: nearby.members("nearbi"),
        lambda: nearby.resolve("nearbi", "2026dgt"),
        lambda: nearby.chain("best", ["nearbi"], "why"),
        lambda: nearby.log("nearbi"),
    ):
        with pytest.raises(NotFound, match="did you mean nearby"):
            call()


def test_deleting_leaves_its_history(nearby):
    nearby.chain("best", ["nearby"], "why")
    with pytest.raises(Denied, match="is a child of best"):
        nearby.delete("nearby", "why")
    nearby.delete("best", "nobody asks for it")
    nearby.delete("nearby", "the paper is out")
    with pytest.raises(NotFound):
        nearby.get("nearby")
    log = nearby.log("nearby")
    assert [(entry.subject, entry.kind) for entry in log] == [
        ("Delete nearby: the paper is out", ""),
        ("Add 2 datasets to nearby: the first two", "TAGGED"),
        ("Make nearby, TAGGED: for the paper", "TAGGED"),
    ]


def test_a_remark_is_bounded_and_printable(collections):
    for about in ("x" * 1001, "bell\x07", "two\nlines"):
        with pytest.raises(InvalidInput, match="one line of at most 1,000"):
            collections.create("nearby", "TAGGED", "why", about)
    collections.create("nearby", "TAGGED", "why", 'Nähe, 近い, \N{TELESCOPE}, "so"')
    assert collections.get("nearby").about == 'Nähe, 近い, \N{TELESCOPE}, "so"'


def test_list_and_show(nearby):
    nearby.create("night-1", "RUN", "why")
    nearby.chain("best", ["nearby", "night-1"], "why")
    nearby.chain("defaults", ["best"], "why")
    assert [(each.name, each.kind, each.size) for each in nearby.list()] == [
        ("best", "CHAINED", 2), ("defaults", "CHAINED", 1), ("nearby", "TAGGED", 2), ("night-1", "RUN", None),
    ]  # fmt: skip
    assert [each.name for each in nearby.list("n*", "RUN")] == ["night-1"]
    assert [(each.depth, each.name) for each in nearby.show("defaults").tree] == [
        (0, "defaults"), (1, "best"), (2, "nearby"), (2, "night-1"),
    ]  # fmt: skip
    assert nearby.show("nearby").members == tuple(sorted(BOTH))
    shown = nearby.show("night-1")
    assert (shown.members, sum(shown.versions.values())) == (("2026abc@0", "2026dgt@0"), 2)


def test_states_and_differences(nearby, monkeypatch):
    first = nearby.log("nearby")[0].commit
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-08-01T12:00:00+00:00")
    nearby.remove("nearby", [BOTH[0]], "why")
    nearby.add("nearby", ["2026dgt@0", "2026xyz@0"], "why")
    for then in (f"nearby@{first}", f"nearby@{first[:9]}", "nearby@2026-07-15"):
        found = nearby.diff(then, "nearby")
        assert (found.removed, found.added, found.replaced) == ((), ("2026xyz@0",), (("2026dgt@1", "2026dgt@0"),))
    assert given(nearby.at(first), "nearby") == sorted(BOTH)
    assert str(nearby.at("2026-07-15").resolve("nearby", "2026dgt")) == "2026dgt@1"
    assert not nearby.diff("nearby", "nearby")
    for when in ("deadbeef", "2020-01-01", "word"):
        with pytest.raises(NotFound, match="state"):
            nearby.diff(f"nearby@{when}", "nearby")


def test_a_difference_of_validity_reads_as_it_is_given(collections):
    collections.create("calib/DM-1", "CALIBRATION", "why")
    first = collections.certify(
        "calib/DM-1", [f"2026dgt@0:{FILE}"], "why", "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"
    )
    collections.decertify("calib/DM-1", [f"2026dgt@0:{FILE}"], "why", None, "2026-05-10T00:00:00Z")
    found = collections.diff(f"calib/DM-1@{first.commit}", "calib/DM-1")
    assert found.removed == (f"2026dgt@0:{FILE} from 2026-05-01T00:00:00Z until 2026-06-01T00:00:00Z",)
    assert found.added == (f"2026dgt@0:{FILE} from 2026-05-10T00:00:00Z until 2026-06-01T00:00:00Z",)


@pytest.mark.slow
def test_concurrent_changes_of_different_collections_all_succeed(collections, stocked):
    names = [f"set-{number}" for number in range(6)]
    program = (
        "import sys; from blastgit import DataRepo; c = DataRepo(sys.argv[1]).collections; "
        "c.create(sys.argv[2], 'TAGGED', 'at once'); c.add(sys.argv[2], ['2026dgt@1', '2026abc@0'], 'at once')"
    )
    command = [sys.executable, "-c", program, str(stocked)]
    workers = [subprocess.Popen([*command, name], cwd=CHECKOUT, stderr=subprocess.PIPE) for name in names]
    for worker in workers:
        _, said = worker.communicate()
        assert worker.returncode == 0, said.decode()
    assert [(each.name, each.size) for each in collections.list()] == [(name, 2) for name in names]
    assert len(collections.log("set-3")) == 2


@pytest.mark.slow
def test_ten_thousand_in_one_call_or_none(collections, stocked, tree_of):
    collections.create("nearby", "TAGGED", "why")
    before = tree_of(stocked)
    with pytest.raises(NotFound, match="no transient 2026x"):
        collections.add("nearby", [f"2026x{number:05}@0" for number in range(10_000)], "many")
    assert tree_of(stocked) == before
