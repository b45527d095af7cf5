"""Other programs can rely on `tables.yaml`: units, UCDs, names."""

import re

import pytest

from blastgit.index.parquet import votable
from blastgit.index.tables import tables

# What ADQL 2.0 and SQL 92 reserve, of the words that somebody might take for a column.
WORDS = """
ABS ACTION ADD ALL AND ANY AS ASC AT AVG AREA BEGIN BETWEEN BIT BOTH BOX BY CASCADE CASE CAST CENTROID CHAR CHECK
CIRCLE COLUMN COMMIT CONNECT CONSTRAINT CONTAINS CONTINUE COUNT CREATE CROSS CURRENT CURSOR DATE DAY DEC DECIMAL
DEFAULT DELETE DESC DISTANCE DISTINCT DOMAIN DOUBLE DROP ELSE END ESCAPE EXCEPT EXECUTE EXISTS EXTERNAL FALSE FETCH
FIRST FLOAT FOR FOREIGN FROM FULL GET GLOBAL GO GROUP HAVING HOUR IDENTITY IN INDEX INNER INPUT INSERT INT INTERSECTS
INTERVAL INTO IS ISOLATION JOIN KEY LANGUAGE LAST LEADING LEFT LEVEL LIKE LOCAL LOG LOWER MATCH MAX MIN MINUTE MODULE
MONTH NAMES NATIONAL NEXT NO NOT NULL NUMERIC OF OFFSET ON ONLY OPEN OPTION OR ORDER OUTER OUTPUT OVERLAPS PARTIAL
POINT POLYGON POSITION PRECISION PREPARE PRIMARY PRIOR PROCEDURE PUBLIC READ REAL REFERENCES REGION RELATIVE RIGHT
ROUND ROWS SCHEMA SCROLL SECOND SECTION SELECT SESSION SET SIZE SMALLINT SOME SQL SUM TABLE TEMPORARY THEN TIME
TIMESTAMP TO TOP TRAILING TRANSACTION TRUE UNION UNIQUE UNKNOWN UPDATE UPPER USAGE USER USING VALUE VALUES VIEW WHEN
WHERE WITH WORK WRITE YEAR ZONE
"""
RESERVED = set(WORDS.split())
COLUMNS = [(table.name, column) for table in tables().values() for column in table.columns]


def test_all_that_was_promised_is_there():
    promised = (
        "revisions transients hosts files photometry sed sfh apertures stages annotations flags collections members"
    )
    assert {*promised.split(), "metrics"} <= set(tables())


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda each: getattr(each, "name", each))
def test_a_column_is_described(table, column):
    from astropy import units
    from astropy.io.votable.ucd import parse_ucd

    assert column.about
    assert parse_ucd(column.ucd, check_controlled_vocabulary=True)
    if column.unit:
        units.Unit(column.unit, format="vounit")
    assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
    assert column.name.upper() not in RESERVED
    assert table.upper() not in RESERVED


def test_keys_are_columns():
    for table in tables().values():
        assert table.key
        assert all(table.column(name) for name in table.key)


def test_the_votable_of_a_table_is_one():
    import io

    from astropy.io import votable as reader

    for table in tables().values():
        read = reader.parse(io.BytesIO(votable(table).encode()), verify="exception").get_first_table()
        assert [field.name for field in read.fields] == [column.name for column in table.columns]
        assert [str(field.unit or "") for field in read.fields if field.name == "flux"] in ([], ["uJy"])


def test_the_documentation_lists_the_tables():
    from pathlib import Path

    from blastgit.index.describe import markdown

    page = Path(__file__).parents[2] / "docs/index.md"
    assert page.read_text("utf-8").rstrip().endswith(markdown().rstrip()), "run `blastgit index --tables --markdown`"
