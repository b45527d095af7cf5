import json


def test_the_story(cli, repo, states, tmp_path):
    said = []
    for number, state in enumerate(states):
        export, data = state.write(tmp_path / str(number))
        said.append(cli("-C", repo, "record", "2026dgt", "--export", export, "--data", data, "--run", "night"))
    assert [each.code for each in said] == [0, 0, 0]
    assert said[0].out.startswith("2026dgt recorded as revision 0 (2026dgt/0): first revision, 15 files, by v1.12.0")
    assert said[1].out.startswith("2026dgt is unchanged: the values are those of revision 0")
    assert said[2].out.startswith("2026dgt recorded as revision 1 (2026dgt/1): DES_z image changed; ")
    assert "blastgit diff 2026dgt@0 2026dgt@1" in said[2].out
    assert all(each.err == "" for each in said)


def test_a_dry_run_writes_nothing(cli, repo, sample, tmp_path, tree_of):
    export, data = sample.write(tmp_path)
    before = tree_of(repo)
    said = cli("-C", repo, "record", "2026dgt", "--export", export, "--data", data, "--dry-run")
    assert said.out.startswith("2026dgt would be recorded as revision 0")
    assert tree_of(repo) == before


def test_an_export_from_stdin(process, repo, sample, tmp_path):
    export, data = sample.write(tmp_path)
    arguments = "-C", repo, "record", "2026dgt", "--export", "-", "--data", data, "--json"
    said = process(*arguments, stdin=export.read_bytes())
    assert json.loads(said.out)["status"] == "recorded"
    assert json.loads(process(*arguments, stdin=export.read_bytes()).out)["status"] == "unchanged"
    said = process(*arguments, stdin=b"")
    assert said.code == 4
    assert json.loads(said.out)["error"]["kind"] == "invalid-export"


def test_an_archive(cli, repo, sample, tmp_path):
    archive = sample.archive(tmp_path / "2026dgt.tar.gz")
    assert cli("-C", repo, "record", archive).out.startswith("2026dgt recorded as revision 0")
    assert cli("record", archive, "-C", repo).out.startswith("2026dgt is unchanged")
    archive.write_bytes(b"x")
    said = cli("-C", repo, "record", archive)
    assert said.code == 4
    assert said.err.count("\n") == 1


def test_the_wrong_transient(cli, repo, sample, tmp_path):
    export, data = sample.write(tmp_path)
    said = cli("-C", repo, "record", "2026xyz", "--export", export, "--data", data)
    assert said.code == 4
    assert "'2026dgt'" in said.err
    assert "'2026xyz'" in said.err
