"""Annotations of objects that transients share: hosts by their keys, and references."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import Sample, small
from blastgit.errors import InvalidName, NotFound, RepoError
from blastgit.repository.hosts import read_hosts
from blastgit.revision.host import host_key

ENTRY = {"catalog_name": "GLADE", "catalog_release": "2.3", "object_id": 6465727612361472001}


def with_host(sample: Sample, **fields: Any) -> Sample:
    """Return a transient whose host has other fields."""
    export = copy.deepcopy(sample.export)
    export["host"]["fields"].update(fields)
    return replace(sample, export=export)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({**ENTRY, "name": "NGC 1", "ra_deg": 1.0, "dec_deg": 2.0}, "GLADE/2.3/6465727612361472001"),
        ({**ENTRY, "object_id": None, "name": " NGC  1 "}, "NGC 1"),
        ({"ra_deg": 150.1163, "dec_deg": -2.2058}, "J150.11630-02.20580"),
        ({"ra_deg": 0.000001, "dec_deg": -0.000001}, "J000.00000+00.00000"),
        ({"ra_deg": 359.9999999, "dec_deg": 89.9999999}, "J000.00000+90.00000"),
        ({"ra_deg": None, "dec_deg": 1}, ""),
        ({}, ""),
    ],
)
def test_the_key_of_a_host(fields, key):
    assert host_key(fields) == key


def test_hosts_that_turned_out_to_be_one():
    hosts = read_hosts({"NGC 1": "GLADE/2.3/1", "GLADE/2.3/1": "GLADE/3/7"})
    assert hosts.known_as("NGC 1") == "GLADE/3/7"
    assert hosts.key({"name": "NGC 1"}) == "GLADE/3/7"
    assert sorted(hosts.former("GLADE/3/7")) == ["GLADE/2.3/1", "NGC 1"]
    assert hosts.key(None) == ""
    with pytest.raises(RepoError, match="leads back to itself"):
        read_hosts({"a": "b", "b": "a"})
    for wrong in ([1], {"a": 1}, {" a": "b"}, {"": "b"}):
        with pytest.raises(RepoError, match="hosts"):
            read_hosts(wrong)


def test_a_host_is_spoken_of_by_key_or_name(repo: Path, record: Callable[..., Any], speak: Callable[..., Any]) -> None:
    record(repo, with_host(small("2026abc"), **ENTRY, name="NGC 4993"))
    room = DataRepo(repo).annotations
    done = speak(repo, "alice", ["host:NGC 4993", "host:GLADE/2.3/6465727612361472001"], flag="bad", comment="a star")
    assert done.subjects == 1
    found = room.about("host:GLADE/2.3/6465727612361472001")
    assert [note.event.remark.comment for note in found.notes] == ["a star"]
    assert str(found.own) == "bad"
    with pytest.raises(NotFound, match=r"no revision .* has the host NGC 4994"):
        speak(repo, "alice", "host:NGC 4994", comment="x")
    assert speak(repo, "alice", "host:NGC 4994", announce=True, comment="x").subjects == 1
    assert speak(repo, "alice", "host:NGC 4994", comment="y").subjects == 1
    for wrong in ("host:", "host: x", "host:a\nb", "host:" + "x" * 151):
        with pytest.raises(InvalidName):
            speak(repo, "alice", wrong, announce=True, comment="x")


def test_references_are_spoken_of(repo: Path, speak: Callable[..., Any], run: Callable[..., str]) -> None:
    opened = DataRepo(repo)
    opened.references.record("r/filter/DES_z", values={"ab_offset": 0.25})
    opened.references.record("r/filter/DES_z", values={"ab_offset": 0.5})
    subjects = ["filter:DES_z", "r/filter/DES_z@0", "r/filter/DES_z:reference.ab_offset", "filter:DES_z@latest"]
    assert speak(repo, "alice", subjects, flag="suspect").subjects == 4
    paths = run("git", "-C", repo, "ls-tree", "-r", "--name-only", "annotations").split()
    assert paths[1:] == [
        "reference/filter/DES_z.jsonl", "revision/r/filter/DES_z/0.jsonl", "revision/r/filter/DES_z/1.jsonl",
    ]  # fmt: skip
    assert str(opened.annotations.about("filter:DES_z").own) == "suspect"
    assert str(opened.annotations.about("r/filter/DES_z@1").own) == "suspect"
    assert opened.list("r/*")[0].flag == "suspect"
    for wrong, error, words in [
        ("filter:DES_x", NotFound, "did you mean r/filter/DES_z"),
        ("r/filtre/DES_z", InvalidName, "did you mean filter"),
        ("r/filter/DES_z@9", NotFound, "has no revision 9"),
        ("r/filter/DES_z:reference.ab_ofset", NotFound, "did you mean reference.ab_offset"),
    ]:
        with pytest.raises(error, match=words):
            speak(repo, "alice", wrong, announce=True, comment="x")


def test_a_transient_that_is_called_as_a_type_is_meant_first(
    repo: Path, record: Callable[..., Any], speak: Callable[..., Any]
) -> None:
    record(repo, small("survey"))
    assert speak(repo, "alice", "survey:host", comment="x").subjects == 1
    assert [str(note.event.subject) for note in DataRepo(repo).annotations.list().notes] == ["transient:survey:host"]
