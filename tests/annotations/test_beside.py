"""Annotations of times are shown with data made then; runs and collections have metrics and attachments, too."""

from datetime import timedelta

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.errors import InvalidName
from blastgit.repository.history import History
from blastgit.repository.local import LocalRepository
from blastgit.workflow.validity import moment

MADE = "interval:2026-05-27T00:00:00Z/2026-05-28T00:00:00Z"  # when 2026dgt@0 was exported
LONG_AGO = "interval:2020-01-01T00:00:00Z/2020-01-02T00:00:00Z"


def test_an_interval_shows_beside_the_revision_that_was_made_then(history, speak, room):
    speak(history, "alice", MADE, comment="the download server was ill", flag="suspect")
    speak(history, "alice", LONG_AGO, comment="of another time")
    found = room.about("2026dgt@0")
    assert [note.event.remark.comment for note in found.notes] == ["the download server was ill"]
    assert str(found.notes[0].event.subject) == MADE
    assert found.own is None  # it is said of the time, and not of the revision
    assert room.about("2026dgt@1").notes == ()  # nothing of it was made on that day
    assert len(room.about("2026dgt").notes) == 1


def test_it_begins_with_the_first_task_since_the_revision_before(history, speak, room):
    before, made = History(LocalRepository(history)).revisions("2026dgt")
    rows = made.dr.export.document["workflow_tasks"]
    ran = [moment(row["last_modified"]) for row in rows]
    first = min(each for each in ran if before.time < each)
    second = timedelta(seconds=1)
    speak(history, "alice", interval(before.time + second, first - second), comment="nothing ran yet")
    assert room.about("2026dgt@1").notes == ()
    speak(history, "alice", interval(first, first + second), comment="the first task ran")
    assert [note.event.remark.comment for note in room.about("2026dgt@1").notes] == ["the first task ran"]


def interval(begin, end):
    return f"interval:{begin:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}"


def test_it_travels_with_a_subset(history, speak, tmp_path):
    speak(history, "alice", MADE, comment="the download server was ill")
    speak(history, "alice", LONG_AGO, comment="of another time")
    DataRepo(history).subset(tmp_path / "part", ["2026dgt@0"])
    notes = DataRepo(tmp_path / "part").annotations.list().notes
    assert [note.event.remark.comment for note in notes] == ["the download server was ill"]


@pytest.mark.parametrize("subject", ["run:night/1", "collection:nearby"])
def test_runs_and_collections_have_numbers_and_files(history, tmp_path, capsys, subject):
    repo = DataRepo(history)
    repo.collections.create("nearby", "TAGGED", "a sample")
    plot = tmp_path / "all.png"
    plot.write_bytes(b"not really a picture")
    words = ["-C", str(history)]
    assert main([*words, "attach", subject, str(plot), "--type", "qa_plot"]) == 0
    assert main([*words, "metric", subject, "outliers", "3"]) == 0
    capsys.readouterr()
    assert main([*words, "attach", subject]) == 0
    assert subject in capsys.readouterr().out
    assert repo.metrics.get(subject, "outliers").metric.value == 3
    assert main([*words, "attach", subject, "--save", str(tmp_path / "saved")]) == 0
    assert (tmp_path / "saved/all.png").read_bytes() == plot.read_bytes()
    with pytest.raises(InvalidName, match="run:NAME or collection:NAME"):
        repo.attachments.add("interval:2026-05-27T00:00:00Z/2026-05-28T00:00:00Z", plot)


def test_those_of_a_run_travel_with_a_subset_of_it(history, record, tmp_path):
    from blastgit.demo import small

    record(history, small("2026abc"), run="night/1")
    repo = DataRepo(history)
    repo.collections.create("night/1", "RUN", "to be handed on")
    repo.metrics.put("run:night/1", {"outliers": 3})
    repo.subset(tmp_path / "part", "night/1")
    assert DataRepo(tmp_path / "part").metrics.get("run:night/1", "outliers").metric.value == 3
