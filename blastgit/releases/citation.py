"""The citation metadata of a data repo: `citation:` of blastgit.yaml, and CITATION.cff, both on main."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from blastgit.errors import RepoError
from blastgit.naming.keys import read_keys, read_mapping
from blastgit.plumbing.trees import read_blob
from blastgit.repository.base import Repository
from blastgit.repository.settings import Settings
from blastgit.safe_yaml import load_yaml

CFF = "CITATION.cff"
UNKNOWN = "(:unav)"
"""DataCite's code for an unknown value."""

_WHERE = "blastgit.yaml on main: citation"
_ORCID = re.compile(r"(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])")
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?(10\.\d{4,9}/[!-~]+)", re.IGNORECASE)
_TEXTS = ("title", "publisher", "license", "url", "description", "doi")


@dataclass(frozen=True)
class Creator:
    """A person or an organisation.

    Attributes:
        name: The name of an organisation, or of a person whose name is not split into parts.
        family: A person's family name.
        given: A person's given names.
        orcid: `0000-0002-1825-0097`.
        affiliation: Where a person works.
    """

    name: str = ""
    family: str = ""
    given: str = ""
    orcid: str = ""
    affiliation: str = ""

    @property
    def is_person(self) -> bool:
        """Whether it has a family name."""
        return bool(self.family)

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.family, self.given))) if self.family else self.name


@dataclass(frozen=True)
class Citation:
    """The citation metadata of a whole repo, or of one release.

    Attributes:
        title: The title of the data.
        creators: The creators, in order.
        publisher: Who keeps the data and makes them available.
        license: An SPDX identifier, `CC-BY-4.0`, or the URL of a license.
        url: Where the data are found.
        description: A description of the data.
        doi: `10.5281/zenodo.1234567`.
        keywords: Keywords to find the data by.
        dois: DOIs assigned to revisions and releases later, by their names.
    """

    title: str = ""
    creators: tuple[Creator, ...] = ()
    publisher: str = ""
    license: str = ""
    url: str = ""
    description: str = ""
    doi: str = ""
    keywords: tuple[str, ...] = ()
    dois: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> Citation:
        """Read the citation metadata of a data repo's settings.

        Raises:
            RepoError: The section `citation` has a mistake.
        """
        return settings.read("citation", read_citation)

    def over(self, other: Citation) -> Citation:
        """Return this, with empty fields taken from `other`."""
        values = {each.name: getattr(self, each.name) or getattr(other, each.name) for each in fields(self)}
        return Citation(**values)

    def missing(self) -> list[str]:
        """Return a sentence for each required field that is empty."""
        wanted = {
            "creators": "no creator is named",
            "title": "the data have no title",
            "publisher": "no publisher is named",
        }
        also = {"creators": f", or authors to {CFF} there", "title": f", or title to {CFF} there", "publisher": ""}
        return [
            f"{words}: add citation.{key} to blastgit.yaml on main{also[key]}"
            for key, words in wanted.items()
            if not getattr(self, key)
        ]

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys, without empty fields."""
        value = {key: each for key, each in asdict(self).items() if each and key != "dois"}
        if self.creators:
            value["creators"] = [{key: each for key, each in asdict(one).items() if each} for one in self.creators]
        if self.keywords:
            value["keywords"] = list(self.keywords)
        return value


def citation_of(repository: Repository) -> Citation:
    """Return the present citation metadata on main: from the settings, then CITATION.cff, then the repo's title.

    Raises:
        RepoError: One of them is not valid.
    """
    settings = repository.settings
    stated = Citation.of(settings)
    text = read_blob(repository.main.tree, CFF)
    return stated.over(read_cff(text) if text else Citation()).over(Citation(title=settings.title))


def read_citation(loaded: Any, where: str = _WHERE) -> Citation:
    """Read the value of `citation:`; None means empty.

    Raises:
        RepoError: It is not valid.
    """
    if loaded is None:
        return Citation()
    read_keys(loaded, where, (each.name for each in fields(Citation)))
    texts = {key: _text(loaded.get(key), f"{where}.{key}") for key in _TEXTS}
    dois = read_mapping(loaded.get("dois"), f"{where}.dois", "map release/NAME/VERSION or NAME@N to DOIs")
    creators = enumerate(_list(loaded, "creators", where))
    return Citation(
        creators=tuple(_creator(each, f"{where}.creators[{i}]") for i, each in creators),
        keywords=tuple(_text(each, f"{where}.keywords") for each in _list(loaded, "keywords", where)),
        dois={str(name): doi_of(_text(doi, f"{where}.dois"), f"{where}.dois") for name, doi in dois.items()},
        **{**texts, "doi": doi_of(texts["doi"], f"{where}.doi")},
    )  # fmt: skip


def read_cff(text: bytes) -> Citation:
    """Read the fields of CITATION.cff that are used here.

    Raises:
        RepoError: It is not valid.
    """
    where = f"{CFF} on main"
    loaded = load_yaml(text, where)
    if not isinstance(loaded, dict):
        raise RepoError(f"{where} is not a mapping")
    names = {"family-names": "family", "given-names": "given"}
    people = [
        {names.get(key, key): value for key, value in each.items() if names.get(key, key) in _PERSON}
        for each in _list(loaded, "authors", where)
        if isinstance(each, dict)
    ]
    license_ = loaded.get("license")
    found = {
        "title": loaded.get("title"), "creators": people, "url": loaded.get("url") or loaded.get("repository"),
        "license": (license_[0] if isinstance(license_, list) and license_ else license_) or loaded.get("license-url"),
        "description": loaded.get("abstract"), "doi": loaded.get("doi"), "keywords": loaded.get("keywords"),
    }  # fmt: skip
    return read_citation({key: value for key, value in found.items() if value is not None}, where)


def doi_of(text: str, where: str) -> str:
    """Return a DOI without a URL prefix.

    Raises:
        RepoError: It is not a DOI.
    """
    match = _DOI.fullmatch(text)
    if text and match is None:
        raise RepoError(f"{where}: {text!r} is not a DOI: write 10.PREFIX/NAME")
    return match[1] if match else ""


_PERSON = {each.name for each in fields(Creator)}


def _creator(value: Any, where: str) -> Creator:
    if isinstance(value, str):
        family, comma, given = (part.strip() for part in value.partition(","))
        return Creator(family=family, given=given) if comma else Creator(name=_text(value, where))
    if not isinstance(value, dict) or set(value) - _PERSON or not (value.get("name") or value.get("family")):
        raise RepoError(f"{where} should be `Family, Given`, or a mapping with `family` or `name`; {_OTHERS} too")
    texts = {key: _text(each, f"{where}.{key}") for key, each in value.items()}
    match = _ORCID.fullmatch(texts.get("orcid", ""))
    if texts.get("orcid") and match is None:
        raise RepoError(f"{where}.orcid is {texts['orcid']!r}, not 0000-0000-0000-0000")
    return Creator(**{**texts, "orcid": match[1] if match else ""})


_OTHERS = "`given`, `orcid` and `affiliation` may stand there"


def _list(loaded: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = loaded.get(key) or []
    if not isinstance(value, list):
        raise RepoError(f"{where}.{key} should be a list")
    return value


def _text(value: Any, where: str) -> str:
    text = "" if value is None else str(value).strip() if isinstance(value, str | int | float) else None
    if text is None or len(text) > 10_000 or not text.replace("\n", "").isprintable():
        raise RepoError(f"{where} should be text, without control characters")
    return " ".join(text.split())
