"""A git object that rots is a sentence and exit code 9 for whoever needs it, and no concern of the others."""

import pytest

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


def test_a_tag_that_names_no_commit(cli, history, run):
    blob = run("git", "-C", history, "rev-parse", "2026dgt/1:2026dgt.json").strip()
    run("git", "-C", history, "update-ref", "refs/tags/2026dgt/1", blob)
    assert cli("-C", history, "show", "2026dgt@1").code == 9
    assert cli("-C", history, "verify").code == 9
