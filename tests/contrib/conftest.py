"""A running small Blast: a Redis server, a Celery worker and an S3 server, each a real process."""

import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks.s3 import KEY, SECRET, Bucket, Proxy, Server, free_port, proxy_before, wait_for_port
from blastgit import DataRepo
from blastgit.demo import Sample, small
from blastgit.errors import NotFound
from blastgit.reading.log import Entry
from blastgit.repository.init import init
from tests.waiting import wait_until

HERE = Path(__file__).parent / "small_blast"
BASE = "/apps/blast/processed-transient-data"
RUN_TIME = 120  # seconds that any run of the workflow may take on a slow machine


class Redis:
    """A Redis server that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.DEVNULL)
        wait_for_port(self.port, self._process, "redis-server")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@dataclass
class Worker:
    """A Celery worker with two child processes, and what it logs."""

    log: Path
    environment: dict[str, str]
    process: subprocess.Popen | None = None

    def start(self, queue: str) -> None:
        command = [sys.executable, "-m", "celery", "-A", "app", "worker", "--loglevel", "INFO", "--concurrency", "2"]
        command += ["--queues", queue, "--hostname", f"{queue}@%h"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--without-gossip", "--without-mingle"],
                env=self.environment,
                cwd=HERE,
                stdout=log,
                stderr=log,
            )
        self.wait_for("ready.")

    def wait_for(self, words: str, seconds: float = RUN_TIME) -> None:
        wait_until(lambda: words in self.log.read_text(), seconds, lambda: self.log.read_text()[-3000:])

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@dataclass(frozen=True)
class Ended:
    """What a workflow came to: Blast's own verdict, and what the task of recording returned."""

    verdict: str
    recorded: dict[str, Any]


@dataclass
class Blast:
    """The small Blast, seen from within: this process has its database, cache and broker too.

    Attributes:
        sky: What the workflow finds, by transient.
        repo: The data repo.
        proxy: What stands before the S3 server, for workers.
        bucket: Its bucket.
        redis: Its broker, results and cache.
        worker: Its worker.
        workflow: Its module of that name.
    """

    sky: Path
    repo: Path
    proxy: Proxy
    bucket: Bucket
    redis: Redis
    worker: Worker
    workflow: ModuleType

    def show(self, sample: Sample, **trouble: str) -> None:
        """Have the next run of a transient find a sample; `raises` or `fails` names a stage."""
        folder = self.sky / sample.name
        shutil.rmtree(folder, ignore_errors=True)
        for path, content in sample.files.items():
            (folder / "data" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "data" / path).write_bytes(content)
        (folder / "export.json").write_text(json.dumps(sample.export))
        (folder / "trouble.json").write_text(json.dumps(trouble))

    def run(self, name: str) -> Ended:
        """Run the workflow to its end."""
        result = self.workflow.start(name)
        return Ended(result.get(timeout=RUN_TIME), result.parent.get(timeout=RUN_TIME))

    def process(self, sample: Sample, **trouble: str) -> Ended:
        """Have the workflow find a sample, and run it to its end."""
        self.show(sample, **trouble)
        return self.run(sample.name)

    def sweep(self) -> dict[str, Any]:
        """Make a sweep, in this process."""
        from blastgit.contrib.blast import sweep

        return dict(sweep())

    def run_here(self, name: str) -> None:
        """Run the stages in this process, and none of what comes after them."""
        self.workflow.prepare(name)
        for stage in self.workflow.STAGES:
            self.workflow.stage(name, stage)

    def outcomes(self, name: str) -> dict[str, str]:
        """Return how each stage stands."""
        from host.models import TaskRegister

        rows = TaskRegister.objects.filter(transient__name=name)
        return dict(rows.values_list("task__name", "status__message"))

    def set_clock(self, name: str, moment: datetime) -> None:
        """Have a worker change a row of a transient at a moment of its own."""
        from host.models import TaskRegister

        rows = TaskRegister.objects.filter(transient__name=name)
        if moment < datetime.now(UTC):
            rows.update(last_modified=moment)
        rows.filter(task__name=self.workflow.STAGES[-1]).update(last_modified=moment)

    def is_settled(self, name: str) -> bool:
        """Whether a transient was recorded as it stands."""
        from blastgit.contrib.blast.ledger import Ledger
        from blastgit.contrib.blast.standing import standings

        (standing,) = Ledger().with_edits(list(standings([name])))
        return Ledger().recorded([name]).get(name) == standing.state

    def record_here(self, name: str) -> dict[str, Any]:
        """Run the last task in this process."""
        from blastgit.contrib.blast import record_revision

        return dict(record_revision(name))

    def empty_cache(self) -> None:
        """Lose all notes."""
        from django.core.cache import cache

        cache.clear()

    def child_at_work(self) -> int:
        """Return the process that is recording."""
        from app import app

        def find() -> int | None:
            active = (app.control.inspect().active() or {}).values()
            tasks = [task for tasks in active for task in tasks if task["name"] == "blastgit.record_revision"]
            return tasks[0]["worker_pid"] if tasks else None

        return wait_until(find)

    def wait_for_revision(self, name: str, number: int) -> Entry:
        """Wait until a revision is there."""
        return wait_until(lambda: next((e for e in self.revisions(name) if e.revision.number == number), None))

    def revisions(self, name: str) -> list[Entry]:
        """Return the log of a transient, oldest first; empty if it was never recorded."""
        try:
            return list(DataRepo(self.repo).log(name))[::-1]
        except NotFound:
            return []


