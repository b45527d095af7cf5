"""Metrics: typed, with a unit, and the last one of each user counts."""

import json
import subprocess
import sys

import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.annotations.metric import read_value
from blastgit.cli.main import main
from blastgit.errors import InvalidInput, NotFound


def told(repo, *args, **options):
    return [str(each.metric) for each in DataRepo(repo).metrics.list(*args, **options)]


def test_many_in_one_commit(history):
    room = DataRepo(history).metrics
    done = room.put("2026dgt@1", {"astrometry.rms": (0.031, "arcsec"), "stars": 12, "converged": True})
    assert done.subjects == 3
    assert told(history, "2026dgt@1") == ["astrometry.rms = 0.031 arcsec", "stars = 12", "converged = true"]
    assert told(history, "2026dgt@0") == []
    assert told(history, None, "astro*") == ["astrometry.rms = 0.031 arcsec"]
    found = room.get("2026dgt@1", "astrometry.rms")
    assert (found.metric.value, found.metric.unit, found.subject) == (0.031, "arcsec", "2026dgt@1")
    assert room.get("2026dgt@1", "converged").metric.value is True
    assert [str(entry.revision) for entry in DataRepo(history).log("2026dgt")] == ["2026dgt@1", "2026dgt@0"]


def test_many_revisions_in_one_commit_as_json_lines(history):
    lines = [{"subject": f"2026dgt@{n}", "metric": {"key": "rms", "value": n / 2, "unit": "mag"}} for n in (0, 1)]
    repo = DataRepo(history)
    done = repo.annotations.take_in("\n".join(map(json.dumps, lines)).encode())
    assert done.subjects == 2
    assert told(history) == ["rms = 0 mag", "rms = 0.5 mag"]
    assert repo.annotations.take_in("\n".join(map(json.dumps, lines)).encode()).subjects == 0


def test_ones_own_number_is_superseded_and_anothers_is_not(history, monkeypatch):
    monkeypatch.setenv("BLASTGIT_USER", "alice")
    room = DataRepo(history).metrics
    room.put("2026dgt@1", {"rms": 1.0})
    assert room.put("2026dgt@1", {"rms": 2.0}).subjects == 1
    assert room.put("2026dgt@1", {"rms": 2.0}).subjects == 0
    assert [each.metric.value for each in room.list("2026dgt@1")] == [2.0]
    assert len(told(history, "2026dgt@1", history=True)) == 2
    monkeypatch.setenv("BLASTGIT_USER", "bob")
    room.put("2026dgt@1", {"rms": 3.0})
    assert [(each.user, each.metric.value) for each in room.list("2026dgt@1")] == [("alice", 2.0), ("bob", 3.0)]
    assert room.get("2026dgt@1", "rms").metric.value == 3.0


def test_a_program_does_not_override_what_a_human_measured(history, monkeypatch):
    monkeypatch.setenv("BLASTGIT_USER", "alice")
    room = DataRepo(history).metrics
    room.put("2026dgt@1", {"rms": 1.0})
    room.put("2026dgt@1", {"rms": 2.0}, bot=True)
    assert [each.metric.value for each in room.list("2026dgt@1")] == [1.0, 2.0]


def test_a_metric_can_be_annotated(history):
    repo = DataRepo(history)
    repo.metrics.put("2026dgt@1", {"rms": 1.0})
    repo.annotations.add(["2026dgt@1:metrics/rms"], AnnotationBody(flag="suspect", comment="too good"))
    assert repo.annotations.about("2026dgt@1:metrics/rms").own.value == "suspect"
    with pytest.raises(NotFound, match="metrics/sigma"):
        repo.annotations.add(["2026dgt@1:metrics/sigma"], AnnotationBody(comment="x"))


def test_parts_and_files_have_metrics_too(history):
    room = DataRepo(history).metrics
    room.put("2026dgt@1:sed/global", {"chi2": 1.5})
    room.put("2026dgt@1:cutout_cdn/DES/DES_g.fits", {"seeing": (1.1, "arcsec")})
    assert told(history, "2026dgt@1:sed/global") == ["chi2 = 1.5"]
    assert told(history, "2026dgt@1") == ["chi2 = 1.5", "seeing = 1.1 arcsec"]
    with pytest.raises(NotFound, match="has no metric 'chi2'"):
        room.get("2026dgt@1", "chi2")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"": 1}, "not a key of a metric"),
        ({"a b": 1}, "not a key of a metric"),
        ({"x": float("nan")}, "left out"),
        ({"x": float("inf")}, "left out"),
        ({"x": 2**60}, "beyond 2"),
        ({"x": (True, "mag")}, "has no unit"),
        ({"x": (1, "arcsecs")}, "no unit 'arcsecs'; did you mean arcsec"),
        ({"x": (1, "\x1b[31m")}, "is not a unit"),
        ({"good": 1, "x": (1, "parsnip")}, "no unit 'parsnip'"),
    ],
)
def test_what_cannot_be_a_metric(history, values, words):
    with pytest.raises(InvalidInput, match=words):
        DataRepo(history).metrics.put("2026dgt@1", values)
    assert told(history) == []


@pytest.mark.parametrize(("text", "value"), [("12", 12), ("-0.5", -0.5), ("1e3", 1000.0), ("TRUE", True)])
def test_values_as_people_write_them(text, value):
    assert read_value(text) == value
    assert type(read_value(text)) is type(value)


def test_what_is_no_value():
    with pytest.raises(InvalidInput, match="'many' is not a value"):
        read_value("many")


def test_without_astropy_only_the_letters_of_a_unit_are_looked_at():
    code = (
        "import sys; sys.modules['astropy'] = None\n"
        "from blastgit.annotations.metric import check_unit\n"
        "assert check_unit('arcsecs') == 'arcsecs'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_on_the_command_line(history, capsys):
    words = ["-C", str(history), "metric"]
    assert main([*words, "2026dgt@1", "offset", "-0.5", "mag", "-m", "seen in r"]) == 0
    assert main([*words, "2026dgt@1", "offset", "--json"]) == 0
    out = capsys.readouterr().out
    [found] = json.loads(out[out.index("[\n") :])
    assert (found["key"], found["value"], found["unit"], found["comment"]) == ("offset", -0.5, "mag", "seen in r")
    assert main([*words, "2026dgt@1", "ofset"]) == 5
    assert "did you mean offset?" in capsys.readouterr().err
    assert main([*words, "2026dgt@1", "*"]) == 0
    assert "offset = -0.5 mag" in capsys.readouterr().out
