"""A state that equals an earlier one makes a revision, whose reason names the earlier revision."""

import json

import pytest

from blastgit import DataRepo
from blastgit.demo import change_image, edit_flux, reprocess

AGAIN = "the values are those of revision 0 again"


@pytest.fixture
def changed_since(repo, sample, record):
    """A repo whose revision 1 differs from revision 0 in a flux."""
    record(repo, sample)
    record(repo, edit_flux(sample, "DES_z", 1.5))
    return repo


def test_the_very_state_comes_back(changed_since, sample, record):
    would = record(changed_since, sample, dry_run=True)
    assert would.reason.endswith(f"; {AGAIN}")
    done = record(changed_since, sample)
    assert (done.revision, done.reason) == (2, would.reason)
    assert AGAIN in json.dumps(DataRepo(changed_since).log("2026dgt")[0].to_json())


def test_equal_by_the_rules_is_enough(changed_since, sample, record):
    later = reprocess(sample, app_version="v1.13.1", export_time="2026-06-02T09:00:00+00:00", seed=1, all_keys=True)
    assert record(changed_since, later).reason.endswith(AGAIN)


def test_another_state_is_not_said_to_be_an_older_one(changed_since, sample, record):
    assert "again" not in record(changed_since, edit_flux(sample, "DES_z", 2.5)).reason


def test_a_file_that_differs_is_no_return(changed_since, sample, record):
    assert "the values are those" not in record(changed_since, change_image(sample, "DES_g", seed=3)).reason
