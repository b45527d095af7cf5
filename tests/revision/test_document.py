import copy
import json
import math
import struct

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from blastgit.errors import InvalidExport
from blastgit.revision import document
from blastgit.revision.document import canonical, es6_number, name_nonfinite, parse, restore_nonfinite, write

finite = st.floats(allow_nan=False, allow_infinity=False)
text = st.text(st.characters(blacklist_categories=["Cs"]))
integers = st.integers(-(2**53) + 1, 2**53 - 1)


def trees(floats):
    leaves = st.none() | st.booleans() | integers | floats | text | st.sampled_from(["NaN", "Infinity", "~0/~1"])
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=12)


def same(old, new):
    """Equal down to types, the sign of zero, and NaN."""
    if isinstance(old, float) and isinstance(new, float):
        return (math.isnan(old) and math.isnan(new)) or struct.pack("d", old) == struct.pack("d", new)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return list(old) == list(new) and all(same(old[key], new[key]) for key in old)
    return type(old) is type(new) and old == new


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON.*line 1, column 1"),
        (b"{", "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b"{} x", "not JSON: Extra data"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' stands twice"),
        (b"[1e999]", "1e999 does not fit a double"),
        (b"[-1e999]", "does not fit a double"),
        (b"[1e-999]", "does not fit a double"),
        (b"[1" + b"0" * 309 + b"]", "is larger than any double"),
        (b"[1" + b"0" * 400 + b"]", "is larger than any double"),
        (b"[" + b"9" * 5000 + b"]", "is larger than any double"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 300 + b"]" * 300, "nested too deeply"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "nested too deeply"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'["\xed\xa0\x80"]', "not UTF-8"),
        (b'["\\ud800"]', "not Unicode text"),
        (b'{"\\uDFFF": 1}', "not Unicode text"),
        (b'["a\nb"]', "not JSON"),
        (b"[nan]", "not JSON"),
    ],
)
def test_what_is_not_strict_json_is_refused(data, why):
    with pytest.raises(InvalidExport, match=why):
        parse(data)


def test_what_python_writes_is_read():
    read = parse(
        b'\xef\xbb\xbf{"a": [NaN, Infinity, -Infinity, 0.1, -0.0, 0e5], "b": "\\ud83d\\ude00",'
        b' "c": 100000000000000000000}'
    )
    assert math.isnan(read["a"][0])
    assert same(read["a"][1:], [math.inf, -math.inf, 0.1, -0.0, 0.0])
    assert (read["b"], read["c"]) == ("\N{GRINNING FACE}", 10**20)


def test_too_large_a_document_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(document, "SIZE_LIMIT", 10)
    assert parse(b"[1,2,3,45]") == [1, 2, 3, 45]
    with pytest.raises(InvalidExport, match="more than the 10 bytes"):
        parse(b"[1,2,3,456]")


@given(
    st.binary(max_size=40) | st.text(max_size=40).map(str.encode) | trees(st.floats()).map(json.dumps).map(str.encode)
)
def test_no_bytes_make_the_parser_fail_otherwise(data):
    try:
        read = parse(data)
        write(name_nonfinite(read)[0])
    except InvalidExport:
        pass


@given(trees(finite))
def test_canonical_is_rfc_8785(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(finite)
def test_numbers_are_printed_as_in_ecmascript(value):
    assert es6_number(value).encode() == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0.0, "0"), (-0.0, "0"), (1.0, "1"), (-1.5, "-1.5"), (1e-6, "0.000001"), (1.5e-7, "1.5e-7"), (-1e-7, "-1e-7"),
        (1e21, "1e+21"), (123456789012345680000.0, "123456789012345680000"), (1.25e-5, "0.0000125"), (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (2.0**53, "9007199254740992"), (1e16, "10000000000000000"),
    ],
)  # fmt: skip
def test_numbers_at_the_edges(value, printed):
    assert es6_number(value) == printed


def test_large_whole_numbers_are_doubles_in_canonical_json():
    assert canonical([2**53 - 1, 10**21]) == b"[9007199254740991,1e+21]"


@given(trees(st.floats()))
def test_nonfinite_numbers_come_back_exactly(value):
    before = copy.deepcopy(value)
    published, pointers = name_nonfinite({"": value})
    assert same(value, before)
    text = write(published)
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert pointers == sorted(pointers)
    assert same(restore_nonfinite(parse(text), pointers), {"": value})


def test_pointers_are_those_of_rfc_6901():
    published, pointers = name_nonfinite({"a/b": [1.0, math.nan], "~c": {"": -math.inf}, "d": "NaN"})
    assert published == {"a/b": [1.0, "NaN"], "~c": {"": "-Infinity"}, "d": "NaN"}
    assert pointers == ["/a~1b/1", "/~0c/"]


@pytest.mark.parametrize(
    "pointer", ["", "/", "/x", "/a", "/a/1", "/a/x", "/a/0/0", "/a/-1", "/s/0", "/n", "a/0", "/a/\u0660"]
)
def test_a_pointer_to_something_else_is_refused(pointer):
    with pytest.raises(InvalidExport, match="where no such number stands"):
        restore_nonfinite({"a": ["NaN"], "s": "NaN", "n": 1.0}, [pointer, pointer] if pointer == "/s" else [pointer])


def test_a_pointer_given_twice_is_refused():
    with pytest.raises(InvalidExport, match="where no such number stands"):
        restore_nonfinite({"a": ["NaN"]}, ["/a/0", "/a/0"])


def test_the_bytes_of_a_published_document():
    value = {"b": 1, "a": [0.1, 1e22, -0.0, 1e-7, 2.0], "ü": 'Ω \u2028 / " \n', "e": [], "n": None, "o": {}}
    assert write(value).decode() == (
        '{\n "b": 1,\n "a": [\n  0.1,\n  1e+22,\n  -0.0,\n  1e-07,\n  2.0\n ],\n'
        ' "ü": "Ω \u2028 / \\" \\n",\n "e": [],\n "n": null,\n "o": {}\n}\n'
    )


@given(trees(finite))
def test_a_published_document_is_read_back_exactly(value):
    assert same(parse(write(value)), value)
