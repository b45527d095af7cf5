"""The keys of every `--json`: programs rely on them."""

import json

import pytest

FILE = {"path", "change", "note", "derived", "same_as"}


def keys(value):
    """Every key, with the path that leads there; the keys of maps by paths of data are left out."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if not isinstance(value, dict):
        return set()
    found = set(value)
    for key, item in value.items():
        found |= {f"{key}.{below}" for below in keys(item)}
    return found


def said(cli, *arguments):
    answer = cli(*arguments, "--json")
    assert answer.code == 0, answer.err
    assert answer.err == ""
    return json.loads(answer.out)


CHANGE = {"path", "old", "new", "relative", "unit", "difference", "difference_unit", "sigma"}


@pytest.fixture
def read(cli, library):
    return lambda *arguments: said(cli, "-C", library, *arguments)


def test_init(cli, tmp_path):
    assert keys(said(cli, "init", tmp_path / "repo")) == {"path", "store"}


def test_record(cli, repo, states, tmp_path):
    results = []
    for number, state in enumerate(states):
        export, data = state.write(tmp_path / str(number))
        results.append(said(cli, "-C", repo, "record", "2026dgt", "--export", export, "--data", data))
    for result in results:
        top = {key for key in keys(result) if "." not in key}
        assert top == {
            "status", "transient", "revision", "tag", "commit", "reason", "files", "fields", "marker", "before",
            "ignored", "redrawn", "draft", "because", "references", "dry_run",
        }  # fmt: skip
    assert [result["status"] for result in results] == ["recorded", "unchanged", "recorded"]
    assert {"path", "change"} <= set(results[2]["files"][0])
    assert set(results[2]["fields"][0]) == CHANGE


def test_list(read):
    facts = {"transient", "revision", "time", "app_version", "files", "bytes", "status", "withdrawn", "flag"}
    facts |= {"draft", "damaged"}
    assert keys(read("list")) == facts


def test_log(read):
    assert keys(read("log", "2026dgt")) == {
        "revision", "tag", "commit", "time", "recorded", "app_version", "run", "status", "reason", "files",
        "files.path", "files.change", "details", "reproductions", "reproductions.app_version", "reproductions.time",
        "reproductions.commit", "reproductions.redrawn_within", "reproductions.run", "withdrawn", "flag", "failures",
        "invalid", "out_of_date", "stages",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("2026dgt", "document"), ("2026dgt:host.redshift", "field"), ("2026dgt:host", "rows"),
        ("2026dgt:cutout_cdn/DES/DES_z.fits", "file"),
    ],
)  # fmt: skip
def test_show(read, spec, kind):
    shown = read("show", spec)
    assert set(shown) == {"revision", "path", "kind", "value", "invalid", "out_of_date", "asked"}
    assert shown["kind"] == kind
    if kind == "file":
        assert set(shown["value"]) == {"size", "md5", "sha256", "withdrawn"}


def test_diff(read):
    found = read("diff", "2026dgt@0", "2026dgt@1")
    assert set(found) == {"old", "new", "equal", "reason", "files", "fields", "not_compared"}
    assert {key for each in found["fields"] for key in each} == CHANGE
    for file in found["files"]:
        assert {"path", "change", "content", "problem"} <= set(file)
    contents = {file["content"]["kind"]: set(file["content"]) for file in found["files"]}
    assert contents == {
        "fits": {"kind", "note", "hdus"},
        "arrays": {"kind", "note", "arrays"},
        "bytes": {"kind", "note", "old_size", "new_size", "first_difference"},
    }


def test_blame(read):
    assert keys(read("blame", "2026dgt", "host")) == {
        "path", "value", "revision", "tag", "time", "app_version", "reason",
    }  # fmt: skip


def test_get(read, tmp_path):
    assert keys(read("get", "2026dgt", tmp_path / "out")) == {
        "revision", "folder", "written", "kept", "bytes", "invalid", "not_made", "out_of_date", "remarks",
        "asked",
    }  # fmt: skip


def test_numbers_are_json_that_others_read(read):
    json.loads(json.dumps(read("diff", "2026dgt@0", "2026dgt@1"), allow_nan=False))
