"""Apply the rules for flags of `blastgit.yaml`: remove flagged data from collections, in a commit on main.

Only what is listed is removed: a dataset of a TAGGED or CALIBRATION collection, a child of a CHAINED one. A chain
includes its own children, whose names begin with its name and a slash. What it has through any other child stays, with
a warning, since other collections may rely on that child.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pygit2

from blastgit.annotations.flags import DISPUTED, Flags, FlagState, Rule
from blastgit.annotations.query import Query
from blastgit.annotations.resolve import Resolver
from blastgit.annotations.subjects import Subject
from blastgit.errors import BlastgitError, Denied
from blastgit.naming.names import parse_spec
from blastgit.naming.refs import tag_ref
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.objects import commit_of
from blastgit.plumbing.trees import flatten, read_blob
from blastgit.repository.base import Repository
from blastgit.repository.edit import BranchEdit, commit_to_branch

if TYPE_CHECKING:
    from blastgit.collections.datasets import Dataset
    from blastgit.collections.model import Collection

_FOLDER, _SUFFIX = "collections", ".yaml"
Steered = tuple[tuple[str, ...], tuple[str, ...]]
"""What left which collection, and what could not be done, both as sentences."""


@dataclass(frozen=True)
class _Flagged:
    """A subject, its flag and the rule to apply."""

    subject: Subject
    state: FlagState
    rule: Rule


def steer(repository: Repository, states: Mapping[Subject, FlagState], *, dry_run: bool = False) -> Steered:
    """Apply the rules to flags, in one commit.

    Args:
        repository: The data repo.
        states: The flag that holds for each subject.
        dry_run: Report what would be done, but change nothing.
    """
    flags = Flags.of(repository.settings)
    flagged = [
        _Flagged(subject, state, rule)
        for subject, state in states.items()
        for rule in flags.rules
        if not subject.part and rule.flag == (DISPUTED if state.is_disputed else state.value)
    ]
    if not flagged:
        return (), ()
    work: list[_Work] = []

    def decide(tip: pygit2.Commit | None) -> BranchEdit | None:
        assert tip is not None
        work[:] = [_Work(repository, tip.tree)]
        for each in flagged:
            work[0].apply(each)
        return work[0].edit()

    try:
        if dry_run:
            decide(repository.main)
        else:
            commit_to_branch(repository, "main", decide)
    except Denied as error:
        return (), (f"a rule was not applied, for a curator to do (`blastgit annotate --apply-rules`): {error}",)
    return tuple(work[0].moved), tuple(dict.fromkeys(work[0].waiting))


class _Work:
    """The collections of one state of main, and the changes to them."""

    def __init__(self, repository: Repository, main: pygit2.Tree) -> None:
        self._repository = repository
        self._main = main
        self._changed: dict[str, Collection] = {}
        self.moved: list[str] = []
        self.waiting: list[str] = []

    def edit(self) -> BranchEdit | None:
        """Return the change of main, or None if nothing changed."""
        from blastgit.collections.text import write_collection

        if not self._changed:
            return None
        files = {f"{_FOLDER}/{name}{_SUFFIX}": write_collection(each) for name, each in self._changed.items()}
        more = f" and {len(self.moved) - 1} more" if len(self.moved) > 1 else ""
        # An admin wrote the rule, which confirms the change of protected collections too.
        trailers = {Trailer.MOVED: str(len(self.moved)), Trailer.CONFIRMED: ", ".join(sorted(self._changed))}
        return BranchEdit(files, f"Flags: {self.moved[0]}{more}", tuple(self.moved[:100]), trailers)

    def apply(self, flagged: _Flagged) -> None:
        """Remove the flagged data from every collection that the rule covers.

        Raises:
            Denied: This user may not change one of them.
        """
        for name in self._names:
            if flagged.rule.covers(name):
                self._take_out(name, flagged, within=name)

    @property
    def _names(self) -> list[str]:
        if _FOLDER not in self._main:
            return []
        folder = self._main[_FOLDER]
        assert isinstance(folder, pygit2.Tree)
        return [path.removesuffix(_SUFFIX) for path, _ in flatten(folder) if path.endswith(_SUFFIX)]

    def _read(self, name: str) -> Collection | None:
        from blastgit.collections.text import read_collection

        path = f"{_FOLDER}/{name}{_SUFFIX}"
        data = None if name in self._changed else read_blob(self._main, path)
        return self._changed.get(name) or (None if data is None else read_collection(data, f"{path} on main"))

    def _take_out(self, name: str, flagged: _Flagged, *, within: str) -> None:
        from blastgit.collections.model import Chained, Listed, Run

        collection = self._read(name)
        if isinstance(collection, Listed):
            self._unlist(name, collection, flagged, within)
        elif isinstance(collection, Chained):
            self._unchain(name, collection, flagged)
            for child in collection.children:
                self._take_out(child, flagged, within=within)
        elif isinstance(collection, Run) and _run_of(self._repository, flagged.subject) == name:
            self.waiting.append(f"{within} has {flagged.subject.name} by {name}, and a RUN never changes")

    def _unchain(self, name: str, chain: Collection, flagged: _Flagged) -> None:
        from blastgit.collections.model import Chained

        assert isinstance(chain, Chained)
        if flagged.subject.kind in ("run", "collection") and flagged.subject.name in chain.children:
            rest = tuple(child for child in chain.children if child != flagged.subject.name)
            if not rest:
                self.waiting.append(f"{name} would be empty without {flagged.subject.name}")
            else:
                self._change(name, replace(chain, children=rest), flagged, flagged.subject.name)

    def _unlist(self, name: str, listed: Collection, flagged: _Flagged, within: str) -> None:
        from blastgit.collections.model import Listed

        assert isinstance(listed, Listed)
        for transient, is_meant in _selections(self._repository, flagged.subject):
            leaving = [member for member in listed.of(transient) if is_meant(member.dataset)]
            if not leaving:
                continue
            if name != within and not name.startswith(f"{within}/"):
                self.waiting.append(
                    f"{within} has {leaving[0].dataset} by {name}, which is not its own: a rule may name that"
                )
                continue
            lines = {listed.line(member) for member in leaving}
            listed = replace(listed, lines=tuple(line for line in listed.lines if line not in lines))
            self._change(name, listed, flagged, ", ".join(str(member.dataset) for member in leaving))

    def _change(self, name: str, collection: Collection, flagged: _Flagged, what: str) -> None:
        self._repository.require("curator", name)
        self._changed[name] = collection
        self.moved.append(f"{what} leaves {name}: {flagged.state} ({flagged.rule})")


def _selections(repository: Repository, subject: Subject) -> Iterator[tuple[str, Callable[[Dataset], bool]]]:
    """Yield each transient that a subject concerns, with a test that selects the subject's datasets."""
    if subject.kind == "revision":
        line, number = subject.revision
        yield line.rpartition("/")[2], lambda dataset: (dataset.line, dataset.number) == (line, number)
    elif subject.kind == "transient":
        yield subject.name, lambda dataset: dataset.line == subject.name
    elif subject.kind == "file":
        resolver = Resolver(repository)
        for name in {
            parse_spec(note.event.seen_as).name for note in Query(repository).of(subject) if note.event.seen_as
        }:
            yield name, lambda dataset: _has(resolver, dataset, subject)


def _has(resolver: Resolver, dataset: Dataset, subject: Subject) -> bool:
    """Whether a dataset is a file with that content."""
    if not dataset.path or dataset.is_personal:
        return False
    try:
        revision = resolver.revision(str(dataset.revision))
    except BlastgitError:
        return False
    return resolver.files(revision).get(dataset.path) == subject.name


def _run_of(repository: Repository, subject: Subject) -> str | None:
    """Return the run that a revision was born into; None if it is not a revision or cannot be read here."""
    if subject.kind != "revision":
        return None
    line, number = subject.revision
    reference = repository.reference(tag_ref(line, number))
    if reference is None:
        return None
    from blastgit.repository.commits import Marker

    return Marker(commit_of(reference)).trailers.get(Trailer.RUN)
