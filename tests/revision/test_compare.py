"""Two states are compared by their meaning: keys, order, times, noise and schema versions do not count."""

import copy
import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastgit.demo import edit_flux, inject_nonfinite, reprocess, small, without_host
from blastgit.errors import InvalidExport
from blastgit.revision.compare import FieldChange, compare, same_value
from blastgit.revision.export import read_export
from blastgit.revision.normalise import normalise
from blastgit.revision.rules import build_rules, default_rules

SAMPLE = small("2026dgt")
RULES = default_rules()


def form(document, rules=RULES):
    return normalise(read_export(json.dumps(document).encode()), rules)


def changes(old, new, rules=RULES):
    return compare(form(old, rules), form(new, rules), rules)


def paths(old, new, rules=RULES):
    return [change.path for change in changes(old, new, rules)]


def rows(document, child):
    return [row["fields"] for aperture in document["apertures"] for row in aperture[child]]


def edited(document, edit):
    new = copy.deepcopy(document)
    edit(new)
    return new


@given(st.integers(0, 10**6), st.booleans())
def test_a_run_that_changes_nothing_is_equal(seed, all_keys):
    again = reprocess(
        SAMPLE, app_version="v1.13.1", export_time="2026-06-11T08:00:00+00:00", seed=seed, all_keys=all_keys
    )
    assert changes(SAMPLE.export, again.export) == []


def other_keys(document, seed):
    """The same rows under other primary keys, every reference led along."""
    chance, keys = random.Random(seed), {}

    def key(model, pk):
        return keys.setdefault((model, pk), len(keys) * 7 + chance.randrange(7))

    new = copy.deepcopy(document)
    owners = [new["transient"], new["host"], *new["cutouts"], *new["filters"], *new["surveys"], *new["apertures"]]
    children = ("sedfittingresults", "aperturephotometry", "starformationhistoryresult")
    owners += [row for aperture in new["apertures"] for child in children for row in aperture[child]]
    chance.shuffle(owners)
    for row in owners:
        row["pk"] = key(row["model"], row["pk"])
        for name in ("transient", "host", "cutout", "aperture", "filter", "survey"):
            if row["fields"].get(name) is not None:
                row["fields"][name] = key(f"host.{name}", row["fields"][name])
        if "logsfh" in row["fields"]:
            row["fields"]["logsfh"] = [key("host.starformationhistoryresult", pk) for pk in row["fields"]["logsfh"]]
    for rows_ in (new["cutouts"], new["filters"], new["apertures"], new["workflow_tasks"]):
        chance.shuffle(rows_)
    return new


@given(st.integers(0, 10**6))
def test_primary_keys_and_order_leave_no_trace_in_the_digest(seed):
    assert form(other_keys(SAMPLE.export, seed)).canonical == form(SAMPLE.export).canonical


@given(st.data())
def test_any_value_of_science_counts_beyond_the_tolerance_and_none_within(data):
    document = copy.deepcopy(SAMPLE.export)
    places = [
        (fields, name)
        for child in ("aperturephotometry", "sedfittingresults", "starformationhistoryresult")
        for fields in rows(document, child)
        for name, value in fields.items()
        if isinstance(value, float) and value != 0
    ]
    fields, name = data.draw(st.sampled_from(places))
    value = fields[name]
    fields[name] = value + 3 * math.ulp(value)
    assert changes(SAMPLE.export, document) == []
    fields[name] = value * (1 + 1e-9)
    assert any(path.endswith(f".{name}") for path in paths(SAMPLE.export, document))


