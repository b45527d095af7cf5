"""Citations of revisions and releases in the formats of papers and archives."""

import importlib.util
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from yaml import safe_load

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.errors import InvalidName, NotFound, RepoError, UsageError
from blastgit.releases.citation import read_cff, read_citation
from blastgit.releases.freeze import FreezeOptions

RELEASE = "release/nearby/1"


def test_a_release_as_bibtex(frozen: Path) -> None:
    text = DataRepo(frozen).releases.cite(RELEASE, "bibtex")
    assert text.startswith("@dataset{blast-release-nearby-1,\n")
    assert "author    = {Doe, Jane and {Blast Collaboration}}," in text
    assert r"title     = {{Hosts \& friends: release/nearby/1 (simulated data)}}," in text
    assert "publisher = {Example Archive}," in text
    assert "url       = {https://data.example.org/blast}," in text
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def test_a_release_as_cff_is_that_of_its_tag(frozen: Path, run: Callable[..., str]) -> None:
    text = DataRepo(frozen).releases.cite(RELEASE, "cff")
    assert text == run("git", f"--git-dir={frozen}", "show", f"{RELEASE}:CITATION.cff")
    value = safe_load(text)
    assert (value["cff-version"], value["type"], value["version"]) == ("1.2.0", "dataset", "1")
    assert value["authors"] == [
        {
            "family-names": "Doe", "given-names": "Jane", "affiliation": "Example University",
            "orcid": "https://orcid.org/0000-0002-1825-0097",
        },
        {"name": "Blast Collaboration"},
    ]  # fmt: skip
    assert value["license"] == "CC-BY-4.0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", value["date-released"])


def test_a_release_for_datacite(frozen: Path) -> None:
    value = json.loads(DataRepo(frozen).releases.cite(RELEASE, "datacite"))
    assert value["schemaVersion"] == "http://datacite.org/schema/kernel-4"
    assert {"creators", "titles", "publisher", "publicationYear", "types"} <= value.keys()  # what DataCite demands
    assert value["types"]["resourceTypeGeneral"] == "Dataset"
    assert value["creators"][0] == {
        "name": "Doe, Jane", "nameType": "Personal", "givenName": "Jane", "familyName": "Doe",
        "nameIdentifiers": [{
            "nameIdentifier": "https://orcid.org/0000-0002-1825-0097", "nameIdentifierScheme": "ORCID",
            "schemeUri": "https://orcid.org",
        }],
        "affiliation": [{"name": "Example University"}],
    }  # fmt: skip
    assert value["creators"][1] == {"name": "Blast Collaboration", "nameType": "Organizational"}
    assert value["publisher"] == {"name": "Example Archive"}
    assert value["rightsList"][0]["rightsUri"] == "https://spdx.org/licenses/CC-BY-4.0"
    assert "application/fits" in value["formats"]
    facts = DataRepo(frozen).releases.show(RELEASE)
    assert value["sizes"] == [f"{facts.files} files", f"{facts.size} bytes"]


def test_a_revision_is_cited_by_its_commit_and_an_id_that_stays(stocked: Path, run: Callable[..., str]) -> None:
    repo = DataRepo(stocked)
    text = repo.releases.cite("2026dgt@1")
    commit = run("git", f"--git-dir={stocked}", "rev-parse", "2026dgt/1^{commit}").strip()
    assert text.startswith("Doe, Jane; Blast Collaboration (")
    assert "2026dgt@1 (simulated data). Version 1. Example Archive." in text
    assert commit in repo.releases.cite("2026dgt@1", "bibtex")
    assert repo.releases.cite("2026dgt@latest") == text == repo.releases.cite("2026dgt")
    names = json.loads(repo.releases.cite("2026dgt@1", "datacite"))["alternateIdentifiers"]
    assert {each["alternateIdentifierType"] for each in names} == {"dataset revision", "git commit"}


