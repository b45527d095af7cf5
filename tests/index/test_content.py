"""The tables have the same content as the documents."""

import math
from datetime import datetime

import pytest

from blastgit import DataRepo, demo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.index.changes import RevisionRows, changes
from blastgit.index.extract import Document
from blastgit.index.tables import tables
from blastgit.recording import decide
from blastgit.repository.history import History
from blastgit.revision.compare import compare
from blastgit.revision.normalise import normalise
from blastgit.revision.rules import default_rules

pytestmark = pytest.mark.slow

KEYED = {  # table of the index -> table of the natural form, columns of its key, columns that are compared
    "photometry": ("photometry", ("name", "filter"), ("flux", "flux_error", "magnitude", "is_validated")),
    "sed": ("sed", ("aperture",), ("log_mass_16", "log_mass_84", "age_50", "dust2_50", "mass_surviving_ratio")),
    "sfh": ("sfh", ("aperture", "logsfr_tmin"), ("logsfr_tmax", "logsfr_16", "logsfr_50")),
    "apertures": ("apertures", ("name",), ("ra_deg", "orientation_deg", "semi_major_axis_arcsec")),
}


def natural(revision, rules):
    from blastgit.revision.normalise import normalise

    return normalise(revision.dr.export, rules).tables


def test_rows_are_those_of_the_documents(library, ask):
    repository = DataRepo(library).session.repository
    for revision in History(repository).revisions("2026dgt"):
        tables = natural(revision, repository.rules)
        for table, (name, key, columns) in KEYED.items():
            found = ask(
                library, f"SELECT {', '.join(key + columns)} FROM {table} WHERE transient = ? AND revision = ?",
                "2026dgt", revision.number,
            )  # fmt: skip
            expected = [(*row.key[: len(key)], *(row.values.get(column) for column in columns)) for row in tables[name]]
            assert sorted(map(repr, found)) == sorted(map(repr, expected)), table


def test_a_transient_is_its_latest_revision(library, ask):
    [row] = ask(library, "SELECT dataset, revision, is_latest, app_version, files FROM transients")
    assert row == ("2026dgt@1", 1, True, "v1.13.1", 15)
    assert ask(library, "SELECT count(DISTINCT revision) FROM photometry") == [(2,)]
    assert ask(library, "SELECT DISTINCT revision FROM photometry WHERE is_latest") == [(1,)]


def test_files_have_their_checksums_sizes_and_kinds(library, ask):
    revision = History(DataRepo(library).session.repository).revisions("2026dgt")[1]
    rows = ask(library, "SELECT path, sha256, md5, bytes FROM files WHERE is_latest ORDER BY path")
    assert rows == [
        (path, revision.sha256(path), pointer.md5, pointer.size) for path, pointer in sorted(revision.pointers.items())
    ]
    kinds = dict(ask(library, "SELECT kind, count(*) FROM files WHERE is_latest GROUP BY kind"))
    assert set(kinds) == {
        "cutout", "thumbnail", "sed_posterior", "sed_chain", "sed_percentiles", "sed_model"
    }  # fmt: skip
    assert ask(library, "SELECT filter, survey FROM files WHERE path LIKE '%DES_z.fits' AND is_latest") == [
        ("DES_z", "DES")
    ]


def test_what_changed_is_a_table(library, ask):
    found = {what for (what,) in ask(library, "SELECT what FROM changes WHERE revision = 1")}
    assert {"cutout_cdn/DES/DES_z.fits", "photometry/global", "sed/global"} <= found
    assert not {"host", "transient", "apertures", "stages", "cutout_cdn/DES/DES_g.fits"} & found
    assert ask(library, "SELECT * FROM changes WHERE revision = 0") == []


