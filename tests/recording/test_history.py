"""The answers to many writers and readers, with kills and git's clean-up meanwhile, are consistent in the end."""

from pathlib import Path

import pytest

from benchmarks.reliability.history import Call, judge, make_history


def test_a_history_with_kills(tmp_path: Path) -> None:
    calls, problems = make_history(tmp_path, writers=4, each=4, kills=8, seed=3)
    assert problems == []
    assert {call.kind for call in calls} == {"record", "read"}


FINAL = {"a@0": "x", "a@1": "y"}


@pytest.mark.parametrize(
    ("calls", "problem"),
    [
        ([Call("record", 0, 1, {"a@2": "z"})], "a@2 was z for a record, and is gone"),
        ([Call("read", 0, 1, {"a@1": "z"})], "a@1 was z for a read, and is y"),
        ([Call("record", 0, 3, {"a@0": "x"}), Call("record", 1, 2, {"a@0": "x"})], "a@0 was given to two recordings"),
        ([Call("record", 0, 1, {"a@1": "y"}), Call("record", 2, 3, {"a@0": "x"})], "a@0 was begun after a@1 was there"),
        (
            [Call("record", 0, 1, {"a@0": "x"}), Call("read", 2, 3, {})],
            "a@0 was there before a read, and it did not see it",
        ),
    ],
)
def test_the_judge_finds(calls: list[Call], problem: str) -> None:
    assert judge(calls, FINAL) == [problem]


def test_what_overlaps_may_be_in_any_order() -> None:
    calls = [
        Call("record", 0, 5, {"a@1": "y"}),
        Call("record", 1, 4, {"a@0": "x"}),
        Call("read", 2, 6, {"a@0": "x"}),
        Call("read", 7, 8, FINAL),
    ]
    assert judge(calls, FINAL) == []
