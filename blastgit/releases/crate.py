"""`ro-crate-metadata.json`: the metadata of a release for programs that read RO-Crate 1.1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from blastgit.releases.citation import UNKNOWN, Creator
from blastgit.releases.cite import Cited, license_url
from blastgit.releases.frozen import CITED, CRATE, FILE, MANIFEST, README
from blastgit.releases.layout import Part
from blastgit.store.media_types import BY_ENDING, OTHER, known_type

FILE_LIMIT = 20_000
"""Most files that are described one by one. For larger releases only revisions are; the manifest lists the files."""

_BESIDE = {
    FILE: ("The datasets, each with its revision number and commit", "application/yaml"),
    MANIFEST: ("The SHA-256 of every file, for `sha256sum -c`", "text/plain"),
    CITED: ("How to cite this release", "application/yaml"),
    README: ("How to get and check this release", "text/markdown"),
}


def media_types(parts: Sequence[Part]) -> tuple[str, ...]:
    """Return the known media types of a release's files."""
    found = {known_type(path) for part in parts for path in part.paths}
    return tuple(sorted({each for each in found if each is not None} | {BY_ENDING[".json"]}))


def write_crate(cited: Cited, parts: Sequence[Part]) -> bytes:
    """Return the metadata of a release."""
    citation = cited.citation
    creators = [_creator(each, number) for number, each in enumerate(citation.creators, 1)]
    describes_files = sum(len(part.paths) + part.whole for part in parts) <= FILE_LIMIT
    data = [entity for part in parts for entity in _part(part, describes_files=describes_files)]
    beside = [
        {"@id": path, "@type": "File", "description": words, "encodingFormat": kind}
        for path, (words, kind) in _BESIDE.items()
    ]
    dois = [f"https://doi.org/{citation.doi}"] if citation.doi else []
    folders = [f"{_id(part.folder)}/" for part in parts]
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": cited.title,
        "description": citation.description or f"The collection frozen as {cited.name}",
        "datePublished": cited.date,
        "version": cited.version,
        "license": {"@id": license_url(citation.license)} if citation.license else "No license is stated",
        "identifier": [*dois, *(value for _, value in cited.identifiers)],
        "author": [{"@id": each["@id"]} for each in creators],
        "publisher": {"@id": "#publisher"} if citation.publisher else None,
        "url": citation.url,
        "keywords": ", ".join(citation.keywords),
        "hasPart": [{"@id": each} for each in (*_BESIDE, *folders)],
    }  # fmt: skip
    more: list[dict[str, Any]] = []
    if citation.publisher:
        more.append({"@id": "#publisher", "@type": "Organization", "name": citation.publisher})
    if citation.license:
        more.append({"@id": license_url(citation.license), "@type": "CreativeWork", "name": citation.license})
    about = {
        "@id": CRATE, "@type": "CreativeWork", "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }  # fmt: skip
    root = {key: value for key, value in root.items() if value}
    graph = [about, root, *creators, *more, *beside, *data]
    value = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _part(part: Part, *, describes_files: bool) -> list[dict[str, Any]]:
    revision = part.open()
    files = [_file(path, *facts) for path, facts in part.sizes().items()] if describes_files else []
    folder: dict[str, Any] = {
        "@id": f"{_id(part.folder)}/",
        "@type": "Dataset",
        "name": f"Dataset revision {part.folder}",
        "identifier": f"git commit {revision.id}",
        "version": str(part.dataset.number),
        "dateCreated": f"{revision.time:%Y-%m-%dT%H:%M:%SZ}",
        "description": f"{revision.name} as processed by Blast {revision.app_version or UNKNOWN}",
        "hasPart": [{"@id": each["@id"]} for each in files],
    }
    return [{key: value for key, value in folder.items() if value}, *files]


def _file(path: str, sha256: str, size: int) -> dict[str, Any]:
    return {
        "@id": _id(path), "@type": "File", "name": PurePosixPath(path).name, "contentSize": str(size),
        "sha256": sha256, "encodingFormat": known_type(path) or OTHER,
    }  # fmt: skip


def _id(path: str) -> str:
    return quote(path, safe="/@")


def _creator(creator: Creator, number: int) -> dict[str, Any]:
    value = {
        "@id": f"https://orcid.org/{creator.orcid}" if creator.orcid else f"#creator-{number}",
        "@type": "Person" if creator.is_person else "Organization",
        "name": f"{creator.given} {creator.family}".strip() if creator.is_person else creator.name,
        "familyName": creator.family,
        "givenName": creator.given,
        "affiliation": creator.affiliation,
    }
    return {key: each for key, each in value.items() if each}
