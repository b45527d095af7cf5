"""The hook of a clone rejects a revision whose contents the store lacks."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import small
from blastgit.errors import RepoError, WouldOverwrite
from blastgit.plumbing.process import git_environment
from blastgit.repository.hooks import install_hooks

pytestmark = pytest.mark.slow

BRANCH, TAG = "refs/heads/2026dgt", "refs/tags/2026dgt/1"


def lose(clone: Any) -> tuple[Path, bytes]:
    """Take one content of revision 1 out of the store."""
    md5 = clone.show("good:cutout_cdn/DES/DES_z.fits.dvc").split(b"md5: ")[1][:32].decode()
    path = clone.repo / "dvc/files/md5" / md5[:2] / md5[2:]
    data = path.read_bytes()
    path.unlink()
    return path, data


def test_what_the_store_lacks_stays_at_home(clone: Any) -> None:
    install_hooks(clone.path, client=True)
    clone.git("--git-dir", clone.repo, "config", "core.hooksPath", "/dev/null")
    path, data = lose(clone)
    for specs in ((BRANCH, TAG), (TAG,), ("good:refs/heads/u/me/2026dgt",)):
        said = clone.push(*specs)
        assert f"the store {clone.repo / 'dvc'} lacks the content of" in said
        assert "cutout_cdn/DES/DES_z.fits" in said
        assert "2026dgt/1" not in clone.refs()
    assert clone.push("refs/heads/main") == ""
    path.write_bytes(data)
    assert clone.push(BRANCH, TAG) == ""
    assert clone.push(":refs/workflow/none") == ""


def test_a_clone_with_a_work_tree_asks_the_store_that_main_names(clone: Any, tmp_path: Path) -> None:
    def git(*args: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "-C", work, *map(str, args)], capture_output=True, text=True, env=git_environment(), check=False
        )

    work = tmp_path / "work"
    subprocess.run(["git", "clone", "--quiet", clone.repo, work], check=True, env=git_environment())
    assert main(["hooks", "install", str(work), "--client"]) == 0
    assert git("fetch", "--quiet", clone.path, TAG + ":" + TAG).returncode == 0
    assert git("checkout", "--quiet", "2026dgt/1").returncode == 0
    (work / "yaml.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')\n")
    path, data = lose(clone)
    assert "lacks the content" in git("push", "origin", f"2026dgt/1^{{}}:{BRANCH}", TAG).stderr
    path.write_bytes(data)
    done = git("push", "origin", f"2026dgt/1^{{}}:{BRANCH}", TAG)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "run").exists()


def test_a_clone_that_knows_no_main_is_told_so(clone: Any) -> None:
    install_hooks(clone.path, client=True)
    clone.git("update-ref", "-d", "refs/heads/main")
    assert "this clone does not know main, which names the store: git fetch" in clone.push(BRANCH, TAG)


def test_installing(clone: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["hooks", "install", str(clone.repo)]) == 0
    assert f"{clone.repo}/hooks/pre-receive now checks every push" in capsys.readouterr().out
    hook = clone.repo / "hooks/pre-receive"
    assert hook.stat().st_mode & 0o777 == 0o755
    hook.write_text("#!/bin/sh\n# another\n")
    with pytest.raises(WouldOverwrite, match="is another hook"):
        install_hooks(clone.repo)
    (clone.repo / "hooks/pre-receive.d").mkdir()
    assert install_hooks(clone.repo) == clone.repo / "hooks/pre-receive.d/blastgit"
    subprocess.run(["git", "init", "--quiet", tmp_path / "work"], check=True, env=git_environment())
    with pytest.raises(RepoError, match="is a clone, not a data repo"):
        install_hooks(tmp_path / "work")
    with pytest.raises(RepoError, match="is not a git repository"):
        install_hooks(tmp_path)
    clone.git("config", "core.hooksPath", tmp_path / "shared")
    with pytest.raises(RepoError, match=r"\(core\.hooksPath\)"):
        install_hooks(clone.path, client=True)


def test_a_hook_whose_python_is_gone_denies_and_says_so(clone: Any) -> None:
    hook = clone.repo / "hooks/pre-receive"
    hook.write_text(re.sub("python='?.*", "python=/nowhere", hook.read_text(), count=1))
    assert "this data repo's hook needs /nowhere, which is gone" in clone.push(BRANCH, TAG)


def test_hooks_are_found_after_a_move_and_never_in_the_present_folder(clone: Any, tmp_path: Path, monkeypatch) -> None:
    moved, stranger = tmp_path / "moved", tmp_path / "stranger"
    clone.repo.rename(moved)
    (stranger / "hooks").mkdir(parents=True)
    (stranger / "hooks/reference-transaction").write_text(f"#!/bin/sh\ntouch {tmp_path}/run\n")
    (stranger / "hooks/reference-transaction").chmod(0o755)
    monkeypatch.chdir(stranger)
    clone.git("--git-dir", moved, "config", "core.hooksPath", "hooks")  # as the first blastgit set it
    export, data = small("2026zzz").write(tmp_path / "in")
    DataRepo(moved).record("2026zzz", export, data)
    assert clone.git("--git-dir", moved, "config", "core.hooksPath") == str(moved / "hooks")
    clone.git("--git-dir", moved, "update-ref", "refs/workflow/2026dgt", "2026dgt/0^0")
    assert not (tmp_path / "run").exists()
    assert "is not a transient's" in clone.push("good:refs/heads/feature/x", url=f"file://{moved}")
    moved.rename(tmp_path / "again")
    DataRepo(tmp_path / "again").record("2026zzz", export, data)
    assert "is not a transient's" in clone.push("good:refs/heads/feature/x", url=f"file://{tmp_path}/again")


def test_hooks_that_an_account_sets_for_all_its_repositories_do_not_replace_ours(clone: Any, tmp_path: Path) -> None:
    clone.git("config", "--global", "core.hooksPath", tmp_path / "mine")
    assert "no slash" in clone.push("good:refs/heads/feature/x")
