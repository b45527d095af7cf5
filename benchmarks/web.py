"""The speed of the pages with many transients, compared with serving the same bytes from memory."""

from __future__ import annotations

import argparse
import http.client
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import samples
from benchmarks.index import repo_of_many
from benchmarks.race import Row, Target, race
from blastgit.serve.http.listening import HttpLimits, create_server, listen, url_of

_NAME = "t000007"
_PAGES = {
    "search": "/",
    "search around a position": "/?q=120+10+0.9deg",
    "search, the last sheet": "/?class=SN+Ia&page=1000",
    "transient": f"/t/{_NAME}",
    "revision as JSON": f"/t/{_NAME}@0.json",
    "provenance": f"/t/{_NAME}@0/provenance",
    "comparison": f"/compare/{_NAME}@0...{_NAME}@1",
    "logbook": "/log",
    "status": "/status",
}
_TIMES, _AT_MOST = 10.0, 0.2  # a page may take ten times as long as a file, or so many seconds
_HEAVIEST = 1e6  # bytes
_READERS = 50


def web(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    """Request each page, then all of them at once, and measure their sizes."""
    repo, _ = repo_of_many(folder, samples.first(), options.served)
    repo.index.update()
    with _serving(repo.path) as url:
        pages = {what: _bytes(url, path) for what, path in _PAGES.items()}
        with _from_memory(pages) as control:
            for number, (what, path) in enumerate(_PAGES.items()):
                yield from _page(what, (control, f"/{number}"), (url, path), options.rounds)
        for what, page in pages.items():
            yield Row(f"weight of {what}", "1 MB", len(page), _HEAVIEST, len(page) / _HEAVIEST, Target(1.0), unit="MB")
        yield Row(f"{_READERS} readers at once, two pages each: the last is served", "", _all_at_once(url))
        yield Row("memory of the server after that", "", _memory(url), unit="MB")


def _page(what: str, control: tuple[str, str], own: tuple[str, str], rounds: int) -> Iterator[Row]:
    times = race(lambda _: _first_byte(*control), {"page": lambda _: _first_byte(*own)}, rounds)["page"]
    row = times.row(f"first byte of {what}", "its bytes from memory", Target(_TIMES))
    if row.is_met or row.seconds > _AT_MOST:
        yield row
    else:
        yield Row(row.what, "200 ms", row.seconds, _AT_MOST, row.seconds / _AT_MOST, Target(1.0))


def _first_byte(url: str, path: str) -> None:
    with _answer(url, path) as answer:
        answer.read(1)


def _bytes(url: str, path: str) -> bytes:
    with _answer(url, path) as answer:
        return bytes(answer.read())


@contextmanager
def _answer(url: str, path: str) -> Iterator[Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.read()[:500]!r}")
        yield answer
    finally:
        connection.close()


@contextmanager
def _serving(repo: Path) -> Iterator[str]:
    words = [sys.executable, "-m", "blastgit", "-C", str(repo), "serve", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        match = re.search(r"http://\S+", process.stdout.readline())
        if match is None:
            raise RuntimeError("the server did not begin")
        try:
            yield match[0]
        finally:
            process.terminate()


@contextmanager
def _from_memory(pages: dict[str, bytes]) -> Iterator[str]:
    """Serve the bytes of pages as `/0` and so on, with the same server but without an application."""
    held = list(pages.values())

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = held[int(environ["PATH_INFO"][1:])]
        start("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
        return [body]

    with listen("127.0.0.1", 0) as listening:
        server = create_server(application, listening, HttpLimits(1_000_000, 4))
        threading.Thread(target=server.run, daemon=True).start()
        yield url_of(listening)
        server.close()


def _all_at_once(url: str) -> float:
    """Return the seconds until each of many readers has received two pages.

    Raises:
        RuntimeError: One of them received something else.
    """
    paths, faults = list(_PAGES.values()), []

    def read(number: int) -> None:
        try:
            for turn in range(2):
                _bytes(url, paths[(number + turn) % len(paths)])
        except Exception as error:  # noqa: BLE001 (told below, for all of them)
            faults.append(repr(error))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(_READERS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"{len(faults)} of {_READERS} readers failed: {faults[0]}")
    return time.perf_counter() - start


def _memory(url: str) -> float:
    match = re.search(rb"process_resident_memory_bytes (\d+)", _bytes(url, "/metrics"))
    return float(match[1]) if match else 0.0
