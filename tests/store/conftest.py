"""A real S3 server in a process of its own, and a proxy before it that counts requests and makes trouble on demand."""

import hashlib
import socket
import subprocess
import sys
import threading
import time
import uuid
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest

from blastgit.store.config import Remote
from blastgit.store.dvc import DvcStore
from blastgit.store.failures import Patience


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """An S3 server that can be stopped and started again; its objects are gone then."""

    def __init__(self) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.poll() is None, "the S3 server ended at once: is moto[server] installed?"
            threading.Event().wait(0.05)
        pytest.fail("the S3 server did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.stop()


@dataclass
class Bucket:
    """A fresh bucket, and how a person would look into it."""

    endpoint: str
    name: str

    @cached_property
    def client(self):
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1",
            aws_access_key_id="key", aws_secret_access_key="secret",
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"s3://{self.name}/data"

    def contents(self) -> dict[str, int]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}

    def body(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def write(self, key: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=body)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, hermetic: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def make_bucket(s3_server: Server, credentials: None) -> Callable[[], Bucket]:
    def make() -> Bucket:
        bucket = Bucket(s3_server.url, f"b{uuid.uuid4().hex}")
        bucket.client.create_bucket(Bucket=bucket.name)
        return bucket

    return make


@pytest.fixture
def own_server(credentials: None) -> Iterator[tuple[Server, Bucket]]:
    """A server that the test may stop, and a bucket in it."""
    server = Server()
    server.start()
    bucket = Bucket(server.url, "bucket")
    bucket.client.create_bucket(Bucket=bucket.name)
    yield server, bucket
    server.stop()


@pytest.fixture
def bucket(make_bucket: Callable[[], Bucket]) -> Bucket:
    return make_bucket()


_CODES = {
    403: "AccessDenied", 409: "ConditionalRequestConflict", 500: "InternalError", 501: "NotImplemented",
    503: "SlowDown",
}  # fmt: skip


@dataclass
class Request:
    """What the proxy saw: `LIST`, or the HTTP method, and the path."""

    kind: str
    path: str
    is_conditional: bool = False


@dataclass
class Proxy:
    """What stands before the S3 server.

    Attributes:
        page: How many names a listing may have, if not a thousand.
        trouble: Called with each request; may return a status to answer instead, "drop" to cut the line, "truncate" to
            cut the answer short, or "garble" to alter what is sent.
        checks_md5: Whether bytes are refused that have not the MD5 sent with them, as S3 does and moto does not.
    """

    url: str = ""
    page: int | None = None
    checks_md5: bool = True
    requests: list[Request] = field(default_factory=list)
    trouble: Callable[[Request], int | str | None] = lambda request: None

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(request.kind for request in self.requests))


@pytest.fixture
def proxy(s3_server: Server) -> Iterator[Proxy]:
    state = Proxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            is_list = self.command == "GET" and "list-type" in urlsplit(self.path).query
            request = Request("LIST" if is_list else self.command, self.path, "If-None-Match" in self.headers)
            state.requests.append(request)
            verdict = state.trouble(request)
            if verdict == "drop":
                self.close_connection = True
                return
            if isinstance(verdict, int):
                self._refuse(verdict, _CODES[verdict])
                return
            body = body[:-1] + b"!" if verdict == "garble" else body
            stated = self.headers.get("Content-MD5")
            if state.checks_md5 and stated and b64decode(stated) != hashlib.md5(body).digest():
                self._refuse(400, "BadDigest")
                return
            onward = HTTPConnection("127.0.0.1", s3_server.port, timeout=60)
            path = f"{self.path}&max-keys={state.page}" if is_list and state.page else self.path
            onward.request(self.command, path, body, dict(self.headers.items()))
            answer = onward.getresponse()
            content = answer.read()
            hop = {"connection", "content-length", "transfer-encoding", "date", "server"}
            headers = [(key, value) for key, value in answer.getheaders() if key.lower() not in hop]
            onward.close()
            if verdict == "truncate":
                self._answer(answer.status, headers, content[: len(content) // 2], len(content))
                self.close_connection = True
                return
            size = int(answer.getheader("Content-Length") or 0) if self.command == "HEAD" else len(content)
            self._answer(answer.status, headers, content, size)

        def _refuse(self, status: int, code: str) -> None:
            text = f"<Error><Code>{code}</Code><Message>{code}, please</Message></Error>".encode()
            self._answer(status, [("Content-Type", "application/xml")], text)

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, size: int | None = None) -> None:
            self.send_response(status)
            for key, value in headers:
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body) if size is None else size))
            with suppress(ConnectionError):  # the client may have given up meanwhile
                self.end_headers()
                self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815 (the names that http.server asks for)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


class Waits:
    """Stands for `time.sleep`: remembers, and does not wait."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def store(bucket: Bucket, proxy: Proxy, tmp_path: Path, waits: Waits) -> DvcStore:
    """The bucket as a store, seen through the proxy."""
    remote = Remote("store", bucket.url, {"endpointurl": proxy.url})
    return DvcStore(remote, tmp_path / "staging", Patience((0.5, 2.0, 8.0), waits))
