"""A data repo of a few transients, and its TAP service, in a separate process at a free local port."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from blastgit import DataRepo
from blastgit.demo import fail_stage, small
from blastgit.repository.init import init

for _module in ("duckdb", "waitress", "sqlglot"):
    pytest.importorskip(_module, reason="the extra `tap` is not installed")
if not hasattr(pytest.importorskip("blastgit.search.adql", reason="there is no ADQL yet"), "translate"):
    pytest.skip("there is no ADQL yet", allow_module_level=True)

CHECKOUT = Path(__file__).resolve().parents[3]
NAMES = ("2026dgt", "2026abc", "2026xyz")
BROKEN = "2026bad"


@dataclass(frozen=True)
class Said:
    """What the service answered."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Talks to a service as little more than a socket does: no redirects, no exceptions."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("TAP service at http"), line
        self.tap = line.split()[-1]
        self.base = self.tap.removesuffix("/tap")
        port = self.base.rpartition(":")[2]
        self.port = int(port) if port.isdigit() else 0

    def ask(self, path: str, *pairs: tuple[str, object], **options: Any) -> Said:
        """GET an address, or POST pairs of names and values to it; `method`, `headers`, `data` and `base` otherwise."""
        data = options.get("data", urlencode(pairs).encode() if pairs else None)
        method = options.get("method", "GET" if data is None else "POST")
        url = f"http://127.0.0.1:{self.port}{path}" if path.startswith("/") else path
        request = urllib.request.Request(url, data, options.get("headers", {}), method=method)
        try:
            with _OPENER.open(request, timeout=60) as answer:
                return Said(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Said(error.code, error.headers, error.read())

    def query(self, text: str, *pairs: tuple[str, object]) -> Said:
        """Ask a sync query."""
        return self.ask("/tap/sync", ("LANG", "ADQL"), ("QUERY", text), *pairs)

    def rows(self, text: str) -> list[list[str]]:
        """Return the rows of a sync query as texts."""
        said = self.query(text, ("RESPONSEFORMAT", "tsv"))
        assert said.status == 200, said.text
        return [line.split("\t") for line in said.text.splitlines()[1:]]

    def job(self, text: str, *pairs: tuple[str, object]) -> str:
        """Make a job, and return its path."""
        said = self.ask("/tap/async", ("LANG", "ADQL"), ("QUERY", text), *pairs)
        assert said.status == 303, said.text
        return "/tap/async/" + said.headers["Location"].rpartition("/")[2]

    def ended(self, job: str) -> str:
        """Wait until a job has ended, and return its phase."""
        for phase in ("QUEUED", "EXECUTING"):
            self.ask(f"{job}?WAIT=60&PHASE={phase}")
        return self.ask(f"{job}/phase").text


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


@contextmanager
def serving(repo: Path, *options: object) -> Iterator[Client]:
    """Serve a repo, and end that with Ctrl-C."""
    process = subprocess.Popen(
        [sys.executable, "-m", "blastgit", "-C", repo, "tap", "serve", "--port", "0", *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no threads are in between)
    )
    try:
        yield Client(process)
    finally:
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=60)
    assert process.returncode == 0, words
    assert "Traceback" not in words, words


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    """Serve a repo with options of one's own, as a context."""
    return serving


@pytest.fixture(scope="session")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data repo of a few transients at different positions; of one, the fits failed."""
    folder = tmp_path_factory.mktemp("sky")
    init(folder / "repo", simulated=True)
    for name in NAMES:
        _record(folder, small(name))
    _record(folder, fail_stage(small(BROKEN), "Global host SED inference"))
    return folder / "repo"


def _record(folder: Path, sample: Any) -> None:
    export, data = sample.write(folder / sample.name)
    DataRepo(folder / "repo").record(sample.name, export, data)


@pytest.fixture(scope="session")
def service(sky: Path) -> Iterator[Client]:
    """The service of that repo."""
    with serving(sky) as client:
        yield client
