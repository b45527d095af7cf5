"""Write citations: as BibTeX, CITATION.cff, DataCite's JSON or plain text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from blastgit.releases.citation import UNKNOWN, Citation, Creator

FORMS = ("text", "bibtex", "cff", "datacite")

_LICENSES = "https://spdx.org/licenses/"
_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


@dataclass(frozen=True)
class Cited:
    """A revision, release or state to be cited.

    Attributes:
        name: `2026dgt@1`, or `release/nearby/1`.
        version: The revision number, or the version of the release.
        date: When it was recorded or frozen, `2026-06-03`.
        identifiers: Its identifiers besides a DOI, as kind and value.
        citation: Creators, title and so on.
        sizes: Its size: `30 files`, `26000000 bytes`.
        formats: The media types of its files.
        simulated: Whether the data are simulated.
        faults: What is invalid, out of date or withdrawn, in sentences.
    """

    name: str
    version: str
    date: str
    identifiers: tuple[tuple[str, str], ...]
    citation: Citation
    sizes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    simulated: bool = False
    faults: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The title of the data, with the name of the part."""
        title = f"{self.citation.title or UNKNOWN}: {self.name}"
        return f"{title} (simulated data)" if self.simulated else title

    @property
    def year(self) -> str:
        """The year of publication."""
        return self.date[:4]

    @property
    def place(self) -> str:
        """The URL of its DOI, or else the URL of the data."""
        return f"https://doi.org/{self.citation.doi}" if self.citation.doi else self.citation.url

    def write(self, form: str) -> str:
        """Return the citation in one of `FORMS`, ending with a newline."""
        writers = {"text": _text, "bibtex": _bibtex, "cff": _cff, "datacite": _datacite}
        return writers[form](self)


def license_url(text: str) -> str:
    """Return the URL of a license given by its SPDX identifier or URL."""
    return text if "://" in text or not text else f"{_LICENSES}{text}"


def _text(cited: Cited) -> str:
    names = "; ".join(map(str, cited.citation.creators)) or UNKNOWN
    publisher = cited.citation.publisher or UNKNOWN
    places = [cited.place] if cited.place else [f"{kind} {value}" for kind, value in cited.identifiers]
    return f"{names} ({cited.year}): {cited.title}. Version {cited.version}. {publisher}. {', '.join(places)}\n"


def _bibtex(cited: Cited) -> str:
    citation = cited.citation
    fields = {
        "author": " and ".join(map(_bibtex_name, citation.creators)) or _tex(UNKNOWN),
        "title": f"{{{_tex(cited.title)}}}",
        "year": cited.year,
        "month": str(int(cited.date[5:7])),
        "publisher": _tex(citation.publisher or UNKNOWN),
        "version": _tex(cited.version),
        "doi": citation.doi,
        "url": cited.place,
        "note": _tex("; ".join(f"{kind} {value}" for kind, value in cited.identifiers)),
    }
    key = re.sub(r"[^A-Za-z0-9]+", "-", f"blast-{cited.name}").strip("-")
    lines = [f"  {name:9} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@dataset{{{key},", *lines, "}", ""])


def _bibtex_name(creator: Creator) -> str:
    return _tex(str(creator)) if creator.is_person else f"{{{_tex(creator.name)}}}"


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)


def _cff(cited: Cited) -> str:
    import yaml

    citation = cited.citation
    fields = {
        "cff-version": "1.2.0",
        "message": "If you use these data, please cite them as below.",
        "type": "dataset",
        "title": cited.title,
        "authors": [_cff_author(each) for each in citation.creators] or [{"name": UNKNOWN}],
        "version": cited.version,
        "date-released": cited.date,
        "doi": citation.doi,
        "identifiers": [
            {"type": "swh" if value.startswith("swh:") else "other", "value": value, "description": kind}
            for kind, value in cited.identifiers
        ],
        "license-url" if "://" in citation.license else "license": citation.license,
        "url": citation.url,
        "abstract": citation.description,
        "keywords": list(citation.keywords),
    }
    text: str = yaml.safe_dump(
        {key: value for key, value in fields.items() if value}, sort_keys=False, allow_unicode=True, width=100
    )
    return text


def _cff_author(creator: Creator) -> dict[str, str]:
    orcid = f"https://orcid.org/{creator.orcid}" if creator.orcid else ""
    name = (
        {"family-names": creator.family, "given-names": creator.given} if creator.is_person else {"name": creator.name}
    )
    affiliation = creator.affiliation if creator.is_person else ""
    return {key: value for key, value in {**name, "affiliation": affiliation, "orcid": orcid}.items() if value}


def _datacite(cited: Cited) -> str:
    citation = cited.citation
    rights = {"rightsUri": license_url(citation.license)}
    if "://" not in citation.license:
        rights |= {
            "rights": citation.license, "rightsIdentifier": citation.license, "rightsIdentifierScheme": "SPDX",
            "schemeUri": _LICENSES,
        }  # fmt: skip
    value: dict[str, Any] = {
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "doi": citation.doi,
        "url": citation.url,
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Dataset"},
        "creators": [_datacite_creator(each) for each in citation.creators] or [{"name": UNKNOWN}],
        "titles": [{"title": cited.title}],
        "publisher": {"name": citation.publisher or UNKNOWN},
        "publicationYear": cited.year,
        "dates": [{"date": cited.date, "dateType": "Issued"}],
        "version": cited.version,
        "language": "en",
        "subjects": [{"subject": word} for word in citation.keywords],
        "alternateIdentifiers": [
            {"alternateIdentifier": name, "alternateIdentifierType": kind} for kind, name in cited.identifiers
        ],
        "rightsList": [rights] if citation.license else [],
        "descriptions": [{"description": citation.description, "descriptionType": "Abstract"}]
        if citation.description
        else [],
        "sizes": list(cited.sizes),
        "formats": list(cited.formats),
    }
    return json.dumps({key: each for key, each in value.items() if each}, indent=2, ensure_ascii=False) + "\n"


def _datacite_creator(creator: Creator) -> dict[str, Any]:
    value: dict[str, Any] = {"name": str(creator), "nameType": "Personal" if creator.is_person else "Organizational"}
    if creator.is_person:
        value |= {"givenName": creator.given, "familyName": creator.family}
    if creator.orcid:
        orcid = f"https://orcid.org/{creator.orcid}"
        scheme = {"nameIdentifierScheme": "ORCID", "schemeUri": "https://orcid.org"}
        value["nameIdentifiers"] = [{"nameIdentifier": orcid, **scheme}]
    if creator.affiliation:
        value["affiliation"] = [{"name": creator.affiliation}]
    return {key: each for key, each in value.items() if each}
