"""A Blast at work, and what can be done to it and asked of it."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.blast.installed import BASE, BEAT, BUCKET, STORE, WORKER, Installed, Operator, environment, operator
from benchmarks.blast.services import Process, database, redis, wait_for
from benchmarks.s3 import Bucket, Server
from blastgit import DataRepo
from blastgit.errors import NotFound
from blastgit.reading.log import Entry

A, B, C = "2099aa", "2099ab", "2099ac"  # A and B share a host; C has none
RUN_SECONDS = 600.0
_SWEEP_SECONDS = 5

_TOLD = re.compile(r"blastgit\.record_revision\[[^\]]*\] succeeded in [0-9.]+s: (\{.*\})$", re.MULTILINE)
_ENDED = re.compile(r"Task Get Final Progress\[[^\]]*\] succeeded")


@dataclass
class Life:
    """The Blast that all events happen to.

    Attributes:
        blast: Its files and variables.
        at: Who does things to it.
        redis: Its broker and cache.
        worker: Its Celery worker.
        beat: What has it sweep.
        server: The S3 server.
        database: What its database is.
    """

    blast: Installed
    at: Operator
    redis: Process
    worker: Process
    beat: Process
    server: Server
    database: str

    @property
    def repo(self) -> DataRepo:
        """The data repo, opened as it is now."""
        return DataRepo(self.location)

    @property
    def location(self) -> Path:
        """Where the data repo is."""
        return Path(self.blast.environment["BLASTGIT_REPO"])

    @property
    def bucket(self) -> Bucket:
        """Where Blast keeps its files."""
        return Bucket(self.server.url, BUCKET)

    def tell(self, **told: Any) -> None:
        """Tell the stand-ins what to do from now on, and nothing else."""
        self.blast.control.write_text(json.dumps(told))

    def log(self, name: str) -> list[Entry]:
        """Return the revisions of a transient, oldest first."""
        try:
            return list(self.repo.log(name))[::-1]
        except NotFound:
            return []

    def latest(self, name: str) -> Entry:
        """Return the latest revision of a transient.

        Raises:
            AssertionError: It has none.
        """
        found = self.log(name)
        assert found, f"{name} has no revision"
        return found[-1]

    def run(self, name: str, how: str = "reprocess") -> dict[str, Any]:
        """Run the workflow of a transient to its end, and return what the recording in it came to.

        Args:
            name: The transient.
            how: "new", or the button: "reprocess" or "retrigger".
        """
        start = self.worker.place
        self.begin(name, how)
        wait_for(lambda: _ENDED.search(self.worker.said(start)), RUN_SECONDS, f"the end of the workflow of {name}")
        return self.told(start, name)

    def begin(self, name: str, how: str = "reprocess") -> None:
        """Begin the workflow of a transient."""
        if how == "new":
            self.at.ask("workflow", name=name)
        else:
            status, _ = self.at.visit("get", f"/{how}_transient/{name}/")
            assert status == 302, f"the button answers {status}"

    def told(self, start: int, name: str, seconds: float = 60) -> dict[str, Any]:
        """Return what the next recording of a transient came to, after a place in the worker's log."""

        def find() -> dict[str, Any] | None:
            all_told = [ast.literal_eval(text) for text in _TOLD.findall(self.worker.said(start))]
            return next((told for told in all_told if told.get("transient") == name), None)

        return wait_for(find, seconds, f"a recording of {name}")

    def swept(self, name: str, act: Callable[[], Any], seconds: float = 90) -> dict[str, Any]:
        """Do something after which no workflow runs, and return what the recording came to that the sweep asked for."""
        start = self.worker.place
        act()
        return self.told(start, name, seconds)

    def quiet(self, names: tuple[str, ...] = (A, B, C), sweeps: int = 3) -> None:
        """See that a few sweeps find nothing to do.

        Raises:
            AssertionError: One asks for a recording of one of these.
        """
        start = self.worker.place
        done = re.compile(r"blastgit\.sweep\[[^\]]*\] succeeded in [0-9.]+s: (\{.*\})$", re.MULTILINE)
        found = wait_for(
            lambda: f if len(f := done.findall(self.worker.said(start))) >= sweeps else None, 120, "sweeps"
        )
        asked = {name for text in found for name in ast.literal_eval(text)["asked"]}
        assert not asked.intersection(names), f"the sweep asked for {', '.join(sorted(asked))}"

    def restart_worker(self) -> None:
        """Start the worker, and wait until it is ready."""
        start = self.worker.place
        self.worker.start()
        wait_for(lambda: "ready." in self.worker.said(start), 120, "the start of the worker")


@contextmanager
def at_work(python: Path, app: Path, folder: Path) -> Iterator[Life]:
    """Yield the real Blast, set up by its own scripts, at work beside an empty data repo."""
    server, (broker, port) = Server(), redis(folder)
    with ExitStack() as ends:
        ends.callback(server.stop)
        server.start()
        ends.callback(broker.kill)
        broker.start(port)
        kind, where = ends.enter_context(database(folder))
        told = environment(folder, where, port, server.url)
        blast = Installed(python, app, folder, told)
        ends.enter_context(patch.dict(os.environ, {name: told[name] for name in told if name.startswith("AWS_")}))
        for name in (BUCKET, STORE.split("/")[2]):
            Bucket(server.url, name).client.create_bucket(Bucket=name)
        _data_repo(told["BLASTGIT_REPO"], STORE, server)
        blast.run("init_app.py")
        worker = Process(blast.celery(WORKER), folder / "worker.log", told, app)
        beat = Process(blast.celery(BEAT), folder / "beat.log", told, app)
        person = ends.enter_context(operator(blast))
        life = Life(blast, person, broker, worker, beat, server, kind)
        life.tell()
        person.ask("set_schedule", seconds=_SWEEP_SECONDS)
        person.ask("write_curves", folder=told["TRANSMISSION_CURVES_ROOT"])
        ends.callback(worker.kill)
        life.restart_worker()
        ends.callback(beat.kill)
        beat.start()
        yield life


def _data_repo(path: Path | str, store: str, server: Server) -> None:
    DataRepo.init(path, store=store, options={"endpointurl": server.url}, simulated=True)


def object_key(path: str) -> str:
    """Return the key of a transient's file in Blast's bucket."""
    return f"{BASE.strip('/')}/data/{path}"


def cost(life: Life) -> dict[str, float | None]:
    """Return what the task takes of a worker, measured in a data repo of its own."""
    fresh = life.blast.folder / "cost.git"
    _data_repo(fresh, "s3://blast-revisions/cost", life.server)
    try:
        said = life.blast.run("-m", "blast_stand_ins.cost", B, A, BLASTGIT_REPO=str(fresh))
    finally:
        shutil.rmtree(fresh)
    return dict(json.loads(said.splitlines()[-1]))
