"""A data repo with everything that a page may show, the application, and a real server with a real browser."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.demo import Sample, add_alias, fail_stage, refit, small, without_host
from blastgit.repository.init import init

for _module in ("flask", "duckdb", "pyarrow", "sqlglot", "waitress"):
    pytest.importorskip(_module, reason="the extra `web` is not installed")

CHECKOUT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>\u202etxt.exe\u2028&amp;{{7*7}}'
"""Markup, an event handler, a character that turns the direction of writing, an entity and a template in one text."""

TAME = "".join(each for each in HOSTILE if each.isprintable())
"""The same, as far as a line of blastgit's own may have it."""

QUERY = """\
-- description: transients that are near
-- parameters:
--   most: {type: double, default: 1, description: the greatest redshift}
SELECT transient, revision, best_redshift FROM transients WHERE best_redshift <= $most
"""
WITHDRAWN = "cutout_cdn/WISE/WISE_W1.fits"
ME = pwd.getpwuid(os.geteuid()).pw_name


def _fill(place: Path, aside: Path, states: tuple[Sample, ...]) -> None:
    init(place, simulated=True)
    repo = DataRepo(place)

    def record(sample: Sample, turn: int = 0, **options: Any) -> None:
        export, data = sample.write(aside / f"{sample.name}-{turn}")
        repo.record(sample.name, export, data, **options)

    for turn, state in enumerate(states):
        record(state, turn)
    record(fail_stage(small("2026bad"), "Global host SED inference"), run="night/one")
    record(without_host(small("2026not")), run="night/one")
    record(add_alias(hostile(small("2026xss")), HOSTILE))
    export, data = refit(states[2], seed=9).write(aside / "own")
    repo.personal.record("2026dgt", export, data)
    repo.collections.create("nearby", "TAGGED", "for the tests", f"hosts nearby {TAME}")
    repo.collections.add("nearby", ["2026dgt@0", "2026bad@0"], "the first two")
    repo.releases.freeze("nearby", "1")
    repo.annotations.add(["2026dgt@0"], AnnotationBody(comment=f"Looks right. {TAME}", flag="good"))
    repo.annotations.add(
        ["2026dgt@1:host.redshift"], AnnotationBody(comment="from the new spectrum", tags=("redshift",))
    )
    repo.annotations.add([f"u/{ME}/2026dgt@0"], AnnotationBody(comment="my-secret-thought"))
    repo.withdraw(f"2026dgt@1:{WITHDRAWN}", "the survey took it back")
    repo.queries.add("nearby", QUERY, "for the tests")
    repo.index.update()


def hostile(sample: Sample) -> Sample:
    """Put a hostile text into what an export brings in."""
    sample.export["host"]["fields"]["name"] = HOSTILE
    sample.export["transient"]["fields"]["display_name"] = HOSTILE
    sample.export["transient"]["fields"]["spectroscopic_class"] = HOSTILE[:20]
    sample.export["cutouts"][0]["fields"]["message"] = HOSTILE
    return sample


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data repo: made once, for tests that only read."""
    from tests.conftest import _states

    folder = tmp_path_factory.mktemp("web")
    _fill(folder / "blast.git", folder / "aside", _states())
    return folder / "blast.git"


@contextmanager
def opened(place: Path, **options: Any) -> Iterator[Any]:
    """Yield a client of the application over a data repo, without a server between."""
    from flask.testing import FlaskClient

    from blastgit.serve.app import create_app
    from blastgit.serve.options import ServeOptions
    from blastgit.serve.site import Site
    from blastgit.serve.tap.limits import ServiceLimits
    from blastgit.serve.tap.queries import Queries, Source
    from blastgit.serve.tap.workers import Workers

    class Client(FlaskClient):
        """Takes all of an answer at once, and closes it, as a server does."""

        def open(self, *args: Any, buffered: bool = True, **keywords: Any) -> Any:
            return super().open(*args, buffered=buffered, **keywords)

    repo, workers = DataRepo(place), Workers()
    queries = Queries(Source(repo.index.path, place.parent, lambda _: None), ServiceLimits(), workers)
    site = Site(repo.path, repo.index.path, ServeOptions(**options), lambda _: None, queries)
    app = create_app(site)
    app.test_client_class = Client
    with app.test_client() as client:
        yield client
    site.writer.close()
    site.pool.close()
    workers.close()


@pytest.fixture(scope="session")
def app(shelf: Path) -> Iterator[Any]:
    """A client of the application over the data repo."""
    with opened(shelf) as client:
        yield client


@contextmanager
def serving(repo: Path, *options: object, **environment: str) -> Iterator[str]:
    """Serve a repo in a process of its own, and end that with Ctrl-C."""
    process = subprocess.Popen(
        [sys.executable, "-m", "blastgit", "-C", repo, "serve", "--port", "0", *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **environment},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no threads are in between)
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.search(r"http://\S+", line)
        assert match, (line, process.communicate(timeout=10))
        yield match[0]
    finally:
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=60)
    assert process.returncode == 0, words
    assert "Traceback" not in words, words


@pytest.fixture(scope="session")
def server(shelf: Path) -> Iterator[str]:
    """The address of a server over the data repo."""
    with serving(shelf) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A browser."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield found
        found.close()


class Window:
    """A window of the browser that notes what should not happen: errors, violations, requests to elsewhere."""

    def __init__(self, browser: Any, url: str, allowed: tuple[str, ...] = (), **how: Any) -> None:
        self.url = url
        self.allowed = (f"{url}/", "data:", "blob:", *allowed)
        self.context = browser.new_context(**how)
        self.faults: list[str] = []
        self.context.route("**/*", self._route)
        self.page = self.context.new_page()
        self.page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.faults.append(f"dialog {dialog.message}"), dialog.dismiss()))

    def _route(self, route: Any) -> None:
        if route.request.url.startswith(self.allowed):
            route.continue_()
        else:
            self.faults.append(f"a request to {route.request.url}")
            route.abort()

    def go(self, path: str) -> Any:
        self.page.goto(f"{self.url}{path}", wait_until="load")
        return self.page


@contextmanager
def window(browser: Any, url: str, *, may_fail: bool = False, **how: Any) -> Iterator[Window]:
    """Yield a window; all that went wrong in it is a failure of the test."""
    found = Window(browser, url, **how)
    try:
        yield found
        assert may_fail or not found.faults, found.faults
    finally:
        found.context.close()
