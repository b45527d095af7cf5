import pygit2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastgit.plumbing.batch import Batch
from blastgit.plumbing.trees import flatten

WHO = pygit2.Signature("Ana Beta", "ana@example.org", 1_700_000_000, -90)


@pytest.fixture(scope="module")
def git(tmp_path_factory):
    return pygit2.init_repository(str(tmp_path_factory.mktemp("git")), bare=True)


def commit_into(batch, files):
    tree = batch.tree({path: batch.blob(data) for path, data in files.items()})
    commit = batch.commit((WHO, WHO), "Subject\n\nBody\n", tree, [])
    return commit, batch.tag("t/0", commit, WHO, "first")


parts = st.text("abc.-é", min_size=1, max_size=4).filter(lambda part: part.strip(".") and part != ".git")


@given(st.dictionaries(st.lists(parts, min_size=1, max_size=4).map("/".join), st.binary(max_size=5), max_size=30))
def test_git_has_what_was_written_loose_or_packed(git, files):
    files = {path: data for path, data in files.items() if not any(other.startswith(f"{path}/") for other in files)}
    batch = Batch(git)
    commit, tag = commit_into(batch, files)
    batch.write()
    assert {path: git[blob].data for path, blob in flatten(git[commit].tree)} == files
    assert git[tag].target == commit
    assert len(batch) == 0


@pytest.mark.parametrize("count", [1, 16, 48, 700])
def test_git_finds_no_fault(run, tmp_path, count):
    git = pygit2.init_repository(str(tmp_path / "git"), bare=True)
    batch = Batch(git)
    commit, tag = commit_into(batch, {f"d{number % 7}/{number}": b"%d" % number * number for number in range(count)})
    batch.write()
    run("git", "-C", git.path, "update-ref", "refs/heads/main", str(commit))
    run("git", "-C", git.path, "update-ref", "refs/tags/t/0", str(tag))
    run("git", "-C", git.path, "fsck", "--strict", "--full")
    for index in (tmp_path / "git/objects/pack").glob("*.idx"):
        run("git", "-C", git.path, "verify-pack", str(index))
    assert len(list((tmp_path / "git/objects/pack").glob("*.pack"))) == 1
    assert list((tmp_path / "git/objects/pack").glob("*.keep")) == []
    assert run("git", "-C", git.path, "log", "--format=%an %ae %at %ai|%s|%b", "main").strip() == (
        "Ana Beta ana@example.org 1700000000 2023-11-14 20:43:20 -0130|Subject|Body"
    )
    assert len(run("git", "-C", git.path, "ls-tree", "-r", "--name-only", "main").splitlines()) == count


def test_git_writes_the_same_objects(git, run):
    batch = Batch(git)
    blob = batch.blob(b"x")
    assert str(blob) == run("git", f"--git-dir={git.path}", "hash-object", "--stdin", stdin="x").strip()
    tree = batch.tree({"a.b": blob, "a/c": blob, "a-b": blob})
    batch.write()
    lines = f"100644 blob {blob}\ta-b\n100644 blob {blob}\ta.b\n"
    inner = run("git", f"--git-dir={git.path}", "mktree", stdin=f"100644 blob {blob}\tc\n").strip()
    assert run("git", f"--git-dir={git.path}", "mktree", stdin=f"{lines}040000 tree {inner}\ta\n").strip() == str(tree)


def test_nothing_is_there_before_it_is_written(tmp_path):
    git = pygit2.init_repository(str(tmp_path / "git"), bare=True)
    batch = Batch(git)
    commit, _ = commit_into(batch, {"a/b": b"c"})
    assert commit not in git
    assert len(batch) == 5
