"""The file of a collection: it is read back as written, also by any YAML parser, and has one canonical form."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from blastgit.collections.datasets import Dataset, Member
from blastgit.collections.model import Calibration, Chained, Run, Tagged
from blastgit.collections.text import check_text, read_collection, write_collection
from blastgit.errors import BlastgitError, InvalidFiles, RepoError
from blastgit.naming.paths import check_path


def is_path(text: str) -> bool:
    try:
        return bool(check_path(text))
    except InvalidFiles:
        return False


PRINTABLE = st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" ")
TEXTS = st.text(PRINTABLE, max_size=30)
NAMES = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,6}x", fullmatch=True).filter(lambda name: name.casefold() != "aux")
PATHS = st.one_of(
    st.just(""), st.lists(st.text(PRINTABLE, min_size=1, max_size=12), min_size=2, max_size=3).map("/".join)
)
DATASETS = st.builds(
    Dataset,
    st.one_of(NAMES, NAMES.map(lambda name: f"u/alice/{name}")),
    st.integers(0, 999_999_999),
    PATHS.filter(lambda path: not path or is_path(path)),
)
MOMENTS = st.none() | st.datetimes(max_value=datetime(9998, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 (it takes no zone)


@st.composite
def members(draw):
    begin = draw(MOMENTS)
    end = draw(MOMENTS)
    if begin is not None and end is not None and end <= begin:
        end = begin + timedelta(microseconds=1)
    return Member(draw(DATASETS), begin, end)


def lines(type_, each):
    return tuple(sorted({type_.line(member) for member in each}))


LISTED = st.one_of(
    st.builds(
        lambda about, each: Tagged(about, lines(Tagged, map(Member, each))), TEXTS, st.lists(DATASETS, max_size=8)
    ),
    st.builds(lambda about, each: Calibration(about, lines(Calibration, each)), TEXTS, st.lists(members(), max_size=8)),
)
COLLECTIONS = st.one_of(
    LISTED,
    st.builds(Chained, TEXTS, st.lists(TEXTS, max_size=5).map(tuple)),
    st.builds(Run, TEXTS, TEXTS, TEXTS, st.lists(TEXTS, max_size=5).map(tuple)),
)


@given(COLLECTIONS)
def test_it_reads_back_and_yaml_agrees(collection):
    data = write_collection(collection)
    assert read_collection(data, "x") == collection
    assert check_text(data, "x") == collection
    loaded = yaml.safe_load(data)
    assert loaded.pop("type") == collection.kind
    assert loaded.pop("about", "") == collection.about
    if isinstance(collection, Tagged):
        assert loaded.pop("members", []) == [str(member) for member in collection.members()]
    elif isinstance(collection, Calibration):
        assert loaded.pop("members", []) == [json.loads(line) for line in collection.lines]
        assert [Calibration.line(member) for member in collection.members()] == list(collection.lines)
    elif isinstance(collection, Chained):
        assert loaded.pop("children", []) == list(collection.children)
    else:
        assert tuple(loaded.pop("inputs", [])) == collection.inputs
        assert (loaded.pop("validated", ""), loaded.pop("main", "")) == (collection.validated, collection.main)
    assert loaded == {}


def test_a_member_is_a_line():
    tagged = Tagged(
        "Hosts near us", lines(Tagged, [Member(Dataset("2026dgt", 1)), Member(Dataset("2026abc", 0, "a/b"))])
    )
    assert write_collection(tagged) == (
        b'type: TAGGED\nabout: "Hosts near us"\nmembers:\n- "2026abc@0:a/b"\n- "2026dgt@1"\n'
    )


@given(LISTED, NAMES)
def test_what_a_collection_has_of_a_transient(collection, other):
    for name in {other, *(member.dataset.name for member in collection.members())}:
        assert sorted(map(str, collection.of(name))) == sorted(
            str(member) for member in collection.members() if member.dataset.name == name
        )


@given(COLLECTIONS, st.data())
def test_any_damage_is_an_error_and_never_a_crash(collection, data):
    text = bytearray(write_collection(collection))
    where = data.draw(st.integers(0, len(text) - 1))
    text[where] = data.draw(st.integers(0, 255))
    try:
        assert write_collection(check_text(bytes(text), "x")) == bytes(text)
    except BlastgitError:
        return


LATER = "2026-01-02T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        "", "type: TAGGED", "type: HEAP\n", "- a\n", "about: \"x\"\n", "type: TAGGED\nmembers: []\n",
        "type: TAGGED\nmembers:\n", "type: TAGGED\nmembers:\n- 2026dgt@1\n", 'type: TAGGED\nmembers:\n- "2026dgt"\n',
        'type: TAGGED\nmembers:\n- "2026dgt@01"\n', 'type: TAGGED\nmembers:\n- "2026dgt@1"\n- "2026dgt@1"\n',
        'type: TAGGED\nmembers:\n- "2026dgt@1"\n- "2026abc@1"\n', 'type: TAGGED\nmembers:\n- "2026dgt@1"',
        'type: TAGGED\nmembers:\n- "2026dgt@1" # why\n', 'type: TAGGED\nchildren:\n- "x"\n',
        'type: TAGGED\nmembers:\n- "2026dgt@1:../x"\n', 'type: TAGGED\nmembers:\n- ["2026dgt@1"]\n',
        'type: TAGGED\nabout: "a\\u0007b"\n', 'type: TAGGED\nabout: "x"\nabout: "y"\n', 'type: TAGGED\nmore: "x"\n',
        'type: TAGGED\nabout: 7\n', 'type: CHAINED\nchildren:\n- 7\n', f'type: TAGGED\nabout: "{"x" * 1001}"\n',
        'type: CALIBRATION\nmembers:\n- {"dataset": "2026dgt@1"}\n',
        'type: CALIBRATION\nmembers:\n- {"dataset": "2026dgt@1", "begin": "2026-01-01", "end": null}\n',
        f'type: CALIBRATION\nmembers:\n- {{"dataset": "2026dgt@1", "begin": "{LATER}", "end": "{LATER}"}}\n',
        'type: CALIBRATION\nmembers:\n- {"begin": null, "dataset": "2026dgt@1", "end": null}\n',
        'type: CALIBRATION\nmembers:\n- {"dataset": 1, "begin": null, "end": null}\n',
        'type: CALIBRATION\nmembers:\n- 1\n', "type: TAGGED\nmembers:\n- " + "[" * 100_000 + "\n",
    ],
)  # fmt: skip
def test_there_is_one_way_to_write_it(text):
    with pytest.raises(RepoError, match="x"):
        check_text(text.encode(), "x")
