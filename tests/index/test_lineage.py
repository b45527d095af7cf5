"""The meaning of a result's column follows from what it is computed from, never from its name."""

import pytest
from astropy import units
from astropy.io.votable.ucd import parse_ucd

from blastgit import DataRepo

FLUX = ("uJy", "phot.flux.density")
NONE = ("", "")


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    from blastgit.repository.init import init

    folder = tmp_path_factory.mktemp("empty")
    init(folder / "repo", simulated=True)
    with DataRepo(folder / "repo").index.open() as index:
        yield index


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT flux FROM photometry", [FLUX]),
        ("SELECT flux AS f, p.flux AS magnitude FROM photometry p", [FLUX, FLUX]),
        ("SELECT log10(flux) AS flux FROM photometry", [NONE]),
        ("SELECT count(*) AS flux FROM photometry", [("", "meta.number")]),
        ("SELECT flux / flux_error AS flux_error FROM photometry", [NONE]),
        ("SELECT 1.5 AS ra_deg, 'x' AS host, NULL AS redshift", [NONE] * 3),
        ("SELECT flux * 1000 AS flux, flux + 1 AS flux_error FROM photometry", [NONE, NONE]),
        ("SELECT ra_deg AS dec_deg, dec_deg AS ra_deg FROM transients",
         [("deg", "pos.eq.ra;meta.main"), ("deg", "pos.eq.dec;meta.main")]),
        ("SELECT max(flux), min(flux) AS m, avg(magnitude) AS flux, median(flux), stddev(flux) FROM photometry",
         [("uJy", "phot.flux.density;stat.max"), ("uJy", "phot.flux.density;stat.min"), ("mag", "phot.mag;stat.mean"),
          ("uJy", "phot.flux.density;stat.median"), ("uJy", "phot.flux.density;stat.stdev")]),
        ("SELECT max(ra_deg) AS a FROM transients", [("deg", "pos.eq.ra;stat.max")]),
        ("SELECT -flux AS flux, abs(flux) AS a, round(flux, 1) AS b FROM photometry", [("uJy", "")] * 3),
        ("SELECT flux - flux_error AS low, flux - magnitude AS odd FROM photometry", [("uJy", ""), NONE]),
        ("SELECT flux::DOUBLE AS a, CAST(flux AS VARCHAR) AS flux FROM photometry", [FLUX, NONE]),
        ("SELECT coalesce(a.flux, b.flux) AS f, coalesce(a.flux, 0) AS flux FROM photometry a, photometry b",
         [FLUX, NONE]),
        ("SELECT CASE WHEN true THEN flux ELSE NULL END AS a FROM photometry", [FLUX]),
        ("SELECT CASE WHEN true THEN flux ELSE 0 END AS flux FROM photometry", [NONE]),
        ("SELECT f FROM (SELECT flux AS f FROM photometry)", [FLUX]),
        ("SELECT flux FROM (SELECT magnitude AS flux FROM photometry)", [("mag", "phot.mag")]),
        ("WITH a AS (SELECT magnitude AS flux FROM photometry), b AS (SELECT flux AS x FROM a) SELECT x AS flux FROM b",
         [("mag", "phot.mag")]),
        ("WITH photometry AS (SELECT 1 AS flux) SELECT flux FROM photometry", [NONE]),
        ("WITH t(flux) AS (SELECT magnitude FROM photometry) SELECT * FROM t", [("mag", "phot.mag")]),
        ("SELECT flux FROM photometry UNION SELECT flux FROM photometry", [FLUX]),
        ("SELECT flux FROM photometry UNION ALL SELECT magnitude FROM photometry", [NONE]),
        ("SELECT flux FROM photometry UNION ALL SELECT 1", [NONE]),
        ("SELECT max(flux) OVER (PARTITION BY filter) AS m, row_number() OVER () AS flux FROM photometry",
         [("uJy", "phot.flux.density;stat.max"), NONE]),
        ("SELECT arg_max(flux, magnitude) AS a, any_value(flux) AS b, first(flux) AS c FROM photometry", [FLUX] * 3),
        ("SELECT quantile_cont(flux, 0.9) AS q, sum(bytes) AS s FROM photometry, files", [("uJy", ""), ("byte", "")]),
        ("SELECT (SELECT max(flux) FROM photometry) AS m", [("uJy", "phot.flux.density;stat.max")]),
        ("SELECT (SELECT max(t.ra_deg) FROM photometry) AS m FROM transients t", [("deg", "pos.eq.ra;stat.max")]),
        ("SELECT r.redshift AS a, h.redshift AS b FROM revisions r JOIN hosts h USING (transient, revision)",
         [("", "src.redshift")] * 2),
        ("SELECT transient AS t FROM revisions JOIN hosts USING (transient, revision)", [("", "meta.id;meta.main")]),
        ("SELECT flux AS f, f AS g, f + 1 AS flux FROM photometry", [FLUX, FLUX, NONE]),
        ("FROM photometry SELECT flux AS f", [FLUX]),
        ("SELECT main.photometry.flux FROM main.photometry", [FLUX]),
        ("SELECT flux FROM blast.main.photometry", [FLUX]),
        ("SELECT flux FROM (VALUES (1.0)) AS t(flux)", [NONE]),
        ("SELECT range AS flux FROM range(3)", [NONE]),
        ("SELECT greatest(flux, flux_error) AS f FROM photometry", [("uJy", "")]),
        ("SELECT count(*) FILTER (WHERE flux > 1) AS flux FROM photometry", [("", "meta.number")]),
        ("SELECT concat(filter, 'x') AS filter FROM photometry", [NONE]),
        ("SELECT flux > 1 AS flux FROM photometry", [NONE]),
        ("SELECT DISTINCT flux AS f FROM photometry ORDER BY magnitude LIMIT 3", [FLUX]),
        ("SELECT [flux] AS flux, {'a': flux} AS b FROM photometry", [NONE, NONE]),
        ("SELECT unnest([1.0]) AS flux", [NONE]),
        ("SELECT p.flux FROM photometry p SEMI JOIN transients USING (transient)", [FLUX]),
        ("SELECT q.f FROM transients t, LATERAL (SELECT flux AS f FROM photometry) q", [FLUX]),
        ("-- a comment\nSELECT flux AS f FROM photometry", [FLUX]),
    ],
)  # fmt: skip
def test_units_and_ucds(db, sql, expected):
    found = db.query(sql).columns
    assert [(each.unit, each.ucd) for each in found] == expected
    for each in found:
        assert not each.ucd or parse_ucd(each.ucd, check_controlled_vocabulary=True)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM photometry",
        "SELECT p.* FROM photometry AS p",
        "SELECT * EXCLUDE (flux) FROM photometry",
        "SELECT * RENAME (flux AS f) FROM photometry",
        "SELECT * REPLACE (magnitude AS flux) FROM photometry",
        "SELECT * FROM revisions JOIN hosts USING (transient, revision)",
        "SELECT * FROM transients NATURAL JOIN aliases",
        "SELECT * FROM photometry p, sed s WHERE p.transient = s.transient",
        "SELECT * FROM photometry LEFT JOIN filters USING (filter)",
        "SELECT * FROM photometry ANTI JOIN transients USING (transient)",
        "SELECT count(*), p.* FROM photometry p GROUP BY ALL",
    ],
)
def test_a_star_has_what_its_columns_have(db, sql):
    known = {}
    for table in db_tables().values():
        for column in table.columns:
            known.setdefault(column.name, set()).add((column.unit, column.ucd))
    known["f"], renamed = known["flux"], "REPLACE" in sql
    for each in db.query(sql).columns:
        if each.name == "count_star()":
            continue
        of = "magnitude" if renamed and each.name == "flux" else each.name.removesuffix("_1")
        assert each.name.endswith("_1") or (each.unit, each.ucd) in known[of], each


