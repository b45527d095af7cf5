"""Which revision a file, an export or a whole dataset is: by its bytes, else by its values under the repo's rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from blastgit.content import describe
from blastgit.errors import DamagedData, StoreError, Withdrawn
from blastgit.naming.names import is_personal, is_reference
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.repository.contents import content_tolerance, published_file
from blastgit.repository.drafts import Drafts
from blastgit.repository.history import History
from blastgit.revision.compare import FieldChange, compare
from blastgit.revision.export import Export
from blastgit.revision.files import FileChange
from blastgit.revision.leftovers import is_leftover
from blastgit.revision.normalise import normalise
from blastgit.revision.reason import Changes
from blastgit.store.hashing import sha256_of

_LOOKED_INTO = 5
"""The number of revisions to compare by content: those that differ least in values and checksums."""


@dataclass(frozen=True)
class Dataset:
    """A state to identify: its document, and its files by path in the dataset, if there are any."""

    label: str
    export: Export
    files: Mapping[str, Path]


@dataclass(frozen=True)
class Identity:
    """The result of an identification.

    Attributes:
        label: The name it was given by.
        matches: The revisions that it equals, `2026dgt@1`, or for a file its places,
            `2026dgt@1:cutout_cdn/DES/DES_z.fits`; newest first, and empty if it is not a published state.
        same_bytes: Whether the matches have the same bytes; otherwise they are equal by the rules.
        nearest: Without a match, the revision or place that differs least.
        reason: What differs from that, or why there is none.
        files: The files that differ from it.
        fields: The values that differ from it.
    """

    label: str
    matches: tuple[str, ...] = ()
    same_bytes: bool = False
    nearest: str | None = None
    reason: str = ""
    files: Sequence[FileChange] = ()
    fields: Sequence[FieldChange] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the answer under its stable keys."""
        return {
            "what": self.label, "is": list(self.matches), "same_bytes": self.same_bytes, "nearest": self.nearest,
            "reason": self.reason, "files": [file.to_json() for file in self.files],
            "fields": [field.to_json() for field in self.fields],
        }  # fmt: skip


def identify_dataset(repository: Repository, dataset: Dataset, name: str) -> Identity:
    """Return which revision of a transient a state is, or the nearest one; missing files count as differences.

    A document without files is compared by its values only.

    Args:
        repository: The data repo.
        dataset: The state.
        name: The transient's name in the repo.

    Raises:
        NotFound: The repo has no such transient.
        InvalidExport: The document refers to rows that it does not have.
    """
    rules = repository.rules
    form = normalise(dataset.export, rules)
    sha256 = {path: f"sha256:{sha256_of(file)}" for path, file in dataset.files.items()}
    compared = []
    states = _states(repository, name)
    for revision in states:
        fields = compare(normalise(revision.dr.export, rules), form, rules)
        files = list(_by_checksum(repository, revision, sha256)) if sha256 else []
        compared.append((revision, fields, files))
    exact = [revision for revision, fields, files in compared if not fields and not files]
    if exact:
        return Identity(dataset.label, tuple(map(str, exact)), same_bytes=bool(sha256))
    compared.sort(key=lambda each: (len(each[1]), len(each[2])))
    with TemporaryDirectory(prefix="blastgit-") as folder:
        looked = [
            (revision, fields, [_by_content(repository, revision, each, dataset.files, Path(folder)) for each in files])
            for revision, fields, files in compared[:_LOOKED_INTO]
        ]
    equal = [r for r, fields, files in looked if not Changes(fields, files).makes_revision]
    if equal:
        return Identity(dataset.label, tuple(map(str, sorted(equal, key=states.index))))
    revision, fields, files = min(looked, key=lambda each: len(each[1]) + sum(file.counts for file in each[2]))
    reason = Changes(fields, files).reason(rules)
    return Identity(dataset.label, nearest=str(revision), reason=reason, files=files, fields=fields)


def _states(repository: Repository, name: str) -> list[Snapshot]:
    """Return the candidates, newest first: the drafts of a transient, and its revisions.

    Raises:
        NotFound: The repo has no such transient.
    """
    history = History(repository)
    drafts = [] if is_personal(name) or is_reference(name) else Drafts(repository, name).all()
    found = [*drafts, *history.backwards(name)]
    if not found:
        raise history.unknown(name)
    return found


def _by_checksum(repository: Repository, revision: Snapshot, sha256: Mapping[str, str]) -> Iterator[FileChange]:
    published = revision.dr.files
    for path in sorted(published.keys() | sha256.keys()):
        derived = repository.rules.is_derived(path) or is_leftover(path)
        if path not in sha256:
            if not derived:  # Blast's archives have no thumbnails
                yield FileChange(path, "removed")
        elif path not in published:
            yield FileChange(path, "added", derived=derived)
        elif published[path] != sha256[path]:
            yield FileChange(path, "changed", derived=derived)


def _by_content(
    repository: Repository, revision: Snapshot, change: FileChange, files: Mapping[str, Path], folder: Path
) -> FileChange:
    if change.change != "changed" or change.derived:
        return change
    found = _difference(repository, revision, change.path, files[change.path], folder)
    return FileChange(change.path, "content-equal" if found == "" else "changed", found or None)


def _difference(repository: Repository, revision: Snapshot, path: str, file: Path, folder: Path) -> str:
    """Return how the content of a file differs from a published one; "" if it does not."""
    try:
        published = published_file(repository, revision, path, folder)
    except (DamagedData, Withdrawn, StoreError) as error:
        return f"other bytes; the published content cannot be read: {error}"
    found = describe(path, published, file, content_tolerance(repository))
    return found.summary() if found.raw is not None or found.parts else ""


def identify_file(repository: Repository, file: Path, names: Iterable[str]) -> Identity:
    """Return the files of revisions and drafts that equal a file: by bytes, else by content among files of its name.

    Args:
        repository: The data repo.
        file: The file.
        names: The transients to search.

    Raises:
        OSError: It cannot be read.
    """
    digest = f"sha256:{sha256_of(file)}"
    alike: dict[str, tuple[Snapshot, str]] = {}  # published files of that name, each content once
    matches = []
    for name in names:
        for state in _states(repository, name):
            if digest.encode() in state.dr_bytes:  # faster than parsing each
                matches += [f"{state}:{path}" for path, known in state.dr.files.items() if known == digest]
            elif f'/{file.name}"'.encode() in state.dr_bytes:
                paths = [path for path in state.dr.files if PurePosixPath(path).name == file.name]
                alike.update({state.dr.files[path]: (state, path) for path in paths})
    if matches:
        return Identity(str(file), tuple(matches), same_bytes=True)
    return _nearest_file(repository, file, list(alike.values()))


def _nearest_file(repository: Repository, file: Path, alike: Sequence[tuple[Snapshot, str]]) -> Identity:
    if not alike:
        return Identity(str(file), reason="no published file has these bytes, and none has this name")
    if len({state.name for state, _ in alike}) > 1:
        words = "no published file has these bytes; to compare its content, name the transient (--of NAME)"
        return Identity(str(file), reason=words)
    with TemporaryDirectory(prefix="blastgit-") as folder:
        found = [(_difference(repository, *each, file, Path(folder)), f"{each[0]}:{each[1]}") for each in alike]
    equal = tuple(place for words, place in found if words == "")
    if equal:
        return Identity(str(file), equal)
    words, place = found[0]
    return Identity(str(file), nearest=place, reason=words)
