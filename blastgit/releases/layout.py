"""The layout of a release, in its git tree and when downloaded: a folder `2026dgt@1/` for each revision."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pygit2

from blastgit.collections.datasets import Dataset
from blastgit.errors import DamagedData
from blastgit.naming.names import document_of
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.objects import undamaged
from blastgit.releases.frozen import Entry
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.store.hashing import Checksums
from blastgit.workflow.judged import Finding, Invalid, OutOfDate, ValidityReport


@dataclass(frozen=True)
class Part:
    """The part of a release that is from one revision.

    Attributes:
        dataset: The revision as a dataset.
        git: The git repository.
        commit: Its commit.
        paths: Its files in the release, sorted.
        whole: Whether the release includes the document, and not only some files.
    """

    dataset: Dataset
    git: pygit2.Repository
    commit: str
    paths: tuple[str, ...]
    whole: bool

    @property
    def folder(self) -> str:
        """Its folder in the release."""
        return str(self.dataset)

    @property
    def document(self) -> str:
        """The path of its document in the release."""
        return f"{self.folder}/{document_of(self.dataset.name)}"

    def open(self) -> Revision:
        """Return the revision. Do not keep it: a release may have very many, each with a large document.

        Raises:
            DamagedData: Git lacks the commit.
        """
        with undamaged(self.folder):
            commit = self.git[self.commit].peel(pygit2.Commit)
        return Revision(self.git, self.dataset.name, commit, self.dataset.number)

    def sums(self, revision: Revision) -> dict[str, Checksums]:
        """Return the expected checksums of its files, by path in the revision (as returned by `open`).

        Raises:
            DamagedData: The revision cannot be read.
        """
        pointers = {path: revision.pointer(path) for path in self.paths}
        return {path: Checksums(each.md5, revision.sha256(path), each.size) for path, each in pointers.items()}

    def sizes(self) -> dict[str, tuple[str, int]]:
        """Return the SHA-256 and the size of each of its files, by path in the release.

        Raises:
            DamagedData: The revision cannot be read.
        """
        revision = self.open()
        found = {f"{self.folder}/{path}": (sums.sha256, sums.size) for path, sums in self.sums(revision).items()}
        if self.whole:
            data = revision.dr_bytes
            found[self.document] = hashlib.sha256(data).hexdigest(), len(data)
        return found

    def blobs(self) -> dict[str, pygit2.Oid]:
        """Return its blobs by path in the release: document, pointers and files in git, as in the revision.

        Raises:
            DamagedData: The revision cannot be read.
        """
        revision = self.open()
        held = (revision.held[path] for path in self.paths)
        found = {f"{self.folder}/{place}": blob for place, blob in held}
        if self.whole:
            with undamaged(self.folder):
                found[self.document] = revision.commit.tree[document_of(revision.name)].id
        return found


def faults_of(repository: Repository, part: Part) -> tuple[Invalid, OutOfDate]:
    """Return the values and files of a part that are invalid, and those out of date, by path in the release."""
    judged = ValidityReport(repository, part.open())
    values = judged.values if part.whole and not judged.validity.is_complete else ()
    shown = [*part.paths, *values]
    invalid, late = judged.allow(shown, part.folder, even_invalid=True), judged.out_of_date(shown, part.folder)
    return Invalid(*_below(part.folder, invalid)), OutOfDate(*_below(part.folder, late))


def _below(folder: str, found: Invalid) -> tuple[dict[str, str], list[Finding]]:
    """What was found of a revision, as it is called in a release."""
    findings = [replace(each, root=f"{folder}: {each.root}") for each in found.findings]
    return {f"{folder}/{path}": why for path, why in found.items()}, findings


def parts_of(repository: Repository, entries: Iterable[Entry]) -> list[Part]:
    """Return the parts of a release, sorted by revision.

    Raises:
        DamagedData: A commit is missing, or lacks a file.
    """
    grouped: dict[Dataset, list[Entry]] = {}
    chosen = list(entries)
    repository.look_up(entry.dataset.ref for entry in chosen)  # from a remote repo, this fetches the commits
    for entry in chosen:
        grouped.setdefault(entry.dataset.revision, []).append(entry)
    return [_part(repository, dataset, grouped[dataset]) for dataset in sorted(grouped)]


def _part(repository: Repository, dataset: Dataset, entries: Sequence[Entry]) -> Part:
    with undamaged(str(dataset)):
        commit = repository.git[entries[0].commit].peel(pygit2.Commit)
    there = Revision(repository.git, dataset.name, commit, dataset.number).held
    paths: set[str] = set()
    for entry in entries:
        chosen = {entry.dataset.path} if entry.dataset.path else set(there)
        paths |= chosen - set(entry.without)
    lost = sorted(paths - there.keys())
    if lost:
        raise DamagedData(f"{dataset} has no file {lost[0]!r}, which the release says it has")
    whole = any(not entry.dataset.path for entry in entries)
    return Part(dataset, repository.git, str(commit.id), tuple(sorted(paths)), whole)


def manifest_lines(files: Mapping[str, str]) -> bytes:
    """Return a manifest for `sha256sum -c` from the SHA-256 of each file by path."""
    return "".join(f"{files[path]}  {path}\n" for path in sorted(files)).encode()


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each file."""
    return {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}


def add_tree(batch: Batch, parts: Iterable[Part], beside: Mapping[str, pygit2.Oid]) -> pygit2.Oid:
    """Add the trees of a release to a batch, and return the id of the top one.

    Args:
        batch: The batch; it need not be written if only the id is wanted.
        parts: The parts of the release.
        beside: The other files, by path.
    """
    files = dict(beside)
    for part in parts:
        files.update(part.blobs())
    return batch.tree(files)
