"""YAML written by people: unknown, missing and duplicate keys are reported with their place."""

import pytest

from blastgit.errors import RepoError
from blastgit.naming.keys import read_keys, read_mapping
from blastgit.safe_yaml import load_yaml


def test_what_was_left_out_is_empty():
    assert read_mapping(None, "the file: hosts") == read_keys(None, "the file: hosts", ["name"]) == {}


@pytest.mark.parametrize("value", [[], "text", 3, False])
def test_what_is_not_a_mapping(value):
    with pytest.raises(RepoError, match=r"the file: hosts is .*, but should map old to new"):
        read_mapping(value, "the file: hosts", "map old to new")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"colour": 1, "colr": 2}, r"unknown key 'colr'; did you mean colour\?"),
        ({"zzz": 1, "name": 2}, "unknown key 'zzz'; its keys are name, colour"),
        ({1: 1}, "unknown key '1'"),
        ({"colour": 1}, "has no `name`: it should be a mapping with `name`, `colour`"),
    ],
)
def test_a_key_that_is_unknown_or_missing(given, said):
    with pytest.raises(RepoError, match=said):
        read_keys(given, "the file", ["name", "colour"], needed="name")


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: 2\na: 3\n", 3), ("a: {b: 1, 'b': 2}\n", 1), ("- x:\n    y: 1\n    z: {}\n    y: 1\n", 4)],
)
def test_a_key_that_stands_twice(text, line):
    with pytest.raises(RepoError, match=rf"the file has the key '.' twice in one mapping \(line {line}\)"):
        load_yaml(text.encode(), "the file")


def test_the_same_key_in_two_mappings():
    twice = {"a": {"x": 1}, "b": {"x": 1}, "c": ["x", "x"]}
    assert load_yaml(b"a: {x: 1}\nb: {x: 1}\nc: [x, x]\n", "the file") == twice
    assert load_yaml(b"", "the file") is None
