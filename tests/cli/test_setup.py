def test_a_clone_is_set_up(cli, process, library, tmp_path, run):
    run("git", "clone", "--quiet", library, tmp_path / "clone")
    assert cli("setup", tmp_path / "clone").code == 0
    assert "textconv pointer" in run("git", "config", "diff.blastgit-pointer.textconv", cwd=tmp_path / "clone")
    assert cli("setup", tmp_path / "nothing").code == 6


def test_textconv_prints_what_git_asks_for(cli, tmp_path):
    (tmp_path / "x").write_bytes(b"not a pointer\n")
    assert cli("textconv", "pointer", tmp_path / "x").out == "not a pointer\n"
