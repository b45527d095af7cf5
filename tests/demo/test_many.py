"""The repo of `make demo-web` has everything that its pages shall show."""

from blastgit.demo.__main__ import fill
from blastgit.demo.story import tell_how_to_look


def test_a_repo_to_look_at(tmp_path, capsys):
    from blastgit import DataRepo

    fill(tmp_path / "demo", 12)
    tell_how_to_look(tmp_path / "demo")
    words = capsys.readouterr().out
    assert words.rstrip().endswith(f"-C {tmp_path}/demo/data.git serve --as you")
    repo = DataRepo(tmp_path / "demo/data.git")
    logs = [repo.log(f"2026aa{letter}") for letter in "abcdefghijkl"]
    assert any(log[0].failures for log in logs)
    assert any(log[0].reproductions for log in logs)
    assert any(entry.withdrawn for log in logs for entry in log)
    assert max(map(len, logs)) == 3
    assert [str(each) for each in repo.releases.list()] == ["release/nearby/1"]
    assert len(repo.annotations.list().notes) == 3
