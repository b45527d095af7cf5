def test_options_may_stand_anywhere(cli, library, tmp_path):
    for number, words in enumerate((["--only", "*.jpg"], ["--only=*.jpg", "--force"])):
        said = cli("-C", library, "get", "2026dgt", *words, tmp_path / str(number))
        assert said.out.startswith(f"2026dgt@1: 3 files written to {tmp_path / str(number)}, ")
    said = cli("get", "--only", "*.jpg", "2026dgt", "-C", library, tmp_path / "0")
    assert "0 files written" in said.out
    assert "3 were there already" in said.out


def test_refusals(cli, library, tmp_path):
    assert cli("-C", library, "get", "2026dgt@0", tmp_path / "out").code == 0
    said = cli("-C", library, "get", "2026dgt@1", tmp_path / "out")
    assert said.code == 10
    assert "--force" in said.err
    assert cli("-C", library, "get", "2026dgt@1", tmp_path / "out", "--force").code == 0
    assert cli("-C", library, "get", "2026dgt@9", tmp_path / "out").code == 5
    assert cli("-C", library, "get", "2026dgt@01", tmp_path / "out").code == 4


def test_damage_ends_with_nine(cli, history, tmp_path):
    next(path for path in (history / "dvc/files").rglob("*") if path.is_file()).unlink()
    codes = {cli("-C", history, "get", f"2026dgt@{number}", tmp_path / str(number)).code for number in (0, 1)}
    assert 9 in codes
    assert codes <= {0, 9}
