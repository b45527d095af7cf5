"""Tries the features of an extra, in an environment with only that extra: `python .ci/trial.py EXTRA`.

It is run by `.ci/extras`. Without an extra, the package must be able to record, read and verify.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from blastgit import DataRepo
from blastgit.demo import change_image, small

FIRST = small("2026dgt")
SECOND = change_image(FIRST, "DES_z", seed=1)


def cli(*arguments: object) -> str:
    """Run a verb, and return its output."""
    command = [sys.executable, "-m", "blastgit", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, (command, done.returncode, done.stdout)
    return done.stdout


def make(folder: Path) -> Path:
    """Make a data repo with two revisions, made in two runs."""
    repo = DataRepo.init(folder / "repo", simulated=True)
    for number, sample in enumerate((FIRST, SECOND)):
        export, data = sample.write(folder / str(number))
        repo.record(sample.name, export, data, run=f"run{number}")
    return repo.path


@contextmanager
def served(*arguments: object) -> Iterator[str]:
    """Start a service, and yield its address."""
    command = [sys.executable, "-m", "blastgit", *map(str, arguments), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://" in line, line
        yield line[line.index("http://") :].split()[0].rstrip("/")
    finally:
        process.terminate()
        process.wait()


def ask(url: str) -> bytes:
    """Return the content at a URL."""
    with urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def plain(folder: Path) -> None:
    """Read back, verify, draw a changed image."""
    repo = make(folder)
    cli("-C", repo, "get", "2026dgt@0", folder / "got")
    assert "sound" in cli("-C", repo, "verify")
    cli("-C", repo, "diff", "2026dgt@0", "2026dgt@1", "--pictures", folder / "page.html")
    assert b"<img" in (folder / "page.html").read_bytes()


def celery_s3(folder: Path) -> None:
    """Record from a bucket into a store in S3, twice, as the last task of Blast's workflow does."""
    from botocore.session import get_session

    from blastgit.contrib.blast import record_revision
    from blastgit.store.bucket import Bucket
    from blastgit.store.bucket_url import place_of_url

    assert record_revision.name == "blastgit.record_revision"
    __import__("redis")
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    client = get_session().create_client("s3", endpoint_url=endpoint)
    for name in ("blast", "store"):
        client.create_bucket(Bucket=name)
    options = {"endpointurl": endpoint}
    repo = DataRepo.init(folder / "repo", store="s3://store/data", options=options, simulated=True)
    for number, sample in enumerate((FIRST, SECOND)):
        for path, content in sample.files.items():
            client.put_object(Bucket="blast", Key=f"base/{path}", Body=content)
        bucket = Bucket(place_of_url("s3://blast/base"))
        assert repo.record(sample.name, json.dumps(sample.export).encode(), bucket).revision == number
    assert repo.verify().problems == []
    command = [sys.executable, "-m", "dvc", "pull", "--quiet"]  # plain DVC, of this environment
    subprocess.run(["git", "clone", "-q", "--branch", "2026dgt/0", repo.path, folder / "clone"], check=True)
    subprocess.run(command, cwd=folder / "clone", check=True)
    assert (folder / "clone/cutout_cdn/DES/DES_z.fits").is_file()


def index(folder: Path) -> None:
    """Build the index, and ask it by SQL and by position."""
    repo = make(folder)
    cli("-C", repo, "index", "--parquet", folder / "tables")
    assert "2026dgt" in cli("-C", repo, "sql", "SELECT transient FROM transients")
    assert "2026dgt" in cli("-C", repo, "find", "--where", "revision = 1", "--names")


def tap(folder: Path) -> None:
    """Start the TAP service, and ask it in ADQL."""
    with served("-C", make(folder), "tap", "serve") as url:
        query = "REQUEST=doQuery&LANG=ADQL&FORMAT=csv&QUERY=SELECT+transient+FROM+transients"
        base = url if url.endswith("/tap") else f"{url}/tap"
        assert b"2026dgt" in ask(f"{base}/sync?{query}")


def web(folder: Path) -> None:
    """Start the web interface, and ask for a page, a table and the TAP service's description."""
    with served("-C", make(folder), "serve") as url:
        assert b"2026dgt" in ask(f"{url}/t/2026dgt@0")
        assert b"capabilities" in ask(f"{url}/tap/capabilities")


def astropy(folder: Path) -> None:
    """Read a table and an image as astropy's own objects."""
    repo = DataRepo(make(folder))
    assert len(repo.get("photometry", transient="2026dgt"))
    assert repo.get("cutout", transient="2026dgt", filter="DES_z")[0].data.size


def pictures(folder: Path) -> None:
    """Draw how two runs compare."""
    cli("-C", make(folder), "compare", "run0", "run1", "--picture", folder / "runs.png")
    assert (folder / "runs.png").read_bytes().startswith(b"\x89PNG")


TRIALS: dict[str, Callable[[Path], None]] = {
    "": plain, "celery,s3": celery_s3, "index": index, "tap": tap, "web": web, "astropy": astropy, "pictures": pictures,
}  # fmt: skip
"""The trial of each extra; "" is the package without extras."""


if __name__ == "__main__":
    assert {"pytest", "moto", "boto3"}.isdisjoint(sys.modules)
    with tempfile.TemporaryDirectory(prefix="blastgit-trial-") as place:
        TRIALS[sys.argv[1]](Path(place))
