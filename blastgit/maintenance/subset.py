"""Make a data repo with just some revisions: to share, to archive, to work on without the rest.

The revisions keep their commits and tags, so that a citation of either repo names the same bytes. A branch ends at the
highest revision chosen; the revisions below come along as documents and pointers, which are small and verify each
other. The references that the revisions were made with are included as a whole. Each content left out has a tombstone
on the subset's main that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pygit2

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.part import part_of
from blastgit.collections.resolve import Resolver
from blastgit.errors import InvalidInput, NotFound, UsageError
from blastgit.maintenance.move_store import add_stores_beside
from blastgit.naming.names import Spec, is_personal, parse_spec
from blastgit.naming.refs import branch_ref, tag_ref
from blastgit.plumbing.durable import sync_file_systems
from blastgit.plumbing.process import run_git
from blastgit.plumbing.ref_update import RefUpdate
from blastgit.plumbing.safe_text import one_line
from blastgit.plumbing.trees import read_blob
from blastgit.plumbing.user_settings import Keep
from blastgit.progress import Progress, silent
from blastgit.reading.get import matches
from blastgit.releases.check import Tagged
from blastgit.releases.label import is_release, read_label
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.format import FILE
from blastgit.repository.history import History
from blastgit.repository.identity import repo_identity, stated_identity
from blastgit.repository.init import init
from blastgit.repository.ledger.checkpoint import adopt
from blastgit.repository.lines import origin
from blastgit.repository.tombstones import (
    LEFT_OUT,
    Stones,
    Tombstone,
    Withdrawals,
    attachment_file,
    file_of,
    write_attachment_tombstone,
    write_tombstones,
)
from blastgit.repository.transfer import copy_contents, staging
from blastgit.repository.unfinished import finished_at_the_end, remove_unfinished
from blastgit.revision.words import plural
from blastgit.store.pointer import SUFFIX, Pointer, read_pointer
from blastgit.workflow.resolve import resolve
from blastgit.workflow.shared_inputs import SharedInput, SharedInputs

_TEXTS = ("README.md", "CITATION.cff")
_BATCH = 500  # transients whose tags are fetched in one call of git


@dataclass(frozen=True)
class Subset:
    """The result of making a subset.

    Attributes:
        path: The path of the new data repo.
        store: The URL of its store.
        revisions: The chosen revisions, `2026dgt@1`.
        references: The revisions of references that they were made with, `r/filter/DES_z@1`, which are included.
        files: How many of their files it has.
        contents: How many different contents these are.
        size: Their size in bytes.
        left_out: How many files of its revisions, including the older ones, it lacks.
        annotations: For how many subjects it has annotations.
    """

    path: Path
    store: str
    revisions: list[str]
    references: list[str]
    files: int
    contents: int
    size: int
    left_out: int
    annotations: int

    def to_json(self) -> dict[str, Any]:
        """Return the result under its stable keys."""
        return {
            "path": str(self.path), "store": self.store, "revisions": self.revisions, "references": self.references,
            "files": self.files, "contents": self.contents, "bytes": self.size, "left_out": self.left_out,
            "annotations": self.annotations,
        }  # fmt: skip


def read_list(text: str) -> list[str]:
    """Read a list of revisions: `NAME@N`, or `NAME@N:PATH` for a part, one per line; `#` begins a comment.

    Raises:
        InvalidInput: It is empty.
    """
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    chosen = [line for line in lines if line]
    if not chosen:
        raise InvalidInput("the list names no revision: write NAME@N, a line each")
    return chosen


@dataclass(frozen=True)
class SubsetOptions:
    """What to include.

    Attributes:
        only: A pattern that paths must match; None for all files.
        store: The URL of the new repo's store; None for a folder inside it.
        collection: A collection of any type to include as a whole, or None.
    """

    only: str | None = None
    store: str | None = None
    collection: str | None = None


def subset(
    repository: Repository, target: Path, chosen: Sequence[str], options: SubsetOptions, progress: Progress = silent
) -> Subset:
    """Make a data repo with just some revisions, their contents and annotations.

    Args:
        repository: The data repo to take them from.
        target: The path of the new one.
        chosen: `NAME`, `NAME@REV` or `NAME@REV:PATH`, where a path is a file, a folder or a pattern; or a release,
            which is included with its tag.
        options: What to include, and the store.
        progress: Called with bytes copied.

    Raises:
        NotFound: A revision does not exist, or no file matches.
        DamagedData: The store lacks a content, or it is damaged.
        RepoError: The target exists, or cannot be written.
        UsageError: A name is not that of a revision.
    """
    released = [read_label(text) for text in chosen if is_release(text)]
    names = [text for text in chosen if not is_release(text)]
    names += [name for label in released for name in Tagged.of(repository, label).datasets()]
    if options.collection is not None:
        resolver = Resolver(repository, Catalogue(repository.main.tree))
        names += [str(found) for found in resolver.members(options.collection, None)]
    selection = _Selection(repository, [parse_spec(text) for text in names], options)
    remove_unfinished(target)
    new = init(target, store=options.store, simulated=repository.settings.simulated, is_whole=False)
    with finished_at_the_end(new.path):
        add_stores_beside(new, repository.store.others)
        size = _copy_contents(repository, new, selection.contents, progress)
        left_out = _write_main(repository, new, selection)  # what is left out must not be taken for a loss
        _copy_revisions(repository, new, selection)
        _copy_tags(repository, new, [label.ref for label in released])
        adopt(new.git, new.ledger)
        annotations = _copy_annotations(repository, new, selection)
    revisions = [str(revision) for revision in selection.revisions]
    files = sum(len(paths) for paths in selection.files.values())
    references = list(map(str, selection.references))
    return Subset(
        new.path, new.store.url, revisions, references, files, len(selection.sha256), size, left_out, annotations
    )


def _copy_contents(
    repository: Repository, new: Repository, contents: Mapping[tuple[str, str], tuple[Pointer, str]], progress: Progress
) -> int:
    """Copy each content into the store that its pointer names, where plain DVC looks for it; return their size."""
    by_store: dict[str, dict[str, tuple[Pointer, str]]] = {}
    for (name, md5), content in contents.items():
        by_store.setdefault(name, {})[md5] = content
    for name, wanted in sorted(by_store.items()):
        copy_contents(repository.store, new.store.named(name), wanted, progress, staging(new.store))
    return sum(pointer.size for pointer in {md5: pointer for (_, md5), (pointer, _) in contents.items()}.values())


class _Selection:
    """What goes into a subset.

    Attributes:
        revisions: The chosen revisions.
        references: The revisions of references that they were made with.
        hosts: The keys of their hosts.
        files: The files included of each, by the revision's name.
        contents: The pointer and SHA-256 of each content for the new stores, by the store's name and the MD5.
        sha256: The SHA-256 of each of these contents, by MD5.
        lines: All revisions of each line up to the highest one chosen, and of the lines that personal ones fork from.
        tips: The last commit of each of these lines: the highest revision, or its latest reproduction.
        collection: The chosen collection, or None.
    """

    def __init__(self, repository: Repository, specs: Iterable[Spec], options: SubsetOptions) -> None:
        self.collection = options.collection
        self._history = History(repository)
        self._withdrawals = Withdrawals(repository)
        self.files: dict[str, set[str]] = {}
        self.contents: dict[tuple[str, str], tuple[Pointer, str]] = {}
        found: dict[str, Revision] = {}
        for spec in specs:
            revision = resolve(repository, spec)
            if not isinstance(revision, Revision):
                raise UsageError(f"{revision} is not a revision: a subset is made of revisions, which can be cited")
            found[str(revision)] = revision
            self._take(revision, spec.path, options.only)
        if not any(self.files.values()):
            raise NotFound("no file of these revisions matches, so there would be nothing in the subset")
        self.revisions = sorted(found.values(), key=_by_name)
        shared = set[SharedInput]().union(*map(SharedInputs(repository).of_revision, self.revisions))
        self.hosts = sorted(each.name for each in shared if each.is_host)
        used = (self._history.tagged(each.name, each.number) for each in shared if each.number is not None)
        self.references = sorted((each for each in used if each and str(each) not in found), key=_by_name)
        for reference in self.references:
            self._take(reference, None, None)
        both = sorted((*self.revisions, *self.references), key=_by_name)
        highest = {revision.name: revision.number for revision in both}  # sorted, so the last one stays
        for name in [*filter(is_personal, highest)]:
            fork = origin(repository, name)
            while fork is not None:
                highest[fork.name] = max(fork.number, highest.get(fork.name, 0))
                fork = origin(repository, fork.name)
        self.lines = {name: self._line(name, number) for name, number in highest.items()}
        self.tips = {name: self._tip(name, number) for name, number in highest.items()}
        self.sha256 = {md5: sha256 for (_, md5), (_, sha256) in self.contents.items()}
        for revision in (revision for line in self.lines.values() for revision in line):
            for pointer in revision.stored.values():  # an older pointer may name another store for the same content
                if pointer.md5 in self.sha256:
                    self.contents.setdefault((pointer.remote, pointer.md5), (pointer, self.sha256[pointer.md5]))

    def stones(self, revision: Revision) -> tuple[Stones, int]:
        """Return the tombstones of a revision in the subset, and how many of them the source does not have."""
        before = self._withdrawals.of(revision.name, revision.number)
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        stones = dict(before)
        for path, pointer in revision.stored.items():  # files in git itself come along with the tag
            if path not in stones and pointer.md5 not in self.sha256:
                stones[path] = Tombstone(
                    path, pointer.md5, revision.sha256(path), pointer.size, now, "blastgit subset", LEFT_OUT
                )
        return stones, len(stones) - len(before)

    def _take(self, revision: Revision, path: str | None, only: str | None) -> None:
        gone = self._withdrawals.of(revision.name, revision.number)
        taken = self.files.setdefault(str(revision), set())
        for each, pointer in revision.pointers.items():
            if each not in gone and all(matches(each, pattern) for pattern in (path, only) if pattern is not None):
                taken.add(each)
                if not revision.held[each].in_git:
                    self.contents[pointer.remote, pointer.md5] = pointer, revision.sha256(each)

    def _tip(self, name: str, highest: int) -> str:
        markers = self._history.all_markers(name)
        return next(each.id for each in markers if highest in (each.number, each.reproduces))

    def _line(self, name: str, highest: int) -> list[Revision]:
        return [revision for revision in self._history.revisions(name) if revision.number <= highest]


def _by_name(revision: Revision) -> tuple[str, int]:
    return revision.name, revision.number


def _copy_revisions(repository: Repository, new: Repository, selection: _Selection) -> None:
    """Fetch every line, and make its tags and its branch."""
    lines = selection.lines
    names = list(lines)
    source = str(repository.path.absolute())
    for start in range(0, len(names), _BATCH):
        revisions = [revision for name in names[start : start + _BATCH] for revision in lines[name]]
        tags = [tag_ref(revision.name, revision.number) for revision in revisions]
        words = "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--stdin", source
        tips = {name: selection.tips[name] for name in names[start : start + _BATCH]}
        wanted = [*tags, *tips.values()]
        run_git(new.path, *words, stdin="".join(f"{each}\n" for each in wanted).encode(), keep=Keep.TRUST)
        updates = [RefUpdate(ref, str(found.target)) for ref, found in repository.look_up(tags).items()]
        updates += [RefUpdate(branch_ref(name), tip) for name, tip in tips.items()]
        new.update_refs(updates, "blastgit subset")
        new.git = pygit2.Repository(new.git.path)  # libgit2 looks for new packs when it is opened


def _copy_tags(repository: Repository, new: Repository, refs: Iterable[str]) -> None:
    """Fetch the tags of releases as they are, with their signatures."""
    specs = [f"{ref}:{ref}" for ref in refs]
    if specs:
        run_git(new.path, "fetch", "--quiet", "--no-tags", str(repository.path.absolute()), *specs, keep=Keep.TRUST)
        sync_file_systems([new.path])


def _write_main(repository: Repository, new: Repository, selection: _Selection) -> int:
    """Write the subset's settings, texts and tombstones, and return how many files were left out."""
    settings = repository.main_file(FILE)
    if stated_identity(repository.settings) is None:
        settings += f"\nidentity: {repo_identity(repository)}  # that of the repo which it was made of\n".encode()
    files: dict[str, bytes | None] = {FILE: settings}
    for path in _TEXTS:
        text = read_blob(repository.main.tree, path)
        if text is not None:
            files[path] = text
    if selection.collection is not None:
        files |= part_of(Catalogue(repository.main.tree), selection.collection, selection.files)
    left_out = 0
    for revision in (revision for line in selection.lines.values() for revision in line):
        stones, count = selection.stones(revision)
        left_out += count
        if stones:
            files[file_of(revision.name, revision.number)] = write_tombstones(revision.name, revision.number, stones)
    subject = f"A subset of {one_line(repository.location)}: {plural(len(selection.revisions), 'revision')}"
    change = BranchEdit(files, subject, tuple(map(str, selection.revisions[:100])))
    commit_to_branch(new, "main", lambda _: change)
    return left_out


