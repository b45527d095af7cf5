"""The branch of annotations only ever grows, line by line."""

from collections.abc import Callable
from typing import Any

import pytest

BRANCH = "refs/heads/annotations"
PATH = "revision/2026dgt/1.jsonl"
LINES = b'{"flag": "bad"}\n{"comment": "good again"}\n'


def test_lines_are_added_also_between(clone: Any) -> None:
    clone.edit_main({PATH: LINES, ".gitattributes": b"*.jsonl merge=union\n"}, "annotations")
    assert clone.push(BRANCH) == ""
    first, second = LINES.splitlines(keepends=True)
    between = first + b'{"comment": "merged in"}\n' + second
    clone.edit_main({PATH: between, "transient/2026dgt.jsonl": b"{}\n"}, "annotations")
    assert clone.push(BRANCH) == ""
    grown = clone.git("rev-parse", "annotations")
    for changes, said in (
        ({PATH: first}, "was altered, moved or taken out"),
        ({PATH: second + b'{"comment": "merged in"}\n' + first}, "was altered, moved or taken out"),
        ({PATH: LINES.replace(b"bad", b"ok")}, "was altered, moved or taken out"),
        ({PATH: None}, f"{PATH} would go"),
        ({PATH: None, "revision/2026dgt/1.jsonl/x.jsonl": LINES}, "would go"),
    ):
        clone.edit_main(changes, "annotations")
        assert said in clone.push(BRANCH)
        clone.git("update-ref", BRANCH, grown)
    assert "would not move forward" in clone.push(f"+{grown}^:{BRANCH}")


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        ("x.jsonl", b"{}\n", "has no place here: only *.jsonl below revision/"),
        ("revision/x.json", b"{}\n", "has no place here"),
        ("elsewhere/x.jsonl", b"{}\n", "has no place here"),
        ("run/../x.jsonl", b"{}\n", "not a plain relative path"),
        ("run/a\nb.jsonl", b"{}\n", "cannot be printed"),
        (".gitattributes", b"* filter=evil\n", "only `*.jsonl merge=union`"),
        ("run/x.jsonl", b"{}", "does not end with a line feed"),
        ("run/x.jsonl", b"{}\n[]\n", "line 2 is not a JSON object"),
        ("run/x.jsonl", b"{}\n\n", "line 2 is not JSON"),
        ("run/x.jsonl", b'{"a": 1, "a": 2}\n', "stands twice"),
        ("run/x.jsonl", b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"\n", "nested too deeply"),
        ("run/x.jsonl", b'{"a": "' + b"x" * 70_000 + b'"}\n', "more than the 65,536 allowed"),
    ],
)
def test_what_is_no_annotation(bench: Any, deny: Callable[..., str], path: str, data: bytes, said: str) -> None:
    bench.git("config", "--file", bench.repo / "config", "receive.fsckObjects", "false")
    bench.git("update-ref", "-d", BRANCH)
    bench.edit_main({path: data}, "annotations")
    assert said in deny(BRANCH)
