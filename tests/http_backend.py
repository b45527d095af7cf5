"""Git servers on the loopback: real `git http-backend` behind a small web server, and real `git daemon`."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer, ThreadingTCPServer

from blastgit.plumbing.process import git_environment

# A server is a process of its own, and is not told what the client was told.
_CLIENTS = ("GIT_COMMITTER_", "GIT_AUTHOR_", "GIT_TRACE", "BLASTGIT_")


def server_environment(extra: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in git_environment(extra).items() if not key.startswith(_CLIENTS)}


class HttpBackend(BaseHTTPRequestHandler):
    """CGI for one program. Who pushes is the first part of the URL's path; `-` is nobody."""

    protocol_version = "HTTP/1.1"
    root: Path
    requests: list[str]

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(self._chunks())
        path, _, query = self.path.partition("?")
        _, user, path = path.split("/", 2)
        self.requests.append(f"{path.partition('/')[2]} {query}".strip())
        environment = {
            "GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": f"/{path}",
            "QUERY_STRING": query, "REQUEST_METHOD": self.command, "GATEWAY_INTERFACE": "CGI/1.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": user.strip("-"), "REMOTE_ADDR": "127.0.0.1",
        }  # fmt: skip
        done = subprocess.run(
            ["git", "http-backend"], input=body, capture_output=True, env=server_environment(environment), check=False
        )
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, *_: object) -> None:
        pass


class Daemon(BaseRequestHandler):
    """Hand each connection to a `git daemon` of its own, as inetd does."""

    root: Path

    def handle(self) -> None:
        options = ["--inetd", "--export-all", "--enable=receive-pack", f"--base-path={self.root}"]
        subprocess.run(
            ["git", "daemon", *options], stdin=self.request, stdout=self.request, stderr=subprocess.DEVNULL,
            env=server_environment({}), check=False,
        )  # fmt: skip


class _Tcp(ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 64


class _Http(ThreadingHTTPServer):
    request_queue_size = 64


@contextmanager
def served_over_http(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the URL below which the repositories of a folder are, and the requests that come in."""
    requests: list[str] = []
    handler = type("Handler", (HttpBackend,), {"root": root, "requests": requests})
    with _running(_Http(("127.0.0.1", 0), handler)) as port:
        yield f"http://127.0.0.1:{port}", requests


@contextmanager
def served_by_daemon(root: Path) -> Iterator[str]:
    """Yield the URL below which the repositories of a folder are."""
    with _running(_Tcp(("127.0.0.1", 0), type("Handler", (Daemon,), {"root": root}))) as port:
        yield f"git://127.0.0.1:{port}"


@contextmanager
def _running(server: TCPServer) -> Iterator[int]:
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