def test_a_doi_is_frozen_or_given_later(stocked: Path, settle: Callable[[Path, bytes], None]) -> None:
    from_archive = FreezeOptions(doi="https://doi.org/10.5281/zenodo.1")
    DataRepo(stocked).releases.freeze("nearby", "1", from_archive)
    DataRepo(stocked).releases.freeze("nearby", "2")
    text = (
        b"citation:\n  dois:\n    release/nearby/1: 10.5281/zenodo.9\n    release/nearby/2: 10.5281/zenodo.2\n"
        b"    2026dgt@1: doi:10.5281/zenodo.3\n"
    )
    settle(stocked, text)
    releases = DataRepo(stocked).releases
    for name, doi in ((RELEASE, "zenodo.1"), ("release/nearby/2", "zenodo.2"), ("2026dgt@1", "zenodo.3")):
        assert f"doi       = {{10.5281/{doi}}}" in releases.cite(name, "bibtex")
        assert f"https://doi.org/10.5281/{doi}" in releases.cite(name)
    assert "doi " not in releases.cite("2026dgt@0", "bibtex")
    assert safe_load(releases.cite(RELEASE, "cff"))["doi"] == "10.5281/zenodo.1"


@pytest.mark.parametrize(
    ("package", "schema", "form"),
    [("cffconvert", "schemas/1.2.0/schema.json", "cff"), ("datacite", "schemas/datacite-v4.5.json", "datacite")],
)
def test_the_official_schemas_agree(
    stocked: Path, settle: Callable[[Path, bytes], None], package: str, schema: str, form: str
) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="schemas are checked with jsonschema")
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        pytest.skip(f"the schema comes with the package {package} (pip install --no-deps {package})")
    rules = json.loads((Path(found.origin).parent / schema).read_text())
    DataRepo(stocked).releases.freeze("nearby", "1", FreezeOptions(doi="10.5281/zenodo.1"))
    full = DataRepo(stocked).releases
    said = [full.cite(name, form) for name in (RELEASE, "2026dgt@1")]
    settle(stocked, b"")
    bare = DataRepo(stocked).releases
    bare.freeze("nearby", "2")
    said += [bare.cite(name, form) for name in ("release/nearby/2", "2026dgt@0")]
    for text in said:
        value = json.loads(json.dumps(safe_load(text), default=str))
        jsonschema.validators.validator_for(rules)(rules, format_checker=jsonschema.FormatChecker()).validate(value)


def test_what_is_missing_is_said_and_marked(
    stocked: Path, settle: Callable[[Path, bytes], None], capsys: pytest.CaptureFixture[str]
) -> None:
    settle(stocked, b"")
    for form in ("text", "bibtex", "cff", "datacite"):
        assert main(["-C", str(stocked), "cite", "2026dgt@1", "--format", form]) == 0
        out, err = capsys.readouterr()
        assert "(:unav)" in out
        for words in ("citation.creators", "citation.title", "citation.publisher", "blastgit.yaml on main"):
            assert words in err


def test_what_was_missing_when_frozen_comes_from_main_later(
    stocked: Path, settle: Callable[[Path, bytes], None]
) -> None:
    settle(stocked, b"")
    DataRepo(stocked).releases.freeze("nearby", "1")
    settle(stocked, b"title: A title\ncitation: {creators: ['Roe, Richard'], publisher: P}\n")
    text = DataRepo(stocked).releases.cite(RELEASE)
    assert text.startswith("Roe, Richard (")
    assert DataRepo(stocked).releases.verify(RELEASE).is_sound


