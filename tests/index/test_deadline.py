"""A time limit holds from the first statement to the last, and not longer."""

import duckdb
import pytest

from blastgit.index.deadline import deadline

LONG = "SELECT count(*) FROM range(1e12::BIGINT) AS a"


def test_a_time_that_is_over_between_two_statements_stops_the_next():
    def ask_for_ever(connection):
        with deadline(connection, 0):
            while True:
                connection.execute("SELECT 1")  # most of the time is spent between such statements

    with duckdb.connect() as connection, pytest.raises(duckdb.InterruptException):
        ask_for_ever(connection)


def test_the_next_statement_is_safe():
    with duckdb.connect() as connection:
        with pytest.raises(duckdb.InterruptException), deadline(connection, 0.01):
            connection.execute(LONG)
        assert connection.execute("SELECT count(*) FROM range(1000000)").fetchone() == (1_000_000,)
