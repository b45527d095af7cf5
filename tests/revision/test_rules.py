import pytest
import yaml

from blastgit.content import Tolerance
from blastgit.errors import RepoError
from blastgit.repository.settings import read_settings
from blastgit.revision.rules import build_rules, default_rules, default_text


def test_the_rules_are_one_file_that_people_can_read():
    assert yaml.safe_load(default_text())["tolerance"] == 1e-12
    assert build_rules({}) == default_rules()


def test_an_override_replaces_what_it_names_and_nothing_else():
    rules = build_rules({"tables": {"sed": {"tolerance": 0.01}}, "files": {"derived": ["*.png"]}})
    assert rules.tables["sed"].tolerance == 0.01
    assert rules.tables["sfh"].tolerance == rules.tolerance == 1e-12
    assert rules.tables["sed"].key == default_rules().tables["sed"].key
    assert (rules.is_derived("a/b.png"), rules.is_derived("a/b.jpg")) == (True, False)
    assert rules.volatile_cards == default_rules().volatile_cards


def test_maps_of_names_can_be_added_to():
    rules = build_rules({"stages": {"renamed": {"old words": "new words"}}, "tables": {"host": {"copies": {"a": "b"}}}})
    assert rules.renamed_outcomes == {"no GHOST match": "no host match", "old words": "new words"}
    assert rules.tables["host"].copies == {"a": "b"}


def test_equal_within_is_off_and_can_be_set_for_what_a_sampler_drew():
    assert [table.equal_within for table in default_rules().tables.values()] == [None] * len(default_rules().tables)
    rules = build_rules({"tables": {"sed": {"equal_within": {"sigma": 0.35}}}})
    assert (rules.tables["sed"].equal_within, rules.tables["sfh"].equal_within) == (0.35, None)
    assert build_rules({"tables": {"sed": {"equal_within": None}}}).tables["sed"].equal_within is None


@pytest.mark.parametrize(
    ("path", "scope", "arrays"),
    [
        ("sed_output/2026dgt_global.h5", "global", ("sampling/*",)),
        ("sed_output/2026dgt_global.h5", "local", ()),
        ("sed_output/x_local_global_chain.npz", "global", ("chains/*",)),
        ("sed_output/x_local_global_chain.npz", "local", ()),
        ("cutout_cdn/DES/DES_z.fits", "global", ()),
    ],
)
def test_files_of_samples_are_of_the_fit_of_their_scope(path, scope, arrays):
    assert default_rules().drawn(path, scope) == arrays


def test_the_digest_is_that_of_the_whole():
    digests = {
        build_rules(overrides).digest
        for overrides in (
            {},
            {"tolerance": 1e-9},
            {"unknown_fields": "ignore"},
            {"tables": {"sed": {"tolerance": 0.01}}},
        )
    }
    assert len(digests) == 4
    assert build_rules({"tolerance": 1e-12}).digest == default_rules().digest
    assert default_rules().digest.startswith("sha256:")


@pytest.mark.parametrize(
    "overrides",
    [
        {"tolerence": 1e-9},
        {"tolerance": "much"},
        {"tolerance": 1},
        {"tolerance": -1e-12},
        {"tolerance": float("nan")},
        {"tolerance": None},
        {"absolute": {"times": {"within": -1}}},
        {"absolute": {"times": {"within": "soon"}}},
        {"absolute": {"phases": {"within": 1e-10}}},
        {"absolute": ["ra"]},
        {"unknown_fields": "maybe"},
        {"tables": None},
        {"tables": []},
        {"tables": {"sed": None}},
        {"tables": {"sed": {"tolerence": 0.01}}},
        {"tables": {"sed": {"tolerance": "wide"}}},
        {"tables": {"sed": {"equal_within": 0.3}}},
        {"tables": {"sed": {"equal_within": {"sigma": 0}}}},
        {"tables": {"sed": {"equal_within": {"sigma": True}}}},
        {"tables": {"sed": {"equal_within": {"sigma": float("nan")}}}},
        {"tables": {"sed": {"equal_within": {"sigma": "wide"}}}},
        {"tables": {"sed": {"equal_within": {"sigmas": 0.3}}}},
        {"tables": {"photometry": {"equal_within": {"sigma": 0.3}}}},
        {"tables": {"sed": {"factors": ["mass_surviving_ratio"]}}},
        {"files": {"samples": {"sed_output/*.h5": "sampling"}}},
        {"files": {"samples": ["sed_output/*.h5"]}},
        {"tables": {"sed": {"volatile": "software_version"}}},
        {"tables": {"sed": {"values": [1]}}},
        {"tables": {"sed": {"rows": "everywhere"}}},
        {"tables": {"sed": {"references": {"aperture": "nowhere"}}}},
        {"tables": {"sed": {"references": ["aperture"]}}},
        {"tables": {"filters": {"key": []}}},
        {"tables": {"filters": {"only_used": ["nowhere"]}}},
        {"tables": {"pictures": {"rows": "list", "key": ["name"], "values": ["*"]}}},
        {"files": {"derived": "*.jpg"}},
        {"files": {"thumbnails": ["*.jpg"]}},
        {"stages": {"pending": "processing"}},
        {"stages": {"renamed": {"a": 1}}},
        {"stages": {"renamed": {1: "a"}}},
    ],
)
def test_an_override_without_meaning_is_refused(overrides):
    with pytest.raises(RepoError, match=r"blastgit\.yaml"):
        build_rules(overrides)


def test_a_data_repo_states_its_overrides_in_its_settings():
    settings = read_settings(b"format: 1\nrules:\n  tables:\n    sed: {tolerance: 0.01}\n")
    assert settings.rules == build_rules({"tables": {"sed": {"tolerance": 0.01}}})


def test_absolute_times_and_positions_have_a_limit_of_their_own():
    rules = default_rules()
    microsecond, angle = 1.157e-11, 1e-10
    for name in ("MJD-OBS", "jd", "BJD_TDB", "TAI", "EXPSTART", "EPOCH", "EQUINOX", "obs_time"):
        assert rules.limit(name) == microsecond, name
    for name in (
        "ra_deg",
        "dec_deg",
        "RA",
        "DEC",
        "RA_CENT",
        "AVRA0001",
        "CRVAL1",
        "CRVAL2A",
        "GLON",
        "host_ra",
        "OBJDEC",
    ):
        assert rules.limit(name) == angle, name
    for name in ("flux", "redshift", "EXTRA", "spectra", "orientation_deg", "CD1_1", "log_mass_50", "decision"):
        assert rules.limit(name) == float("inf"), name
    wider = build_rules({"absolute": {"times": {"within": 1e-6}, "phases": {"within": 1e-9, "names": ["phase"]}}})
    assert [wider.limit(name) for name in ("MJD", "PHASE", "ra")] == [1e-6, 1e-9, angle]


def test_contents_compare_by_the_same_rules_unless_told_otherwise():
    rules = default_rules()
    assert Tolerance() == Tolerance(rules.tolerance, rules.volatile_cards)
