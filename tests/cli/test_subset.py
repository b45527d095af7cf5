def test_a_list_becomes_a_repo(cli, history, tmp_path):
    (tmp_path / "list").write_text("2026dgt@1\n")
    said = cli("-C", history, "subset", tmp_path / "part", "--from", tmp_path / "list")
    assert said.code == 0
    assert "1 revision, " in said.out
    assert "dvc remote modify --local store url" in said.out
    assert cli("-C", tmp_path / "part", "verify").code == 0
    assert cli("-C", history, "subset", tmp_path / "part", "--from", tmp_path / "list").code == 6


def test_json_from_stdin(cli, history, tmp_path, monkeypatch):
    import io
    import json

    monkeypatch.setattr("sys.stdin", io.StringIO("2026dgt@0\n"))
    said = cli("-C", history, "subset", tmp_path / "part", "--from", "-", "--json")
    assert json.loads(said.out)["revisions"] == ["2026dgt@0"]


def test_what_a_subset_leaves_out_is_told_once_and_not_as_withdrawn(cli, history, tmp_path):
    (tmp_path / "list").write_text("2026dgt@0\n")
    made = cli("-C", history, "subset", tmp_path / "part", "--from", tmp_path / "list", "--only", "*.npz")
    assert made.code == 0
    said = cli("-C", tmp_path / "part", "verify")
    assert said.code == 0
    first, *rest = said.out.splitlines()
    assert first.split(" ", 1)[0].isdigit()
    assert " files left out of this subset" in first
    assert "withdrawn" not in said.out
    assert len(rest) == 1
