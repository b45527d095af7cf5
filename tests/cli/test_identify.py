"""`blastgit identify` on the command line."""

import json

from blastgit import DataRepo
from blastgit.demo import edit_flux


def test_zero_exactly_if_all_are_published(cli, library, states, tmp_path):
    DataRepo(library).get("2026dgt@0", tmp_path / "got")
    said = cli("-C", library, "identify", tmp_path / "got", tmp_path / "got/2026dgt.json")
    assert (said.code, said.out.count("is 2026dgt@0")) == (0, 2)
    export, _ = edit_flux(states[2], "DES_z", 1.5).write(tmp_path / "in")
    said = cli("-C", library, "identify", tmp_path / "got", export)
    assert said.code == 1
    assert "is not a published state, nearest is 2026dgt@1" in said.out


def test_the_files_of_references_are_known(cli, repo, tmp_path):
    data = DataRepo(repo)
    network = tmp_path / "net.pt"
    network.write_bytes(b"weights")
    data.references.record("r/model/sbi", files=[network])
    assert cli("-C", repo, "identify", network).out == f"{network} is r/model/sbi@0:files/net.pt\n"
    network.write_bytes(b"weighty")
    said = cli("-C", repo, "identify", network, "--of", "r/model/sbi")
    assert (said.code, "nearest is r/model/sbi@0:files/net.pt" in said.out) == (1, True)


def test_keys_are_stable(cli, library, tmp_path):
    DataRepo(library).get("2026dgt@0", tmp_path / "got")
    (found,) = json.loads(cli("-C", library, "identify", "--json", tmp_path / "got").out)
    assert list(found) == ["what", "is", "same_bytes", "nearest", "reason", "files", "fields"]
    assert found["is"] == ["2026dgt@0"]


def test_a_plain_clone_is_enough(cli, history, run, tmp_path, monkeypatch):
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", history, clone)
    DataRepo(history).get("2026dgt@0", tmp_path / "got")
    said = cli("-C", clone, "identify", tmp_path / "got")
    assert (said.code, "is 2026dgt@0" in said.out) == (0, True)
    monkeypatch.chdir(clone)
    assert cli("identify", tmp_path / "got/2026dgt.json").code == 0
