import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastgit.demo import small
from blastgit.errors import InvalidExport, InvalidInput, InvalidName
from blastgit.revision.dr import write_dr
from blastgit.revision.export import is_same_run, named_files, read_export
from blastgit.revision.normalise import normalise
from blastgit.revision.rules import default_rules

CHILDREN = ("sedfittingresults", "aperturephotometry", "starformationhistoryresult")
ROWS = ["transient", "host", "cutouts.0", "filters.0", "surveys.0", "apertures.0"]
CHILD_ROWS = [f"apertures.0.{child}.0" for child in CHILDREN]
OBJECTS = ["metadata", "workflow_tasks.0.status", *(f"{row}.fields" for row in ROWS + CHILD_ROWS)]
LISTS = ["apertures", "cutouts", "filters", "surveys", "workflow_tasks", *(f"apertures.0.{c}" for c in CHILDREN)]
STRINGS = [
    "metadata.app_version", "metadata.export_time", "transient.fields.name", "apertures.0.fields.name",
    "apertures.0.fields.type", "workflow_tasks.0.task_name", "workflow_tasks.0.status.message",
]  # fmt: skip
KEYS = [f"{row}.pk" for row in ROWS + CHILD_ROWS]
REQUIRED = [*OBJECTS, *LISTS, *STRINGS, *KEYS, *ROWS[:2]]
OTHER = {"null": None, "number": 1.5, "true": True, "string": "x", "list": [1], "object": {"a": 1}}
WRONG = [
    *((place, kind) for place in OBJECTS for kind in OTHER if kind != "object"),
    *((place, kind) for place in LISTS for kind in OTHER if kind != "list"),
    *((f"{place}.0", kind) for place in LISTS for kind in OTHER),
    *((place, kind) for place in STRINGS for kind in OTHER if kind != "string"),
    *((place, kind) for place in KEYS for kind in OTHER),
]


def find(document, place):
    """The container of a place and its key there."""
    *steps, last = (int(step) if step.isdigit() else step for step in place.split("."))
    for step in steps:
        document = document[step]
    return document, last


def read(document):
    return read_export(json.dumps(document).encode())


@pytest.fixture
def full(document):
    """An export whose first aperture carries rows of every kind."""
    document["apertures"].sort(key=lambda aperture: -len(aperture["sedfittingresults"]))
    return document


def test_an_export_says_what_it_is_about(document):
    export = read(document)
    assert (export.name, export.app_version) == ("2026dgt", "v1.12.0")
    assert export.time.isoformat() == "2026-05-27T15:46:03.934740+00:00"


@pytest.mark.parametrize("place", REQUIRED)
def test_a_missing_key_is_named(full, place):
    container, key = find(full, place)
    if isinstance(container, list):
        pytest.skip("a list has no keys")
    del container[key]
    with pytest.raises(InvalidExport, match=f"has no {key!r}"):
        read(full)


@pytest.mark.parametrize(("place", "kind"), WRONG)
def test_a_wrong_type_is_refused(full, place, kind):
    container, key = find(full, place)
    container[key] = OTHER[kind]
    with pytest.raises(InvalidExport, match=r"should be|has no|not a date-time"):
        read(full)


@pytest.mark.parametrize("place", ["host.fields.name", "cutouts.0.fields.filter", "transient.fields.host"])
@pytest.mark.parametrize("kind", OTHER)
def test_strange_values_are_compared_or_refused(full, place, kind):
    container, key = find(full, place)
    container[key] = OTHER[kind]
    try:
        export = read(full)
        normalise(export, default_rules())
        write_dr(export, 0, {})
    except InvalidExport:
        pass


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3000) | st.floats() | st.text("ab/.~", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)
_TEXT = small("2026dgt").text


def _places(value, place=""):
    pairs = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for key, inner in pairs:
        yield f"{place}{key}"
        yield from _places(inner, f"{place}{key}.")


PLACES = sorted(_places(json.loads(_TEXT)))


@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=4))
def test_no_document_makes_the_reader_fail_otherwise(edits):
    document = json.loads(_TEXT)
    for place, value in edits:
        try:
            container, key = find(document, place)
            container[key] = value
        except (KeyError, IndexError, TypeError):
            continue
    try:
        export = read(document)
        named_files(export.document)
        _ = normalise(export, default_rules()).canonical
        write_dr(export, 0, {})
    except InvalidInput:
        pass


@pytest.mark.parametrize(
    "time", ["", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"]
)
def test_a_time_that_is_none_is_refused(document, time):
    document["metadata"]["export_time"] = time
    with pytest.raises(InvalidExport, match=r"metadata\.export_time"):
        read(document)


@pytest.mark.parametrize("time", ["1979-12-31T23:59:59Z", "2200-01-01T00:00:00Z"])
def test_a_clock_that_is_wrong_is_refused(document, time):
    document["metadata"]["export_time"] = time
    with pytest.raises(InvalidExport, match="is the clock of that machine right"):
        read(document)


def test_a_time_without_zone_is_utc(document):
    document["metadata"]["export_time"] = "2026-05-27T15:46:03"
    assert read(document).time.isoformat() == "2026-05-27T15:46:03+00:00"


def test_a_name_that_breaks_the_rules_is_refused(document):
    document["transient"]["fields"]["name"] = "main"
    with pytest.raises(InvalidName, match="the export's transient: 'main' is reserved"):
        read(document)


def test_strings_that_blast_names_things_by_have_one_line(document):
    document["workflow_tasks"][0]["task_name"] = "a\nRevision: 7"
    with pytest.raises(InvalidExport, match="line break"):
        read(document)


def test_the_files_that_rows_name(document):
    assert named_files(document) == sorted(
        [f"cutout_cdn/2026dgt/{path}" for path in ("2MASS/2MASS_J.fits", "DES/DES_g.fits", "DES/DES_z.fits")]
        + ["cutout_cdn/2026dgt/WISE/WISE_W1.fits"]
        + [
            f"sed_output/2026dgt/2026dgt_{scope}{end}"
            for scope in ("global", "local")
            for end in (".h5", "_chain.npz", "_perc.npz", "_modeldata.npz")
        ]
    )


def test_a_second_export_of_one_run_is_told_from_another_run(document):
    def export(**changed):
        again = json.loads(json.dumps(document))
        again["metadata"] |= {"export_time": "2026-12-01T00:00:00+00:00"} | changed
        return again

    def checked(made):
        return read_export(json.dumps(made).encode())

    first = checked(document)
    assert is_same_run(first, checked(export()))
    assert not is_same_run(first, checked(export(app_version="v9.9.9")))
    later = export()
    later["workflow_tasks"][3]["last_modified"] = "2026-12-01T00:00:00+00:00"
    assert not is_same_run(first, checked(later))
    assert is_same_run(first, checked(later), ignored=[later["workflow_tasks"][3]["task_name"]])
    untold = export()
    untold["workflow_tasks"] = []
    assert not is_same_run(checked(untold), checked(untold))
