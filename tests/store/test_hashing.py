import hashlib
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blastgit.errors import InvalidFiles
from blastgit.store.hashing import CHUNK, Checksums, copy_hashing, read_steadily, sha256_of


def sums(data):
    return Checksums(hashlib.md5(data).hexdigest(), hashlib.sha256(data).hexdigest(), len(data))


@settings(max_examples=20)
@given(st.binary(min_size=1, max_size=100), st.sampled_from([1, CHUNK, CHUNK - 1, 2 * CHUNK + 1]))
def test_a_file_is_copied_and_hashed_in_one_pass(tmp_path_factory, data, size):
    folder = tmp_path_factory.mktemp("file")
    data = (data * (size // len(data) + 1))[:size]
    (folder / "file").write_bytes(data)
    assert copy_hashing(folder / "file", folder / "copy") == sums(data)
    assert (folder / "copy").read_bytes() == data
    assert sha256_of(folder / "file") == sums(data).sha256


def test_a_copy_never_replaces_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(FileExistsError):
        copy_hashing(tmp_path / "file", tmp_path / "file")


LIMITED = """
import resource, sys
from pathlib import Path
from blastgit.store.hashing import copy_hashing
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
try:
    copy_hashing(Path(sys.argv[1]), Path(sys.argv[2]))
except OSError:
    sys.exit(7)
"""


def test_a_copy_that_did_not_fit_is_never_taken_for_whole(tmp_path):
    """A write that fails half way first writes what fits, and says how much that was."""
    (tmp_path / "file").write_bytes(bytes(2 * CHUNK))
    done = subprocess.run([sys.executable, "-c", LIMITED, tmp_path / "file", tmp_path / "copy"], check=False)
    assert done.returncode == 7


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InvalidFiles, match="is empty"):
        sha256_of(tmp_path / "file")


def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidFiles, match="is not a regular file"):
        sha256_of(tmp_path / "pipe")
    with pytest.raises(InvalidFiles, match=r"regular file|cannot be read"):
        sha256_of(tmp_path)


def test_an_unreadable_file_is_refused(tmp_path):
    with pytest.raises(InvalidFiles, match="cannot be read: No such file"):
        sha256_of(tmp_path / "none")


def append(path):
    with path.open("ab") as file:
        file.write(b"more")


def truncate(path):
    os.truncate(path, CHUNK + 1)


def rewrite(path):
    with path.open("r+b") as file:
        file.write(b"other")
    os.utime(path, ns=(0, 5))


@pytest.mark.parametrize("change", [append, truncate, rewrite])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, change):
    path = tmp_path / "file"
    path.write_bytes(bytes(3 * CHUNK))
    chunks = read_steadily(path)
    next(chunks)
    change(path)
    with pytest.raises(InvalidFiles, match="changed while it was read"):
        list(chunks)
