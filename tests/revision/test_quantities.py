"""The size of a change, described in suitable terms."""

import math

import pytest
from astropy import units

from blastgit.demo import edit_flux, refit, small
from blastgit.index.tables import tables
from blastgit.reading.diff import State, diff
from blastgit.revision.compare import FieldChange
from blastgit.revision.quantities import _quantities, quantity_of
from blastgit.revision.rules import default_rules

SAMPLE = small("2026dgt")


@pytest.mark.parametrize(
    ("field", "old", "new", "said"),
    [
        ("flux", 100.0, 103.0, "+3 %"), ("flux", 0.0, 1.0, "+1 uJy"), ("magnitude", 18.5, 18.46, "-0.04 mag"),
        ("magnitude_zero_point", 25.0, 25.1, "+0.1 mag"), ("log_mass_50", 10.0, 10.17, "+0.17 dex"),
        ("log_sfr_50", -0.6, -0.5, "+0.1 dex"), ("logsfr_50", -1.0, -1.5, "-0.5 dex"),
        ("gas_logz_16", -1.0, 0.0, "+1 dex"), ("dust_index_50", -0.5, -0.4, "+0.1"),
        ("log_age_50", 2.0, 2.2, "+10 %"), ("age_50", 2.0, 2.2, "+10 %"), ("logsfr_tmin", 1.0, 1.1, "+10 %"),
        ("ra_deg", 359.0, 359.5, "+0.5 deg"), ("tns_id", 100, 101, ""), ("object_id", 2**62 + 1, 2**62 + 2, ""),
        ("log_of_tomorrow", 1.0, 2.0, "+1 dex"), ("synthetic_mag", 20.0, 19.0, "-1 mag"), ("fresh", 1.0, 2.0, "+100 %"),
        ("flux", math.nan, 1.0, ""), ("flux", None, 1.0, ""), ("is_validated", "true", "false", ""),
    ],
)  # fmt: skip
def test_a_change_is_told_as_the_quantity_is(field, old, new, said):
    assert FieldChange("host", (), field, old, new).size == said


def test_every_column_that_is_a_logarithm_or_a_magnitude_is_known_as_one():
    columns = [column for table in tables().values() for column in table.columns]
    logarithms = {column.name for column in columns if "log10" in column.about}
    assert len(logarithms) > 25
    assert {quantity_of(name).scale for name in logarithms} == {"dex"}
    assert {quantity_of(column.name).scale for column in columns if column.unit == "mag"} == {"mag"}
    others = {
        each.name for each in columns if each.type == "double" and "log10" not in each.about and each.unit != "mag"
    }
    assert {quantity_of(name).scale for name in others} == {"ratio", "interval"}


def test_units_are_those_that_astropy_knows():
    for quantity in _quantities().values():
        if quantity.unit:
            units.Unit(quantity.unit)
        assert quantity.scale in ("ratio", "mag", "dex", "interval", "name")


def changes_of(old, new, as_export):
    states = [State(name, as_export(each.export)) for name, each in (("a", old), ("b", new))]
    return {change.path: change for change in diff(None, *states, default_rules()).fields}


def test_sigma_comes_from_the_errors_of_both_rows(as_export):
    found = changes_of(SAMPLE, edit_flux(SAMPLE, "DES_g", 1.1), as_export)
    [change] = [each for each in found.values() if each.field == "flux"]
    rows = [each for a in SAMPLE.export["apertures"] for each in a["aperturephotometry"]]
    [error] = {each["fields"]["flux_error"] for each in rows if each["fields"]["flux"] == change.old}
    assert change.sigma == pytest.approx((change.new - change.old) / (math.sqrt(2) * error))
    assert change.size.startswith("+10 %, +")
    said = change.to_json()
    assert (said["difference_unit"], said["sigma"]) == ("uJy", change.sigma)
    assert said["difference"] == change.new - change.old


def test_sigma_of_a_fit_is_half_of_its_16_to_84_percent_range(as_export):
    change = changes_of(SAMPLE, refit(SAMPLE, seed=3), as_export)["sed/global.log_mass_50"]
    assert change.sigma is not None
    assert abs(change.sigma) < 10
    assert change.relative is None
    assert change.to_json()["difference_unit"] == "dex"
