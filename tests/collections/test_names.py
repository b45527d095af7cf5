"""The table of names: patterns, each with a type; code makes and parses every name."""

import pytest

from blastgit.collections.names import is_name, owner_of
from blastgit.collections.policy import read_section
from blastgit.errors import InvalidName, RepoError

TECHNOTE = {
    "HSC/defaults": "CHAINED", "HSC/raw": "CHAINED", "HSC/raw/DM-98765": "TAGGED", "HSC/raw/all": "RUN",
    "HSC/calib": "CHAINED", "HSC/calib/DM-98765": "CALIBRATION", "HSC/calib/DM-98765/20200101a": "",
    "HSC/calib/gen2/defaults": "CALIBRATION", "HSC/masks": "CHAINED", "HSC/masks/S18A": "RUN",
    "HSC/runs/RC2/w_2020_50/DM-75643": "CHAINED", "DECam/runs/HiTS-2015/d_2021_90/DM-80000": "CHAINED",
    "runs/RC2/w_2020_50/DM-75643": "CHAINED", "runs/RC2/w_2020_50/DM-75643/first/try": "",
    "LSSTCam-imSim/defaults": "CHAINED", "2.2i/raw/all": "RUN", "2.2p/runs/DC2/w_1/DM-1": "CHAINED",
    "refcats": "CHAINED", "refcats/DM-28636": "RUN", "skymaps": "RUN", "u/jbosch/DM-56789/test": "", "u/jbosch/x": "",
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), TECHNOTE.items())
def test_the_table_of_the_technote(name, kind):
    names = read_section({"tables": ["technote"]}).names
    row = names.row(name)
    assert row.kind == kind
    for other in ("RUN", "TAGGED", "CHAINED", "CALIBRATION"):
        if kind in ("", other):
            assert names.check(name, other) is row
        else:
            with pytest.raises(InvalidName, match=f"should be {kind} and not {other}"):
                names.check(name, other)


@pytest.mark.parametrize("name", TECHNOTE)
def test_code_makes_what_code_takes_apart(name):
    names = read_section(None).names
    key, parts = names.parse(name)
    whole = names.make(key, "the/rest" if names.row(name).pattern.endswith("*") else "", **parts)
    assert names.parse(whole) == (key, parts)
    assert name.startswith(whole.removesuffix("the/rest"))


@pytest.mark.parametrize(
    ("key", "parts", "said"),
    [
        ("runs", {"target": "RC2", "release": "w_1"}, "needs its ticket"),
        ("runs", {"target": "RC2/x", "release": "w_1", "ticket": "DM-1"}, "'RC2/x' cannot be the target"),
        ("raw-ticket", {"instrument": "runs", "ticket": "DM-1"}, "cannot be the instrument"),
        ("raw-ticket", {"instrument": "HSC", "ticket": "tidy"}, "cannot be the ticket"),
        ("personal", {"user": "bob"}, r"needs its \*"),
        ("heap", {}, "no line 'heap'"),
    ],
)
def test_parts_that_make_no_name(key, parts, said):
    with pytest.raises(InvalidName, match=said):
        read_section(None).names.make(key, **parts)


@pytest.mark.parametrize(
    "name",
    ["", "/x", "x/", "a//b", "../x", "a..b", "x y", "x.yaml", "x.yaml/y", "a.lock", ".hidden", "con", "a/nul", "ä",
     "x\n", "a/" * 10 + "b", "x" * 101, "-x"],
)  # fmt: skip
def test_what_is_no_name_at_all(name):
    with pytest.raises(InvalidName):
        read_section({"names": {"any": {"name": "*"}}}).names.row(name)
    assert not is_name(name) or "." in name or name in ("con", "a/nul")


@pytest.mark.parametrize("name", ["HSC/row/all/x", "runs/RC2/w_1", "u/bob", "raw", "HSC/raw/all/x"])
def test_a_name_that_no_pattern_has_is_refused(name):
    with pytest.raises(InvalidName, match="there may be"):
        read_section(None).names.row(name)


def test_the_shorter_table():
    names = read_section({"tables": "blast"}).names
    assert names.row("defaults").kind == "CHAINED"
    assert names.row("nearby").kind == names.row("nearby/2026").kind == ""
    with pytest.raises(InvalidName):
        names.row("HSC/raw/all/x")
    assert names.row("legacy/2026-01-01").kind == "RUN"


def test_a_repo_puts_its_own_names_first():
    section = {
        "parts": {"ticket": "issue-[0-9]+"},
        "names": {"sets": {"name": "sets/<ticket>", "type": "TAGGED", "about": "Sets"}},
        "tables": ["technote"],
    }
    names = read_section(section).names
    assert names.parse("sets/issue-7") == ("sets", {"ticket": "issue-7"})
    with pytest.raises(InvalidName):
        names.row("refcats/DM-1")


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ([], "should be a mapping"),
        ({"name": {}}, "unknown key 'name'; did you mean names"),
        ({"tables": ["heap"]}, "has 'heap'"),
        ({"tables": []}, "without any names"),
        ({"names": []}, "should map keys"),
        ({"names": {"A b": {"name": "x"}}}, "a key is a word"),
        ({"names": {"a": {"type": "RUN"}}}, "has no `name`"),
        ({"names": {"a": {"name": "x", "type": "HEAP"}}}, "the types are"),
        ({"names": {"a": {"name": "x", "role": "king"}}}, "the roles are"),
        ({"names": {"a": {"name": "x", "role": "private"}}}, r"should end in /\*"),
        ({"names": {"a": {"name": "<word>"}}}, "has <word>, which `parts` does not define"),
        ({"names": {"a": {"name": "[x"}}}, "is not a pattern"),
        ({"names": {"a": {"name": 7}}}, "texts as values"),
        ({"parts": {"a": "("}}, "is not a regular expression"),
        ({"parts": {"A": "x"}}, "a word is of small letters"),
        ({"parts": []}, "should map each word"),
        ({"protected": [7]}, "a list of texts"),
    ],
)
def test_a_section_that_makes_no_sense(section, said):
    with pytest.raises(RepoError, match=said):
        read_section(section)


def test_who_owns_what():
    assert owner_of("u/bob/x") == "bob"
    assert owner_of("undo/bob") == owner_of("nearby") == ""
