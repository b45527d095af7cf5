"""Finding: each criterion by itself, all of them together, and invalid criteria."""

import io
import json
import sys

import pytest

from blastgit import DataRepo
from blastgit.errors import InvalidInput, InvalidName, InvalidQuery, NotFound, RepoError, UsageError
from blastgit.search.find import Criteria

LATEST = ["2026aa@2", "2026ab@0", "2026ac@0", "2026ad@0", "2026ae@0", "2026af@0", "2026ag@0"]


def test_without_criteria_the_latest_of_all(names):
    assert names() == LATEST
    assert names(all_revisions=True)[:3] == ["2026aa@0", "2026aa@1", "2026aa@2"]


@pytest.mark.parametrize(
    ("cone", "found"),
    [
        ((150.0, 2.0, "1arcsec"), ["2026aa@2"]),
        ((150.0, 2.0, "3.61arcsec"), ["2026aa@2", "2026ab@0"]),
        ((150.001, 2.0, 0.01), ["2026ab@0", "2026aa@2"]),
        ((359.99990, -30.0, "5arcsec"), ["2026ad@0", "2026ac@0"]),
        ((0.0, -30.0, "1.0arcsec"), []),
        ((100.0, 90.0, "1.9arcsec"), ["2026ae@0", "2026af@0"]),
        ((10.0, 89.9995, "3.61arcsec"), ["2026ae@0", "2026af@0"]),
        ((10.0, 89.9995, "3.59arcsec"), ["2026ae@0"]),
        ((300.0, -90.0, "1mas"), ["2026ag@0"]),
        (("10:00:00", "+02:00:00", "30arcsec"), ["2026aa@2", "2026ab@0"]),
        (("10h00m00s", "2d00m00s", "1arcsec"), ["2026aa@2"]),
        ((0.0, 0.0, 180.0), None),
    ],
)
def test_cones(names, cone, found):
    assert names(cone=cone) == (found if found is not None else names(cone=(0.0, 0.0, "180deg")))
    assert found is not None or len(names(cone=cone)) == 7


def test_the_separation_is_a_column_and_the_order(sky):
    result = sky.find(cone=(359.9999, -30.0, "1arcmin"))
    column = result.columns[-1]
    assert (column.name, column.unit, column.ucd) == ("separation_arcsec", "arcsec", "pos.angDistance")
    assert [row[-1] for row in result] == pytest.approx([1.24708, 1.87061], abs=1e-4)


def test_a_separation_is_exact_where_it_is_small(sky):
    (row,) = sky.find(cone=(150.0, 2.0 + 1e-9, "1arcsec"))
    assert row[-1] == pytest.approx(3.6e-6, rel=1e-5)


@pytest.mark.parametrize(
    ("region", "found"),
    [
        ("POLYGON ICRS 149.9 1.9 150.1 1.9 150.1 2.1 149.9 2.1", ["2026aa@2", "2026ab@0"]),
        ("POLYGON ICRS 359.99 -30.01 0.01 -30.01 0.01 -29.99 359.99 -29.99", ["2026ac@0", "2026ad@0"]),
    ],
)
def test_regions(names, region, found):
    assert names(region=region) == found


def test_regions_of_cells(sky, names, process, tmp_path):
    with sky.index.open() as index:
        cells = dict(index.query("SELECT transient, healpix FROM transients").rows)
    order6 = {name: cell >> 46 for name, cell in cells.items()}
    assert names(region=f"6/{order6['2026ag']}") == ["2026ag@0"]
    assert names(region=f"29/{cells['2026aa']},{cells['2026ab']}") == ["2026aa@2", "2026ab@0"]
    many = " ".join(f"29/{cells['2026ad'] + 2 * step}" for step in range(-500, 500))
    assert names(region=many) == ["2026ad@0"]
    (tmp_path / "region.txt").write_text(many)
    for given in (many, tmp_path / "region.txt"):
        assert process("-C", sky.path, "find", "--region", given, "--names").stdout == "2026ad@0\n"