def test_cff_on_main_says_what_the_settings_do_not() -> None:
    text = b"""
cff-version: 1.2.0
title: From the file
message: Cite
authors:
  - {family-names: Roe, given-names: Richard, orcid: "https://orcid.org/0000-0002-1825-0097", website: "https://x"}
  - {name: A team}
license: [MIT]
keywords: [a, b]
abstract: Much
"""
    found = read_cff(text)
    assert (found.title, found.license, found.keywords, found.description) == (
        "From the file",
        "MIT",
        ("a", "b"),
        "Much",
    )
    assert [str(each) for each in found.creators] == ["Roe, Richard", "A team"]
    assert read_citation({"title": "Mine"}).over(found).title == "Mine"
    assert read_citation({"publisher": "P"}).over(found).title == "From the file"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "should be a mapping"), ({"author": "x"}, "unknown key 'author'"), ({"creators": "x"}, "should be a list"),
        ({"creators": [{"given": "x"}]}, "creators[0]"), ({"creators": [{"name": "x", "orcid": "12"}]}, "orcid"),
        ({"title": ["x"]}, "should be text"), ({"title": "a\x07"}, "control"), ({"doi": "zenodo"}, "not a DOI"),
        ({"dois": {"x": "y"}}, "not a DOI"), ({"dois": ["x"]}, "should map release"),
        ({"keywords": [["x"]]}, "should be text"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(value: Any, words: str) -> None:
    with pytest.raises(RepoError, match=re.escape(words)):
        read_citation(value)


def test_what_cannot_be_cited(frozen: Path) -> None:
    releases = DataRepo(frozen).releases
    with pytest.raises(NotFound):
        releases.cite("2026dgt@9")
    with pytest.raises(NotFound, match="release/nearby/1"):
        releases.cite("release/nearby/7")
    with pytest.raises(InvalidName):
        releases.cite("release/nearby")
    with pytest.raises(InvalidName, match="freeze a collection"):
        releases.cite("u/x")
    with pytest.raises(UsageError):
        releases.cite("2026dgt@1", "word")


def test_unicode_and_braces_come_through(stocked: Path, settle: Callable[[Path, bytes], None]) -> None:
    settle(stocked, "citation: {title: 'Größe {x} 100 %', creators: ['Müller, Jürgen']}\n".encode())
    DataRepo(stocked).releases.freeze("nearby", "1")
    releases = DataRepo(stocked).releases
    assert "author    = {Müller, Jürgen}," in releases.cite(RELEASE, "bibtex")
    assert r"Größe \{x\} 100 \%" in releases.cite(RELEASE, "bibtex")
    assert safe_load(releases.cite(RELEASE, "cff"))["title"].startswith("Größe {x} 100 %")
    assert releases.verify(RELEASE).is_sound


def test_the_commands(
    stocked: Path, forge: Callable[..., None], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def call(*words: str) -> tuple[int, str]:
        code = main(["-C", str(stocked), *words])
        return code, capsys.readouterr().out

    assert call("collection", "freeze", "nearby", "1", "-m", "As submitted", "--dry-run")[1].startswith(
        f"{RELEASE} would be made"
    )
    code, out = call("collection", "freeze", "nearby", "1", "-m", "As submitted", "--json")
    assert (code, json.loads(out)["release"]) == (0, RELEASE)
    assert call("collection", "freeze", "nearby", "1")[0] == 4
    assert "same content as release/nearby/1" in call("collection", "freeze", "nearby", "2")[1]
    code, out = call("collection", "releases", "--json")
    assert [each["release"] for each in json.loads(out)] == [RELEASE, "release/nearby/2"]
    assert call("collection", "releases")[1].count("TAGGED") == 2
    assert json.loads(call("cite", RELEASE, "--json")[1])["version"] == "1"
    assert call("get", RELEASE, str(tmp_path / "out"))[0] == 0
    subprocess.run(["sha256sum", "-c", "--quiet", "manifest.sha256"], cwd=tmp_path / "out", check=True)
    forge(stocked, "release/nearby/2", {"release.yaml": b"x"})
    code, out = call("collection", "releases", "--json")
    assert (code, [each["release"] for each in json.loads(out) if "damaged" in each]) == (9, ["release/nearby/2"])
    subject = subprocess.run(
        ["git", f"--git-dir={stocked}", "tag", "-l", "--format=%(subject)", RELEASE], check=True, capture_output=True
    )
    assert subject.stdout.decode().strip() == "Freeze nearby as 1: As submitted"
