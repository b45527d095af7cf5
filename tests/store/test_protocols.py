"""Protocols other than object stores: a content appears completely or not at all there, too."""

import hashlib
from pathlib import Path

import pytest
from dvc_objects.fs.memory import MemoryFileSystem
from fsspec.implementations.memory import MemoryFileSystem as Memory

from blastgit.errors import StoreError
from blastgit.store.config import Remote
from blastgit.store.dvc import DvcStore
from blastgit.store.failures import Patience
from blastgit.store.hashing import Checksums

pytestmark = pytest.mark.slow

CONTENT = b"some bytes " * 500
MD5 = hashlib.md5(CONTENT).hexdigest()
SUMS = Checksums(MD5, hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
PATH = f"/root/files/md5/{MD5[:2]}/{MD5[2:]}"


class Hierarchy(MemoryFileSystem):
    """A server with folders, which remembers what it was asked to do."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.memory.store, self.memory.pseudo_dirs = {}, [""]
        super().__init__(fs=self.memory)
        self.done: list[tuple[str, str]] = []

    def put_file(self, from_file, to_info, **kwargs):
        self.done.append(("put", to_info))
        super().put_file(from_file, to_info, **kwargs)

    def move(self, from_info, to_info, **kwargs):
        self.done.append(("move", to_info))
        super().move(from_info, to_info, **kwargs)

    def files(self) -> list[str]:
        return sorted(self.memory.store)


@pytest.fixture
def server(monkeypatch):
    server = Hierarchy()
    monkeypatch.setattr("dvc.fs.get_cloud_fs", lambda config, **remote: (lambda **options: server, {}, "/root"))
    return server


@pytest.fixture
def store(server, tmp_path, waits):
    return DvcStore(Remote("store", "ssh://host/root"), tmp_path / "staging", Patience((0.5, 2.0), waits))


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def test_a_content_goes_by_a_temporary_name(store, server, staged):
    store.put(staged, SUMS)
    assert [kind for kind, _ in server.done] == ["put", "move"]
    assert server.done[0][1].startswith("/root/tmp/")
    assert server.done[1][1] == PATH
    assert server.files() == [PATH]
    assert b"".join(store.read(MD5)) == CONTENT
    assert store.missing([MD5, "0" * 32]) == {"0" * 32}


def test_a_part_never_gets_the_name(store, server, staged, waits, monkeypatch):
    put = Hierarchy.put_file

    def cut(self, from_file, to_info, **kwargs):
        put(self, from_file, to_info, **kwargs)
        server.memory.store[to_info].truncate(100)

    monkeypatch.setattr(Hierarchy, "put_file", cut)
    with pytest.raises(StoreError, match="only a part"):
        store.put(staged, SUMS)
    assert server.files() == []
    assert waits.seconds == [0.5, 2.0]


def test_a_lost_line_leaves_nothing_behind(store, server, staged, monkeypatch):
    def lose(self, from_info, to_info, **kwargs):
        raise ConnectionResetError("gone")

    monkeypatch.setattr(Hierarchy, "move", lose)
    with pytest.raises(StoreError, match="broke off"):
        store.put(staged, SUMS)
    assert server.files() == []
    assert staged.exists()


def test_a_damaged_content_is_replaced(store, server, staged):
    server.memory.makedirs(PATH.rpartition("/")[0])
    server.memory.pipe_file(PATH, CONTENT[:-1])
    store.put(staged, SUMS)
    assert server.files() == [PATH]
    assert b"".join(store.read(MD5)) == CONTENT


def test_another_writer_of_the_same_content_is_no_failure(store, server, staged, monkeypatch):
    def late(self, from_info, to_info, **kwargs):
        server.memory.pipe_file(to_info, CONTENT)
        raise FileExistsError(to_info)

    monkeypatch.setattr(Hierarchy, "move", late)
    store.put(staged, SUMS)
    assert server.files() == [PATH]
