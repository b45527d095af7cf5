import copy
import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastgit.demo import inject_nonfinite, small
from blastgit.errors import DamagedData
from blastgit.revision.dr import read_dr, write_dr
from blastgit.revision.export import read_export

SAMPLE = small("2026dgt")
FILES = {"b/x.fits": "sha256:" + "1" * 64, "a/y.h5": "sha256:" + "2" * 64}


def shuffled(document, seed):
    """The same rows in another order, in every list of the document."""
    document, chance = copy.deepcopy(document), random.Random(seed)

    def walk(value):
        for inner in value.values() if isinstance(value, dict) else value:
            if isinstance(inner, dict | list):
                walk(inner)
        if isinstance(value, list):
            chance.shuffle(value)

    walk(document)
    return document


def read(document):
    return read_export(json.dumps(document).encode())


def sorted_rows(value):
    """The document without any order of lists."""
    if isinstance(value, dict):
        return {key: sorted_rows(inner) for key, inner in value.items()}
    return sorted((sorted_rows(inner) for inner in value), key=repr) if isinstance(value, list) else value


@given(st.integers(0, 10**6))
def test_the_order_of_rows_leaves_no_trace(seed):
    assert write_dr(read(shuffled(SAMPLE.export, seed)), 3, FILES) == write_dr(read(SAMPLE.export), 3, FILES)


@given(st.integers(0, 10**6))
def test_neither_do_rows_without_a_proper_key(seed):
    document = copy.deepcopy(SAMPLE.export)
    carrier = next(row for row in document["apertures"] if row["starformationhistoryresult"])
    for value, row in zip((math.nan, None, None, math.nan), carrier["starformationhistoryresult"], strict=False):
        row["fields"]["logsfr_tmin"] = value
    document["workflow_tasks"].append({**document["workflow_tasks"][0], "last_modified": "2026-05-27T00:00:00+00:00"})
    assert write_dr(read(shuffled(document, seed)), 3, FILES) == write_dr(read(document), 3, FILES)


def test_what_blast_wrote_is_all_there():
    published = json.loads(write_dr(read(SAMPLE.export), 3, FILES))
    assert list(published) == [*SAMPLE.export, "files"]
    assert published.pop("files") == FILES
    assert published["metadata"].pop("dataset_version") == 3
    assert sorted_rows(published) == sorted_rows(SAMPLE.export)


def test_the_input_is_left_alone():
    export = read(shuffled(SAMPLE.export, 1))
    before = copy.deepcopy(export.document)
    write_dr(export, 0, FILES)
    assert export.document == before


def test_files_are_sorted_by_path():
    assert list(json.loads(write_dr(read(SAMPLE.export), 0, FILES))["files"]) == ["a/y.h5", "b/x.fits"]


def test_a_dr_is_read_back_exactly():
    export = read(inject_nonfinite(SAMPLE).export)
    data = write_dr(export, 3, FILES)
    json.loads(data, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    back = read_dr(data, "it")
    assert (back.number, dict(back.files), back.data) == (3, FILES, data)
    assert repr(sorted_rows(back.export.document)) == repr(sorted_rows(export.document))
    assert back.document()["metadata"]["nonfinite"]
    assert read_export(data) == back.export or repr(read_export(data)) == repr(back.export)
    assert write_dr(back.export, 3, back.files) == data


@pytest.mark.parametrize(
    "edit",
    [
        lambda dr: dr.pop("files"),
        lambda dr: dr.update(files=["a"]),
        lambda dr: dr["files"].update({"a/y.h5": "md5:0"}),
        lambda dr: dr["files"].update({"a/y.h5": "sha256:1"}),
        lambda dr: dr["files"].update({"a/y.h5": 7}),
        lambda dr: dr.pop("metadata"),
        lambda dr: dr["metadata"].pop("dataset_version"),
        lambda dr: dr["metadata"].update(dataset_version="1"),
        lambda dr: dr["metadata"].update(dataset_version=True),
        lambda dr: dr["metadata"].update(dataset_version=-1),
        lambda dr: dr["metadata"].update(nonfinite=5),
        lambda dr: dr["metadata"].update(nonfinite=[5]),
        lambda dr: dr["metadata"].update(nonfinite=["/host"]),
        lambda dr: dr["metadata"].pop("export_time"),
        lambda dr: dr.pop("transient"),
        lambda dr: dr["transient"]["fields"].update(name="main"),
    ],
)
def test_what_is_no_dr_is_called_damaged(edit):
    document = json.loads(write_dr(read(SAMPLE.export), 0, FILES))
    edit(document)
    with pytest.raises(DamagedData, match="it is not a dataset revision"):
        read_dr(json.dumps(document).encode(), "it")