@pytest.fixture(scope="session")
def _machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    if shutil.which("redis-server") is None:
        pytest.skip("there is no redis-server: apt-get install redis-server")
    pytest.importorskip("django")
    folder = tmp_path_factory.mktemp("blast")
    server, redis = Server(), Redis(folder)
    server.start()
    redis.start()
    with proxy_before(server) as proxy:
        yield {"folder": folder, "server": server, "redis": redis, "proxy": proxy}
    redis.stop()
    server.stop()


@pytest.fixture(scope="session")
def environment(_machine: dict[str, Any]) -> dict[str, str]:
    """What a worker of Blast's is told."""
    folder = _machine["folder"]
    (folder / "sky").mkdir()
    return {
        "DJANGO_SETTINGS_MODULE": "app.settings", "DB_NAME": str(folder / "db.sqlite3"), "SKY": str(folder / "sky"),
        "REDIS_PORT": str(_machine["redis"].port), "UPLOAD_URL": _machine["server"].url,
        "S3_ENDPOINT_URL": _machine["proxy"].url, "S3_BUCKET": "blast-astro-data", "S3_BASE_PATH": BASE,
        "S3_REGION_NAME": "us-east-1", "AWS_S3_ACCESS_KEY_ID": KEY, "AWS_S3_SECRET_ACCESS_KEY": SECRET,
        "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true", "BLASTGIT_REPO": str(folder / "repo"), "BLASTGIT_QUIET": "0",
        "BLASTGIT_STALLED": "0", "BLASTGIT_RUN": "reprocessing/small",
    }  # fmt: skip


@pytest.fixture(scope="session")
def _django(environment: dict[str, str]) -> ModuleType:
    """Make this process a part of the small Blast, with its tables filled."""
    os.environ |= environment
    sys.path.insert(0, str(HERE))
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    from host import workflow

    workflow.set_up()
    return workflow


@pytest.fixture(scope="session")
def _idle(_machine: dict[str, Any], environment: dict[str, str], _django: ModuleType) -> Blast:
    bucket = Bucket(_machine["server"].url, environment["S3_BUCKET"])
    bucket.client.create_bucket(Bucket=bucket.name)
    repo = Path(environment["BLASTGIT_REPO"])
    init(repo, store=f"s3://{bucket.name}/dvc", options={"endpointurl": _machine["proxy"].url}, simulated=True)
    worker = Worker(_machine["folder"] / "worker.log", worker_environment(environment))
    return Blast(Path(environment["SKY"]), repo, _machine["proxy"], bucket, _machine["redis"], worker, _django)


@pytest.fixture(scope="session")
def _blast(_idle: Blast) -> Iterator[Blast]:
    _idle.worker.start("celery")
    yield _idle
    _idle.worker.stop()


def worker_environment(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of a worker's process."""
    checkout = Path(__file__).parents[2]
    return {**os.environ, **environment, "PYTHONPATH": f"{checkout}{os.pathsep}{HERE}"}


@contextmanager
def a_worker(folder: Path, environment: dict[str, str], queue: str = "celery") -> Iterator[Worker]:
    """Run a worker of the small Blast."""
    worker = Worker(folder / "worker.log", worker_environment(environment))
    worker.start(queue)
    try:
        yield worker
    finally:
        worker.stop()


@pytest.fixture
def idle(_idle: Blast, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Blast]:
    """The small Blast with nothing in its way, and no worker: all that is done, this process does."""
    for name, value in environment.items():  # each test begins with a clean environment
        monkeypatch.setenv(name, value)
    _idle.proxy.requests.clear()
    yield _idle
    _idle.proxy.trouble = lambda _: None
    (_idle.sky / "app_version").unlink(missing_ok=True)


@pytest.fixture
def blast(idle: Blast, _blast: Blast) -> Blast:
    """The small Blast with nothing in its way, and a worker."""
    return _blast


@pytest.fixture
def sample() -> Sample:
    """A small invented transient of this test's own."""
    return small(f"2026{uuid.uuid4().hex[:8]}")
