"""The branch of annotations only grows, line by line, and only by the named authors."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import read_event
from blastgit.store.pointer import Pointer

BRANCH = "refs/heads/annotations"
PATH = "revision/2026dgt/0.jsonl"
ATTRIBUTES = {".gitattributes": b"* -text\n*.jsonl merge=union\n"}
IDS = [f"00000000-0000-5000-8000-00000000000{n}" for n in range(10)]


def line(number: int = 0, **said: Any) -> bytes:
    """One annotation of 2026dgt@0 by alice; what is None is left out."""
    value = {
        "id": IDS[number], "time": f"2026-06-01T00:00:0{number}Z", "user": "alice", "actor": "human",
        "subject": "revision:2026dgt@0", "comment": "seen", **said,
    }  # fmt: skip
    return read_event({key: item for key, item in value.items() if item is not None}).line()


BIG = {"name": "x", "sha256": "0" * 64, "size": 5}
POINTER = "attachment/00/" + "0" * 62 + ".dvc"
METRIC = line(comment=None, metric={"key": "rms", "value": 1.5, "unit": "mag"})
FIRST, SECOND = line(1, flag="bad"), line(2, comment="good again")


def test_lines_are_added_also_between(clone: Any) -> None:
    clone.edit_main({PATH: FIRST + SECOND, **ATTRIBUTES}, "annotations")
    assert clone.check(BRANCH) == ""
    between = FIRST + line(3, comment="merged in") + SECOND
    clone.edit_main({PATH: between, "transient/2026dgt.jsonl": line(4, subject="transient:2026dgt")}, "annotations")
    assert clone.check(BRANCH) == ""
    grown = clone.git("rev-parse", "annotations")
    for changes, said in (
        ({PATH: FIRST}, "was altered, moved or taken out"),
        ({PATH: SECOND + line(3, comment="merged in") + FIRST}, "was altered, moved or taken out"),
        ({PATH: between.replace(b"bad", b"good")}, "was altered, moved or taken out"),
        ({PATH: None}, f"{PATH} would go"),
        ({PATH: None, f"{PATH}/x.jsonl": FIRST}, f"{PATH} would go"),
    ):
        clone.edit_main(changes, "annotations")
        assert said in clone.check(BRANCH)
        clone.git("update-ref", BRANCH, grown)
    assert "would not move forward" in clone.check(f"+{grown}^:{BRANCH}")


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
        ("run/x.jsonl", b"{}\n", "line 1: an annotation has id, time"),
        ("run/x.jsonl", b"[]\n", "line 1: it is not a JSON object"),
        ("run/x.jsonl", b"\n", "line 1: it is not JSON"),
        (PATH, line().replace(b'{"actor"', b'{"actor":"bot","actor"'), "not canonical JSON"),
        ("run/x.jsonl", b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"\n", "more than the 65,536 allowed"),
        ("run/x.jsonl", b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"\n", "line 1: "),
        ("run/x.jsonl", b'{"a": "' + b"x" * 70_000 + b'"}\n', "more than the 65,536 allowed"),
        (PATH, line().replace(b'":"', b'": "'), "not canonical JSON"),
        (PATH, line().replace(b"seen", b"a\\u001b[31m"), "control character U+001B"),
        (PATH, line().replace(b"T00:00:00Z", b"T00:00:00"), "has no zone"),
        (PATH, line().replace(b'"alice"', b'"a\\nb"'), "cannot be the name of a user"),
        (PATH, line().replace(b'"comment"', b'"command"'), "is not a key of an annotation"),
        (PATH, line().replace(b'"comment":"seen",', b""), "needs some content"),
        (PATH, line(comment="x" * 16_000).replace(b"x", b"xx"), "more than the 16,384 allowed"),
        (PATH, line(flag="awful"), "there is no flag 'awful'"),
        (PATH, line(time="2999-01-01T00:00:00Z"), "has not come yet"),
        (PATH, line(user="qa-bot"), "qa-bot is a bot here"),
        (PATH, line(subject="revision:2026dgt@1"), "belongs in revision/2026dgt/1.jsonl"),
        ("revision/2026dgt/7.jsonl", line(subject="revision:2026dgt@7"), "there is no revision 2026dgt@7 here"),
        (PATH, line(supersedes=[IDS[9]]), f"has no annotation {IDS[9]}"),
        (PATH, line(attachment={"name": "x", "sha256": "0" * 64, "size": 1}), "was not pushed with it"),
        ("attachment/00/" + "0" * 62, b"x", "its name is not the SHA-256"),
        (PATH, line(attachment={**BIG, "stored": True}), "was not pushed with it"),
        (POINTER, b"outs: []\n", "is not one that DVC writes"),
        (POINTER, Pointer("0" * 32, 5, "1" * 62).write(), "is about '" + "1" * 62),
        (POINTER, Pointer("0" * 32, 5, "0" * 62).write(), f"lacks the content of {POINTER}"),
        (PATH, METRIC.replace(b'"rms"', b'"r m s"'), "not a key of a metric"),
        (PATH, METRIC.replace(b'"value":1.5', b'"value":"1.5"'), "its value a number"),
        (PATH, METRIC.replace(b'"value":1.5', b'"values":1.5'), "a metric has key and value"),
        (PATH, METRIC.replace(b'"value":1.5', b'"value":NaN'), "left out"),
        ("transient/2026DGT.jsonl", line(subject="transient:2026dgt"), "belongs in transient/2026dgt.jsonl"),
    ],
)
def test_what_is_no_annotation(bench: Any, deny: Callable[..., str], path: str, data: bytes, said: str) -> None:
    bench.git("config", "--file", bench.repo / "config", "receive.fsckObjects", "false")
    bench.git("update-ref", "-d", BRANCH)
    bench.edit_main({path: data}, "annotations")
    assert said in deny(BRANCH)


def test_metrics_and_attachments_of_the_store_are_taken_in(clone: Any) -> None:
    content = next(path for path in (clone.repo / "dvc/files/md5").rglob("*") if path.is_file())
    size, md5 = content.stat().st_size, content.parent.name + content.name
    pointer = Pointer(md5, size, "0" * 62).write()
    said = line(3, attachment={**BIG, "size": size + 1, "stored": True})
    clone.edit_main({PATH: METRIC + said, POINTER: pointer, **ATTRIBUTES}, "annotations")
    assert f"has {size + 1:,} bytes, and its pointer says {size:,}" in clone.check(BRANCH)
    clone.git("update-ref", "-d", BRANCH)
    said = line(3, attachment={**BIG, "size": size, "stored": True})
    clone.edit_main({PATH: METRIC + said, POINTER: pointer, **ATTRIBUTES}, "annotations")
    assert clone.check(BRANCH) == ""
    clone.edit_main({POINTER: Pointer(md5, size + 1, "0" * 62).write()}, "annotations")
    assert "must not be changed" in clone.check(BRANCH)


def test_an_id_is_not_taken_from_what_was_said_of_another_subject(clone: Any) -> None:
    clone.edit_main({PATH: FIRST, **ATTRIBUTES}, "annotations")
    assert clone.check(BRANCH) == ""
    taken = line(1, flag="bad", subject="transient:2026dgt", comment="my own")
    clone.edit_main({"transient/2026dgt.jsonl": taken}, "annotations")
    assert f"its id, {IDS[1]}, is that of what alice said" in clone.check(BRANCH)
    clone.git("--git-dir", clone.repo, "fetch", "--quiet", clone.path, f"+{BRANCH}:{BRANCH}")
    assert [str(each.text) for each in DataRepo(clone.repo).verify(fast=True).problems if IDS[1] in str(each.text)]


def test_one_annotation_of_several_subjects_has_one_id(clone: Any) -> None:
    clone.edit_main({PATH: line(1, subjects=2), **ATTRIBUTES}, "annotations")
    assert clone.check(BRANCH) == ""
    clone.edit_main({"transient/2026dgt.jsonl": line(1, subject="transient:2026dgt", subjects=2)}, "annotations")
    assert clone.check(BRANCH) == ""
    assert DataRepo(clone.repo).verify(fast=True).problems == []


def test_names_that_differ_only_in_case(clone: Any) -> None:
    clone.edit_main({"transient/2026new.jsonl": line(subject="transient:2026new")}, "annotations")
    assert clone.check(BRANCH) == ""
    clone.edit_main({"transient/2026NEW.jsonl": line(subject="transient:2026NEW")}, "annotations")
    assert "differs only in case" in clone.check(BRANCH)


ROLES = b"""
format: 1
kind: simulated
policy:
  roles: {admin: [root-of-all], annotator: ["*"], curator: [carol], relay: [mirror]}
