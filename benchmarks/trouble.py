"""Simulates faults of a store in S3 at one request after the other, with a proxy before a real server."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.s3 import KEY, SECRET, Bucket, Proxy, Request, Server, proxy_before
from blastgit import DataRepo
from blastgit.demo import small
from blastgit.errors import StoreError
from blastgit.store.failures import Patience

_NAME = "2026dgt"
_KINDS: tuple[int | str, ...] = ("drop", "truncate", "garble", 403, 500, 503)
_VARIABLES = {
    "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true", "no_proxy": "127.0.0.1",
}  # fmt: skip


@contextmanager
def s3_server() -> Iterator[Server]:
    """Yield a running server; clients find its credentials in the environment."""
    server = Server()
    server.start()
    try:
        with patch.dict(os.environ, _VARIABLES):
            yield server
    finally:
        server.stop()


@contextmanager
def store_behind_proxy(server: Server) -> Iterator[tuple[dict[str, Any], Proxy]]:
    """Yield a store in a new bucket, as for `DataRepo.init`, and the proxy before it."""
    bucket = Bucket(server.url, f"b{uuid.uuid4().hex}")
    bucket.client.create_bucket(Bucket=bucket.name)
    with proxy_before(server) as proxy:
        yield {"store": bucket.url, "options": {"endpointurl": proxy.url}}, proxy


def at_every_request(folder: Path, store: dict[str, Any], proxy: Proxy) -> tuple[int, int]:
    """Record with each kind of fault at request 0, 1, 2, … and at all later ones; requests are not repeated.

    Returns:
        How often there was a fault, and how often the result was consistent: nothing, or everything, was recorded.
    """
    inputs = small(_NAME).write(folder)
    tried = survived = 0
    for kind in _KINDS:
        for step in itertools.count():
            url = f"{store['store']}/{kind}{step}"
            repo = DataRepo.init(folder / f"{kind}{step}", store=url, options=store["options"], simulated=True)
            proxy.requests.clear()
            proxy.trouble = _from(proxy, step, kind)
            is_recorded = _record(repo, inputs)
            met = len(proxy.requests) > step
            proxy.trouble = lambda _: None
            if not met:
                break
            tried += 1
            survived += (len(repo.list()) == is_recorded) and repo.verify().is_sound and _record(repo, inputs)
    return tried, survived


def _from(proxy: Proxy, step: int, kind: int | str) -> Any:
    def trouble(_: Request) -> int | str | None:
        return kind if len(proxy.requests) > step else None

    return trouble


def _record(repo: DataRepo, inputs: tuple[Path, Path]) -> bool:
    try:
        with patch("blastgit.store.dvc.Patience", lambda: Patience(())):
            DataRepo(repo.path).record(_NAME, *inputs)
    except StoreError:
        return False
    return True
