import json
import subprocess
from fnmatch import fnmatchcase

import pytest
from jsonschema import Draft202012Validator

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import small
from blastgit.errors import BlastgitError
from blastgit.revision.export import read_export
from blastgit.revision.rules import default_rules
from tests.revision.test_export import OTHER, REQUIRED, WRONG, find

TABLES = {
    "transient": "transient", "host": "host", "cutouts": "cutout", "apertures": "aperture", "photometry": "photometry",
    "sed": "sed_fit", "sfh": "star_formation", "filters": "filter", "surveys": "survey",
}  # fmt: skip


@pytest.fixture
def schema(capsys):
    """The schema as `blastgit schema` prints it."""
    assert main(["schema"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def export(schema):
    return Draft202012Validator(schema)


@pytest.fixture
def revision(schema):
    found = {"$schema": schema["$schema"], "$ref": f"{schema['$id']}#/$defs/revision", "$defs": {"whole": schema}}
    return Draft202012Validator(found)


@pytest.fixture
def full(document):
    document["apertures"].sort(key=lambda aperture: -len(aperture["sedfittingresults"]))
    return document


def test_it_is_a_schema(schema):
    Draft202012Validator.check_schema(schema)


def test_an_export_is_valid_and_no_revision(export, revision, document):
    export.validate(document)
    assert not revision.is_valid(document)


def test_a_revision_is_valid_as_either(export, revision, tmp_path):
    sample = small("2026dgt")
    text = sample.text.replace('"redshift_err": ', '"redshift_err": NaN, "was": ', 1)
    file, data = sample.write(tmp_path / "in")
    file.write_text(text)
    repo = DataRepo.init(tmp_path / "repo", simulated=True)
    repo.record("2026dgt", file, data)
    document = ["git", f"--git-dir={repo.path}", "show", "2026dgt/0:2026dgt.json"]
    published = json.loads(subprocess.run(document, capture_output=True, check=True).stdout)
    assert "nonfinite" in published["metadata"]
    export.validate(published)
    revision.validate(published)
    del published["metadata"]["dataset_version"]
    assert not revision.is_valid(published)


def test_real_exports_are_valid(export, cases):
    for file in sorted(cases.glob("*/*/export.json")):
        export.validate(json.loads(file.read_text()))


@pytest.mark.parametrize("place", REQUIRED)
def test_what_is_missing_is_refused_by_both(export, full, place):
    container, key = find(full, place)
    if isinstance(container, list):
        pytest.skip("a list has no keys")
    del container[key]
    assert not export.is_valid(full)


@pytest.mark.parametrize(("place", "kind"), WRONG)
def test_what_has_a_wrong_type_is_refused_by_both(export, full, place, kind):
    container, key = find(full, place)
    container[key] = OTHER[kind]
    assert not export.is_valid(full)


@pytest.mark.parametrize("name", ["", "a", "2026 dgt", "-a1", "x" * 65, "2026dgt\n", 7])
def test_a_name_that_breaks_the_rules_is_refused_by_both(export, document, name):
    document["transient"]["fields"]["name"] = name
    assert not export.is_valid(document)
    with pytest.raises(BlastgitError):
        read_export(json.dumps(document).encode())


def test_what_a_newer_blast_adds_is_taken(export, document):
    document["metadata"]["news"] = document["transient"]["fields"]["news"] = document["news"] = [1]
    export.validate(document)


@pytest.mark.parametrize("table", TABLES)
def test_every_field_of_the_rules_is_in_the_schema(schema, table):
    fields = schema["$defs"][TABLES[table]]["properties"]["fields"]
    written = set(fields["properties"])
    for pattern in fields.get("patternProperties", {}):  # ^(log_mass|log_sfr)_(16|50|84)$
        words = pattern.strip("^").partition("_(16")[0]
        written |= {f"{word}_50" for word in words.strip("()").split("|")}
    rules = default_rules().tables[table]
    for pattern in {*rules.values, *rules.volatile, *rules.labels}:
        assert any(fnmatchcase(field, pattern) for field in written), pattern
