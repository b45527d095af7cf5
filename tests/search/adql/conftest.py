"""An index of invented positions, queried in ADQL."""

import math
import random

import pytest

pytest.importorskip("duckdb", reason="the extra `index` is not installed")
pytest.importorskip("sqlglot", reason="the extra `index` is not installed")

from blastgit.index.healpix import cells
from blastgit.index.write import make_tables, open_to_write
from blastgit.search.adql.query import SearchIndex


def _places():
    """Positions everywhere, and more where it is awkward; one is not known."""
    chance = random.Random(3)
    found = [(chance.uniform(0, 360), math.degrees(math.asin(chance.uniform(-1, 1)))) for _ in range(1500)]
    found += [(ra, dec) for ra in (0.0, 1e-7, 180.0, 359.9999999) for dec in (-90.0, -89.99999, 0.0, 89.99999, 90.0)]
    found += [(chance.uniform(9, 11), chance.uniform(-1, 1)) for _ in range(200)]
    return [*found, (None, None)]


@pytest.fixture(scope="session")
def places():
    return _places()


@pytest.fixture(scope="session")
def sky(tmp_path_factory, places):
    """An index whose transients `t0`, `t1`, … are at `places`; each has a host, a little to the north."""
    path = tmp_path_factory.mktemp("sky") / "index.duckdb"
    numbers = cells([ra for ra, _ in places], [dec for _, dec in places], 29)
    with open_to_write(path) as connection:
        make_tables(connection)
        for table in ("revisions", "hosts"):
            connection.executemany(
                f"INSERT INTO {table} (transient, revision, is_latest, ra_deg, dec_deg, healpix, redshift)"
                " VALUES (?, 0, true, ?, ?, ?, ?)",
                [[f"t{i}", *place, numbers[i], i / 1000] for i, place in enumerate(places)],
            )
    with SearchIndex(path) as opened:
        yield opened


@pytest.fixture(scope="session")
def found(sky):
    """Return the numbers of the transients for which a condition holds."""

    def call(condition, table="blastgit.transients"):
        return {int(name[1:]) for (name,) in sky.adql(f"SELECT transient FROM {table} WHERE {condition}")}

    return call