def db_tables():
    from blastgit.index.tables import tables

    return tables()


@pytest.mark.parametrize(
    ("adql", "expected"),
    [
        ("SELECT flux AS f, LOG10(flux) AS flux, flux/flux_error AS flux_error FROM blastgit.photometry",
         [FLUX, NONE, NONE]),
        ("SELECT COUNT(*) AS flux, AVG(flux) AS f FROM blastgit.photometry",
         [("", "meta.number"), ("uJy", "phot.flux.density;stat.mean")]),
        ("SELECT TOP 3 AVG(flux) AS a, MAX(p.flux) AS b FROM photometry AS p",
         [("uJy", "phot.flux.density;stat.mean"), ("uJy", "phot.flux.density;stat.max")]),
        ("SELECT IN_UNIT(flux, 'mJy') AS f FROM photometry", [("mJy", "phot.flux.density")]),
        ("SELECT IN_UNIT(f, 'mJy') AS g FROM (SELECT flux AS f FROM photometry) AS t", [("mJy", "phot.flux.density")]),
        ("SELECT DISTANCE(ra_deg, dec_deg, 1, 2) AS flux FROM transients", [("deg", "pos.angDistance")]),
        ("SELECT 1.5 AS ra_deg, ABS(-dec_deg) AS ra FROM hosts", [NONE, ("deg", "")]),
    ],
)  # fmt: skip
def test_of_adql(db, adql, expected):
    found = db.adql(adql).columns
    assert [(each.unit, each.ucd) for each in found] == expected
    for each in found:
        if each.unit:
            units.Unit(each.unit, format="vounit")


def test_in_unit_goes_by_what_a_column_is(db):
    from blastgit.errors import InvalidQuery

    with pytest.raises(InvalidQuery, match="mag cannot be turned into 'mJy'"):
        db.adql("SELECT IN_UNIT(flux, 'mJy') FROM (SELECT magnitude AS flux FROM photometry) AS t")
    with pytest.raises(InvalidQuery, match="takes a column that has a unit"):
        db.adql("SELECT IN_UNIT(flux, 'mJy') FROM (SELECT 2 AS flux FROM photometry) AS t")


def test_the_parser_is_not_loaded_for_those_who_print_numbers(db, monkeypatch):
    def load(*_):
        raise AssertionError("loaded")

    monkeypatch.setattr("blastgit.index.open_index._by_lineage", load)
    result = db.query("SELECT flux FROM photometry")
    assert (result.to_json(), len(result.columns)) == ([], 1)
