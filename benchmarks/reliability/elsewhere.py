"""Tests of faults of a store in S3, and timing of the hook."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from importlib.util import find_spec

from benchmarks import hook, trouble
from benchmarks.reliability.bench import folder
from benchmarks.reliability.row import Row


def rows(_: argparse.Namespace) -> Iterator[Row]:
    """Simulate faults of a store in S3, and time the hook for a store in a folder and for one in S3."""
    with folder() as place:
        yield _hook("hook, contents in a folder", *hook.seconds_for_a_push(place))
    if find_spec("moto") is None or find_spec("s3fs") is None:
        yield Row("contents in S3", 0, 0, "skipped: it takes moto[server] and dvc-s3")
        return
    with trouble.s3_server() as server:
        with folder() as place, trouble.store_behind_proxy(server) as (store, proxy):
            met = trouble.at_every_request(place, store, proxy)
            yield Row("trouble at every request to S3", *met, "dropped, cut short, refused; each a clear error or none")
        with folder() as place, trouble.store_behind_proxy(server) as (store, _proxy):
            yield _hook("hook, contents in S3", *hook.seconds_for_a_push(place, **store))


def _hook(what: str, with_it: float, without: float) -> Row:
    times = f"{with_it:.2f} s for a push of one revision, {without:.2f} s without it"
    return Row(what, hook.PUSHES, hook.PUSHES, f"{times}; load {os.getloadavg()[0]:.1f}")
