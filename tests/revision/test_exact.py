"""Integers that are not exact as doubles stay exact everywhere: identifiers of Gaia have 64 bits."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from blastgit import DataRepo
from blastgit.annotations.metric import Metric, read_value
from blastgit.demo import small
from blastgit.errors import InvalidInput
from blastgit.revision.digest import science_digest
from blastgit.revision.document import canonical, parse
from blastgit.revision.dr import read_dr, write_dr
from blastgit.revision.export import read_export
from blastgit.revision.normalise import normalise
from blastgit.revision.rules import default_rules

GAIA = 6465727612361472001
integers = st.one_of(
    st.integers(-(2**70), 2**70), st.integers(2**53 - 4, 2**53 + 4), st.integers(10**300, 10**308),
    st.floats(2**53, 2**80).map(int), st.floats(-(2**53), 2**53), st.integers(-3, 3),
)  # fmt: skip


def with_id(value, **more):
    sample = small("2026dgt")
    sample.export["host"]["fields"] |= {"object_id": value, **more}
    return sample


def form_of(sample):
    return normalise(read_export(json.dumps(sample.export).encode()), default_rules())


def digest_of(sample):
    return science_digest(form_of(sample), {}, default_rules())


@given(integers)
def test_a_document_keeps_every_digit(value):
    export = read_export(json.dumps(with_id(value).export).encode())
    data = write_dr(export, 0, {})
    assert json.loads(data)["host"]["fields"]["object_id"] == value
    assert read_dr(data, "it").export.document["host"]["fields"]["object_id"] == value


@given(integers, integers)
def test_equal_digests_prove_equal_values(one, other):
    assume(one != other)
    assert digest_of(with_id(one)) != digest_of(with_id(other))


@pytest.mark.parametrize(
    "pair",
    [
        ({"integer": str(GAIA)}, GAIA), ({"nonfinite": "NaN"}, float("nan")),
        ({"object": {"integer": str(GAIA)}}, {"integer": str(GAIA)}), (1234567890123456800, 1234567890123456768.0),
        ([GAIA], [GAIA - 1]),
    ],
)  # fmt: skip
def test_no_other_value_has_the_same_digest(pair):
    texts = [json.dumps(with_id("x", newer=value).export) for value in pair]
    forms = [normalise(read_export(text.encode()), default_rules()) for text in texts]
    assert forms[0].canonical != forms[1].canonical


def test_what_a_double_holds_has_the_digest_that_it_always_had():
    assert (
        canonical({"a": 2**53, "b": 2**60, "c": 10**21}) == b'{"a":9007199254740992,"b":1152921504606847000,"c":1e+21}'
    )
    with pytest.raises(ValueError, match="no such number"):
        canonical(GAIA)


def test_two_texts_of_one_double_are_one_value():
    assert parse(b"[0.1, 0.1000000000000000055]") == [0.1, 0.1]
    assert parse(b"[9007199254740993.0]") == [9007199254740992.0]


def test_record_diff_show_and_the_index(repo, record, run):
    first = record(repo, with_id(GAIA))
    assert first.status == "recorded"
    same = with_id(GAIA)
    same.export["metadata"]["export_time"] = "2026-06-02T09:00:00+00:00"
    assert record(repo, same).status == "unchanged"
    later = with_id(GAIA + 1)
    later.export["metadata"]["export_time"] = "2026-06-03T09:00:00+00:00"
    second = record(repo, later)
    assert (second.revision, second.reason) == (1, f"host.object_id changed from {GAIA} to {GAIA + 1}")
    opened = DataRepo(repo)
    [change] = opened.diff("2026dgt@0", "2026dgt@1").fields
    assert (change.old, change.new, change.size) == (GAIA, GAIA + 1, "")
    assert opened.show("2026dgt@1:host.object_id").value == GAIA + 1
    assert f'"object_id": {GAIA + 1}' in run("git", "-C", repo, "show", "2026dgt/1:2026dgt.json")
    assert opened.verify().is_sound
    pytest.importorskip("duckdb")
    with opened.index.open() as index:
        rows = index.query("SELECT object_id FROM hosts ORDER BY revision").rows
        assert rows == [(str(GAIA),), (str(GAIA + 1),)]


def test_an_identifier_of_more_than_64_bits_is_exact_in_the_index(repo, record):
    pytest.importorskip("duckdb")
    record(repo, with_id(2**70 + 1))
    with DataRepo(repo).index.open() as index:
        assert index.query("SELECT object_id FROM hosts").rows == [(str(2**70 + 1),)]


def test_a_metric_is_never_rounded_without_a_word():
    assert read_value(str(GAIA)) == GAIA
    with pytest.raises(InvalidInput, match=r"beyond 2\*\*53"):
        Metric("gaia.id", read_value(str(GAIA))).check()
