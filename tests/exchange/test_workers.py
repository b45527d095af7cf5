"""The same import with real Celery workers and a real broker."""

import gc
import os
import shutil
import subprocess
import sys

import pytest

from benchmarks.s3 import free_port, wait_for_port
from blastgit import DataRepo
from blastgit.cli import main
from blastgit.errors import Busy, StoreError
from blastgit.exchange.bulk import BulkOptions
from blastgit.exchange.sources import find
from blastgit.exchange.workers import adopt_batch, adopt_by_workers, make_app
from tests.exchange.trees import write_tree
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

NAMES = [f"2026d{letter}" for letter in "abcde"]


@pytest.fixture
def redis(tmp_path):
    """A Redis server: its process and its URL."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as process:
        wait_for_port(port, process, "redis-server")
        yield process, f"redis://127.0.0.1:{port}/0"
        process.kill()


@pytest.fixture
def broker(redis):
    """A Redis server, by its URL."""
    return redis[1]


@pytest.fixture
def start(broker, tmp_path):
    """Start a worker; all of them stop in the end."""
    workers = []

    def call():
        env = {**os.environ, "BLASTGIT_BROKER": broker, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": ""}
        words = ["-m", "celery", "-A", "blastgit.exchange.workers", "worker", "--pool", "solo", "--without-gossip"]
        with (tmp_path / "worker.log").open("ab") as log:
            workers.append(subprocess.Popen([sys.executable, *words], env=env, stdout=log, stderr=log))
        return workers[-1]

    yield call
    for worker in workers:
        worker.kill()
        worker.wait()


def test_workers_adopt(repo, broker, start, tmp_path, monkeypatch):
    monkeypatch.setattr("blastgit.exchange.run.BATCH", 2)
    tree = write_tree(tmp_path / "data", NAMES)
    (tree / "exports/2026db.json").write_text("{")
    start()
    start()
    done = DataRepo(repo).import_all(tree, broker=broker)
    assert (done.adopted, list(done.skipped)) == (4, ["2026db"])
    assert DataRepo(repo).verify().problems == []
    assert DataRepo(repo).import_all(tree, broker=broker).present == 4


def test_a_batch_that_comes_twice_is_found_to_be_done(repo, tmp_path):
    write_tree(tmp_path / "data", NAMES[:1])
    sent = {
        "name": NAMES[0],
        "place": str(tmp_path / "data"),
        "export": str(tmp_path / f"data/exports/{NAMES[0]}.json"),
    }
    outcomes = [adopt_batch(str(repo), [sent], {"run": "r"})["outcomes"][0]["status"] for _ in range(2)]
    assert outcomes == ["adopted", "present"]


def test_a_worker_that_cannot_write_says_so(repo, broker, start, tmp_path):
    start()
    app = make_app(broker)
    sent = app.send_task("blastgit.adopt_batch", (str(tmp_path / "none"), [], {"run": "r"}))
    assert "no data repo" in sent.get(timeout=60)["error"]
    tree = write_tree(tmp_path / "data", NAMES[:1])
    shutil.rmtree(repo / "dvc")
    (repo / "dvc").write_text("in the way")
    with pytest.raises(StoreError, match="worker"):
        DataRepo(repo).import_all(tree, broker=broker)


def test_whatever_stops_a_worker_is_told_as_its_own(repo, monkeypatch):
    def fail(*_):
        raise OSError("no such device")

    monkeypatch.setattr("blastgit.exchange.workers.adopt", fail)
    assert adopt_batch(str(repo), [], {"run": "r"}) == {"error": "OSError: no such device"}


def test_a_broker_that_goes_away_in_the_middle(repo, redis, tmp_path, capfd):
    process, broker = redis
    found = list(find(write_tree(tmp_path / "data", NAMES), None))

    def batches():
        yield found[:1]
        yield found[1:2]
        process.kill()
        process.wait()

    with pytest.raises(Busy, match=r"broker cannot be reached any more \(Error 111 [^\n]*\): repeat the call"):
        list(adopt_by_workers(broker, repo, batches(), BulkOptions("r")))
    gc.collect()
    assert capfd.readouterr().err == ""


def test_a_worker_waits_for_a_broker_that_comes_back(repo, redis, start, tmp_path):
    process, broker = redis
    process.kill()
    process.wait()
    start()
    log = tmp_path / "worker.log"
    wait_until(lambda: log.read_text().count("Cannot connect to redis") > 3, told=lambda: log.read_text()[-3000:])
    port = broker.split(":")[-1].split("/")[0]
    with subprocess.Popen(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", ""], cwd=tmp_path,
                          stdout=subprocess.DEVNULL) as again:  # fmt: skip
        wait_for_port(int(port), again, "redis-server")
        try:
            assert DataRepo(repo).import_all(write_tree(tmp_path / "data", NAMES), broker=broker).adopted == 5
        finally:
            again.kill()


def test_no_broker(repo, tmp_path, capsys):
    tree = write_tree(tmp_path / "data", NAMES[:1])
    with pytest.raises(Busy, match="broker"):
        DataRepo(repo).import_all(tree, broker=f"redis://127.0.0.1:{free_port()}/0")
    assert DataRepo(repo).list() == []
    code = main(["-C", str(repo), "import", str(tree), "--celery", f"redis://127.0.0.1:{free_port()}/0"])
    assert code == 7
