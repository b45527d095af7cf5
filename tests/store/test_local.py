import hashlib
import os
import stat

import pytest

from blastgit.errors import DamagedData, StoreError
from blastgit.store.hashing import Checksums
from blastgit.store.local import LocalStore, store_failure

DATA = b"content"
MD5 = hashlib.md5(DATA).hexdigest()
SUMS = Checksums(MD5, hashlib.sha256(DATA).hexdigest(), len(DATA))


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


def stage(store, data=DATA):
    store.staging_root.mkdir(parents=True, exist_ok=True)
    staged = store.staging_root / "staged"
    staged.write_bytes(data)
    return staged


def test_a_content_lies_where_dvc_looks_for_it(store):
    staged = stage(store)
    store.put(staged, SUMS)
    path = store.folder / "files/md5" / MD5[:2] / MD5[2:]
    assert path.read_bytes() == DATA
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert not staged.exists()
    assert store.local_path(MD5) == path
    assert b"".join(store.read(MD5)) == DATA


def test_a_content_that_is_there_stays(store):
    store.put(stage(store), SUMS)
    before = store.local_path(MD5).stat()
    staged = stage(store)
    store.put(staged, SUMS)
    assert store.local_path(MD5).stat() == before
    assert not staged.exists()


@pytest.mark.parametrize("damage", [b"", b"rotten", b"content and more", b"contenT"])
def test_a_damaged_content_is_replaced(store, damage):
    path = store.object_path(MD5)
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    path.chmod(0o444)
    store.put(stage(store), SUMS)
    assert path.read_bytes() == DATA


def test_another_file_of_the_same_md5_is_refused(store):
    """No two such files are at hand, so the second one's SHA-256 is made up."""
    store.put(stage(store), SUMS)
    with pytest.raises(StoreError, match="a collision, made on purpose"):
        store.put(stage(store), Checksums(MD5, "0" * 64, len(DATA)))
    assert store.local_path(MD5).read_bytes() == DATA


def test_what_is_missing(store):
    store.put(stage(store), SUMS)
    other = "0" * 32
    assert store.missing([MD5, other]) == {other}
    assert store.local_path(other) is None
    with pytest.raises(DamagedData, match=f"lacks the content {other}"):
        list(store.read(other))


def test_nothing_is_made_by_looking(store):
    assert store.missing([MD5]) == {MD5}
    assert store.synced_folders() == []
    assert not store.folder.exists()


def test_a_store_that_is_no_folder(store, tmp_path):
    staged = tmp_path / "staged"
    staged.write_bytes(DATA)
    store.folder.write_text("a file")
    with pytest.raises(StoreError, match="cannot be used: Not a directory"):
        store.put(staged, SUMS)


def test_a_full_disk_is_said_in_words():
    error = store_failure("/store", OSError(28, os.strerror(28)))
    assert str(error) == "no space left in the store /store: nothing was recorded; make room and record again"
