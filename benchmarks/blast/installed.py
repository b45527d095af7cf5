"""Blast as the operator has checked it out, copied, with the changes of docs/blast.md, and what runs in it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.s3 import KEY, SECRET

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
STAND_INS = HERE / "stand_ins"
BUCKET, BASE = "blast-astro-data", "/apps/blast/processed-transient-data"
STORE = "s3://blast-revisions/dvc"
WORKER = ["worker", "--loglevel", "INFO", "--queues", "sed,celery", "--concurrency", "1", "--without-gossip"]
BEAT = ["beat", "--loglevel", "INFO", "--pidfile="]

_NEEDED = ("django", "celery", "prospect", "photutils", "sedpy", "minio", "bokeh", "psycopg2", "blastgit", "dvc_s3")
_OURS = ("AWS_", "BLASTGIT_", "GIT_", "PYTHON")
_DIFF = re.compile(r"^```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def changes(page: Path = CHECKOUT / "docs" / "blast.md") -> list[str]:
    """Return the changes to Blast that the documentation shows, as patches."""
    return _DIFF.findall(page.read_text("utf-8"))


def prepare(checkout: Path, folder: Path) -> Path:
    """Copy Blast's app out of a checkout, apply all changes, and return the copy's folder.

    Raises:
        SystemExit: It is no checkout of Blast, or a change does not apply to it.
    """
    if not (checkout / "app" / "host" / "workflow.py").is_file():
        raise SystemExit(f"{checkout} is no checkout of Blast: it has no app/host/workflow.py")
    shutil.copytree(checkout / "app", folder / "app")
    for patch in changes():
        apply = ["git", "apply", "--whitespace=nowarn", "-"]
        outside = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
        done = subprocess.run(apply, cwd=folder, input=patch, capture_output=True, text=True, check=False, env=outside)
        if done.returncode:
            raise SystemExit(f"a change of docs/blast.md does not apply to {checkout}:\n{done.stderr}\n{patch}")
    return folder / "app"


def check(python: Path) -> None:
    """See that a Python has what Blast needs here.

    Raises:
        SystemExit: It does not.
    """
    script = "import importlib.util as u, sys; print(*[m for m in sys.argv[1:] if u.find_spec(m) is None])"
    done = subprocess.run([python, "-c", script, *_NEEDED], capture_output=True, text=True, check=False, cwd="/")
    if done.returncode or done.stdout.strip():
        missing = done.stdout.strip() or done.stderr.strip()
        raise SystemExit(f"{python} lacks what Blast or its recording needs: {missing}")


@dataclass(frozen=True)
class Installed:
    """Blast, ready to run.

    Attributes:
        python: The Python that has its requirements, and blastgit.
        app: The folder of its app, a copy.
        folder: Where all that this run makes lies.
        environment: What its processes are told.
    """

    python: Path
    app: Path
    folder: Path
    environment: Mapping[str, str]

    @property
    def control(self) -> Path:
        """The file that the stand-ins look into."""
        return Path(self.environment["STAND_INS"])

    def run(self, *arguments: str, **more: str) -> str:
        """Run its Python to the end, and return what it prints.

        Raises:
            SystemExit: It fails.
        """
        environment = {**self.environment, **more}
        command = [str(self.python), "-W", "ignore", *arguments]
        done = subprocess.run(command, cwd=self.app, env=environment, capture_output=True, text=True, check=False)
        with (self.folder / "run.log").open("a") as log:
            log.write(f"{command}\n{done.stdout}{done.stderr}\n")
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def celery(self, arguments: list[str]) -> list[str]:
        """Return the command of a Celery program in it."""
        return [str(self.python), "-W", "ignore", "-m", "celery", "-A", "app", *arguments]


def environment(folder: Path, database: Mapping[str, str], redis_port: int, s3: str) -> dict[str, str]:
    """Return what Blast's processes are told: Blast's own variables, blastgit's, and where the stand-ins are."""
    places = {
        "TRANSMISSION_CURVES_ROOT": "transmission", "PROST_OUTPUT_ROOT": "prost", "DATA_ROOT_DIR": "data",
        "DUSTMAPS_DATA_ROOT": "dustmaps", "SPS_HOME": "fsps", "TNS_STAGING_ROOT": "tns",
    }  # fmt: skip
    for name in places.values():
        (folder / name).mkdir()
    return {
        **{name: text for name, text in os.environ.items() if not name.startswith(_OURS)},
        **{variable: str(folder / name) for variable, name in places.items()},
        **database,
        "REDIS_SERVICE": "127.0.0.1", "REDIS_PORT": str(redis_port), "S3_ENDPOINT_URL": s3, "S3_BUCKET": BUCKET,
        "S3_REGION_NAME": "us-east-1", "AWS_S3_ACCESS_KEY_ID": KEY, "AWS_S3_SECRET_ACCESS_KEY": SECRET,
        "S3_BASE_PATH": BASE, "S3_LOGS_PATH": "/apps/blast/logs", "API_AUTHENTICATION": "AllowAny",
        "ALLOW_API_POST": "YES", "LOG_LEVEL": "INFO", "SKIP_INITIALIZATION": "true", "DJANGO_DEBUG": "false",
        "DJANGO_SUPERUSER_USERNAME": "admin", "DJANGO_SUPERUSER_PASSWORD": "no secret",
        "DJANGO_SUPERUSER_EMAIL": "admin@example.org", "USAGE_METRICS_LOGROLLER_ENABLED": "false",
        "DJANGO_SETTINGS_MODULE": "blast_stand_ins.settings", "PYTHONPATH": str(STAND_INS),
        "STAND_INS": str(folder / "stand_ins.json"), "MPLCONFIGDIR": str(folder),
        "BLASTGIT_REPO": str(folder / "data.git"), "BLASTGIT_QUIET": "3", "BLASTGIT_STALLED": "60",
        "BLASTGIT_TIME_LIMIT": "40", "BLASTGIT_METRICS": str(folder / "blastgit.prom"),
        "GIT_COMMITTER_NAME": "Blast", "GIT_COMMITTER_EMAIL": "blast@example.org",
        "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true", "no_proxy": "127.0.0.1",
    }  # fmt: skip


class Operator:
    """Somebody at Blast's keyboard: a process in Blast's Python that does what it is asked."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Speak through a process that runs `blast_stand_ins.operator`."""
        self._process = process

    def ask(self, verb: str, **arguments: Any) -> Any:
        """Have it do something, and return what that comes to.

        Raises:
            AssertionError: Blast did not do it.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([verb, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        verdict, result = json.loads(line) if line else ["failed", "the operator's process has ended: see operator.log"]
        if verdict != "ok":
            raise AssertionError(f"{verb} {arguments}: {result}")
        return result

    def visit(self, method: str, path: str, **sent: Any) -> tuple[int, bytes]:
        """Return the status and the body of a page."""
        answer = self.ask("request", method=method, path=path, **sent)
        return answer["status"], base64.b64decode(answer["body"])


@contextmanager
def operator(blast: Installed) -> Iterator[Operator]:
    """Yield somebody at Blast's keyboard."""
    command = [str(blast.python), "-W", "ignore", "-m", "blast_stand_ins.operator"]
    with (blast.folder / "operator.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=blast.app, env=dict(blast.environment), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
        try:
            yield Operator(process)
        finally:
            process.terminate()
            process.wait()
