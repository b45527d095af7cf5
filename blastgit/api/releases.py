"""`repo.releases`: frozen collections that can be cited, downloaded and verified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from blastgit.collections.datasets import Dataset
from blastgit.collections.existence import named, unknown_revision
from blastgit.collections.names import is_name
from blastgit.errors import InvalidName, NotFound, UsageError
from blastgit.maintenance.verify_release import Proof, ProofOptions, verify
from blastgit.naming.nearest import nearest
from blastgit.plumbing.objects import commit_of
from blastgit.progress import Progress, silent
from blastgit.reading.get import GetResult
from blastgit.releases.check import Tagged
from blastgit.releases.citation import citation_of
from blastgit.releases.cite import FORMS, Cited
from blastgit.releases.crate import media_types
from blastgit.releases.freeze import FreezeOptions, Release, cited_release, freeze
from blastgit.releases.frozen import Frozen
from blastgit.releases.label import Label, is_release, read_label, releases
from blastgit.releases.layout import Part, faults_of
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.identity import repo_identity, stable_id
from blastgit.repository.question import Asked
from blastgit.repository.tombstones import Withdrawals
from blastgit.revision.words import plural


class Releases(Asked):
    """The releases of a data repo."""

    def __init__(self, repository: Repository, progress: Progress = silent) -> None:
        """Open the releases of a repo."""
        self._repository = repository
        self._progress = progress

    def freeze(self, collection: str, version: str, options: FreezeOptions | None = None) -> Release:
        """Resolve a collection to commits, and write them as the tag `release/COLLECTION/VERSION`, which never moves.

        Args:
            collection: A collection of any type.
            version: The version's name.
            options: See `FreezeOptions`.

        Raises:
            InvalidInput: The release exists, or the collection is empty.
            NotFound: The collection does not exist.
            Denied: This user may not make releases.
            RepoError: The tag cannot be signed, or the repo cannot be written.
        """
        return freeze(self._repository, collection, version, options or FreezeOptions(), self._progress)

    def list(self, pattern: str = "*") -> Sequence[Label]:
        """Return the releases whose name, or whose collection's name, matches a shell pattern."""
        names = (pattern, f"release/{pattern}")
        return [
            each
            for each in releases(self._repository)
            if fnmatchcase(each.collection, pattern) or any(fnmatchcase(str(each), name) for name in names)
        ]

    def show(self, name: str) -> Frozen:
        """Return the contents of `release/COLLECTION/VERSION`: each dataset with its commit.

        Raises:
            NotFound: The release does not exist.
            DamagedData: It cannot be read.
        """
        return self._tagged(name).frozen

    def cited(self, name: str) -> Cited:
        """Return the citation of a release, or of a revision `2026dgt@1`; its `citation` says what is missing.

        Raises:
            NotFound: The release or revision does not exist.
            InvalidName: The name is neither a release nor a revision.
            RepoError: The citation settings on main are not valid.
        """
        return self._cited_release(name) if is_release(name) else self._cited_revision(name)

    def cite(self, name: str, form: str = "text") -> str:
        """Return the citation of a release or of a revision, in one of the forms text, bibtex, cff and datacite.

        Raises:
            UsageError: The form does not exist.
            NotFound: The release or revision does not exist.
        """
        if form not in FORMS:
            raise UsageError(f"citations are written as {', '.join(FORMS)}, not as {form}")
        return self.cited(name).write(form)

    def verify(
        self, name: str, *, fast: bool = False, signed: bool = False, signers: str | Path | None = None
    ) -> Proof:
        """Verify a release: tag, signature, every commit, the manifest, and every content.

        Args:
            name: `release/COLLECTION/VERSION`.
            fast: Only check that contents exist, without reading them.
            signed: Require a good signature.
            signers: An allowed-signers file for SSH keys; by default the one in git's settings.

        Raises:
            NotFound: The release does not exist.
            StoreError: The store fails.
        """
        place = None if signers is None else Path(signers)
        return verify(self._repository, read_label(name), ProofOptions(fast, signed, place), self._progress)

    def get(
        self, name: str, folder: str | Path | None = None, *, only: str | None = None, force: bool = False
    ) -> GetResult:
        """Write all files of a release into a folder, so that `sha256sum -c manifest.sha256` passes there.

        Args:
            name: `release/COLLECTION/VERSION`.
            folder: The target; by default `COLLECTION-VERSION` in the current folder.
            only: A pattern that a file's path or name must match, or a folder; the files that describe the release
                are always written.
            force: Overwrite files that differ.

        Raises:
            NotFound: The release does not exist, or no file matches.
            WouldOverwrite: A file in the way differs; nothing was written.
            Withdrawn: A file was taken down; the others were written.
            DamagedData: The store lacks a content, or holds other bytes.
        """
        from blastgit.releases.bring import bring

        label = read_label(name)
        place = Path(label.folder if folder is None else folder)
        return bring(self._repository, self._tagged(name), place, only=only, force=force, progress=self._progress)

    def file(self, name: str, path: str) -> bytes:
        """Return a file that describes a release: its manifest, README.md, CITATION.cff or RO-Crate.

        Raises:
            NotFound: The release does not exist.
            DamagedData: It has no such file.
        """
        return self._tagged(name).file(path)

    def datasets(self, name: str) -> Sequence[str]:
        """Return the datasets of a release, sorted: `2026dgt@1`, or `2026dgt@1:PATH` for a single file.

        Raises:
            NotFound: The release does not exist.
        """
        return self._tagged(name).datasets()

    def _tagged(self, name: str) -> Tagged:
        return Tagged.of(self._repository, read_label(name))

    def _cited_release(self, name: str) -> Cited:
        tagged = self._tagged(name)
        frozen, now = tagged.frozen, citation_of(self._repository)
        cited = cited_release(frozen)
        doi = frozen.citation.doi or now.dois.get(str(frozen.label), "")
        # main may meanwhile have what was missing when the release was made
        return replace(cited, citation=replace(frozen.citation.over(now), doi=doi))

    def _cited_revision(self, name: str) -> Cited:
        try:
            dataset = named(self._repository, [name if "@" in name else f"{name}@latest"])[0]
        except (InvalidName, NotFound) as error:
            meant = self._releases_like(name)
            if meant:
                raise InvalidName(f"{name!r} is not a revision; did you mean {' or '.join(meant)}?") from None
            if is_name(name) and isinstance(error, InvalidName):
                raise InvalidName(
                    f"{name!r} is not a revision: cite NAME@N, or freeze a collection and cite release/NAME/VERSION"
                ) from None
            raise
        revision = self._revision(dataset)
        identity = repo_identity(self._repository)
        about = dataset.revision
        names = (
            ("dataset revision", f"urn:uuid:{stable_id(identity, f'revision:{about}')}"),
            ("git commit", revision.id),
        )
        now = citation_of(self._repository)
        simulated = self._repository.settings.simulated
        files = [dataset.path] if dataset.path else sorted(revision.pointers)
        part = Part(about, self._repository.git, revision.id, tuple(files), whole=not dataset.path)
        total = sum(size for _, size in part.sizes().values())
        return Cited(
            str(dataset), str(dataset.number), f"{revision.recorded:%Y-%m-%d}", names,
            replace(now, doi=now.dois.get(str(about), "")),
            (plural(len(files) + part.whole, "file"), f"{total} bytes"), media_types([part]), simulated,
            tuple(self._faults(revision, part)),
        )  # fmt: skip

    def _faults(self, revision: Revision, part: Part) -> Iterator[str]:
        invalid, late = faults_of(self._repository, part)
        yield from (f"invalid, because {finding}" for finding in invalid.findings)
        yield from (f"out of date, because {finding}" for finding in late.findings)
        stones = Withdrawals(self._repository).concerning(revision)
        gone = Counter(str(stone) for path, stone in stones.items() if path in part.paths)
        yield from (f"{plural(count, 'file')} {stone}" for stone, count in gone.items())

    def _releases_like(self, name: str) -> Sequence[str]:
        """Return the releases that a name without `release/` or without a version may mean."""
        forms: dict[str, str] = {}
        for label in releases(self._repository):
            forms |= dict.fromkeys((label.collection, f"{label.collection}/{label.version}"), str(label))
        return list(dict.fromkeys(forms[each] for each in nearest(name.partition("@")[0], forms)))

    def _revision(self, dataset: Dataset) -> Revision:
        reference = self._repository.reference(dataset.ref)
        if reference is None:
            raise unknown_revision(self._repository, dataset)
        return Revision(self._repository.git, dataset.name, commit_of(reference), dataset.number)
