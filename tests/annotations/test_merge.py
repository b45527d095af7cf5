"""Merging two histories of the same lines keeps all lines, and the order of each history."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from blastgit.annotations.merge import merge_lines

LINES = st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f"]), max_size=7)


def text(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def is_kept(before: bytes, after: bytes) -> bool:
    rest = iter(after.split(b"\n")[:-1])
    return all(line in rest for line in before.split(b"\n")[:-1])


@given(LINES, LINES)
def test_nothing_is_lost_and_nothing_comes_twice(ours: list[bytes], theirs: list[bytes]) -> None:
    merged = Counter(merge_lines(text(ours), text(theirs)).splitlines())
    assert merged == Counter(ours) | Counter(theirs)


@given(LINES, LINES)
def test_their_order_is_kept_whatever_ours_is(ours: list[bytes], theirs: list[bytes]) -> None:
    assert is_kept(text(theirs), merge_lines(text(ours), text(theirs)))


@given(LINES)
def test_merging_with_itself_or_nothing_changes_nothing(lines: list[bytes]) -> None:
    data = text(lines)
    assert merge_lines(data, data) == merge_lines(data, b"") == merge_lines(b"", data) == data


HISTORIES = st.lists(st.tuples(st.sampled_from(["say", "merge"]), st.integers(0, 2), st.integers(0, 2)), max_size=40)


@given(HISTORIES)
def test_clones_that_talk_to_each_other_end_with_the_same_lines(steps: list[tuple[str, int, int]]) -> None:
    """Each merge may be pushed to where it came from, for it keeps the order there; and all converge."""
    clones = [b"", b"", b""]
    for number, (what, here, there) in enumerate(steps):
        if what == "say":
            clones[here] += b"%d\n" % number
        else:
            merged = merge_lines(clones[here], clones[there])
            assert is_kept(clones[there], merged)
            assert is_kept(clones[here], merged)
            clones[here] = clones[there] = merged
    for here in (1, 2, 1):
        clones[0] = clones[here] = merge_lines(clones[0], clones[here])
    assert clones[0] == clones[1]
    assert sorted(clones[0].split()) == sorted(b"%d" % n for n, step in enumerate(steps) if step[0] == "say")
