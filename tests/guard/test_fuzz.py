"""For any text, the parsers return a value or raise an expected error."""

import contextlib
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from blastgit.errors import BlastgitError
from blastgit.guard.annotations import check_line, new_lines
from blastgit.naming.refs import Change, Place, check_move, place, read_changes
from blastgit.repository.policy import ROLES, current_identity, read_policy
from blastgit.repository.settings import Settings, read_settings
from blastgit.safe_yaml import load_yaml
from blastgit.store.pointer import Pointer, read_pointer

pytestmark = pytest.mark.slow

YAMLISH = st.text(alphabet="abc019:-_[]{},#&*!|>'\"%@`?~.\n \t/<=+eE\x00é", max_size=80)
WORDS = [
    "outs",
    "md5",
    "size",
    "path",
    "hash",
    "format",
    "kind",
    "rules",
    "policy",
    "roles",
    "admin",
    "who",
    "until",
    "for",
]
TAGS = ["!!int", "!!float", "!!bool", "!!timestamp", "!!binary", "!!set", "!!omap", "!!null", "!!python/name:os.system"]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.datetimes()
    | st.sampled_from([*WORDS, *ROLES])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*WORDS, *ROLES]) | st.integers() | st.none(), inner, max_size=4)
    ),
    max_leaves=12,
)
TAGGED = st.builds("{}: {} {}\n".format, st.sampled_from(WORDS), st.sampled_from(TAGS), YAMLISH)
TEXTS = (
    st.binary(max_size=60)
    | YAMLISH.map(str.encode)
    | TAGGED.map(str.encode)
    | VALUES.map(lambda value: yaml.safe_dump(value).encode())
)


@given(TEXTS)
def test_pointers(data: bytes) -> None:
    with contextlib.suppress(BlastgitError):
        assert isinstance(read_pointer(data, "a/b.fits.dvc"), Pointer)


@given(VALUES, VALUES, VALUES)
def test_pointers_of_the_right_shape(md5: Any, size: Any, path: Any) -> None:
    data = yaml.safe_dump({"outs": [{"md5": md5, "size": size, "path": path}]}).encode()
    with contextlib.suppress(BlastgitError):
        assert isinstance(read_pointer(data, "a/b.fits.dvc"), Pointer)


@given(TEXTS)
def test_yaml(data: bytes) -> None:
    with contextlib.suppress(BlastgitError):
        load_yaml(data, "the text")


@given(st.dictionaries(st.sampled_from(["kind", "rules", "title", "policy", "description"]), VALUES), TEXTS)
def test_settings(fields: dict[str, Any], text: bytes) -> None:
    for data in (yaml.safe_dump({"format": 1, **fields}).encode(), b"format: 1\n" + text, text):
        with contextlib.suppress(BlastgitError):
            assert isinstance(read_settings(data), Settings)


@given(st.dictionaries(st.sampled_from([*ROLES, "king"]), VALUES | st.lists(VALUES, max_size=2)))
def test_policies(roles: dict[str, Any]) -> None:
    try:
        policy = read_policy({"roles": roles})
    except BlastgitError:
        return
    for role in ROLES:
        policy.allows(role, "alice", "2026dgt")


@given(st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value, default=str).encode()))
def test_annotations(line: bytes) -> None:
    try:
        event = check_line(line, 1)
    except BlastgitError:
        return
    assert event.line() == line + b"\n"


LINE = st.sampled_from([b"{}\n", b'{"a":1}\n', b'{"b":2}\n'])


@given(st.lists(LINE, max_size=6), st.lists(LINE, max_size=8))
def test_lines_of_annotations_are_only_ever_added(before: list[bytes], after: list[bytes]) -> None:
    rest = iter(after)
    is_grown = all(line in rest for line in before)  # each is found behind the one before it
    if is_grown:
        assert len(new_lines(b"".join(before), b"".join(after))) == len(after) - len(before)
        return
    with pytest.raises(BlastgitError, match="was altered, moved or taken out"):
        new_lines(b"".join(before), b"".join(after))


@given(st.text(max_size=40), st.sampled_from(["", "refs/heads/", "refs/tags/", "refs/tags/u/a/", "refs/workflow/"]))
def test_names_of_refs(rest: str, prefix: str) -> None:
    try:
        where = place(prefix + rest)
    except BlastgitError:
        return
    assert isinstance(where, Place)
    if where.line is not None and where.number is not None:
        assert where.line.tag(where.number) == prefix + rest
    check_move(Change(prefix + rest, None, "1" * 40), where)


@given(st.binary(max_size=120))
def test_what_git_hands_to_the_hook(lines: bytes) -> None:
    with contextlib.suppress(BlastgitError):
        read_changes(lines)


@given(st.dictionaries(st.sampled_from(["GL_USER", "REMOTE_USER", "GATEWAY_INTERFACE"]), st.text(max_size=300)))
def test_identities(environment: dict[str, str]) -> None:
    who = current_identity(environment)
    assert who
    assert who.isprintable()
