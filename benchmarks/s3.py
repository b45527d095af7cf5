"""A real S3 server in a separate process, and a proxy that counts bytes and simulates faults."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import threading
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

KEY, SECRET = "key", "secret"


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[Any], what: str, seconds: float = 60) -> None:
    """Wait until a process listens on a port.

    Raises:
        RuntimeError: The process does not listen in time, or has ended.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError(f"{what} ended at once: is it installed?")
        threading.Event().wait(0.05)
    raise RuntimeError(f"{what} did not start")


class Server:
    """An S3 server that can be stopped and started again; it loses its objects then."""

    def __init__(self) -> None:
        """Choose the port."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self._process, "the S3 server (moto[server])")

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@dataclass
class Bucket:
    """A bucket, with methods to inspect it."""

    endpoint: str
    name: str

    @cached_property
    def client(self) -> Any:
        """A client of the server."""
        import boto3

        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1",
            aws_access_key_id=KEY, aws_secret_access_key=SECRET,
        )  # fmt: skip

    @property
    def url(self) -> str:
        """The URL of a store in it."""
        return f"s3://{self.name}/data"

    def contents(self) -> dict[str, int]:
        """Return the size of each object, by its key."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}

    def body(self, key: str) -> bytes:
        """Return the bytes of an object."""
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def write(self, key: str, body: bytes) -> None:
        """Write an object."""
        self.client.put_object(Bucket=self.name, Key=key, Body=body)


_CODES = {
    403: "AccessDenied", 409: "ConditionalRequestConflict", 500: "InternalError", 501: "NotImplemented",
    503: "SlowDown",
}  # fmt: skip


@dataclass
class Request:
    """A request that the proxy received.

    Attributes:
        kind: `LIST`, `COPY`, or the HTTP method.
        path: The path, with its query.
        is_conditional: Whether it must not replace an existing object.
        sent: Bytes that the client sent, including headers.
        received: Bytes that the client received.
    """

    kind: str
    path: str
    is_conditional: bool = False
    sent: int = 0
    received: int = 0


@dataclass
class Proxy:
    """The proxy before the S3 server.

    Attributes:
        page: How many names a listing may have, if not a thousand.
        trouble: Called with each request; may return a status to answer instead, "drop" to close the connection,
            "truncate" to truncate the answer, or "garble" to alter it.
        checks_md5: Whether bytes that do not match the MD5 sent with them are refused, as S3 does but moto does not.
    """

    url: str = ""
    page: int | None = None
    checks_md5: bool = True
    requests: list[Request] = field(default_factory=list)
    trouble: Callable[[Request], int | str | None] = lambda _: None

    @property
    def counts(self) -> dict[str, int]:
        """How many requests there were of each kind."""
        return dict(Counter(request.kind for request in self.requests))

    @property
    def traffic(self) -> tuple[int, int]:
        """Bytes that clients sent and received."""
        return sum(each.sent for each in self.requests), sum(each.received for each in self.requests)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Proxy
    port: int

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self._kind(), self.path, "If-None-Match" in self.headers)
        request.sent = len(self.requestline) + 2 + len(bytes(self.headers)) + len(body)
        self._request = request
        self.state.requests.append(request)
        verdict = self.state.trouble(request)
        if verdict == "drop":
            self.close_connection = True
            return
        if isinstance(verdict, int):
            self._refuse(verdict, _CODES[verdict])
            return
        body = body[:-1] + b"!" if verdict == "garble" else body
        stated = self.headers.get("Content-MD5")
        if self.state.checks_md5 and stated and b64decode(stated) != hashlib.md5(body).digest():
            self._refuse(400, "BadDigest")
            return
        onward = HTTPConnection("127.0.0.1", self.port, timeout=60)
        path = f"{self.path}&max-keys={self.state.page}" if request.kind == "LIST" and self.state.page else self.path
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

    def _kind(self) -> str:
        if self.command == "GET" and "list-type" in urlsplit(self.path).query:
            return "LIST"
        return "COPY" if self.command == "PUT" and "x-amz-copy-source" in self.headers else self.command

    def _refuse(self, status: int, code: str) -> None:
        text = f"<Error><Code>{code}</Code><Message>{code}, please</Message></Error>".encode()
        self._answer(status, [("Content-Type", "application/xml")], text)

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, size: int | None = None) -> None:
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body) if size is None else size))
        self._request.received = sum(len(key) + len(value) + 4 for key, value in headers) + len(body)
        with suppress(ConnectionError):  # the client may have given up meanwhile
            self.end_headers()
            self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815 (the names that http.server asks for)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def proxy_before(server: Server) -> Iterator[Proxy]:
    """Yield a proxy before an S3 server, in threads of this process."""
    state = Proxy()
    handler = type("Handler", (_Handler,), {"state": state, "port": server.port})
    web = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    web.daemon_threads = True
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{web.server_address[1]}"
    try:
        yield state
    finally:
        web.shutdown()
        web.server_close()
        thread.join()