@pytest.mark.parametrize(
    ("table", "field", "shift", "is_change"),
    [
        ("transient", "ra_deg", 1.5e-10, True),  # less than 1e-12 of it, and more than an angle may differ by
        ("transient", "ra_deg", 3e-11, False),
        ("host", "dec_deg", 1.5e-10, True),
        ("host", "redshift", 1e-14, False),
    ],
)
def test_positions_are_compared_as_the_rules_say(as_export, table, field, shift, is_change):
    """One rule decides whether there is a new revision, and what the table `changes` says of it."""
    old = demo.small("2026dgt")
    old.export[table]["fields"][field] = value = {"redshift": 0.1}.get(field, 299.5)
    new = demo.small("2026dgt")
    new.export[table]["fields"][field] = value + shift
    rules = default_rules()
    states = [
        RevisionRows(document.transient(), "complete", {**document.tables(), "files": [], "stages": []}, [])
        for document in (Document(each.export) for each in (old, new))
    ]
    assert list(changes(*states, rules)) == ([table] if is_change else [])
    natural = [normalise(as_export(each.export), rules) for each in (old, new)]
    assert bool(compare(*natural, rules)) is is_change


def test_a_reproduction_is_told_of_its_revision(library, ask):
    query = "SELECT transient, revision, is_latest, app_version, export_time::VARCHAR FROM reproductions"
    assert ask(library, query) == [("2026dgt", 0, False, "v1.13.1", "2026-06-02 09:00:00")]


def test_reproductions_come_with_updates(repo, record, states, ask, dump):
    counts = []
    for state in states:
        record(repo, state)
        counts += ask(repo, "SELECT count(*), count(*) FILTER (is_latest) FROM reproductions")
    assert counts == [(0, 0), (1, 1), (1, 0)]
    assert dump(repo) == dump(repo, anew=True)


def test_the_reproduction_is_no_revision(library, ask):
    assert ask(library, "SELECT revision FROM revisions ORDER BY 1") == [(0,), (1,)]


def test_times_are_in_utc(library, ask):
    [(when, recorded)] = ask(library, "SELECT export_time, recorded_time FROM transients")
    assert when == datetime.fromisoformat("2026-06-03T10:00:00")
    assert recorded == datetime.fromisoformat("2026-07-01T12:00:00")


def test_stages_that_failed(repo, record, sample, ask):
    record(repo, demo.fail_stage(sample, "Host match"))
    rows = dict(ask(repo, "SELECT stage, state FROM stages"))
    assert rows["Host match"] == "failed"
    assert rows["Cutout download"] == "ok"
    assert "blocked" in rows.values()
    assert ask(repo, "SELECT because FROM stages WHERE state = 'blocked' LIMIT 1") == [("Host match",)]
    assert ask(repo, "SELECT is_complete FROM revisions") == [(False,)]


def test_no_host(repo, record, sample, ask):
    record(repo, demo.without_host(sample))
    record(repo, demo.small("2026abc"))
    assert ask(repo, "SELECT transient FROM hosts") == [("2026abc",)]
    assert ask(repo, "SELECT host FROM transients WHERE transient = '2026dgt'") == [(None,)]


def test_a_nan_is_null_and_told_beside(repo, record, ask):
    sample = demo.small("2026dgt")
    sample.export["transient"]["fields"]["redshift"] = math.nan
    sample.export["host"]["fields"] |= {"redshift": math.nan, "redshift_err": math.inf}
    (aperture,) = [each for each in sample.export["apertures"] if each["fields"]["name"].endswith("_local")]
    aperture["aperturephotometry"][0]["fields"]["flux"] = math.nan
    record(repo, sample)
    assert ask(repo, "SELECT redshift, best_redshift FROM transients") == [(None, None)]
    assert ask(repo, "SELECT redshift, redshift_err FROM hosts") == [(None, math.inf)]
    assert ask(repo, "SELECT count(*) FROM transients WHERE redshift > 0.01 OR redshift < 0.01") == [(0,)]
    assert ask(repo, "SELECT bool_and(isfinite(m)) FROM (SELECT max(flux) FROM photometry UNION ALL "
                     "SELECT avg(flux) FROM photometry) AS t(m)") == [(True,)]  # fmt: skip
    kinds = dict(ask(repo, "SELECT path, kind FROM nonfinite WHERE is_latest"))
    fluxes = [path for path in kinds if path.startswith("photometry/2026dgt_local/") and path.endswith(".flux")]
    assert kinds == {
        "transient.redshift": "NaN", "host.redshift": "NaN", "host.redshift_err": "Infinity", fluxes[0]: "NaN"
    }  # fmt: skip
    assert DataRepo(repo).show(f"2026dgt:{fluxes[0]}").value == "NaN"