def test_time(names, sky):
    assert names(at="2026-05-31", name="2026aa") == ["2026aa@0"]
    assert names(at="2026-06-01", name="2026aa") == ["2026aa@1"]
    assert names(at="2026-06-01T11:59:59Z", name="2026aa") == ["2026aa@0"]
    assert names(at="2026-04-30") == []
    assert names(since="2026-06-01") == ["2026aa@2"]
    assert names(since="2026-06-01", all_revisions=True) == ["2026aa@1", "2026aa@2"]
    assert names(since="2026-05-02", at="2026-06-30") == ["2026aa@1"]
    repo_says = sky.show("2026aa@2026-06-15")
    assert names(at="2026-06-15", name="2026aa") == [repo_says.revision]


def test_names_and_aliases(names):
    assert names(name="2026A[AB]") == ["2026aa@2", "2026ab@0"]
    assert names(alias="ztf26ac") == ["2026ac@0"]
    assert names(alias="*26a?", limit=2) == ["2026aa@2", "2026ab@0"]
    assert names(alias="nothing") == []


def test_a_list_made_elsewhere(names):
    assert names(among=("2026ab", "ztf26AD")) == ["2026ab@0", "2026ad@0"]
    assert names(among=("2026aa@0", "2026ab")) == ["2026aa@0", "2026ab@0"]
    assert names(among=("2026aa@0", "2026aa@1"), all_revisions=True) == ["2026aa@0", "2026aa@1"]
    assert names(among=("2026ab", "2026ac"), flags="!bad") == ["2026ac@0"]
    assert names(among=()) == []


def test_redshift(names):
    assert names(redshift="..0.2") == ["2026aa@2", "2026ab@0"]
    assert names(redshift="0.55..") == ["2026af@0", "2026ag@0"]
    assert names(redshift=(0.25, 0.45)) == ["2026ac@0", "2026ad@0"]
    assert names(redshift="0.25..0.45") == ["2026ac@0", "2026ad@0"]


def test_any_column(names):
    assert names(where="redshift > 0.55") == ["2026af@0", "2026ag@0"]
    assert names(where="redshift > 0.55 OR transient = '2026aa' -- or so") == ["2026aa@2", "2026af@0", "2026ag@0"]
    assert len(names(where="hosts.redshift IS NOT NULL")) == 7
    assert names(where="sed_global.log_mass_50 > 100 OR sed_local.log_mass_50 > 100") == []
    assert len(names(where="sed_global.log_mass_50 > 0 AND sed_local.log_mass_50 > 0")) == 7
    assert names(where="metrics['seeing'] < 1") == ["2026ad@0"]
    assert names(where="transient IN (SELECT transient FROM members WHERE collection = 'sample')") == [
        "2026aa@2", "2026ad@0",
    ]  # fmt: skip


def test_a_condition_stays_by_itself(names):
    assert names(name="2026aa", where="false OR true") == ["2026aa@2"]
    assert names(where="false", name="2026aa") == []


def test_flags_wherever_they_stand(names):
    assert names(flags="bad") == ["2026ab@0"]
    assert names(flags=("!bad", "!suspect", "!unusable")) == ["2026aa@2", "2026ad@0", "2026af@0", "2026ag@0"]
    assert names(flags="suspect") == ["2026ac@0"]
    assert names(flags="unusable") == ["2026ae@0"]
    assert names(flags=("bad", "suspect")) == []
    assert names(flags="disputed") == []


def test_flags_where_nobody_said_anything(library):
    assert DataRepo(library).find(flags="!bad", tags="!x").names == ["2026dgt@1"]
    assert DataRepo(library).find(flags="bad").names == []
    assert DataRepo(library).find(tags="x").names == []


