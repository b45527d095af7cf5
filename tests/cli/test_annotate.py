"""`blastgit annotate`, `notes` and `sync`, as a person or a script calls them."""

import json
import subprocess

import pytest

SPEC = "2026dgt@1"


def test_say_and_show(cli, history, tmp_path):
    def call(*words):
        return cli("-C", history, *words)

    done = call(
        "annotate", SPEC, "2026dgt@0", "-m", "focus? — ü", "--flag", "suspect", "--tag", "focus", "--link", "doi:10/x"
    )
    assert done.code == 0, done.err
    assert done.out.startswith("1 annotation of 2 subjects added\n  ")
    name = done.out.split()[-1]
    shown = call("notes", SPEC)
    assert shown.out.splitlines()[0] == "revision:2026dgt@1: suspect"
    assert "on 2026dgt@1: SUSPECT #focus\n    focus? — ü\n    doi:10/x\n" in shown.out
    assert f"{name}, one of 2 subjects" in shown.out
    assert call("annotate", "--retract", name, "-m", "my mistake").code == 0
    assert call("notes", SPEC).out == "no annotations of revision:2026dgt@1\n"
    assert "[retracted]" in call("notes", SPEC, "--history").out
    assert "[retraction]" in call("notes", SPEC, "--history").out
    plot = tmp_path / "plot.png"
    plot.write_bytes(b"\x89PNG")
    done = call("annotate", SPEC, "--attach", plot, "--json")
    name = json.loads(done.out)["ids"][0]
    assert "attached: plot.png, 4 bytes" in call("notes").out
    assert call("notes", "--save", name, tmp_path / "out").code == 0
    assert (tmp_path / "out/plot.png").read_bytes() == b"\x89PNG"
    (tmp_path / "out/plot.png").write_bytes(b"other")
    assert call("notes", "--save", name, tmp_path / "out").code == 10


@pytest.mark.slow
def test_lists_of_subjects_and_text_from_stdin(process, history, tmp_path):
    (tmp_path / "list").write_text("# from a query\n2026dgt@0\n\n2026dgt@1\n")
    done = process("-C", history, "annotate", "--from", tmp_path / "list", "-m", "-", stdin=b"two\nlines\n")
    assert done.out.startswith("1 annotation of 2 subjects added"), done.err
    assert "    two\n    lines\n" in process("-C", history, "notes", SPEC).out
    done = process("-C", history, "annotate", "--from", "-", "-m", "x", stdin=b"2026dgt@0\n2026dgt@5\n")
    assert (done.code, done.out) == (5, "")
    done = process("-C", history, "annotate", SPEC, "-m", "-", stdin=b"x" * 10_000_000)
    assert done.code == 4
    assert "more than the 16,384 allowed" in done.err
    done = process("-C", history, "annotate", SPEC, "-m", "-", stdin=b"\xff")
    assert (done.code, done.err) == (4, "blastgit: the comment is not UTF-8 text\n")


def test_out_of_one_repo_and_into_another(cli, history, tmp_path):
    cli("-C", history, "annotate", SPEC, "-m", "x")
    for form in ("jsonl", "ecsv"):
        text = cli("-C", history, "notes", "--export", form).out
        (tmp_path / form).write_text(text)
        assert cli("-C", history, "annotate", "--import", tmp_path / form).out == "nothing new: already recorded\n"
    away = tmp_path / "away"
    subprocess.run(["git", "clone", "--quiet", history, away], check=True)
    assert cli("-C", away, "annotate", SPEC, "-m", "y").code == 0
    assert cli("-C", away, "sync", "--dry-run").out == f"{history}: 0 lines to receive, 1 to send\n"
    assert cli("-C", away, "sync").out == f"{history}: 0 lines received, 1 sent\n"
    assert "git log now shows the annotations of 1 revision" in cli("setup", away, "--notes").out
    assert len(json.loads(cli("-C", history, "notes", "--json").out)["notes"]) == 2


def test_flags_show_where_revisions_do(cli, history):
    assert "flag" not in cli("-C", history, "log", "2026dgt").out
    cli("-C", history, "annotate", SPEC, "2026dgt", "--flag", "bad")
    assert "  flagged bad\n" in cli("-C", history, "log", "2026dgt").out
    assert "bad" in cli("-C", history, "list").out
    assert json.loads(cli("-C", history, "list", "--json").out)[0]["flag"] == "bad"
    assert [entry["flag"] for entry in json.loads(cli("-C", history, "log", "2026dgt", "--json").out)] == ["bad", None]


def test_show_says_so_beside_the_document(cli, history):
    cli("-C", history, "annotate", SPEC, "--flag", "bad")
    assert "blastgit: 2026dgt@1 is flagged bad" in cli("-C", history, "show", SPEC).err
    assert cli("-C", history, "show", SPEC, "--json").err == cli("-C", history, "show", "2026dgt@0").err == ""


def test_usage(cli, history):
    for words in (
        ["annotate", "-m", "x"], ["annotate", SPEC, "--retract", "a", "--supersedes", "b"], ["notes", "--inherited"],
    ):  # fmt: skip
        assert cli("-C", history, *words).code == 2
    assert cli("-C", history, "notes", "--since", "2026-05-27T03:00:00").code == 4


def test_json_keys(cli, history):
    done = json.loads(cli("-C", history, "annotate", SPEC, "--flag", "bad", "--json").out)
    assert set(done) == {"ids", "subjects", "commit", "moved", "waiting"}
    found = json.loads(cli("-C", history, "notes", SPEC, "--json").out)
    assert set(found) == {"subject", "flag", "inherited", "flags", "notes", "unread"}
    assert set(found["flag"]) == {"flag", "disputed", "said", "bots"}
    assert set(found["notes"][0]) == {
        "id", "time", "user", "actor", "subject", "as", "subjects", "comment", "flag", "link", "attachment", "metric",
        "tags", "supersedes", "retract", "state", "superseded_by", "origin", "distance",
    }  # fmt: skip
