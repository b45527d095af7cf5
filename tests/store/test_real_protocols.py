"""SSH and WebDAV against real servers, where DVC's libraries for them (and `wsgidav`) are installed."""

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from blastgit.errors import DamagedData
from blastgit.store.config import Remote
from blastgit.store.dvc import DvcStore
from blastgit.store.hashing import Checksums

CONTENTS = [f"content {n} ".encode() * 5000 for n in range(6)]
# what those libraries let go of too late is not ours to mend
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


def sums(content: bytes) -> Checksums:
    return Checksums(hashlib.md5(content).hexdigest(), hashlib.sha256(content).hexdigest(), len(content))


def place(folder: Path, content: bytes) -> Path:
    md5 = sums(content).md5
    return folder / "files" / "md5" / md5[:2] / md5[2:]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the server serves."""
    (tmp_path / "served").mkdir()
    return tmp_path / "served"


@pytest.fixture
def webdav(folder: Path) -> Iterator[Remote]:
    pytest.importorskip("dvc_webdav")
    wsgidav = pytest.importorskip("wsgidav.wsgidav_app")
    cheroot = pytest.importorskip("cheroot.wsgi")
    options = {
        "provider_mapping": {"/": str(folder)}, "simple_dc": {"user_mapping": {"*": True}},
        "logging": {"enable": False}, "verbose": 0,
    }  # fmt: skip
    server = cheroot.Server(("127.0.0.1", 0), wsgidav.WsgiDAVApp(options))
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield Remote("store", f"webdav://127.0.0.1:{server.bind_addr[1]}/")
    server.stop()
    thread.join()


@pytest.fixture
def ssh(folder: Path) -> Iterator[Remote]:
    pytest.importorskip("dvc_ssh")
    asyncssh = pytest.importorskip("asyncssh")

    class Anyone(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return username != "reader"

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return password == "secret"

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    keys = [asyncssh.generate_private_key("ssh-ed25519")]

    async def listen():
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Anyone, server_host_keys=keys,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder)),
        )  # fmt: skip

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(20)
    yield Remote("store", f"ssh://127.0.0.1:{server.get_port()}/", {"user": "me", "password": "secret"})
    loop.call_soon_threadsafe(server.close)
    asyncio.run_coroutine_threadsafe(server.wait_closed(), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.parametrize("protocol", ["webdav", "ssh"])
def test_contents_go_in_by_a_temporary_name_and_come_back(request, protocol, folder, tmp_path):
    store = DvcStore(request.getfixturevalue(protocol), tmp_path / "staging")
    place(folder, CONTENTS[0]).parent.mkdir(parents=True)
    place(folder, CONTENTS[0]).write_bytes(b"rot")
    place(folder, CONTENTS[1]).parent.mkdir(parents=True, exist_ok=True)
    place(folder, CONTENTS[1]).write_bytes(CONTENTS[1])
    staged = {}
    for number, content in enumerate(CONTENTS):
        (tmp_path / str(number)).write_bytes(content)
        staged[tmp_path / str(number)] = sums(content)
    store.put_all(staged)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert files == sorted(place(folder, content) for content in CONTENTS)
    assert [b"".join(store.read(sums(content).md5)) for content in CONTENTS] == CONTENTS
    assert store.missing(["0" * 32, sums(CONTENTS[0]).md5]) == {"0" * 32}
    with pytest.raises(DamagedData):
        list(store.read("0" * 32))
