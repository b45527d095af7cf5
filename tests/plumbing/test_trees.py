import pygit2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastgit.plumbing.trees import flatten, read_blob, write_tree


@pytest.fixture(scope="module")
def git(tmp_path_factory):
    return pygit2.init_repository(str(tmp_path_factory.mktemp("git")), bare=True)


parts = st.text("abc.-é", min_size=1, max_size=4).filter(lambda part: part.strip(".") and part != ".git")


@given(st.dictionaries(st.lists(parts, min_size=1, max_size=4).map("/".join), st.binary(max_size=5), max_size=8))
def test_a_tree_holds_what_was_put_in(git, files):
    files = {path: data for path, data in files.items() if not any(other.startswith(f"{path}/") for other in files)}
    tree = git[write_tree(git, {path: git.create_blob(data) for path, data in files.items()})]
    assert {path: git[blob].data for path, blob in flatten(tree)} == files
    assert {path: read_blob(tree, path) for path in files} == files


def test_what_is_no_file_is_not_there(git):
    tree = git[write_tree(git, {"a/b": git.create_blob(b"x")})]
    assert [read_blob(tree, path) for path in ("a", "b", "a/c", "a/b/c")] == [None] * 4


def test_git_writes_the_same_tree(git, run, tmp_path):
    blob = git.create_blob(b"x")
    tree = write_tree(git, {"a.b": blob, "a/c": blob, "a-b": blob})
    lines = f"100644 blob {blob}\ta-b\n100644 blob {blob}\ta.b\n"
    inner = run("git", f"--git-dir={git.path}", "mktree", stdin=f"100644 blob {blob}\tc\n").strip()
    assert run("git", f"--git-dir={git.path}", "mktree", stdin=f"{lines}040000 tree {inner}\ta\n").strip() == str(tree)
