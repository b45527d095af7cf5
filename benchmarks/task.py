"""The cost of the recording task in a Celery worker: processor time per transient, and memory that is not released.

A separate process does the same as the task, with files and store in S3: it records twenty transients for the first
time, then all of them again after a reprocess that changed nothing. The time of the S3 server is not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import s3, samples
from benchmarks.race import Row
from benchmarks.trouble import s3_server
from blastgit.api.repo import DataRepo

_BASE = "apps/blast/processed-transient-data/data"
_COUNT = 20

_RECORD = """
import json, resource, sys
from pathlib import Path

def taken():
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime

def memory():
    return 1024 * int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0])

import celery
before = memory()
from blastgit.api.repo import DataRepo
from blastgit.store.bucket import Bucket
from blastgit.store.bucket_url import Place
place, url, exports = Bucket(Place("blast", sys.argv[2], sys.argv[3])), sys.argv[1], Path(sys.argv[4])
told = []
for state in ("first", "again"):
    files = sorted((exports / state).glob("*.json"))
    for count, file in enumerate(files):
        if count == 1:
            start = taken()  # the one before has loaded what is needed
        DataRepo(url).record(file.stem, file, place)
    told.append((taken() - start) / (len(files) - 1))
print(json.dumps([*told, memory() - before]))
"""


def task(folder: Path) -> Iterator[Row]:
    """Record from a bucket, as the task does, and measure the cost."""
    with s3_server() as server:
        source = s3.Bucket(server.url, "blast")
        source.client.create_bucket(Bucket="blast")
        _hand_in(folder, source)
        options = {"endpointurl": server.url}
        repo = DataRepo.init(folder / "repo", store="s3://blast/dvc", options=options, simulated=True)
        command = [sys.executable, "-c", _RECORD, str(repo.path), _BASE, server.url, str(folder)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    first, again, memory = json.loads(done.stdout)
    yield Row("the task, a first revision, all in S3: processor time", "", first)
    yield Row("the task, nothing changed: processor time", "", again)
    yield Row("memory that recording adds to a worker", "", memory, unit="MB")


def _hand_in(folder: Path, source: s3.Bucket) -> None:
    """Put the files of some transients into the bucket, and the exports of two runs of each into folders."""
    for number in range(_COUNT):
        first = samples.variant(samples.first(), number)
        for path, content in first.files.items():
            source.write(f"{_BASE}/{path}", content)
        for state, sample in (("first", first), ("again", samples.reprocessed(first, number))):
            (folder / state).mkdir(exist_ok=True)
            (folder / state / f"{first.name}.json").write_text(sample.text)
