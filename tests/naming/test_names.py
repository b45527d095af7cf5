from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastgit.errors import InvalidFiles, InvalidName
from blastgit.naming.names import Spec, check_line, check_transient, fold, lock_name, parse_spec, reference_line
from blastgit.naming.paths import check_new_paths, check_path, check_paths

ALNUM = "abcXYZ019"


@pytest.mark.parametrize("name", ["2026dgt", "2010H", "SN2011fe", "AT_2019-abc", "00", "a-b", "z" * 64, "mainz"])
def test_names_of_transients_are_accepted(name):
    assert check_transient(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "not a transient name"),
        ("a", "two characters or more"),
        ("-ab", "not a transient name"),
        ("ab_", "not a transient name"),
        ("a b", "not a transient name"),
        ("a/b", "not a transient name"),
        ("a.b", "not a transient name"),
        ("ab\n", "not a transient name"),
        ("é2026", "not a transient name"),
        ("\uff12\uff10\uff12\uff16", "not a transient name"),
        ("a" * 65, "at most 64"),
        ("main", "reserved"),
        ("MAIN", "reserved"),
        ("master", "reserved"),
        ("annotations", "reserved"),
        ("release", "reserved"),
        ("HEAD", "reserved"),
        ("FETCH_HEAD", "reserved"),
        ("orig_head", "reserved"),
        ("refs", "reserved"),
        ("a" * 40, "git object id"),
        ("0123456789abcdefABCD" * 2, "git object id"),
        ("f" * 64, "git object id"),
        ("con", "Windows"),
        ("LPT1", "Windows"),
        ("nul", "Windows"),
    ],
)
def test_other_names_are_refused_with_the_rule(name, why):
    with pytest.raises(InvalidName, match=why):
        check_transient(name)


@pytest.mark.parametrize("name", ["DES_z", "2MASS_H", "PanSTARRS_g", "gaia-dr3.1", "u", "1", "sbi+global", "z" * 64])
def test_names_of_references_are_accepted(name):
    assert check_line(f"r/filter/{name}") == reference_line("filter", name) == f"r/filter/{name}"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("r/", "is not a reference"),
        ("r/filter", "cannot be a reference's name"),
        ("r/filter/", "cannot be a reference's name"),
        ("r/Filter/DES_z", "is not a reference"),
        ("r/fil ter/DES_z", "is not a reference"),
        ("r/filter/DES_z/x", "cannot be a reference's name"),
        ("r/filter/..", "cannot be a reference's name"),
        ("r/filter/a..b", "cannot be a reference's name"),
        ("r/filter/a.lock", "cannot be a reference's name"),
        ("r/filter/-a", "cannot be a reference's name"),
        ("r/filter/a~1", "cannot be a reference's name"),
        ("r/filter/" + "a" * 65, "cannot be a reference's name"),
        ("r/filter/aux", "Windows"),
        ("r/filter/Con.v2", "Windows"),
    ],
)
def test_other_names_of_references_are_refused(line, why):
    with pytest.raises(InvalidName, match=why):
        check_line(line)


def test_a_reference_is_named_like_a_transient_with_a_revision_and_a_path():
    assert parse_spec("r/model/sbi-global@2:files/sbi.pt") == Spec("r/model/sbi-global", 2, path="files/sbi.pt")
    assert parse_spec("r/filter/DES_z/1") == Spec("r/filter/DES_z", 1)
    assert parse_spec("r/filter/1") == Spec("r/filter/1")
    assert parse_spec("r/filter/DES_z@latest") == Spec("r/filter/DES_z")


def test_no_reference_shares_its_lock_with_a_transient():
    assert lock_name("r/filter/DES_z") == "r+filter+des_z" != lock_name("DES_z") == lock_name("u/alice/DES_z")


@given(st.from_regex(r"[a-zA-Z0-9]+[a-zA-Z0-9_-]*[a-zA-Z0-9]+", fullmatch=True).filter(lambda name: len(name) <= 64))
def test_the_pattern_is_that_of_blast(name):
    try:
        check_transient(name)
    except InvalidName as error:
        if "not a transient name" in str(error):
            raise


def test_case_does_not_count_in_locks():
    assert fold("2026DGT") == fold("2026dgt")


names = st.text(ALNUM, min_size=2, max_size=20)
paths = st.none() | st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1)
instants = st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year > 999)
specs = st.one_of(
    st.builds(Spec, names, path=paths),
    st.builds(Spec, names, number=st.integers(0, 999_999_999), path=paths),
    st.builds(Spec, names, until=instants, path=paths),
)


@given(specs)
def test_a_spec_is_read_as_it_is_written(spec):
    assert parse_spec(str(spec)) == spec


