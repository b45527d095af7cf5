"""Read and write `release.yaml`, which lists every dataset of a release with its commit and revision number.

Like the file of a collection it is a subset of YAML: `key: JSON` on each line, then one member per line.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from blastgit.annotations.subjects import instant_text
from blastgit.collections.datasets import Dataset, Member, read_dataset, utc
from blastgit.collections.names import is_name
from blastgit.errors import BlastgitError, DamagedData
from blastgit.releases.citation import Citation, read_citation
from blastgit.releases.label import Label

FILE, MANIFEST, CRATE, CITED, README = (
    "release.yaml", "manifest.sha256", "ro-crate-metadata.json", "CITATION.cff", "README.md",
)  # fmt: skip
DESCRIBING = (FILE, CITED, CRATE, README)
"""The files that describe the data; the manifest lists them too."""

_COMMIT = re.compile(r"[0-9a-f]{40}")
SIZE_LIMIT = 512 * 1024 * 1024
"""Most bytes of a describing file or manifest: some five million files."""


class Entry(NamedTuple):
    """One dataset of a release.

    Attributes:
        dataset: The dataset.
        commit: The commit of its revision.
        via: The collections that led to it.
        begin: When its validity begins, if a CALIBRATION limits it.
        end: When its validity ends.
        without: Its files that had been withdrawn before.
    """

    dataset: Dataset
    commit: str
    via: tuple[str, ...]
    begin: datetime | None = None
    end: datetime | None = None
    without: tuple[str, ...] = ()

    @property
    def member(self) -> Member:
        """The dataset and its validity."""
        return Member(self.dataset, self.begin, self.end)

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        times = {"begin": self.begin, "end": self.end}
        timed = {key: None if time is None else instant_text(time) for key, time in times.items()}
        return {
            "dataset": str(self.dataset), "revision": self.dataset.number, "commit": self.commit,
            "via": list(self.via), **(timed if self.begin or self.end else {}),
            **({"without": list(self.without)} if self.without else {}),
        }  # fmt: skip


@dataclass(frozen=True)
class Frozen:
    """A frozen collection.

    Attributes:
        label: The name of the release.
        kind: The type of the collection.
        about: What the collection is for.
        main: The commit of main from which it was resolved.
        time: When it was frozen (ISO 8601, UTC).
        repo: The identity of the data repo.
        simulated: Whether its data are simulated.
        files: How many files it has, including documents.
        size: Their size in bytes.
        formats: Their known media types.
        citation: The citation metadata.
        entries: Its datasets, sorted.
    """

    label: Label
    kind: str
    about: str
    main: str
    time: str
    repo: str
    simulated: bool
    files: int
    size: int
    formats: tuple[str, ...]
    citation: Citation
    entries: tuple[Entry, ...]

    @property
    def content(self) -> str:
        """A digest that is equal for releases of the same datasets, files and validity."""
        lines = [
            {key: value for key, value in each.to_json().items() if key != "via"} for each in self.entries
        ]  # not `via`: how a collection led to them does not matter
        return hashlib.sha256(json.dumps(lines, sort_keys=True).encode()).hexdigest()

    def head(self) -> dict[str, Any]:
        """Return everything except the datasets under its stable keys."""
        return {
            "collection": self.label.collection, "version": self.label.version, "type": self.kind,
            "about": self.about, "main": self.main, "time": self.time, "repo": self.repo,
            "simulated": self.simulated, "files": self.files, "bytes": self.size, "formats": list(self.formats),
            "citation": self.citation.to_json(),
        }  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"release": str(self.label), **self.head(), "members": [each.to_json() for each in self.entries]}

    def text(self) -> bytes:
        """Return the file `release.yaml`."""
        lines = [f"{key}: {_json(value)}" for key, value in self.head().items()]
        return "\n".join([*lines, "members:", *(f"- {_json(each.to_json())}" for each in self.entries), ""]).encode()


def read_frozen(data: bytes, label: Label) -> Frozen:
    """Read `release.yaml` of a release.

    Raises:
        DamagedData: It is not valid, or belongs to another release.
    """
    try:
        text, _, body = data.decode().partition("\nmembers:\n")
        fields = {key: json.loads(value) for key, _, value in (line.partition(": ") for line in text.split("\n"))}
        members = [_entry(json.loads(line.removeprefix("- "))) for line in body.removesuffix("\n").split("\n")]
        stated = Label(fields.pop("collection"), fields.pop("version"))
        citation = read_citation(fields.pop("citation"), f"{FILE} of {label}")
        head = {"kind": fields.pop("type"), "size": fields.pop("bytes"), "formats": tuple(fields.pop("formats"))}
        frozen = Frozen(stated, citation=citation, entries=tuple(members), **head, **fields)
        if not _COMMIT.fullmatch(frozen.main) or not (frozen.about + frozen.time + frozen.repo).isprintable():
            raise ValueError("a text cannot be printed, or main is not a commit")
        is_exact = frozen.text() == data
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, BlastgitError) as error:
        raise DamagedData(f"{FILE} of {label} cannot be read: {error}") from None
    if stated != label:
        raise DamagedData(f"{FILE} of {label} is of {stated}")
    if not is_exact:
        raise DamagedData(f"{FILE} of {label} is not written as docs/format.md asks")
    return frozen


def _entry(value: Mapping[str, Any]) -> Entry:
    if not _COMMIT.fullmatch(value["commit"]) or not value["via"] or not all(map(is_name, value["via"])):
        raise ValueError(f"{value['dataset']!r} has no commit, or no collection that gave it")
    begin, end = utc(value.get("begin")), utc(value.get("end"))
    without = tuple(value.get("without", ()))
    return Entry(read_dataset(value["dataset"]), value["commit"], tuple(value["via"]), begin, end, without)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
