"""Pushing through a web server that knows who pushes: `git http-backend`, as any CGI server runs it."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from blastgit import DataRepo
from blastgit.plumbing.process import git_environment

BRANCH, TAG = "refs/heads/2026dgt", "refs/tags/2026dgt/1"


class Backend(BaseHTTPRequestHandler):
    """CGI for one program; who pushes is the first part of the URL's path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(self._chunks())
        path, _, query = self.path.partition("?")
        _, user, path = path.split("/", 2)
        environment = {
            "GIT_PROJECT_ROOT": str(self.server.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": f"/{path}",  # type: ignore[attr-defined]
            "QUERY_STRING": query, "REQUEST_METHOD": self.command, "GATEWAY_INTERFACE": "CGI/1.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_USER": user.strip("-"), "REMOTE_ADDR": "127.0.0.1",
        }  # fmt: skip
        done = subprocess.run(
            ["git", "http-backend"], input=body, capture_output=True, env=git_environment(environment), check=True
        )
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815 (the name that the library looks for)

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(root: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    server.root = root  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_web_servers_word_decides(clone: Any) -> None:
    text = b"format: 1\nkind: simulated\npolicy: {roles: {admin: [alice], writer: [bob]}}\n"
    clone.edit_main({"blastgit.yaml": text})
    assert clone.push("refs/heads/main") == ""
    clone.git("--git-dir", clone.repo, "config", "http.receivepack", "true")
    direct = {**os.environ, "no_proxy": "127.0.0.1"}
    with served(clone.repo.parent) as address:
        said = clone.push("--atomic", BRANCH, TAG, url=f"http://{address}/eve/repo", env=direct)
        assert "eve does not have the role 'writer' for 2026dgt" in said
        said = clone.push("--atomic", BRANCH, TAG, url=f"http://{address}/-/repo", env=direct)
        assert "anonymous does not have the role 'writer'" in said
        assert "it belongs to eve, and bob pushes" in clone.push(
            "good^:refs/heads/u/eve/2026dgt", url=f"http://{address}/bob/repo", env=direct
        )
        assert "anonymous pushes" in clone.push(
            "good^:refs/heads/u/anonymous/2026dgt", url=f"http://{address}/-/repo", env=direct
        )
        assert clone.push("--atomic", BRANCH, TAG, url=f"http://{address}/bob/repo", env=direct) == ""
        assert clone.push("good^:refs/heads/u/eve/2026dgt", url=f"http://{address}/eve/repo", env=direct) == ""
    assert DataRepo(clone.repo).verify().problems == []