def test_ways_to_name_a_revision():
    assert parse_spec("2026dgt") == parse_spec("2026dgt@latest") == Spec("2026dgt")
    assert parse_spec("2026dgt@1") == parse_spec("2026dgt/1") == Spec("2026dgt", number=1)
    assert parse_spec("2026dgt@1:host.redshift") == Spec("2026dgt", number=1, path="host.redshift")
    assert parse_spec("2026dgt:cutout_cdn/DES/DES_z.fits").path == "cutout_cdn/DES/DES_z.fits"
    assert parse_spec("2026dgt").is_latest
    assert not parse_spec("2026dgt@0").is_latest


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2026-05-27", datetime(2026, 5, 27, 23, 59, 59, 999999, UTC)),
        ("2026-05-27T10:30", datetime(2026, 5, 27, 10, 30, tzinfo=UTC)),
        ("2026-05-27 10:30:01Z", datetime(2026, 5, 27, 10, 30, 1, tzinfo=UTC)),
        ("2026-05-27T10:30:01.5+02:00", datetime(2026, 5, 27, 8, 30, 1, 500000, UTC)),
        ("2026-05-27T10:30:01-0930", datetime(2026, 5, 27, 20, 0, 1, tzinfo=UTC)),
    ],
)
def test_dates_are_ends_of_days_and_times_are_utc(text, until):
    assert parse_spec(f"2026dgt@{text}").until == until


@pytest.mark.parametrize(
    "text",
    [
        "", "@1", "2026dgt@", "2026dgt@-1", "2026dgt@01", "2026dgt@1.5", "2026dgt@1234567890", "2026dgt@٣", "2026dgt/x",
        "2026dgt@2026-13-01", "2026dgt@2026-05-27T25:00", "2026dgt@9999-12-31", "2026dgt@0001-01-01T00:00+23:00",
        "2026dgt@9999-12-31T23:00-23:00", "2026dgt@\uff12\uff10\uff12\uff16-05-27", "2026dgt@1@2",
        "2026dgt@1:", "2026dgt@HEAD", "main@1",
        "2026dgt@1:a\nb",
    ],
)  # fmt: skip
def test_what_names_no_revision_is_refused(text):
    with pytest.raises(InvalidName):
        parse_spec(text)


@given(st.text(max_size=30))
def test_no_text_makes_the_parser_fail_otherwise(text):
    try:
        parse_spec(text)
        parse_spec(f"2026dgt@{text}")
    except InvalidName:
        pass


@given(st.datetimes(timezones=st.builds(lambda m: timezone(timedelta(minutes=m)), st.integers(-1439, 1439))))
def test_no_instant_makes_the_parser_fail_otherwise(moment):
    try:
        assert parse_spec(f"2026dgt@{moment.isoformat(timespec='microseconds')[:32]}").until == moment
    except InvalidName:
        assert moment.year in (1, 9999)


@pytest.mark.parametrize(
    "path", ["cutout_cdn/DES/DES_z.fits", "sed_output/2026dgt_global.h5", "a/é b.txt", "a/…", "a/git"]
)
def test_paths_of_files_are_accepted(path):
    assert check_path(path) == path


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("DES_z.fits", "root"),
        ("/etc/passwd", "plain relative"),
        ("a/../b", "plain relative"),
        ("./a", "plain relative"),
        ("a//b", "plain relative"),
        ("a/", "plain relative"),
        ("a/b.fits.dvc", "reserve"),
        ("a/b.DVC", "reserve"),
        ("a/.git/config", "reserve"),
        ("a/.gitignore", "reserve"),
        ("a/.GIT", "reserve"),
        ("a/git~1", "reserve"),
        ("a/.dvcignore", "reserve"),
        (".dvc/config", "reserve"),
        ("a/.g\u200cit", "cannot be printed"),
        ("a/b\nc", "cannot be printed"),
        ("a/\udcff", "cannot be printed"),
        ("a/b\\c", "backslash"),
        ("a/b:c", "colon"),
        ("a/" + "b" * 201, "200 bytes"),
        ("a/b ", "every system"),
        ("a/b.", "every system"),
        ("a/con.fits", "every system"),
        ("a/b?.fits", "every system"),
        ("a/b*", "every system"),
        ('a/"b"', "every system"),
    ],
)
def test_paths_that_would_hurt_somebody_are_refused(path, why):
    with pytest.raises(InvalidFiles, match=why):
        check_path(path)


@pytest.mark.parametrize("name", ["dvc.yaml", "dvc.lock", "DVC.YAML", "dvc.yml", "Dvcfile", "dvc.yaml/x.fits"])
def test_names_that_plain_dvc_takes_for_its_own_are_not_recorded_and_still_read(name):
    with pytest.raises(InvalidFiles, match="plain DVC mistakes a file"):
        check_new_paths(["a/x.fits", f"a/{name}"])
    check_paths([f"a/{name}"])
    check_new_paths(["a/dvc.fits", "a/x.dvc.yaml", "dvc/x.fits"])


def test_paths_that_no_clone_can_hold_together_are_refused():
    check_paths(["a/b", "a/c", "a/d/b"])
    with pytest.raises(InvalidFiles, match="differ only in case"):
        check_paths(["a/B", "a/b"])
    with pytest.raises(InvalidFiles, match="differ only in case"):
        check_paths(["a/\u00e9.fits", "a/e\u0301.fits"])
    with pytest.raises(InvalidFiles, match="below a path that is itself a file"):
        check_paths(["a/b/c", "a/B"])
