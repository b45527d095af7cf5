def test_it_says_where_everything_is(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = cli("init", "repo")
    assert said.code == 0
    assert f"made the data repo {tmp_path}/repo\ncontents go to {tmp_path}/repo/dvc\n" in said.out
    assert "give a permanent one with --store" in said.out
    assert cli("-C", "repo", "list").code == 0


def test_a_store_elsewhere(cli, tmp_path):
    said = cli("init", tmp_path / "repo", "--store", tmp_path / "store")
    assert f"contents go to {tmp_path}/store" in said.out
    assert "lasting" not in said.out


def test_something_is_there_already(cli, tmp_path):
    (tmp_path / "file").touch()
    said = cli("init", tmp_path)
    assert said.code == 6
    assert "not empty" in said.err
