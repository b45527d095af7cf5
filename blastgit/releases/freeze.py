"""Freeze a collection: resolve everything to commits, and write it as one tag that never moves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from blastgit.collections.access import check_access
from blastgit.collections.catalogue import Catalogue
from blastgit.collections.existence import check_there
from blastgit.collections.resolve import Found, Resolver
from blastgit.errors import InvalidInput, RepoError
from blastgit.naming.trailers import Trailer, read_trailers, write_message
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.locks import Journal, hold
from blastgit.plumbing.objects import commit_of
from blastgit.plumbing.ref_update import RefMoved, RefUpdate
from blastgit.plumbing.safe_text import one_line
from blastgit.plumbing.signing import Sign
from blastgit.progress import Progress, silent
from blastgit.releases.citation import citation_of, doi_of
from blastgit.releases.cite import Cited
from blastgit.releases.crate import media_types, write_crate
from blastgit.releases.frozen import CITED, CRATE, FILE, MANIFEST, README, Entry, Frozen
from blastgit.releases.label import Label, check_new, make_label, releases
from blastgit.releases.layout import Part, add_tree, digests, faults_of, manifest_lines, parts_of
from blastgit.releases.tag import Unsigned, add_tag
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.entries import is_held
from blastgit.repository.identity import repo_identity
from blastgit.repository.ledger.book import chain_of
from blastgit.repository.ledger.lost import put_back_tag
from blastgit.repository.recovery import clean_up_dead_writer
from blastgit.repository.skeleton import dot_files
from blastgit.repository.tombstones import Withdrawals
from blastgit.revision.words import plural

_TOLD = 20
"""Most warnings of one kind that are listed."""


@dataclass(frozen=True)
class FreezeOptions:
    """How to freeze.

    Attributes:
        reason: What the release is for, in one line, or "".
        doi: The DOI reserved for it, or "".
        sign: How to sign it; None for an unsigned tag.
        dry_run: Find out what would be frozen, but write nothing.
    """

    reason: str = ""
    doi: str = ""
    sign: Sign | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        """Check the reason, and remove the URL prefix of the DOI.

        Raises:
            InvalidInput: The reason is not one line, or the DOI is not valid.
        """
        if one_line(self.reason) != self.reason:
            raise InvalidInput("the reason should be one line")
        try:
            object.__setattr__(self, "doi", doi_of(self.doi, "the DOI"))
        except RepoError as error:
            raise InvalidInput(str(error)) from None


@dataclass(frozen=True)
class Release:
    """What was frozen.

    Attributes:
        label: Its name.
        tag: The id of the tag object; "" after a dry run.
        main: The commit of main from which the collection was resolved.
        datasets: How many datasets.
        files: How many files, including documents.
        size: Their size in bytes.
        signed: Whether the tag is signed.
        same_as: Earlier releases of the collection with the same content.
        warnings: Problems to know about, and perhaps fix before the next release.
    """

    label: Label
    tag: str
    main: str
    datasets: int
    files: int
    size: int
    signed: bool
    same_as: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "release": str(self.label), "tag": self.tag or None, "main": self.main, "datasets": self.datasets,
            "files": self.files, "bytes": self.size, "signed": self.signed, "same_as": list(self.same_as),
            "warnings": list(self.warnings),
        }  # fmt: skip


def freeze(
    repository: Repository, name: str, version: str, options: FreezeOptions, progress: Progress = silent
) -> Release:
    """Freeze a collection under a version.

    Args:
        repository: The data repo.
        name: The collection, of any type.
        version: The version of the release.
        options: How.
        progress: Called with revisions read.

    Raises:
        InvalidInput: The release exists, or the collection is empty.
        NotFound: The collection does not exist.
        Denied: This user may not change the collection.
        RepoError: The tag cannot be signed, or the repo cannot be written.
    """
    label = make_label(name, version)
    if repository.is_here:  # for a remote repo, the server knows who pushes
        check_access(repository.settings, name)
    others = releases(repository)
    check_new(label, others)
    frozen, gone = _resolved(repository, label, options)
    parts = parts_of(repository, frozen.entries)
    sizes: dict[str, tuple[str, int]] = {}
    faults: list[str] = []
    for done, part in enumerate(parts):
        progress("reading revisions", done, len(parts))
        sizes.update(part.sizes())
        invalid, late = faults_of(repository, part)
        faults += [f"invalid, because {finding}" for finding in invalid.findings]
        faults += [f"out of date, because {finding}" for finding in late.findings]
    total = sum(each for _, each in sizes.values())
    frozen = replace(frozen, files=len(sizes), size=total, formats=media_types(parts))
    same = tuple(str(other) for other in others if _content(repository, other, label) == frozen.content)
    warnings = [*frozen.citation.missing(), *_some(gone), *_some(faults)]
    if not frozen.citation.license:
        warnings.append("no license is named: add citation.license to blastgit.yaml on main")
    tag = "" if options.dry_run else _publish(repository, frozen, parts, sizes, options)
    count, signed = len(frozen.entries), options.sign is not None
    return Release(label, tag, frozen.main, count, frozen.files, frozen.size, signed, same, tuple(warnings))


def _resolved(repository: Repository, label: Label, options: FreezeOptions) -> tuple[Frozen, list[str]]:
    """Return the present state of a collection, and sentences about withdrawn files."""
    main = repository.main
    catalogue = Catalogue(main.tree)
    collection = catalogue[label.collection]
    found = Resolver(repository, catalogue).members(label.collection, None)
    if not found:
        raise InvalidInput(f"{label.collection} holds nothing, so there is nothing to freeze")
    entries = tuple(_entries(repository, found))
    left = {each.dataset: len(each.without) for each in entries if each.without}
    gone = [f"{dataset}: {plural(count, 'withdrawn file')} left out" for dataset, count in left.items()]
    moment = datetime.fromtimestamp(repository.committer().time, UTC)
    citation = replace(citation_of(repository), doi=options.doi, dois={})
    frozen = Frozen(
        label, collection.kind, collection.about, str(main.id), f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        str(repo_identity(repository)), repository.settings.simulated, 0, 0, (), citation, entries,
    )  # fmt: skip
    return frozen, gone


def _some(sentences: Sequence[str]) -> list[str]:
    more = [f"and {len(sentences) - _TOLD:,} more like this"] if len(sentences) > _TOLD else []
    return [*sentences[:_TOLD], *more]


def _entries(repository: Repository, found: Sequence[Found]) -> Iterable[Entry]:
    check_there(repository, (each.dataset for each in found))
    withdrawals, tags = Withdrawals(repository), repository.look_up(each.dataset.ref for each in found)
    for each in found:
        dataset = each.dataset
        commit = commit_of(tags[dataset.ref])
        stones = withdrawals.of(dataset.line, dataset.number)
        gone = () if dataset.path else tuple(sorted(path for path in stones if is_held(commit.tree, path)))
        yield Entry(dataset, str(commit.id), each.via, each.begin, each.end, gone)


def _content(repository: Repository, other: Label, label: Label) -> str:
    if other.collection != label.collection:
        return ""
    reference = repository.reference(other.ref)
    return "" if reference is None else read_trailers(commit_of(reference).message).get(Trailer.CONTENT, "")


def _publish(
    repository: Repository,
    frozen: Frozen,
    parts: Sequence[Part],
    sizes: dict[str, tuple[str, int]],
    options: FreezeOptions,
) -> str:
    label = frozen.label
    files = describing(frozen, parts)
    files[MANIFEST] = manifest_lines({**{path: sha256 for path, (sha256, _) in sizes.items()}, **digests(files)})
    repository.prepare_to_edit()
    with hold(repository.lock_path("release"), LOCK_TIMEOUT) as lock:
        clean_up_dead_writer(repository, lock)
        lost = put_back_tag(repository.git, repository.ledger.chain(chain_of(label.ref)), label.ref)
        if lost:
            repository.update_refs(lost, f"blastgit: put back {label}", lock.descriptor)
            raise _exists(label)
        batch, who = Batch(repository.git), repository.committer()
        beside = {path: batch.blob(data) for path, data in {**files, **dot_files(repository.config)}.items()}
        message = _message(frozen, options)
        commit = batch.commit((who, who), message, add_tree(batch, parts, beside), [])
        tag = add_tag(repository, batch, Unsigned(label, str(commit), message), options.sign)
        lock.announce(Journal.own(refs={label.ref: tag}))
        try:
            update, words = RefUpdate(label.ref, tag), f"blastgit: freeze {label}"
            repository.update_refs([update], words, lock.descriptor, objects=batch)
        except RefMoved:
            raise _exists(label) from None
    return tag


def _exists(label: Label) -> InvalidInput:
    return InvalidInput(f"{label} exists by now, and releases never move: give this state another version")


def _message(frozen: Frozen, options: FreezeOptions) -> str:
    title = f"Freeze {frozen.label.collection} as {frozen.label.version}"
    subject = f"{title}: {options.reason}" if options.reason else title
    body = [f"{plural(len(frozen.entries), 'dataset')} of {frozen.citation.title or 'a data repo without a title'}"]
    trailers = {
        Trailer.RELEASE: str(frozen.label),
        Trailer.COLLECTION_TYPE: frozen.kind,
        Trailer.MAIN: frozen.main,
        Trailer.CONTENT: frozen.content,
    }
    return write_message(subject, body, trailers)


def cited_release(frozen: Frozen) -> Cited:
    """Return the citation of a release."""
    names = (("data repo", f"urn:uuid:{frozen.repo}"), ("git tag", str(frozen.label)))
    version = frozen.label.version
    sizes = f"{frozen.files} files", f"{frozen.size} bytes"
    return Cited(
        str(frozen.label), version, frozen.time[:10], names, frozen.citation, sizes, frozen.formats, frozen.simulated
    )


def describing(frozen: Frozen, parts: Sequence[Part]) -> dict[str, bytes]:
    """Return the files that describe the data, except for the manifest, which lists them."""
    cited = cited_release(frozen)
    return {
        FILE: frozen.text(),
        CITED: cited.write("cff").encode(),
        CRATE: write_crate(cited, parts),
        README: _readme(frozen, cited).encode(),
    }


def _readme(frozen: Frozen, cited: Cited) -> str:
    label = frozen.label
    about = f"{_plain(frozen.about)}\n\n" if frozen.about else ""
    return f"""# {_plain(cited.title)}

{about}The collection `{label.collection}` ({frozen.kind}, {plural(len(frozen.entries), "dataset")}), frozen as version
`{label.version}` on {frozen.time[:10]}. It never changes.

> {_plain(cited.write("text").strip())}

- `{FILE}`: every dataset with its revision number and commit
- `{MANIFEST}`: the SHA-256 of every file here
- `{CITED}`, `{CRATE}`: how to cite it; the same for programs
- `NAME@N/`: the files of revision N of the transient NAME, and its document

Get the files in a clone with `dvc pull`, or anywhere with `blastgit get {label}`. Check them with

    sha256sum -c {MANIFEST}

and all else (the tag, its signature, every commit) with `blastgit verify {label}`.
"""


def _plain(text: str) -> str:
    return re.sub(r"([\\`*_<>\[\]])", r"\\\1", text)