def test_tags(names):
    assert names(tags="lens") == ["2026ac@0"]
    assert names(tags="golden") == []  # it is the revision before that has it
    assert names(tags="golden", all_revisions=True) == ["2026aa@1"]
    assert "2026ac@0" not in names(tags="!lens")
    assert names(tags="len") == []


def test_collections_runs_and_versions(names):
    assert names(collection="sample") == ["2026aa@1", "2026ad@0"]
    assert names(run="night-1") == ["2026aa@0", "2026ab@0"]
    assert names(app_version="v1.12.0", name="2026aa") == ["2026aa@0"]
    assert names(app_version="1.13.1") == ["2026aa@1"]
    assert names(app_version="v1.13.0") == ["2026aa@0"]  # it found the values of that one again
    assert names(collection="sample", at="2026-05-02") == ["2026ad@0"]


def test_failed_stages(names):
    assert names(failed="Host match") == ["2026aa@2"]
    assert names(failed="host-match") == ["2026aa@2"]
    assert names(failed="any") == ["2026aa@2"]
    assert names(failed="Host match", at="2026-06-30") == []


def test_what_changed(names):
    assert names(changed="sed", all_revisions=True) == ["2026aa@1"]
    assert names(changed="sed/global", at="2026-06-15") == ["2026aa@1"]
    assert names(changed="stages") == ["2026aa@2"]
    assert names(changed="photometry", all_revisions=True) == []
    assert names(changed="*.h5", all_revisions=True) == ["2026aa@1"]


def test_all_together(names):
    given = {"cone": (150, 2, "1arcmin"), "redshift": "..0.5", "where": "files > 1", "since": "2026-04-01"}
    assert names(**given, flags="!bad") == ["2026aa@2"]
    assert names(**given, run="night-1", name="2026a?") == ["2026aa@0", "2026ab@0"]


def test_columns_know_what_they_are(sky):
    result = sky.find(columns=("dataset", "hosts.redshift", "bytes"), limit=1)
    described = [(each.name, each.unit, each.ucd) for each in result.columns]
    assert described == [
        ("dataset", "", "meta.id"),
        ("hosts_redshift", "", "src.redshift"),
        ("bytes", "byte", "phys.size"),
    ]
    table = pytest.importorskip("astropy.table", reason="astropy is not installed") and result.to_table()
    assert str(table["bytes"].unit) == "byte"
    assert table["dataset"][0] == "2026aa@2"


@pytest.mark.parametrize(
    "where", ["redshift / 0 > 1", "1 // 0 > 1", "revision % 0 = 0", "sqrt(-1) > 1", "ln(-1) > 1", "log10(0) < 1"]
)
def test_what_has_no_value_meets_no_condition(names, where):
    assert names(where=where) == []


def test_a_saved_query(sky, names):
    result = sky.find(query="deep")
    assert [each.name for each in result.columns] == ["transient", "revision", "best_snr"]
    assert len(result) == 7
    assert str(result.answer).startswith("deep@")
    assert result.answer.params == {"snr": 5.0, "filter": "DES_z"}
    assert names(query="deep", params={"snr": "1e9"}) == []
    assert names(query="deep", cone=(150, 2, "1arcmin")) == ["2026aa@2", "2026ab@0"]
    assert names(query="deep", where="saved.best_snr > 1e9") == []
    joined = sky.find(query="deep", name="2026aa")
    assert [each.name for each in joined.columns][-2:] == ["status", "best_snr"]