@pytest.mark.parametrize(
    ("where", "values"),
    [
        (lambda d: d["metadata"], {"app_version": "v9", "export_time": "2026-06-01T00:00:00Z"}),
        (
            lambda d: d["transient"]["fields"],
            {"progress": 3, "processing_status": "processing", "software_version": "9"},
        ),
        (
            lambda d: d["transient"]["fields"],
            {"tasks_initialized": "False", "update_comment": "x", "update_fields": "y"},
        ),
        (lambda d: d["host"]["fields"], {"software_version": "9"}),
        (lambda d: d["cutouts"][0]["fields"], {"cropped": False, "message": "Download error", "software_version": "9"}),
        (lambda d: d["workflow_tasks"][0], {"user_warning": True, "last_modified": None}),
        (lambda d: d["workflow_tasks"][0], {"last_processing_time_seconds": 9.9}),
        (lambda d: d["transient"]["fields"], {"public_timestamp": "2026-02-11T09:24:00.000+01:00"}),
    ],
)
def test_what_is_volatile_does_not_count(where, values):
    assert changes(SAMPLE.export, edited(SAMPLE.export, lambda document: where(document).update(values))) == []


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_missing_and_empty_are_the_same(empty):
    def fill(document):
        document["transient"]["fields"] |= {"display_name": empty, "photometric_class": empty, "not_known_yet": empty}
        document["host"]["fields"]["photometric_redshift"] = empty

    def drop(document):
        for key in ("display_name", "photometric_class", "aliases"):
            del document["transient"]["fields"][key]

    assert changes(edited(SAMPLE.export, fill), edited(SAMPLE.export, drop)) == []


def test_older_exports_lack_the_copies_of_the_ages():
    def older(document):
        for fields in rows(document, "sedfittingresults"):
            for percentile in (16, 50, 84):
                del fields[f"age_{percentile}"]

    def newer(document):
        for fields in rows(document, "sedfittingresults"):
            for percentile in (16, 50, 84):
                del fields[f"log_age_{percentile}"]

    old, new = edited(SAMPLE.export, older), edited(SAMPLE.export, newer)
    assert changes(old, SAMPLE.export) == changes(SAMPLE.export, new) == changes(old, new) == []
    assert form(old).canonical == form(new).canonical
    rows(new, "sedfittingresults")[0]["age_50"] *= 2
    assert {path.rpartition(".")[2] for path in paths(old, new)} == {"age_50", "log_age_50"}


def test_filters_that_the_transient_has_no_part_in_do_not_count():
    def unused(document):
        named = {row["fields"]["filter"] for row in document["cutouts"] if row["fields"]["fits"]}
        for row in document["filters"]:
            if row["pk"] not in named:
                row["fields"]["magnitude_zero_point"] = -1.0
        document["filters"].append({"pk": 999, "model": "host.filter", "fields": {"name": "New", "survey": 999}})
        document["surveys"].append({"pk": 999, "model": "host.survey", "fields": {"name": "New"}})
        document["cutouts"].append(
            {"pk": 9999, "model": "host.cutout", "fields": {"name": "x_New", "filter": 999, "fits": ""}}
        )

    assert changes(SAMPLE.export, edited(SAMPLE.export, unused)) == []

    def used(document):
        next(r for r in document["filters"] if r["fields"]["name"] == "DES_z")["fields"]["image_fwhm_arcsec"] = 3.5

    assert paths(SAMPLE.export, edited(SAMPLE.export, used)) == ["filters/DES_z.image_fwhm_arcsec"]


def test_the_global_fit_may_hang_under_any_global_aperture():
    def hop(document):
        carrier = next(a for a in document["apertures"] if a["fields"]["type"] == "global" and a["sedfittingresults"])
        other = next(a for a in document["apertures"] if a["fields"]["type"] == "global" and not a["sedfittingresults"])
        for child in ("sedfittingresults", "starformationhistoryresult"):
            carrier[child], other[child] = other[child], carrier[child]

    assert changes(SAMPLE.export, edited(SAMPLE.export, hop)) == []


def test_the_age_that_names_a_bin_may_wobble_too():
    def wobble(document):
        for fields in rows(document, "starformationhistoryresult"):
            fields["logsfr_tmin"] = math.nextafter(fields["logsfr_tmin"], math.inf)

    assert changes(SAMPLE.export, edited(SAMPLE.export, wobble)) == []

    def drop(document):
        for aperture in document["apertures"]:
            aperture["starformationhistoryresult"] = aperture["starformationhistoryresult"][1:]

    lost = changes(SAMPLE.export, edited(edited(SAMPLE.export, wobble), drop))
    assert {(change.table, change.row) for change in lost} == {("sfh", "removed"), ("sed", "changed")}


