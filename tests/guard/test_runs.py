"""Pushed commits name runs as the table of names requires, and do not change configurations of runs."""

import hashlib
from unittest.mock import patch

import pytest

from blastgit import DataRepo
from blastgit.demo import refit, reprocess, small
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.local import LocalRepository

NAME = "2026dgt"
NAME_BRANCH = "refs/heads/2026dgt"
LATER = {"app_version": "v1.14.0", "export_time": "2026-08-01T00:00:00+00:00", "seed": 3}
CONFIG = b"dynesty: {nlive: 500}\n"
DIGEST = hashlib.sha256(CONFIG).hexdigest()
RUN = f'type: RUN\nconfig: "sha256:{DIGEST}"\n'.encode()
PATH = f"configurations/{DIGEST[:2]}/{DIGEST[2:]}"


def recorded(clone, sample, run, aside):
    """Record into the clone as code from before did, which took any text."""
    with patch("blastgit.collections.runs.check_run_name"), patch("blastgit.collections.runs.check_membership"):
        export, data = sample.write(aside)
        DataRepo(clone.path).record(sample.name, export, data, run=run)


def put(clone, files, message="By hand"):
    commit_to_branch(LocalRepository(clone.path), "main", lambda _: BranchEdit(files, message))


ALL = "refs/heads/*", "refs/tags/2026dgt/*"


@pytest.mark.parametrize(
    ("run", "said"),
    [("2026-05 night 3", "is not a name"), ("runs/a", "is not a name"), ("defaults", "should be CHAINED")],
)
def test_a_run_with_an_odd_name_is_denied(clone, tmp_path, run, said):
    recorded(clone, refit(small(NAME), seed=9), run, tmp_path / "in")
    assert said in clone.check(*ALL)


@pytest.mark.parametrize(("run", "said"), [("2026-05 night 3", "is not a name"), ("night/3", "")])
def test_so_is_one_that_found_values_again(clone, tmp_path, run, said):
    assert clone.check(*ALL) == ""
    recorded(clone, reprocess(refit(small(NAME), seed=1), **LATER), run, tmp_path / "in")
    answer = clone.check(*ALL)
    assert said in answer
    assert bool(said) == bool(answer)


def test_a_begun_run_that_holds_another_revision_takes_no_second_by_a_reproduction(clone, tmp_path):
    put(clone, {"collections/night/1.yaml": b"type: RUN\n"})
    assert clone.check("refs/heads/main") == ""
    recorded(clone, reprocess(refit(small(NAME), seed=1), **LATER), "night/1", tmp_path / "1")
    assert clone.check(NAME_BRANCH, *ALL[1:]) == ""
    recorded(clone, refit(small(NAME), seed=2), "night/1", tmp_path / "2")
    assert "the run night/1 holds 2026dgt@1 already" in clone.check(NAME_BRANCH, *ALL[1:])


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({PATH: CONFIG}, ""),
        ({PATH: CONFIG + b"\n"}, "named after its own SHA-256"),
        ({PATH: b"\xff"}, "is not UTF-8 text"),
        ({"configurations/fit.yaml": CONFIG}, "has no place on main"),
        ({"collections/night/1.yaml": RUN}, "main has no configurations/"),
        ({PATH: CONFIG, "collections/night/1.yaml": RUN}, ""),
    ],
)
def test_configurations_are_named_by_what_they_hold(clone, files, said):
    put(clone, files)
    answer = clone.check("refs/heads/main")
    assert said in answer
    assert bool(said) == bool(answer)


@pytest.mark.parametrize("after", [None, b"dynesty: {nlive: 1000}\n"])
def test_a_configuration_stays_as_it_is(clone, after):
    put(clone, {PATH: CONFIG})
    assert clone.check("refs/heads/main") == ""
    put(clone, {PATH: after})
    assert "a run was started with it, so it must not be changed" in clone.check("refs/heads/main")
