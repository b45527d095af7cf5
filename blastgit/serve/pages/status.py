"""`/status`, `/healthz`, `/metrics`: the state of the data repo and of this server, for people and programs."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from blastgit.errors import BlastgitError
from blastgit.maintenance.verify import memory
from blastgit.maintenance.verify.last import last
from blastgit.serve.page import Page, route
from blastgit.serve.site import Site, site

_FAILED = """
SELECT s.stage, count(*) AS transients, min(s.transient) AS example FROM stages s
WHERE s.is_latest AND s.state = 'failed' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20
"""
_COUNTS = {
    "transients": "SELECT count(*) FROM transients", "revisions": "SELECT count(*) FROM revisions",
    "incomplete": "SELECT count(*) FROM transients WHERE NOT is_complete",
    "withdrawn_files": "SELECT count(*) FROM files WHERE is_withdrawn",
    "annotations": "SELECT count(*) FROM annotations",
}  # fmt: skip


class Requests:
    """Counts requests by page and status, and how long they took."""

    def __init__(self) -> None:
        """Start with no requests."""
        self._lock = threading.Lock()
        self.counts: Counter[tuple[str, int]] = Counter()
        self.seconds: dict[str, float] = {}
        self.since = time.time()

    def note(self, page: str, status: int, seconds: float) -> None:
        """Count one request."""
        with self._lock:
            self.counts[page, status] += 1
            self.seconds[page] = self.seconds.get(page, 0.0) + seconds


def install(app: Flask) -> None:
    """Register the pages, and count all requests."""
    counted = Requests()
    app.extensions["blastgit.requests"] = counted

    @app.before_request
    def _begin() -> None:
        request.environ["blastgit.began"] = time.monotonic()

    @app.after_request
    def _end(response: Response) -> Response:
        began = request.environ.get("blastgit.began", time.monotonic())
        counted.note((request.endpoint or "none").partition(".")[0], response.status_code, time.monotonic() - began)
        return response

    route(app, "/status", status)
    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/metrics", "metrics", metrics)


def status() -> Page:
    """Return the state of the runs in progress, the index and the disk."""
    here = site()
    here.stale(False)
    runs = [each.to_json() for each in here.repo().status()]
    space = shutil.disk_usage(here.path)
    data: dict[str, Any] = {
        "runs": runs, "failed": [{"stage": stage, "transients": count, "example": name} for stage, count, name in
                                 here.answer(_FAILED)],
        "counts": _counts(here), "index": _index(here), "verified": _verified(here),
        "disk": {"free_bytes": space.free, "total_bytes": space.total},
    }  # fmt: skip
    return Page("status.html", data)


def _counts(here: Site) -> dict[str, int]:
    return {name: int(here.answer(sql)[0][0]) for name, sql in _COUNTS.items()}


def _index(here: Site) -> dict[str, Any]:
    try:
        found = here.index_path.stat()
    except OSError:
        return {"bytes": 0, "time": None, "age_seconds": None}
    made = datetime.fromtimestamp(found.st_mtime, UTC)
    return {"bytes": found.st_size, "time": made, "age_seconds": round(time.time() - found.st_mtime)}


def _verified(here: Site) -> dict[str, Any]:
    """Return what the last `verify` of all found, and since when one is at work or was interrupted."""
    folder = here.index_path.parent
    try:
        interrupted = datetime.fromtimestamp((folder / memory.FILE).stat().st_mtime, UTC)
    except OSError:
        interrupted = None
    return {"last": last(folder), "interrupted": interrupted}


def healthz() -> Response:
    """Return whether pages can be served: 200 if the data repo and its index can be read."""
    here = site()
    try:
        here.repo()
        here.query("SELECT 1")
    except (BlastgitError, OSError):
        response = Response("not ready\n", 503, mimetype="text/plain")
    else:
        response = Response("ok\n", mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response


def metrics() -> Response:
    """Return metrics in the format of Prometheus."""
    from flask import current_app

    here = site()
    counted: Requests = current_app.extensions["blastgit.requests"]
    space = shutil.disk_usage(here.path)
    lines = ["# TYPE blastgit_requests_total counter"]
    lines += [f'blastgit_requests_total{{page="{page}",status="{status}"}} {n}' for (page, status), n in
              sorted(counted.counts.items())]  # fmt: skip
    lines.append("# TYPE blastgit_request_seconds_total counter")
    lines += [f'blastgit_request_seconds_total{{page="{page}"}} {n:.3f}' for page, n in sorted(counted.seconds.items())]
    gauges = {**{f"blastgit_{name}": value for name, value in _counts(here).items()},
              "blastgit_index_age_seconds": _index(here)["age_seconds"] or 0, "blastgit_index_bytes":
              _index(here)["bytes"], **_verified_gauges(here), "blastgit_disk_free_bytes": space.free,
              "process_start_time_seconds": round(counted.since),
              "process_resident_memory_bytes": _memory()}  # fmt: skip
    for name, value in gauges.items():
        lines += [f"# TYPE {name} gauge", f"{name} {value}"]
    response = Response("\n".join([*lines, ""]), mimetype="text/plain; version=0.0.4")
    response.headers["Cache-Control"] = "no-store"
    return response


def _verified_gauges(here: Site) -> dict[str, float]:
    """Return when the whole data repo was last verified and how much was wrong; nothing if it never was."""
    found = _verified(here)["last"]
    if found is None:
        return {}
    when = datetime.fromisoformat(found["time"]).timestamp()
    return {"blastgit_verified_time_seconds": round(when), "blastgit_verified_problems": found["problems"]}


def _memory() -> int:
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