@pytest.mark.parametrize("reverse", [False, True])
def test_twins_are_told_apart_by_what_they_say(reverse):
    def twin(document, flux):
        aperture = document["apertures"][0]
        row = copy.deepcopy(aperture["aperturephotometry"][0])
        row["pk"], row["fields"]["flux"] = 99999, flux
        aperture["aperturephotometry"].append(row)
        if reverse:
            aperture["aperturephotometry"].reverse()

    one, same, other = (edited(SAMPLE.export, lambda d, f=flux: twin(d, f)) for flux in (1e9, 1e9, 2e9))
    one["apertures"][0]["aperturephotometry"].reverse()
    assert changes(one, same) == []
    assert form(one).canonical == form(same).canonical
    assert [path.rpartition(".")[2] for path in paths(one, other)] == ["flux"]
    assert "added" in {change.row for change in changes(SAMPLE.export, one)}


@given(st.integers(0, 10**6))
def test_noise_does_not_swap_twins(seed):
    """Two rows of one measurement whose numbers agree but for noise, and whose flags do not."""

    def twins(chance):
        document = copy.deepcopy(SAMPLE.export)
        photometry = document["apertures"][0]["aperturephotometry"]
        photometry.append(copy.deepcopy(photometry[0]))
        for row, flag in zip(photometry, ("true", "false"), strict=True):
            row["pk"] = chance.randrange(10**6)
            row["fields"] |= {"is_validated": flag, "flux": 1e3 + chance.randint(-2, 2) * math.ulp(1e3)}
        chance.shuffle(photometry)
        return document

    chance = random.Random(seed)
    one, other = twins(chance), twins(chance)
    assert changes(one, other) == []
    other["apertures"][0]["aperturephotometry"][0]["fields"]["is_validated"] = "contamination warning"
    (change,) = changes(one, other)
    assert (change.field, change.new) == ("is_validated", "contamination warning")
    assert change.key[-1] in {row["fields"]["name"] for row in SAMPLE.export["filters"]}
    fewer = changes(one, SAMPLE.export)
    assert {change.row for change in fewer} == {"changed", "removed"}
    assert {change.twin for change in fewer if change.row == "removed"} == {2}


def test_rows_whose_names_read_alike_are_not_mixed_up():
    """A digest stands for every value, so no value may hide behind another of the same path."""

    def rename(document, flux):
        first, second = document["apertures"][:2]
        first["fields"]["name"], second["fields"]["name"] = "a/DES_g", "a"
        for aperture, name in ((first, "DES_z"), (second, "DES_g/DES_z")):
            row = aperture["aperturephotometry"][0]
            row["fields"]["filter"], row["fields"]["flux"] = 7000 + len(name), flux
            document["filters"].append({"pk": 7000 + len(name), "model": "host.filter", "fields": {"name": name}})

    one = edited(SAMPLE.export, lambda document: rename(document, 1.0))
    other = copy.deepcopy(one)
    other["apertures"][0]["aperturephotometry"][0]["fields"]["flux"] = 2.0
    assert form(one).canonical != form(other).canonical


def test_nonfinite_numbers():
    strange = inject_nonfinite(SAMPLE).export
    assert changes(strange, strange) == []
    found = {change.path.rpartition(".")[2]: change.to_json() for change in changes(SAMPLE.export, strange)}
    assert {name: change["new"] for name, change in found.items()} == {
        "log_sfr_16": "-Infinity", "magnitude": "NaN", "magnitude_error": "Infinity",
    }  # fmt: skip
    assert {change["relative"] for change in found.values()} == {None}


@pytest.mark.parametrize(
    ("old", "new", "equal"),
    [
        (math.nan, math.nan, True),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (math.inf, 1.7976931348623157e308, False),
        (math.nan, 1.0, False),
        (1.0, 1, True),
        (0.0, -0.0, True),
        (0.0, 5e-324, False),
        (1.0, 1.0 + 9e-13, True),
        (1.0, 1.0 + 3e-12, False),
        (2**60, 2**60 + 2**10, False),
        (2**53 + 1, 2.0**53, False),
        (2**60, 2.0**60, True),
        (1 << 60, float(2**60 + 2**10), False),
        (True, 1, False),
        ("1", 1, False),
        ("a", "A", False),
        (None, None, True),
        ([1.0, 2.0], [1.0, 2.0 + 4e-16], True),
        ([1.0], [1.0, 2.0], False),
        ({"a": math.nan}, {"a": math.nan}, True),
        ({"a": 1}, {"b": 1}, False),
    ],
)
def test_values(old, new, equal):
    assert same_value(old, new, 1e-12) is same_value(new, old, 1e-12) is equal


