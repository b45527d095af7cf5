"""Hosts and filters and the results that depend on them, across transients: flags propagate, and results are found."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.demo import Sample, small
from blastgit.errors import InvalidName, NotFound
from tests.settings import add_settings

pytest.importorskip("duckdb", reason="the extra `index` is not installed")
pytestmark = pytest.mark.usefixtures("shared_references")

HOST, LAST = "GLADE/2.3/77", "2026aaa@1"


def changed(sample: Sample, time: str = "", host: dict[str, Any] | None = None, **filter_: Any) -> Sample:
    export = copy.deepcopy(sample.export)
    export["metadata"]["export_time"] = time or export["metadata"]["export_time"]
    export["host"]["fields"].update(host or {})
    for row in export["filters"]:
        if row["fields"]["name"] == "DES_z":
            row["fields"].update(filter_)
    return replace(sample, export=export)


def said(repo: Path, subject: str, flag: str) -> None:
    DataRepo(repo).annotations.add([subject], AnnotationBody(flag=flag))


@pytest.fixture
def shelf(repo: Path, record: Callable[..., Any]) -> Path:
    """Two transients in one host, one of them twice with another row of DES_z, and a third elsewhere."""
    entry = {"catalog_name": "GLADE", "catalog_release": "2.3", "object_id": "77", "name": "NGC 77"}
    record(repo, changed(small("2026aaa"), host=entry))
    record(repo, changed(small("2026aaa"), "2026-09-01T00:00:00+00:00", host=entry, ab_offset=0.25))
    record(repo, changed(small("2026bbb"), host=entry))
    record(repo, changed(small("2026ccc"), host={"name": "elsewhere", "catalog_name": None}))
    return repo


def test_affected_by_a_host_by_key_or_name(shelf):
    found = DataRepo(shelf).affected(f"host:{HOST}")
    assert {each.revision for each in found} == {"2026aaa@0", "2026aaa@1", "2026bbb@0"}
    products = {each.product for each in found if each.revision == "2026bbb@0"}
    assert {"sed/global", "sed/local", "host"} <= products
    assert not any(product.startswith("photometry/") and "_local/" in product for product in products)
    assert DataRepo(shelf).affected("host:NGC 77") == found
    with pytest.raises(NotFound, match="no revision was made with host:NGC 78"):
        DataRepo(shelf).affected("host:NGC 78")


def test_affected_by_a_filter_or_one_revision_of_it(shelf):
    opened = DataRepo(shelf)
    whole = {each.revision for each in opened.affected("filter:DES_z")}
    assert whole == {"2026aaa@0", "2026aaa@1", "2026bbb@0", "2026ccc@0"}
    assert whole == {each.revision for each in opened.affected("r/survey/DES")}
    every = opened.affected("r/survey/DES")
    assert (every[0], every[-1], every[1:3]) == (list(every)[0], list(every)[-1], list(every)[1:3])  # noqa: RUF015 (that is tested)
    assert {each.revision for each in opened.affected("r/filter/DES_z@1")} == {"2026aaa@1"}
    found = [each for each in opened.affected("filter:DES_z@0") if each.revision == "2026ccc@0"]
    assert all(each.product.endswith("/DES_z") for each in found if each.distance == 1)
    assert {each.distance for each in found} == {1, 2, 3}
    for wrong, error in (("filter:DES_x", NotFound), ("r/filtre/x", InvalidName), ("filter:DES_z@7", NotFound)):
        with pytest.raises(error):
            opened.affected(wrong)


def test_affected_by_the_id_of_a_remark(shelf):
    room = DataRepo(shelf).annotations
    for subject in (f"host:{HOST}", "filter:DES_z", "r/filter/DES_z@1", "2026aaa@1"):
        done = room.add([subject], AnnotationBody(comment="look"))
        opened = DataRepo(shelf)
        assert list(opened.affected(done.ids[0])) == list(opened.affected(subject)) != []
    with pytest.raises(NotFound, match="does not exist"):
        DataRepo(shelf).affected("0" * 8 + "-0000" * 3 + "-" + "0" * 12)


def test_flags_reach_what_was_made_with_them(shelf):
    said(shelf, f"host:{HOST}", "bad")
    said(shelf, "r/filter/DES_z@1", "suspect")
    opened = DataRepo(shelf)
    assert opened.find(inherited="bad").names == [LAST, "2026bbb@0"]
    assert opened.find(inherited="!bad").names == ["2026ccc@0"]
    assert opened.find(flags="!bad").names == [LAST, "2026bbb@0", "2026ccc@0"]
    assert opened.find(inherited="suspect").names == [LAST]
    assert opened.find(inherited="suspect", at="2026-06-01").names == []
    said(shelf, "filter:DES_z", "unusable")
    assert opened.find(inherited="unusable").names == [LAST, "2026bbb@0", "2026ccc@0"]
    with opened.index.open() as db:
        rows = db.query("SELECT transient, revision, subject, via FROM inherited_flags WHERE flag = 'bad' ORDER BY ALL")
        marked = [("2026aaa", 0), ("2026aaa", 1), ("2026bbb", 0)]
        assert rows.rows == [(*each, f"host:{HOST}", "host") for each in marked]


def test_notes_of_inputs_tell_of_host_and_filter(shelf):
    said(shelf, f"host:{HOST}", "bad")
    said(shelf, "r/filter/DES_z@1", "suspect")
    room = DataRepo(shelf).annotations
    assert room.about("2026aaa@1", inherited=True).inherited == "bad"
    subjects = {str(note.event.subject) for note in room.about("2026aaa@1", inherited=True).notes}
    assert subjects == {f"host:{HOST}", "revision:r/filter/DES_z@1"}
    assert {str(note.event.subject) for note in room.about("2026aaa@0", inherited=True).notes} == {f"host:{HOST}"}
    assert room.about("2026aaa@1").notes == ()
    assert room.about("2026ccc@0", inherited=True).notes == ()


def test_a_host_that_changes_its_entry_is_made_one_by_the_settings(shelf):
    add_settings(shelf, f'hosts: {{elsewhere: "{HOST}"}}')
    said(shelf, "host:elsewhere", "bad")
    assert [str(each) for each in DataRepo(shelf).annotations.flags()] == [f"host:{HOST}"]
    assert DataRepo(shelf).find(inherited="bad").names == [LAST, "2026bbb@0", "2026ccc@0"]
