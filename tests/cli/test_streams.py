"""Output contains no control sequences, and is complete or an error; input may come from any editor."""

import codecs
import json
import subprocess
import sys
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.demo import small
from blastgit.plumbing.process import git_environment

pytestmark = pytest.mark.slow

EVIL = "\x1b]0;pwned\x07\x9b31mred\u202egnp.exe"
RAW = ("\x1b", "\x07", "\x9b", "\u202e")


@pytest.fixture
def evil(repo, record):
    sample = small("2026dgt")
    sample.export["transient"]["fields"]["spectroscopic_class"] = EVIL
    sample.export["host"]["fields"]["name"] = EVIL
    task = sample.export["workflow_tasks"][3]
    task["status"] = {"type": "error", "message": EVIL}
    record(repo, sample)
    plain = small("2026dgt")
    plain.export["metadata"]["export_time"] = "2026-06-02T09:00:00+00:00"
    record(repo, plain)
    return repo


@pytest.mark.parametrize(
    "words",
    [
        ("list",), ("log", "2026dgt", "--full"), ("show", "2026dgt@0:transient"), ("show", "2026dgt@0", "--validity"),
        ("show", "2026dgt@0:host.name"), ("diff", "2026dgt@0", "2026dgt@1"),
        ("diff", "2026dgt@0", "2026dgt@1", "--json"),
        ("log", "2026dgt", "--json"), ("blame", "2026dgt", "host.name"), ("get", EVIL), ("list", EVIL),
        ("find", "--where", "revision >= 0", "--columns", "host,spectroscopic_class", "--all-revisions"),
        ("sql", "SELECT host FROM hosts"), ("sql", f"SELECT '{EVIL}' AS \"{EVIL}\""), (EVIL,),
        ("show", f"2026dgt:{EVIL}"),
        ("provenance", "2026dgt@0"), ("verify",),
    ],
    ids=lambda words: " ".join(words).encode("ascii", "ignore").decode(),
)  # fmt: skip
def test_no_control_character_is_printed_raw(cli, evil, words):
    said = cli("-C", evil, *words)
    assert not [each for each in RAW if each in said.out + said.err]


def test_json_means_the_same_for_all_that(cli, evil):
    shown = json.loads(cli("-C", evil, "show", "2026dgt@0:host.name", "--json", "--even-invalid").out)
    assert shown["value"] == EVIL


def run(words, stdout, **more):
    command = [sys.executable, "-m", "blastgit", *map(str, words)]
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, env={**git_environment(), **more}, check=False, text=True
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "words",
    [("list",), ("--help",), ("show", "2026dgt"), ("log", "2026dgt", "--json"), ("sql", "SELECT 1", "--format", "csv")],
)
def test_an_output_that_is_full_is_an_error_in_a_line(library, words):
    with Path("/dev/full").open("wb") as full:
        done = run(words if words == ("--help",) else ("-C", library, *words), full)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "blastgit: the output cannot be written: No space left on device"
    assert len([line for line in done.stderr.splitlines() if "index was rebuilt" not in line]) == 1


def test_csv_is_utf_8_whatever_the_locale(library, tmp_path):
    out = tmp_path / "out.csv"
    with out.open("wb") as file:
        done = run(("-C", library, "sql", "SELECT chr(246) AS g", "--format", "csv"), file, LC_ALL="C", PYTHONUTF8="0")
    assert done.returncode == 0
    assert out.read_bytes().decode() == "g\nö\n"


@pytest.mark.parametrize(
    "encode",
    [lambda text: codecs.BOM_UTF8 + text.encode(), lambda text: text.encode("utf-16"), lambda text: text.encode(),
     lambda text: text.replace("\n", "\r\n").encode("utf-8-sig")],
    ids=["UTF-8 with a mark", "UTF-16", "UTF-8", "of Windows"],
)  # fmt: skip
def test_a_list_of_another_editor_is_read(cli, library, tmp_path, encode):
    names = tmp_path / "names.txt"
    names.write_bytes(encode("2026dgt@0\n# and a comment\n"))
    found = cli("-C", library, "find", "--list", names, "--all-revisions", "--names")
    assert (found.code, found.out) == (0, "2026dgt@0\n")
    made = cli("-C", library, "subset", tmp_path / "part", "--from", names)
    assert made.code == 0, made.err
    assert [each.revision for each in DataRepo(tmp_path / "part").list()] == [0]


def test_a_list_that_is_no_text(cli, library, tmp_path):
    names = tmp_path / "names.txt"
    names.write_bytes(b"2026dgt\n\xff\xfa\n")
    said = cli("-C", library, "find", "--list", names)
    assert (said.code, "names.txt is not utf-8 text" in said.err) == (4, True)


@pytest.mark.parametrize(
    "words", [("list", "2026dg"), ("verify", "2026dg"), ("log", "2026dg"), ("find", "--list", "-")]
)
def test_a_name_that_is_none_gets_the_nearest(cli, library, monkeypatch, words):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("\ufeff2026dg\n"))
    said = cli("-C", library, *words)
    assert "did you mean 2026dgt?" in said.out + said.err
