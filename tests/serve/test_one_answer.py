"""The web, datasets as objects, citations, days and files in hand tell of any history what `validity` tells."""

import json
import tempfile
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blastgit import DataRepo
from blastgit.errors import InvalidData, OutOfDateWarning
from blastgit.repository.init import init
from tests.serve.conftest import opened
from tests.workflow.test_one_answer import NAME, Run, record, runs

CHAIN = f"sed_output/{NAME}_global_chain.npz"


@pytest.mark.slow
@settings(max_examples=2, suppress_health_check=list(HealthCheck))
@given(st.lists(runs, min_size=1, max_size=2))
def test_other_surfaces_tell_the_same(made: list[Run]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "repo"
        init(where, simulated=True)
        for number, run in enumerate(made):
            record(where, run, number)
        repo = DataRepo(where)
        judged = {f"{NAME}@{n}": repo.validity(f"{NAME}@{n}").to_json() for n in range(len(made))}
        with opened(where) as web:
            for name, told in judged.items():
                assert_web(json.loads(web.get(f"/t/{name}.json").data), told)
        for name, told in judged.items():
            faults = repo.releases.cited(name).faults
            assert any(each.startswith("invalid, ") for each in faults) is bool(told["invalid"])
            assert any(each.startswith("out of date, ") for each in faults) is bool(told["out_of_date"])
            assert how_read(repo, name) == how_judged(told)
            place = Path(folder) / name
            repo.get(name, place, only=CHAIN, even_invalid=True)
            assert name in [each.split(":")[0] for each in repo.identify(place / CHAIN).matches]
        [held] = repo.asof(f"{datetime.now(UTC):%Y-%m-%d}").datasets
        assert str(held) == f"{NAME}@{len(made) - 1}"


def assert_web(page: dict, told: dict) -> None:
    assert page["status"] == told["status"]
    for key in ("invalid", "out_of_date"):
        assert {path for each in page[key] for path in (*each["values"], *each["files"])} == set(told[key])


def how_judged(told: dict) -> str:
    return "invalid" if CHAIN in told["invalid"] else "out of date" if CHAIN in told["out_of_date"] else "sound"


def how_read(repo: DataRepo, name: str) -> str:
    """Whether a fit's draws are refused, or read with a warning."""
    transient, _, number = name.partition("@")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", OutOfDateWarning)
        try:
            repo.dataset("chain", transient, aperture="global", revision=int(number), reader="bytes")
        except InvalidData:
            with pytest.raises(InvalidData):
                repo.get(name, repo.path.parent / "refused", only=CHAIN)
            return "invalid"
    return "out of date" if any(issubclass(each.category, OutOfDateWarning) for each in said) else "sound"
