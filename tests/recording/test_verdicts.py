"""Insignificant changes make no revision, whatever else differs; significant ones do, and the diff shows them."""

import pytest

from benchmarks.verdicts import Trial, alterations, changed_files, mixes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    return Trial(tmp_path_factory.mktemp("verdicts"))


def test_mixes_of_what_says_nothing_new(trial):
    assert mixes(trial, 25).wrong == []


def test_fields_with_another_value(trial):
    assert alterations(trial, 1, at_most=25).wrong == []


def test_changes_of_a_file(trial):
    assert changed_files(trial).wrong == []