@pytest.mark.slow
def test_no_column_of_numbers_has_a_nan(repo, record, ask):
    record(repo, demo.inject_nonfinite(demo.small("2026abc")))
    assert ask(repo, "SELECT count(*) > 0 FROM nonfinite") == [(True,)]
    for table in tables().values():
        for column in table.columns:
            if column.type == "double":
                assert ask(repo, f"SELECT count(*) FROM {table.name} WHERE isnan({column.name})") == [(0,)]


def test_a_value_of_another_type_that_was_published_is_left_out_here(repo, record, ask, monkeypatch):
    monkeypatch.setattr(decide, "check_form", lambda *_: None)  # as before such values were refused
    sample = demo.small("2026dgt")
    sample.export["transient"]["fields"]["redshift"] = "none yet"
    sample.export["transient"]["fields"]["tns_id"] = 2**70
    sample.export["transient"]["fields"]["spectroscopic_class"] = 7
    record(repo, sample)
    assert ask(repo, "SELECT redshift, tns_id, spectroscopic_class FROM transients") == [(None, None, "7")]


def test_aliases(repo, record, sample, ask):
    record(repo, demo.add_alias(sample, "ZTF26abc"))
    assert ("ZTF26abc", "transient") in ask(repo, "SELECT alias, kind FROM aliases")


def test_the_best_redshift_is_blasts(repo, record, sample, ask):
    cases = [(0.1, 0.11, 0.11), (0.1, 0.2, 0.1), (None, 0.2, 0.2), (0.1, None, 0.1)]
    for number, (own, host, best) in enumerate(cases):
        each = demo.small(f"2026a{number}")
        each.export["transient"]["fields"]["redshift"] = own
        each.export["host"]["fields"]["redshift"] = host
        record(repo, each)
        found = ask(repo, "SELECT best_redshift FROM transients WHERE transient = ?", f"2026a{number}")
        assert found == [(best,)]


def test_remarks_flags_and_metrics(history, ask, monkeypatch):
    monkeypatch.setenv("BLASTGIT_USER", "alice")
    notes = DataRepo(history).annotations
    notes.add(["2026dgt@1"], AnnotationBody(comment="a trail", flag="suspect", tags=("sample-a", "night-2")))
    notes.add(["2026dgt@1:photometry/2026dgt_local/DES_z"], AnnotationBody(flag="bad"))
    assert ask(history, "SELECT flag, part FROM flags ORDER BY flag") == [
        ("bad", "photometry/2026dgt_local/DES_z"), ("suspect", None)
    ]  # fmt: skip
    assert ask(history, "SELECT transient, revision, author FROM annotations WHERE tags LIKE '% night-2 %'") == [
        ("2026dgt", 1, "alice")
    ]
    [(first,)] = ask(history, "SELECT id FROM annotations WHERE comment = 'a trail'")
    notes.add(["2026dgt@1"], AnnotationBody(flag="good", supersedes=(first,)))
    assert ask(history, "SELECT flag FROM flags WHERE part IS NULL") == [("good",)]
    states = ask(history, "SELECT state, count(*) FROM annotations GROUP BY 1 ORDER BY 1")
    assert states == [("current", 2), ("superseded", 1)]


@pytest.mark.slow
def test_real_histories(cases, repo, ask):
    for case in sorted((cases / "2010H").iterdir()):
        if (case / "data").is_dir():
            DataRepo(repo).record("2010H", case / "export.json", case / "data")
    assert ask(repo, "SELECT count(*) > 3, count(DISTINCT healpix), bool_and(ra_deg > 0) FROM revisions") == [
        (True, 1, True)
    ]
    [(photometry, sed)] = ask(
        repo, "SELECT (SELECT count(*) FROM photometry WHERE is_latest), (SELECT count(*) FROM sed WHERE is_latest)"
    )
    assert photometry > 20
    assert sed == 2