def test_equal_states_of_the_index_are_told_from_others(sky):
    one, other = sky.find(query="deep"), sky.find(query="deep", params={"snr": 7})
    assert one.answer.index == other.answer.index
    assert one.answer.commit == other.answer.commit
    assert len(one.answer.index) == len("sha256:") + 64


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"cone": (400, 0, 1)}, InvalidInput, "from 0 to 360 degrees, not 400"),
        ({"cone": (0, 91, 1)}, InvalidInput, "from -90 to 90"),
        ({"cone": (0, 0, -1)}, InvalidInput, "from 0 to 180 degrees, not -1"),
        ({"cone": (float("nan"), 0, 1)}, InvalidInput, "not a right ascension"),
        ({"cone": ("x", 0, 1)}, InvalidInput, "'x' is not a right ascension"),
        ({"region": "149 1 151 1"}, InvalidInput, "is not a region: write POLYGON"),
        ({"region": "POLYGON ICRS 1 1 2 2"}, InvalidInput, "three different vertices"),
        ({"region": "POLYGON ICRS 1 1 2 2 3"}, InvalidInput, "5 numbers are none"),
        ({"region": "POLYGON ICRS 1 1 2 2 x 3"}, InvalidInput, "is not a right ascension"),
        ({"region": "CIRCLE 1 1"}, InvalidInput, "three numbers"),
        ({"region": "CIRCLE 400 1 1"}, InvalidInput, "not 400"),
        ({"region": "POLYGON 0 nan 1 1 2 2"}, InvalidInput, "'nan' is not a declination"),
        ({"region": "30/1"}, InvalidInput, "orders 0 to 29"),
        ({"region": "0/12"}, InvalidInput, "not cells"),
        ({"region": "6/5-"}, InvalidInput, "not a cell"),
        ({"region": "6/7-5"}, InvalidInput, "not cells"),
        ({"region": '{"6": "x"}'}, InvalidInput, "not a MOC"),
        ({"region": ""}, InvalidInput, "is not a region"),
        ({"redshift": "high"}, InvalidInput, "not a range of redshifts"),
        ({"redshift": ".."}, InvalidInput, "not a range of redshifts"),
        ({"redshift": "nan..1"}, InvalidInput, "nan is not a redshift"),
        ({"redshift": (2, 1)}, InvalidInput, "from the least to the greatest"),
        ({"at": "yesterday"}, InvalidName, "not a date"),
        ({"since": "2026-13-01"}, InvalidName, "2026-13-01"),
        ({"at": "7"}, InvalidName, "not a date"),
        ({"where": "redshft > 1"}, InvalidQuery, "no column 'redshft'; did you mean redshift"),
        ({"where": "hosts.redshft > 1"}, InvalidQuery, "did you mean"),
        ({"where": "1) OR (1"}, InvalidQuery, "not one condition"),
        ({"where": "true; DROP TABLE revisions"}, InvalidQuery, "not one condition"),
        ({"where": "true GROUP BY 1"}, InvalidQuery, "not one condition"),
        ({"where": "true, false"}, InvalidQuery, "not one condition"),
        ({"where": "true /* "}, InvalidQuery, "not one condition"),
        ({"where": "true AS x"}, InvalidQuery, "cannot be asked"),
        ({"where": "true UNION SELECT 1"}, InvalidQuery, "not one condition"),
        ({"where": "transient"}, InvalidQuery, "' is not a truth value"),
        ({"where": "transient::int > 1"}, InvalidQuery, "' is not a number; TRY_CAST"),
        ({"where": "export_time > '2026-13-45'"}, InvalidQuery, "cannot be asked: '2026-13-45' is not a time"),
        ({"where": "regexp_matches(transient, '(')"}, InvalidQuery, "a regular expression cannot be read"),
        ({"where": "$x = 1"}, InvalidQuery, "cannot be asked"),
        ({"where": "? = 1"}, InvalidQuery, "cannot be asked"),
        ({"where": ""}, InvalidQuery, "not one condition"),
        ({"where": "'\ud800' = ''"}, InvalidQuery, "not one condition"),
        ({"where": "1 = 1" + " AND 1 = 1" * 9000}, InvalidQuery, "more than the 20,000 allowed"),
        ({"where": "EXISTS (SELECT * FROM read_text('/etc/passwd'))"}, InvalidQuery, "cannot be asked"),
        ({"columns": ("nope",)}, InvalidQuery, "no column 'nope'"),
        ({"columns": ("1; DROP TABLE x",)}, InvalidQuery, "no column"),
        ({"collection": "sampel"}, NotFound, "no collection 'sampel'; did you mean sample"),
        ({"run": "night-2"}, NotFound, "no run 'night-2'; did you mean night-1"),
        ({"app_version": "v9"}, NotFound, "there is v1.12.0, v1.13.0"),
        ({"failed": "Host mach"}, NotFound, "did you mean Host match"),
        ({"flags": "!awful"}, InvalidInput, "no flag 'awful' in this data repo: good, suspect"),
        ({"changed": "sde"}, UsageError, "did you mean sed"),
        ({"query": "deeep"}, NotFound, "did you mean deep"),
        ({"query": "../x"}, NotFound, "no saved query"),
        ({"query": "deep", "params": {"snt": 1}}, UsageError, "it has snr, filter"),
        ({"query": "deep", "params": {"snr": "many"}}, InvalidInput, "snr should be a number, not 'many'"),
        ({"query": "deep", "params": {"snr": "nan"}}, InvalidInput, "should be a number"),
        ({"params": {"snr": 1}}, UsageError, "name one"),
        ({"among": ("2026zz",)}, NotFound, "there is no transient 2026zz"),
        ({"among": ("2026aa@9",)}, NotFound, "no revision 9"),
        ({"among": ("x y",)}, InvalidName, "x y"),
        ({"limit": 0}, UsageError, "1 or more"),
        ({"colour": "red"}, UsageError, "no criterion 'colour'"),
    ],
)  # fmt: skip
def test_what_makes_no_sense(sky, given, error, said):
    with pytest.raises(error) as caught:
        sky.find(**given)
    assert said in str(caught.value)


