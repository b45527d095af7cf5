"""Data repos with an index."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo

pytest.importorskip("duckdb", reason="the extra `index` is not installed")

Dump = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def ask() -> Callable[..., list[tuple[Any, ...]]]:
    """Ask the index of a repo, brought up to date."""

    def call(repo: Path | str, sql: str, *params: object) -> list[tuple[Any, ...]]:
        with DataRepo(repo).index.open() as db:
            return db.query(sql, params).rows

    return call


@pytest.fixture(scope="session")
def dump() -> Callable[..., Dump]:
    """Return all rows of all tables, sorted; `anew` makes the index anew before."""

    def call(repo: Path, *, anew: bool = False) -> Dump:
        index = DataRepo(repo).index
        index.update(rebuild=anew)
        with index.open(as_is=True) as db:
            return {name: sorted(db.query(f"SELECT * FROM {name}").rows, key=repr) for name in index.tables}

    return call