@given(st.floats() | st.integers(-(10**308), 10**308), st.floats() | st.integers(-(10**308), 10**308))
def test_the_relative_change_is_a_finite_number_or_none(old, new):
    relative = FieldChange("host", (), "redshift", old, new).relative
    assert relative is None or math.isfinite(relative)


def test_a_relative_change_has_the_sign_of_the_change():
    assert FieldChange("host", (), "x", -2.0, -1.0).relative == 0.5
    assert FieldChange("host", (), "x", 2.0, 1.0).relative == -0.5
    assert FieldChange("host", (), "x", 0.0, 1.0).relative is None


def test_edits_are_found_under_their_natural_paths():
    (change,) = changes(SAMPLE.export, edit_flux(SAMPLE, "DES_z", 1.001).export)
    assert change.path == "photometry/2026dgt_DES_z_global/DES_z.flux"
    assert change.relative == pytest.approx(1e-3)


def test_stages_count_by_their_outcome():
    def outcome(message, name="Host match"):
        return lambda d: next(t for t in d["workflow_tasks"] if t["task_name"] == name).update(
            status={"type": "error", "message": message}
        )

    ghost, host = (edited(SAMPLE.export, outcome(words)) for words in ("no GHOST match", "no host match"))
    assert changes(ghost, host) == []
    assert paths(SAMPLE.export, host) == ["workflow_tasks/Host match.status"]

    def own(message):
        row = {"task_name": "Dataset revision", "status": {"type": "warning", "message": message}}
        return edited(SAMPLE.export, lambda d: d["workflow_tasks"].append(row))

    assert changes(SAMPLE.export, own("processing")) == changes(SAMPLE.export, own("failed")) == []

    row = {"task_name": "Of a newer Blast", "status": {"type": "blank", "message": "not processed"}}
    assert changes(SAMPLE.export, edited(SAMPLE.export, lambda d: d["workflow_tasks"].append(row))) == []


def test_a_host_is_its_name_and_not_its_key():
    lost = without_host(SAMPLE).export
    assert {c.row for c in changes(SAMPLE.export, lost) if c.table == "host"} == {"removed"}
    nameless = edited(SAMPLE.export, lambda d: d["host"]["fields"].update(name=None))
    assert "transient.host" in paths(SAMPLE.export, nameless)


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d["cutouts"][0]["fields"].update(filter=123456),
        lambda d: d["transient"]["fields"].update(host=123456),
        lambda d: d["apertures"][0]["fields"].update(cutout=123456),
        lambda d: d["filters"][0]["fields"].update(survey=123456),
    ],
)
def test_a_reference_to_no_row_is_refused(edit):
    with pytest.raises(InvalidExport, match="123456, and the export has no row"):
        form(edited(SAMPLE.export, edit))


def test_fields_of_a_newer_blast_count_unless_the_rules_say_otherwise():
    new = edited(SAMPLE.export, lambda d: d["host"]["fields"].update(sersic_index=4.0))
    (change,) = changes(SAMPLE.export, new)
    assert (change.path, change.known) == ("host.sersic_index", False)
    assert changes(SAMPLE.export, new, build_rules({"unknown_fields": "ignore"})) == []


def test_a_tolerance_of_the_table_goes_before_the_general_one():
    def other_fit(document):
        for fields in rows(document, "sedfittingresults"):
            fields["log_mass_50"] *= 1.001

    new = edited(SAMPLE.export, other_fit)
    assert len(changes(SAMPLE.export, new)) == 2
    assert changes(SAMPLE.export, new, build_rules({"tables": {"sed": {"tolerance": 0.01}}})) == []


@pytest.mark.parametrize(
    ("field", "step", "differs"),
    [("ra_deg", 2e-10, True), ("ra_deg", 9e-11, False), ("ra_deg", 6e-14, False), ("orientation_deg", 2e-10, False)],
)
def test_positions_count_beyond_what_a_degree_can_tell(field, step, differs):
    document = edited(SAMPLE.export, lambda document: _move(document, field, 300.5))
    other = edited(SAMPLE.export, lambda document: _move(document, field, 300.5 + step))
    assert {change.table for change in changes(document, other)} == ({"transient", "host"} if differs else set())


def _move(document, field, value):
    for table in ("transient", "host"):
        document[table]["fields"][field] = value