"""


def test_the_author_is_the_pusher_unless_that_is_a_relay(clone: Any) -> None:
    clone.edit_main({"blastgit.yaml": ROLES})
    assert clone.check("refs/heads/main") == ""
    clone.edit_main({PATH: FIRST, **ATTRIBUTES}, "annotations")
    assert "alice is named as the author, but bob adds it" in clone.check(BRANCH, who="bob")
    assert clone.check(BRANCH, who="alice") == ""
    clone.edit_main({PATH: FIRST + SECOND}, "annotations")
    assert clone.check(BRANCH, who="mirror") == ""
    pushes = [json.loads(each) for each in (clone.repo / "blastgit/pushes.jsonl").read_text().splitlines()]
    assert [each["who"] for each in pushes[-2:]] == ["alice", "mirror"]
    assert pushes[-1]["refs"] == [
        {"ref": BRANCH, "old": pushes[-2]["refs"][0]["new"], "new": clone.git("rev-parse", BRANCH)}
    ]


def test_who_may_supersede_whom(clone: Any) -> None:
    clone.edit_main({"blastgit.yaml": ROLES})
    assert clone.check("refs/heads/main") == ""
    clone.edit_main({PATH: FIRST}, "annotations")
    assert clone.check(BRANCH, who="alice") == ""
    at = clone.git("rev-parse", BRANCH)
    for user, actor, said in (
        ("bob", "human", "bob does not have the role 'curator'"),
        ("qa-bot", "bot", "a bot does not override a human"),
        ("carol", "human", ""),
    ):
        clone.git("update-ref", BRANCH, at)
        clone.edit_main({PATH: FIRST + line(3, user=user, actor=actor, supersedes=[IDS[1]])}, "annotations")
        answer = clone.check(BRANCH, who=user)
        assert said in answer if said else answer == ""
