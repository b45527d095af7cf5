import pygit2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastgit.plumbing.batch import Batch
from blastgit.plumbing.trees import flatten, read_blob, update_tree


@pytest.fixture(scope="module")
def git(tmp_path_factory):
    return pygit2.init_repository(str(tmp_path_factory.mktemp("git")), bare=True)


def written(git, tree, files):
    batch = Batch(git)
    oid = update_tree(batch, tree, files)
    batch.write()
    return oid


parts = st.text("abc.-é", min_size=1, max_size=4).filter(lambda part: part.strip(".") and part != ".git")


@given(st.dictionaries(st.lists(parts, min_size=1, max_size=4).map("/".join), st.binary(max_size=5), max_size=8))
def test_a_tree_holds_what_was_put_in(git, files):
    files = {path: data for path, data in files.items() if not any(other.startswith(f"{path}/") for other in files)}
    tree = git[written(git, None, {path: git.create_blob(data) for path, data in files.items()})]
    assert {path: git[blob].data for path, blob in flatten(tree)} == files
    assert {path: read_blob(tree, path) for path in files} == files


@given(
    st.dictionaries(st.sampled_from(["a", "b/c", "b/d", "e/f/g", "e/h"]), st.booleans()),
    st.dictionaries(st.sampled_from(["a", "b/c", "b/d", "e/f/g", "e/h"]), st.booleans() | st.none()),
)
def test_a_tree_is_changed_in_places(git, before, change):
    def blobs(files):
        return {path: None if data is None else git.create_blob(bytes([data])) for path, data in files.items()}

    tree = git[written(git, None, blobs(before))]
    changed = git[written(git, tree, blobs(change))]
    after = {path: bytes([data]) for path, data in (before | change).items() if data is not None}
    assert {path: git[blob].data for path, blob in flatten(changed)} == after
    assert changed.id == written(git, None, {path: git.create_blob(data) for path, data in after.items()})


def test_what_is_no_file_is_not_there(git):
    tree = git[written(git, None, {"a/b": git.create_blob(b"x")})]
    assert [read_blob(tree, path) for path in ("a", "b", "a/c", "a/b/c")] == [None] * 4
