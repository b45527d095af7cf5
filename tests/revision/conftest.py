import copy

import pytest

from blastgit.demo import small
from blastgit.revision.rules import default_rules


@pytest.fixture(scope="session")
def _made():
    return small("2026dgt").export


@pytest.fixture
def document(_made):
    """A whole export, for the test to change as it likes."""
    return copy.deepcopy(_made)


@pytest.fixture(scope="session")
def rules():
    """The rules as shipped."""
    return default_rules()
