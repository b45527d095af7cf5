"""A sweep of Blast's transients: its time and memory, in a separate process.

The small Blast of the tests is filled with transients, hosts (each shared by two), aliases and 17 task rows per
transient, in SQLite, with a real Redis. Nothing is recorded and no workflow runs; the sweep makes all its queries.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.race import Row, Target
from benchmarks.s3 import free_port, wait_for_port

_CHECKOUT = Path(__file__).parents[1]
_BLAST = _CHECKOUT / "tests" / "contrib" / "small_blast"
_SECONDS, _BYTES = 10.0, 150e6

_FILL = """
import django, sys
from datetime import UTC, datetime, timedelta
django.setup()
from django.core.management import call_command
from host.models import Alias, Host, Status, Task, TaskRegister, Transient
from host.workflow import STAGES, set_up
call_command("migrate", run_syncdb=True, verbosity=0)
set_up()
count, start = int(sys.argv[1]), datetime(2026, 1, 1, tzinfo=UTC)
done, tasks = Status.objects.get(message="processed"), list(Task.objects.all())
hosts = Host.objects.bulk_create(
    Host(name=f"host {n}", ra_deg=n / 999, dec_deg=1.5, redshift=0.1) for n in range(count // 2 + 1))
for first in range(0, count, 1000):
    some = Transient.objects.bulk_create(
        Transient(name=f"2026t{n:06}", ra_deg=n / 999, dec_deg=1.5, tns_id=n, tns_prefix="SN", host=hosts[n // 2],
                  redshift=n / count, spectroscopic_class="SN Ia", processing_status="completed", progress=100)
        for n in range(first, min(first + 1000, count)))
    Alias.objects.bulk_create(Alias(alias=f"{each.name}alias", transient=each) for each in some)
    TaskRegister.objects.bulk_create(
        TaskRegister(task=task, status=done, transient=each, last_modified=start + timedelta(seconds=each.tns_id))
        for each in some for task in tasks)
"""

_SWEEP = """
import json, os, sys, time
import django
django.setup()
from pathlib import Path
import app
from blastgit.contrib.blast import sweep
from blastgit.contrib.blast.ledger import Ledger
from blastgit.contrib.blast.standing import standings
if sys.argv[1] == "settled":
    Ledger().restore(standings())
if sys.argv[1] == "still":  # the ten minutes are over
    os.environ["BLASTGIT_QUIET"] = "0"
start = time.perf_counter()
told = sweep()
took = time.perf_counter() - start
status = Path("/proc/self/status").read_text()
print(json.dumps([took, 1024 * int(status.partition("VmHWM:")[2].split()[0]), len(told["asked"])]))
"""


def swept(folder: Path, transients: int) -> Iterator[Row]:
    """Sweep when nothing was recorded, when everything has stood still, and when everything was recorded."""
    with _environment(folder) as environment:
        _run(_FILL, str(transients), environment)
        for what, state in (("first", "new"), ("second", "still"), ("settled", "settled")):
            seconds, peak, asked = json.loads(_run(_SWEEP, state, environment))
            name = f"{what} sweep of {transients:,} transients, {17 * transients:,} task rows ({asked} asked for)"
            yield Row(name, "the target", seconds, _SECONDS, seconds / _SECONDS, Target(1.0))
            yield Row(f"peak memory of the {what} sweep", "the target", peak, _BYTES, peak / _BYTES, Target(1.0), "MB")


@contextmanager
def _environment(folder: Path) -> Iterator[dict[str, str]]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    redis = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port, redis, "redis-server")
        subprocess.run([sys.executable, "-m", "blastgit", "init", str(folder / "repo"), "--simulated"], check=True)
        yield {
            **os.environ, "DJANGO_SETTINGS_MODULE": "app.settings", "DB_NAME": str(folder / "db.sqlite3"),
            "REDIS_PORT": str(port), "SKY": str(folder), "BLASTGIT_REPO": str(folder / "repo"), "BLASTGIT_QUIET": "600",
            "PYTHONPATH": f"{_CHECKOUT}{os.pathsep}{_BLAST}",
        }  # fmt: skip
    finally:
        redis.kill()
        redis.wait()


def _run(script: str, argument: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", script, argument]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