def test_criteria_as_an_object(sky):
    assert sky.find(Criteria(name="2026aa")).names == ["2026aa@2"]
    with pytest.raises(UsageError, match="not both"):
        sky.find(Criteria(), name="x")


def test_an_index_that_is_open_already(sky):
    with sky.index.open() as index:
        assert sky.find(name="2026aa", index=index).names == ["2026aa@2"]


def test_values_are_no_sql(names):
    for evil in ("' OR 1=1 --", "$_0", "?", "a' || 'b"):
        assert names(name=evil) == []
        assert names(tags=evil) == []
    with pytest.raises(NotFound):
        names(collection="' OR ''='")


# On the command line.


def test_formats(sky, process):
    base = ("-C", sky.path, "find", "--cone", "10:00:00", "+02:00:00", "1arcmin")
    assert process(*base, "--names").stdout == "2026aa@2\n2026ab@0\n"
    rows = json.loads(process(*base, "--json").stdout)
    assert [row["transient"] for row in rows] == ["2026aa", "2026ab"]
    assert len(process(*base).stdout.splitlines()) == 3
    astropy_table = pytest.importorskip("astropy.table", reason="astropy is not installed").Table
    read = astropy_table.read(process(*base, "--format", "ecsv").stdout, format="ascii.ecsv")
    assert str(read["separation_arcsec"].unit) == "arcsec"
    document = process(*base, "--format", "votable").stdout
    assert len(astropy_table.read(io.BytesIO(document.encode()), format="votable")) == 2


def test_a_negative_declination_is_no_option(sky, process):
    done = process("-C", sky.path, "find", "--cone", "00:00:00", "-30:00:00", "5arcsec", "--names")
    assert (done.returncode, done.stdout) == (0, "2026ac@0\n2026ad@0\n")
    done = process("-C", sky.path, "find", "--cone", "0", "-30", "-5arcsec")
    assert done.returncode == 4
    assert "a radius is from 0 to 180 degrees, not -0.00138889" in done.stderr


