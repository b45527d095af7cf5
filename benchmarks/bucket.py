"""Network traffic when files are in a bucket: recorded from there, or downloaded, added and pushed with DVC.

Both use a real S3 server through a proxy that counts the bytes sent and received, including headers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import s3, samples
from benchmarks.controls import BIN, run
from benchmarks.race import Row, Target
from benchmarks.trouble import s3_server
from blastgit import demo
from blastgit.api.repo import DataRepo
from blastgit.store.bucket import Bucket
from blastgit.store.bucket_url import Place

_BASE = "apps/blast/processed-transient-data/data"
_CONTROL = "download, dvc add, dvc push"
_MOST = Target(0.5)
_HARDLY = Target(0.05)


def bucket(folder: Path) -> Iterator[Row]:
    """Reprocess a transient with nothing changed, then with two images changed, and count."""
    first = samples.first()
    states = {
        "unchanged": samples.reprocessed(first, seed=1),
        "two files changed": samples.two_changed(first, seed=1),
    }
    with s3_server() as server, s3.proxy_before(server) as proxy:
        yield from _count(_Machine(folder, server, proxy), first, states)


@dataclass
class _Machine:
    folder: Path
    server: s3.Server
    proxy: s3.Proxy

    def bucket(self, name: str) -> s3.Bucket:
        made = s3.Bucket(self.server.url, name)
        made.client.create_bucket(Bucket=name)
        return made

    def traffic(self, work: Callable[[], object]) -> tuple[int, int]:
        """Return the bytes that `work` sends and receives."""
        self.proxy.requests.clear()
        work()
        return self.proxy.traffic


def _count(machine: _Machine, first: demo.Sample, states: dict[str, demo.Sample]) -> Iterator[Row]:
    source = machine.bucket("blast")
    own, by_hand = _blastgit(machine, source), _by_hand(machine, source)
    _upload(source, first)
    for record in (own, by_hand):
        record(first)
    for what, state in states.items():
        _upload(source, state)
        control = machine.traffic(lambda state=state: by_hand(state))  # type: ignore[misc]
        found = machine.traffic(lambda state=state: own(state))  # type: ignore[misc]
        for verb, theirs, ours in zip(("sent", "received"), control, found, strict=True):
            target = _HARDLY if verb == "received" and what == "unchanged" else _MOST
            yield Row(f"in a bucket, {what}: bytes {verb}", _CONTROL, ours, theirs, ours / theirs, target, "MB")


def _upload(source: s3.Bucket, sample: demo.Sample) -> None:
    for path, content in sample.files.items():
        source.write(f"{_BASE}/{path}", content)


def _blastgit(machine: _Machine, source: s3.Bucket) -> Callable[[demo.Sample], None]:
    options = {"endpointurl": machine.proxy.url}
    repo = DataRepo.init(machine.folder / "repo", store=f"s3://{source.name}/dvc", options=options, simulated=True)
    data = Bucket(Place(source.name, _BASE, machine.proxy.url))

    def record(sample: demo.Sample) -> None:
        repo.record(sample.name, sample.text.encode(), data)

    return record


def _by_hand(machine: _Machine, source: s3.Bucket) -> Callable[[demo.Sample], None]:
    folder = machine.folder / "by-hand"
    run("git", "init", "--quiet", folder)
    run(BIN / "dvc", "init", "--quiet", folder=folder)
    run(BIN / "dvc", "remote", "add", "--default", "store", f"s3://{machine.bucket('by-hand').name}/dvc", folder=folder)
    run(BIN / "dvc", "remote", "modify", "store", "endpointurl", machine.proxy.url, folder=folder)
    client = s3.Bucket(machine.proxy.url, source.name).client

    def record(sample: demo.Sample) -> None:
        for path in sample.files:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)  # DVC may have linked it to its cache
            client.download_file(source.name, f"{_BASE}/{path}", str(target))
        run(BIN / "dvc", "add", "--quiet", *sample.files, folder=folder)
        run(BIN / "dvc", "push", "--quiet", folder=folder)

    return record
