"""A damaged git object gives a message and exit code 9 to commands that need it, and does not affect others."""

import json

import pytest

from blastgit.demo import small

VERBS = {
    "commit": ["log", "show", "get", "diff", "blame", "verify", "list"],
    "tree": ["log", "show", "get", "diff", "blame", "verify"],
    "document": ["show", "get", "diff", "blame", "verify"],
    "tag": ["show-1", "get-1", "diff", "verify"],
}
NAMES = {
    "commit": "2026dgt/1^{commit}",
    "tree": "2026dgt/1^{tree}",
    "document": "2026dgt/1:2026dgt.json",
    "tag": "2026dgt/1",
}


@pytest.mark.parametrize("how", ["gone", "garbled"])
@pytest.mark.parametrize("what", NAMES)
def test_rotten_objects(cli, history, tmp_path, loose, what, how):
    path = loose(history, NAMES[what])
    path.unlink()
    if how == "garbled":
        path.write_bytes(b"x")
    calls = {
        "list": ["list"], "log": ["log", "2026dgt"], "show": ["show", "2026dgt"], "show-1": ["show", "2026dgt@1"],
        "get": ["get", "2026dgt", tmp_path / "a"], "get-1": ["get", "2026dgt@1", tmp_path / "b"],
        "diff": ["diff", "2026dgt@0", "2026dgt@1"], "blame": ["blame", "2026dgt"], "verify": ["verify"],
    }  # fmt: skip
    for verb, call in calls.items():
        said = cli("-C", history, *call)
        assert said.code == (9 if verb in VERBS[what] else said.code), (verb, said)
        assert said.code in (0, 9), (verb, said)
        if said.code and verb != "verify":
            assert "damaged" in said.err
    assert cli("-C", history, "show", "2026dgt@0").code == 0


@pytest.mark.parametrize("options", [[], ["--json"], ["2026*"]])
def test_a_list_names_the_damaged_one_and_shows_the_others(cli, history, record, loose, options):
    record(history, small("2026a1"))
    record(history, small("2026z1"))
    loose(history, NAMES["commit"]).unlink()
    said = cli("-C", history, "list", *options)
    assert said.code == 9
    assert "blastgit: 2026dgt is damaged: git's objects of refs/heads/2026dgt are damaged" in said.err
    if options == ["--json"]:
        listed = json.loads(said.out)
        assert [(each["transient"], each["revision"]) for each in listed] == [
            ("2026a1", 0), ("2026dgt", None), ("2026z1", 0),
        ]  # fmt: skip
        assert [each["damaged"] is None for each in listed] == [True, False, True]
        assert len({tuple(sorted(each)) for each in listed}) == 1
    else:
        assert [line.split()[0] for line in said.out.splitlines()] == ["transient", "2026a1", "2026z1"]
    assert cli("-C", history, "list", "2026a*").code == 0


def test_a_tag_that_names_no_commit(cli, history, run):
    blob = run("git", "-C", history, "rev-parse", "2026dgt/1:2026dgt.json").strip()
    run("git", "-C", history, "update-ref", "refs/tags/2026dgt/1", blob)
    assert cli("-C", history, "show", "2026dgt@1").code == 9
    assert cli("-C", history, "verify").code == 9


@pytest.mark.parametrize("name", ["2026dgt/0^{commit}", "2026dgt/0", "2026dgt/1^{commit}", "2026dgt/1"])
@pytest.mark.parametrize("how", ["gone", "garbled"])
def test_runs_of_what_is_sound_are_listed(cli, history, record, loose, name, how):
    record(history, small("2026z1"), run="reprocessing/w0")
    path = loose(history, name)
    path.unlink()
    if how == "garbled":
        path.write_bytes(b"x")
    said = cli("-C", history, "run", "list")
    assert (said.code, "reprocessing/w0" in said.out) == (0, True), said
    said = cli("-C", history, "verify", "--json")
    assert said.code == 9, said
    problems = json.loads(said.out)["problems"]
    assert problems
    assert all("2026dgt" in json.dumps(problem) for problem in problems)


@pytest.mark.parametrize("ref", ["refs/drafts/2026dgt", "refs/workflow/2026dgt", "refs/heads/r/filter/DES_z"])
def test_a_ref_of_another_kind_whose_commit_is_gone(cli, history, ref):
    (history / ref).parent.mkdir(parents=True, exist_ok=True)
    (history / ref).write_text("1" * 40 + "\n")
    said = cli("-C", history, "verify")
    assert said.code == 9, said
    assert ref in said.out + said.err
    assert cli("-C", history, "run", "list").code == 0
    assert cli("-C", history, "show", "2026dgt@1").code == 0