def _copy_annotations(repository: Repository, new: Repository, selection: _Selection) -> int:
    """Copy the annotations of the revisions, their files, transients and runs; return the number of subjects."""
    from blastgit.annotations.branch import NAME, attachments_of, tip_of
    from blastgit.annotations.write import ATTRIBUTES

    tip = tip_of(repository)
    if tip is None:
        return 0
    paths = _annotation_files(repository, selection)
    found = {path: data for path in paths if (data := read_blob(tip.tree, path)) is not None}
    if found:
        attached = attachments_of(tip, found)
        gone = [stone for stone in Withdrawals(repository).attachments() if f"{stone.path}{SUFFIX}" in attached]
        stored = _stored({path: attached[path] for path in attached.keys() - {f"{each.path}{SUFFIX}" for each in gone}})
        copy_contents(repository.store, new.store, stored, silent, staging(new.store))
        stones = {attachment_file(stone.sha256): write_attachment_tombstone(stone) for stone in gone}
        commit_to_branch(
            new, "main", lambda _: BranchEdit(stones, "Attachments that were taken down") if stones else None
        )
        files = {".gitattributes": ATTRIBUTES, **found, **attached}
        commit_to_branch(
            new, NAME, lambda _: BranchEdit(files, f"Annotations of a subset of {one_line(repository.location)}")
        )
    return len(found)


def _stored(attached: Mapping[str, bytes]) -> dict[str, tuple[Pointer, str]]:
    """Return the contents that attachments point to."""
    pointers = {path: read_pointer(data, path) for path, data in attached.items() if path.endswith(SUFFIX)}
    return {
        each.md5: (each, path.removeprefix("attachment/").removesuffix(SUFFIX).replace("/", ""))
        for path, each in pointers.items()
    }


def _annotation_files(repository: Repository, selection: _Selection) -> list[str]:
    from blastgit.annotations.branch import Branch
    from blastgit.annotations.carried import subjects_of
    from blastgit.annotations.intervals import Intervals
    from blastgit.annotations.subjects import Subject

    taken = (*selection.revisions, *selection.references)
    subjects = subjects_of({revision: selection.files[str(revision)] for revision in taken})
    subjects += [Subject("host", key) for key in selection.hosts]
    subjects += Intervals(repository, Branch(repository)).beside(selection.revisions)
    if selection.collection is not None:
        subjects += [Subject("collection", selection.collection), Subject("run", selection.collection)]
    return sorted({subject.path for subject in subjects})