def test_nothing_fits(sky, process):
    done = process("-C", sky.path, "find", "--name", "x*")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "blastgit: nothing matches\n")
    assert process("-C", sky.path, "find", "--name", "x*", "--exit-code").returncode == 1
    assert process("-C", sky.path, "find", "--exit-code", "--names").returncode == 0
    for form, wanted in (("json", "[]\n"), ("names", ""), ("tsv", "dataset\tredshift\n")):
        done = process("-C", sky.path, "find", "--name", "x*", "--columns", "dataset,redshift", "--format", form)
        assert (done.returncode, done.stdout, done.stderr) == (0, wanted, "blastgit: nothing matches\n")


def test_a_saved_query_on_the_command_line(sky, process):
    done = process("-C", sky.path, "find", "--query", "deep", "--param", "snr=1", "--flag", "!bad", "--names")
    assert done.stdout == "".join(f"{name}\n" for name in LATEST if name != "2026ab@0")
    assert done.stderr.startswith("blastgit: deep@")
    assert "snr=1.0" in done.stderr


def test_a_list_from_a_query_that_names_transients(library, process):
    DataRepo(library).queries.add("just_names", "SELECT transient FROM transients", "a test")
    assert process("-C", library, "find", "--query", "just_names", "--names").stdout == "2026dgt@1\n"
    DataRepo(library).queries.remove("just_names", "a test")


def test_what_needs_the_extra_says_so(library, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(RepoError, match=r"pip install 'blastgit\[index\]'"):
        DataRepo(library).find()


def test_a_repo_elsewhere(sky):
    elsewhere = DataRepo(f"file://{sky.path}")
    assert elsewhere.find(query="deep", name="2026aa").names == ["2026aa@2"]
    assert "deep" in elsewhere.queries


def test_too_many_rows(sky, process):
    done = process("-C", sky.path, "find", "--rows", "2", "--format", "votable")
    assert '<INFO name="QUERY_STATUS" value="OVERFLOW"/>' in done.stdout
    assert "more rows than 2" in done.stderr


def test_a_list_is_what_other_verbs_take(sky, process, tmp_path):
    listed = process("-C", sky.path, "find", "--redshift", "..0.2", "--names").stdout
    made = process("-C", sky.path, "subset", tmp_path / "part", "--from", "-", stdin=listed)
    assert made.returncode == 0, made.stderr
    assert [each.name for each in DataRepo(tmp_path / "part").list()] == ["2026aa", "2026ab"]
    part = ("-C", tmp_path / "part")
    assert process(*part, "collection", "create", "near", "--type", "tagged", "-m", "a test").returncode == 0
    added = process(*part, "collection", "add", "near", "--from", "-", "-m", "a test", stdin=listed)
    assert added.returncode == 0, added.stderr
    assert process(*part, "collection", "members", "near").stdout == listed
    assert process(*part, "find", "--in", "near", "--names").stdout == listed
    assert (
        process(*part, "get", "2026aa@2", tmp_path / "x").returncode == 13
    )  # a stage of it failed: that is told here, too
    got = process(*part, "get", "--from", "-", tmp_path / "got", stdin=f"{listed}# and no more\n")
    assert got.returncode == 13
    assert "2026ab@0: " in got.stdout
    assert "2026aa@2: " in got.stderr
    assert (tmp_path / "got/2026ab@0/2026ab.json").is_file()
    assert "nothing to get" in process(*part, "get", "--from", "-", stdin="# none\n").stderr
    assert process(*part, "find", "--list", "-", "--names", stdin="2026ab\n\n").stdout == "2026ab@0\n"


def test_a_saved_query_becomes_a_table(sky):
    pytest.importorskip("astropy", reason="astropy is not installed")
    result = sky.query("deep", snr=1.0).to_table()
    assert len(result) == 7
    assert result.meta["identity"].startswith("deep@")
    assert result.meta["params"] == {"snr": 1.0, "filter": "DES_z"}
    assert result.colnames == ["transient", "revision", "best_snr"]
    with pytest.raises(UsageError, match="no parameter 'depth'"):
        sky.query("deep", depth=3)
    with pytest.raises(NotFound, match="no saved query '2026aa'"):
        sky.query("2026aa", snr=3)
