"""Check a release: its tree, its manifest, its commits, and the collection on main."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import pygit2

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.model import Calibration, Chained, Listed, Run
from blastgit.collections.resolve import Resolver
from blastgit.collections.runs import is_held_by
from blastgit.errors import BlastgitError, DamagedData
from blastgit.naming.refs import MAIN
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.objects import undamaged
from blastgit.plumbing.trees import flatten, read_blob
from blastgit.releases.frozen import DESCRIBING, FILE, MANIFEST, SIZE_LIMIT, Entry, Frozen, read_frozen
from blastgit.releases.label import Label, releases, tag_of
from blastgit.releases.layout import Part, add_tree, digests, manifest_lines, parts_of
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker
from blastgit.repository.format import CONFIG
from blastgit.repository.identity import repo_identity
from blastgit.repository.skeleton import dot_files

_NOTHING: Mapping[str, str | None] = MappingProxyType({})
_SHOWN = 5


@dataclass
class Examined:
    """The result of checking a release.

    Attributes:
        problems: The faults: where, and what.
        remarks: What could not be checked here, as sentences.
    """

    problems: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def say(self, where: object, text: object) -> None:
        """Note a problem."""
        self.problems.append((str(where), str(text)))


class Tagged:
    """A release, read from its tag."""

    def __init__(self, repository: Repository, label: Label, tag: pygit2.Oid) -> None:
        """Open a tag object.

        Raises:
            DamagedData: It is not a tag object, or that of another release.
        """
        self.label = label
        self._repository = repository
        with undamaged(label.ref):
            found = repository.git[tag]
            if not isinstance(found, pygit2.Tag):
                raise DamagedData(f"{label} is not an annotated tag, as `blastgit collection freeze` makes it")
            if found.name != str(label):
                raise DamagedData(f"the tag object of {label} calls itself {found.name}: the tag was moved")
            self.commit = found.peel(pygit2.Commit)

    @classmethod
    def of(cls, repository: Repository, label: Label) -> Tagged:
        """Open the release that a label names.

        Raises:
            NotFound: The release does not exist.
            DamagedData: Its tag cannot be read, or is that of another release.
        """
        return cls(repository, label, tag_of(repository, label))

    def datasets(self) -> list[str]:
        """Return its datasets as `2026dgt@1`, or `2026dgt@1:PATH` for one file, without duplicates, sorted."""
        return [str(each) for each in sorted({entry.dataset for entry in self.frozen.entries})]

    @cached_property
    def frozen(self) -> Frozen:
        """The content of `release.yaml`.

        Raises:
            DamagedData: It is not valid.
        """
        return read_frozen(self.file(FILE), self.label)

    @cached_property
    def parts(self) -> list[Part]:
        """Its parts, one for each revision.

        Raises:
            DamagedData: A revision is missing.
        """
        return parts_of(self._repository, self.frozen.entries)

    def file(self, path: str) -> bytes:
        """Return one of the files beside the data.

        Raises:
            DamagedData: The file is missing.
        """
        with undamaged(str(self.label)):
            tree = self.commit.tree
            entry = tree[path] if path in tree else None  # noqa: SIM401 (a tree has no get)
            if isinstance(entry, pygit2.Blob) and entry.size > SIZE_LIMIT:
                raise DamagedData(f"{path} of {self.label} has more than {SIZE_LIMIT:,} bytes")
        data = read_blob(self.commit.tree, path)
        if data is None:
            raise DamagedData(f"{self.label} has no {path}")
        return data


def examine(repository: Repository, tagged: Tagged, coming: Mapping[str, str | None] = _NOTHING) -> Examined:
    """Check everything of a release that is in git, but not contents in the store.

    Args:
        repository: The data repo.
        tagged: The release.
        coming: The refs pushed at the same time, with their new values.

    Raises:
        DamagedData: It cannot be read at all.
    """
    found = Examined()
    frozen, where = tagged.frozen, str(tagged.label)
    trailers = Marker(tagged.commit).trailers
    for key, value in {
        Trailer.RELEASE: str(frozen.label),
        Trailer.MAIN: frozen.main,
        Trailer.CONTENT: frozen.content,
    }.items():
        if trailers.get(key) != value:
            found.say(where, f"its commit says {key}: {trailers.get(key)}, and {FILE} means {value}")
    here = str(repo_identity(repository)), repository.settings.simulated
    if (frozen.repo, frozen.simulated) != here:
        found.say(where, f"it is of the data repo {frozen.repo}, and this is {here[0]}, or one of the two is simulated")
    lines = [(each.dataset, each.begin, each.end) for each in frozen.entries]
    if len(set(lines)) != len(lines) or [each[0] for each in lines] != sorted(each[0] for each in lines):
        found.say(where, f"{FILE} should name each dataset once, sorted")
    tags = repository.look_up(entry.dataset.ref for entry in frozen.entries)
    there = {ref: str(reference.resolve().target) for ref, reference in tags.items()}
    for entry in frozen.entries:
        _check_commit(repository, entry, {**coming, **there}.get(entry.dataset.ref), found)
    if found.problems:
        return found  # what follows reads the revisions
    _check_tree(repository, tagged, found)
    _check_manifest(tagged, found)
    _check_against_main(repository, tagged, coming.get(MAIN) or str(repository.main.id), found)
    return found


def examine_all(repository: Repository) -> Iterator[tuple[str, str]]:
    """Yield the faults of all releases of a data repo: where, and what."""
    for label in releases(repository):
        try:
            yield from examine(repository, Tagged(repository, label, tag_of(repository, label))).problems
        except BlastgitError as error:
            yield str(label), str(error)


def _check_commit(repository: Repository, entry: Entry, target: str | None, found: Examined) -> None:
    """Check that the tag of a revision exists and points to the commit that the release states."""
    dataset = entry.dataset
    if target is None:
        found.say(dataset, f"its tag {dataset.tag} is gone: no ref leads to its commit {entry.commit:.10} any more")
        return
    try:
        with undamaged(str(dataset)):
            commit = repository.git[target].peel(pygit2.Commit)
    except BlastgitError as error:
        found.say(dataset, error)
        return
    if str(commit.id) != entry.commit:
        found.say(dataset, f"its tag names the commit {commit.id!s:.10}, and the release {entry.commit:.10}")
    elif Marker(commit).number != dataset.number:
        found.say(dataset, f"the commit {entry.commit:.10} says it is revision {Marker(commit).number}")


def _check_tree(repository: Repository, tagged: Tagged, found: Examined) -> None:
    """Check that the tree has exactly the pointers and documents of the revisions, unchanged."""
    tree = tagged.commit.tree
    expected = {*DESCRIBING, MANIFEST, *dot_files(b"")}
    with undamaged(str(tagged.label)):
        have = dict(flatten(tree))
    there = {path: oid for path, oid in have.items() if path in expected}
    for path in sorted(expected - there.keys()):
        found.say(tagged.label, f"it has no {path}")
    if add_tree(Batch(repository.git), tagged.parts, there) == tree.id:
        return
    wanted = dict(there)
    for part in tagged.parts:
        wanted.update(part.blobs())
    differing = sorted(path for path in wanted.keys() | have.keys() if wanted.get(path) != have.get(path))
    for path in differing[:_SHOWN] or [""]:
        words = "is not part of it" if path not in wanted else "is missing" if path not in have else "was changed"
        found.say(f"{tagged.label}:{path}", words if path else "its tree is not written as git writes it")


def _check_manifest(tagged: Tagged, found: Examined) -> None:
    """Check that the manifest lists exactly the files of the release, with their published checksums."""
    sizes = {path: facts for part in tagged.parts for path, facts in part.sizes().items()}
    facts = len(sizes), sum(size for _, size in sizes.values())
    if facts != (tagged.frozen.files, tagged.frozen.size):
        found.say(tagged.label, f"{FILE} counts {tagged.frozen.files} files of {tagged.frozen.size} bytes, not {facts}")
    wanted = {path: sha256 for path, (sha256, _) in sizes.items()}
    try:
        wanted |= digests({path: tagged.file(path) for path in DESCRIBING})
        text = tagged.file(MANIFEST)
    except DamagedData as error:
        found.say(tagged.label, error)
        return
    if text == manifest_lines(wanted):
        return
    stated, lines = {}, text.decode("utf-8", "replace").splitlines()
    for line in lines:
        sha256, _, path = line.partition("  ")
        stated[path] = sha256
    differing = sorted(path for path in wanted.keys() | stated.keys() if wanted.get(path) != stated.get(path))
    for path in differing[:_SHOWN]:
        truth = f"it should be {wanted[path]}" if path in wanted else "the release has no such file"
        found.say(f"{tagged.label}:{path}", f"the manifest says {stated.get(path, 'nothing')}, and {truth}")
    if not differing:
        found.say(f"{tagged.label}:{MANIFEST}", "it is not written as docs/format.md asks")


def _check_against_main(repository: Repository, tagged: Tagged, tip: str, found: Examined) -> None:
    """Check that the collection had these datasets at the commit of main that the release states.

    Args:
        repository: The data repo.
        tagged: The release.
        tip: The tip of main.
        found: Where to note faults.
    """
    frozen = tagged.frozen
    main = _state_of_main(repository, frozen.main)
    if main is None:
        found.remarks.append(f"the state {frozen.main:.10} of main is missing here, so its content was not checked")
        return
    if tip != frozen.main and not repository.git.descendant_of(tip, main.id):
        found.say(tagged.label, f"{frozen.main:.10} is not a state of main")
        return
    if read_blob(main.tree, CONFIG) != tagged.file(CONFIG):
        found.say(f"{tagged.label}:{CONFIG}", "it names another store than main did then")
    catalogue = Catalogue(main.tree)
    try:
        collection = catalogue[frozen.label.collection]
        given = {(each.dataset, each.begin, each.end): each for each in _given(repository, catalogue, frozen)}
    except BlastgitError as error:
        found.say(tagged.label, error)
        return
    if (collection.kind, collection.about) != (frozen.kind, frozen.about):
        found.say(
            tagged.label, f"it says {frozen.kind}, {frozen.about!r}; main then {collection.kind}, {collection.about!r}"
        )
    names = set(_below(catalogue, frozen.label.collection))
    has_runs = any(isinstance(catalogue.get(name), Run) for name in names)
    listed = {(each.dataset, each.begin, each.end): each for each in frozen.entries}
    for key in sorted(given.keys() - listed.keys(), key=str):
        if isinstance(catalogue.get(given[key].via[-1]), Run):
            continue  # it may have been born later
        if _was_hidden(catalogue, given[key], frozen.entries):
            continue
        found.say(key[0], f"{frozen.label.collection} held it at {frozen.main:.10}, and the release does not")
    for key, entry in listed.items():
        if key not in given and not (has_runs and _was_held(repository, catalogue, entry, names)):
            found.say(key[0], f"{frozen.label.collection} did not hold it at {frozen.main:.10}")


def _was_hidden(catalogue: Catalogue, entry: Entry, listed: Iterable[Entry]) -> bool:
    """Whether a certified dataset was hidden by a whole revision, as in releases before December 2026."""
    is_certified = isinstance(catalogue.get(entry.via[-1]), Calibration)
    return is_certified and any(each.dataset.name == entry.dataset.name and not each.dataset.path for each in listed)


def _state_of_main(repository: Repository, oid: str) -> pygit2.Commit | None:
    on_main = next((each for each in repository.commits("main") if str(each.id) == oid), None)
    if on_main is not None or len(oid) != 40:
        return on_main
    other = repository.git.get(oid)  # pushed at the same time, or not on main
    return other if isinstance(other, pygit2.Commit) else None


def _given(repository: Repository, catalogue: Catalogue, frozen: Frozen) -> Iterable[Entry]:
    found = Resolver(repository, catalogue).members(frozen.label.collection, None)
    return [Entry(each.dataset, "", each.via, each.begin, each.end) for each in found]


def _was_held(repository: Repository, catalogue: Catalogue, entry: Entry, names: set[str]) -> bool:
    """Whether one of these collections holds a dataset directly, even if a revision born later now hides it."""
    holder = entry.via[-1] if entry.via else ""
    collection = catalogue.get(holder) if holder in names else None
    if isinstance(collection, Listed):
        return collection.line(entry.member) in collection.lines
    return isinstance(collection, Run) and is_held_by(repository, holder, entry.dataset)


def _below(catalogue: Catalogue, name: str, depth: int = 0) -> Iterator[str]:
    yield name
    collection = catalogue.get(name)
    if isinstance(collection, Chained) and depth < 100:
        for child in collection.children:
            yield from _below(catalogue, child, depth + 1)
