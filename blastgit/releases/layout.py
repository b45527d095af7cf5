"""How a release lies in a tree and in a folder: `2026dgt@1/…` for each revision, as `blastgit get` brings it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pygit2

from blastgit.collections.datasets import Dataset
from blastgit.errors import DamagedData
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.objects import undamaged
from blastgit.releases.frozen import Entry
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.store.hashing import Checksums
from blastgit.workflow.judged import Invalid, ValidityReport


@dataclass(frozen=True)
class Part:
    """What a release has of one revision.

    Attributes:
        dataset: The revision as a dataset.
        git: Where it is.
        commit: Its commit.
        paths: Its files that belong to the release, sorted.
        whole: Whether the document belongs to it, and not only some files.
    """

    dataset: Dataset
    git: pygit2.Repository
    commit: str
    paths: tuple[str, ...]
    whole: bool

    @property
    def folder(self) -> str:
        """Where it lies."""
        return str(self.dataset)

    @property
    def document(self) -> str:
        """The path of its document in the release."""
        return f"{self.folder}/{self.dataset.name}.json"

    def open(self) -> Revision:
        """Return the revision, to be read and let go: a release may have very many, each with a large document.

        Raises:
            DamagedData: Git has no such commit.
        """
        with undamaged(self.folder):
            commit = self.git[self.commit].peel(pygit2.Commit)
        return Revision(self.git, self.dataset.name, commit, self.dataset.number)

    def sums(self, revision: Revision) -> dict[str, Checksums]:
        """Return what each of its files must be, by path in the revision, which `open` returned.

        Raises:
            DamagedData: The revision cannot be read.
        """
        pointers = {path: revision.pointer(path) for path in self.paths}
        return {path: Checksums(each.md5, revision.sha256(path), each.size) for path, each in pointers.items()}

    def sizes(self) -> dict[str, tuple[str, int]]:
        """Return the SHA-256 and the size of each file in the release, by its path there.

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
        """Return what git has of it, by path in the release: documents, pointers and files, as the revision has them.

        Raises:
            DamagedData: The revision cannot be read.
        """
        revision = self.open()
        held = (revision.held[path] for path in self.paths)
        found = {f"{self.folder}/{place}": blob for place, blob in held}
        if self.whole:
            with undamaged(self.folder):
                found[self.document] = revision.commit.tree[f"{revision.name}.json"].id
        return found


def invalid_of(repository: Repository, part: Part) -> Invalid:
    """Return what of a part a failed stage made or left behind, by path in the release."""
    judged = ValidityReport(repository, part.open())
    values = judged.invalid_values if part.whole else ()
    found = judged.allow([*part.paths, *values], part.folder, even_invalid=True)
    findings = [replace(each, root=f"{part.folder}: {each.root}") for each in found.findings]
    return Invalid({f"{part.folder}/{path}": why for path, why in found.items()}, findings)


def parts_of(repository: Repository, entries: Iterable[Entry]) -> list[Part]:
    """Return what a release has of each revision, sorted.

    Raises:
        DamagedData: A commit is not here, or lacks a file.
    """
    grouped: dict[Dataset, list[Entry]] = {}
    chosen = list(entries)
    repository.look_up(entry.dataset.ref for entry in chosen)  # by their tags, a repo elsewhere gives their commits
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
    """Return what `sha256sum -c` reads, of the SHA-256 of each file by its path."""
    return "".join(f"{files[path]}  {path}\n" for path in sorted(files)).encode()


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each file."""
    return {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}


def add_tree(batch: Batch, parts: Iterable[Part], beside: Mapping[str, pygit2.Oid]) -> pygit2.Oid:
    """Add the trees of a release to a batch, and return the uppermost.

    Args:
        batch: Where to; if it is not written, nothing happens but that the id is known.
        parts: The revisions.
        beside: The files that stand beside them.
    """
    files = dict(beside)
    for part in parts:
        files.update(part.blobs())
    return batch.tree(files)
