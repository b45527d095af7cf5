"""Which modules each verb may import: start-up dominates short commands, and one wrong import can double it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.demo import add_alias, small

HEAVY = {
    "PIL", "asyncio", "astropy", "boto3", "botocore", "configobj", "duckdb", "dvc", "dvc_data", "email", "h5py", "http",
    "numpy", "pyarrow", "rich", "s3fs", "sqlglot", "urllib.request", "uuid",
}  # fmt: skip
"""What nobody may load who does not need it."""

YAML = "yaml"
GIT_CHILD = "subprocess"

READERS = {"datasets", "recording", "collections", "index", "search", "releases", "provenance", "guard", "checks"}
"""The rooms that showing or bringing a revision has no use for."""

QUICK = READERS | {
    "store.base",
    "store.config",
    "revision",
    "content",
    "workflow.judged",
    "workflow.judging",
    "plumbing.batch",
    "plumbing.refs",
    "plumbing.locks",
}
"""What is left to those who need a look at the history alone."""

UNCHANGED = {"recording.publish", "recording.replay", "recording.returns", "plumbing.batch", "plumbing.refs", "content"}
"""What a recording needs only if there is something to write."""

PROGRAM = """
import sys
from blastgit.cli import main
code = main(sys.argv[1:])
assert code in (0, 1), code
print("\\n" + " ".join(sys.modules))
"""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A repo with two revisions whose files are the same, and the states that made them."""
    folder = tmp_path_factory.mktemp("start-up")
    repo = DataRepo.init(folder / "repo", simulated=True)
    first = small("2026dgt")
    for number, sample in enumerate((first, add_alias(first, "AT 2026dgt"))):
        repo.record("2026dgt", *sample.write(folder / str(number)))
    loaded(folder, "record", *state(folder, 1))  # what the export says of filters becomes references
    return folder


def loaded(shelf: Path, *words: object, repo: str = "repo") -> set[str]:
    """Run a command in a process of its own, and return the modules that it has loaded."""
    command = [sys.executable, "-c", PROGRAM, "-C", str(shelf / repo), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def state(shelf: Path, number: int) -> list[str]:
    return ["2026dgt", "--export", str(shelf / f"{number}/export.json"), "--data", str(shelf / f"{number}/data")]


def rooms(names: set[str]) -> set[str]:
    return {f"blastgit.{name}" for name in names}


@pytest.mark.parametrize("words", [["list"], ["log", "2026dgt"], ["log", "2026dgt", "--json"]], ids=" ".join)
def test_looking_at_the_history_loads_git_alone(shelf, words):
    found = loaded(shelf, *words)
    assert sorted(found & (HEAVY | {YAML, GIT_CHILD, "logging", "hashlib"})) == []
    assert sorted(found & rooms(QUICK)) == []


@pytest.mark.parametrize("words", [["show", "2026dgt"], ["show", "2026dgt@0:host"]], ids=" ".join)
def test_showing_loads_what_reads_documents(shelf, words):
    found = loaded(shelf, *words)
    assert sorted(found & (HEAVY - {"uuid"} | {"logging"})) == []
    assert sorted(found & rooms(READERS | {"content"})) == []


def test_getting_loads_the_store(shelf, tmp_path):
    found = loaded(shelf, "get", "2026dgt@0", tmp_path / "got")
    assert sorted(found & (HEAVY | {YAML, GIT_CHILD})) == []
    assert sorted(found & rooms(READERS | {"content", "plumbing.batch", "plumbing.refs", "store.dvc"})) == []


def test_recording_what_is_there_already_loads_nothing_that_writes(shelf):
    found = loaded(shelf, "record", *state(shelf, 1))
    assert sorted(found & (HEAVY | {GIT_CHILD})) == []
    assert sorted(found & rooms(UNCHANGED | {"workflow.lease"})) == []


def test_recording_values_that_changed_loads_no_arrays(shelf):
    found = loaded(shelf, "record", *state(shelf, 0), "--dry-run")
    assert sorted(found & HEAVY) == []
    assert sorted(found & rooms({"content"})) == []


def test_the_first_revision_loads_no_arrays(shelf, tmp_path):
    DataRepo.init(tmp_path / "repo", simulated=True)
    found = loaded(tmp_path, "record", *state(shelf, 0))
    assert sorted(found & (HEAVY - {"h5py", "numpy"})) == []
    assert sorted(found & rooms({"recording.returns", "index", "search", "guard", "checks"})) == []


def test_comparing_values_loads_no_arrays(shelf):
    found = loaded(shelf, "diff", "2026dgt@0", "2026dgt@1")
    assert sorted(found & HEAVY) == []
    assert (
        sorted(found & rooms(READERS | {"workflow.judged", "workflow.judging", "plumbing.batch", "plumbing.refs"}))
        == []
    )


@pytest.mark.parametrize(
    "words", [["annotate", "2026dgt@0", "-m", "looks fine"], ["notes", "2026dgt@0"], ["status"]], ids=" ".join
)
def test_other_short_verbs_load_nothing_heavy(shelf, words):
    assert sorted(loaded(shelf, *words) & (HEAVY - {"uuid"})) == []


@pytest.mark.parametrize(("call", "looks_seldom"), [("main()", True), ("main(['types'])", False)])
def test_only_a_process_of_its_own_changes_how_python_works(shelf, call, looks_seldom):
    """Who calls the command line within a longer process keeps its garbage collector, and numpy's threads."""
    program = f"""
import gc, os, sys
from blastgit.cli import main
sys.argv = ["blastgit", "types"]
before = gc.get_threshold()
{call}
print(gc.get_threshold() != before, os.environ.get("OPENBLAS_NUM_THREADS") == "1")
"""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**environment, "BLASTGIT_REPO": str(shelf / "repo")},
    )
    assert done.stdout.splitlines()[-1] == f"{looks_seldom} {looks_seldom}"


def test_the_budget_can_be_missed(shelf):
    """A verb that needs what the others must not load is seen to load it."""
    found = loaded(shelf, "verify")
    assert {YAML, GIT_CHILD, "hashlib"} <= found
    assert rooms({"store.config", "revision", "checks"}) <= found
