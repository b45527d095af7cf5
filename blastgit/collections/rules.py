"""The rules for changes of collections, applied by both the library and the hook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.datasets import Dataset, Member
from blastgit.collections.existence import check_there
from blastgit.collections.model import Calibration, Chained, Collection, Listed, Run, Tagged, beyond, lines_beyond
from blastgit.collections.names import check_name, owner_of
from blastgit.collections.policy import CollectionPolicy
from blastgit.collections.runs import all_held
from blastgit.collections.text import check_text
from blastgit.errors import BlastgitError, Denied, InvalidInput, InvalidName, NotFound
from blastgit.repository.base import Repository
from blastgit.repository.configuration import path_of

DEPTH_LIMIT = 50
"""How deep chains may be nested."""


@dataclass(frozen=True)
class Rules:
    """The rules, for one change.

    Attributes:
        repository: The data repo.
        policy: Its settings for collections.
        before: The collections as they are.
        after: The collections as they would be.
        coming: The refs pushed at the same time, with their new values.
        is_audit: Whether existing collections are checked, whose members may have been withdrawn since.
    """

    repository: Repository
    policy: CollectionPolicy
    before: Catalogue
    after: Catalogue
    coming: Mapping[str, str | None] = field(default_factory=dict)
    is_audit: bool = False

    def check(self, name: str) -> None:
        """Check one changed collection.

        Raises:
            BlastgitError: It would break a rule; the error says which.
        """
        old, new = self.before.get(name), self.after.get(name)
        if new is None:
            if old is not None:
                self._check_deletion(name, old)
            return
        row = self.policy.names.check(name, new.kind)
        if old is None:
            self._check_twin(name)
        elif old.kind != new.kind:
            raise InvalidInput(f"{name} is {old.kind}, and a collection keeps its type: make another one")
        if row.role == "unique" and beyond(old, new):
            raise Denied(f"{name} cannot lose members: the table of names declares it as made once")
        if isinstance(new, Listed):
            self._check_listed(name, old, new)
        elif isinstance(new, Chained):
            self._check_chained(name, new)
        elif isinstance(new, Run):
            self._check_run(name, old, new)

    def _check_deletion(self, name: str, old: Collection) -> None:
        parents = [parent for parent, chain in self.after.of_type(Chained) if name in chain.children]
        if parents:
            raise Denied(f"{name} is a child of {', '.join(parents[:5])}: take it out of there first")
        try:
            role = self.policy.names.row(name).role
        except InvalidName:  # its name is from an older table: deleting it is the remedy
            role = ""
        if role == "unique":
            raise Denied(f"{name} cannot be deleted: the table of names declares it as made once")
        if isinstance(old, Run):
            held = next((each for each in all_held(self.repository) if each.run == name), None)
            if held is not None:
                raise Denied(f"{name} holds {held.dataset}, for good: a RUN that has data is never deleted")

    def _check_twin(self, name: str) -> None:
        twin = next((other for other in self.after if other != name and other.casefold() == name.casefold()), None)
        if twin is not None:
            raise InvalidName(
                f"{name} differs only in case from {twin}, which exists: some file systems cannot hold both"
            )

    def _check_run(self, name: str, old: Collection | None, new: Run) -> None:
        if isinstance(old, Run) and (old.main, old.inputs, old.config) != (new.main, new.inputs, new.config):
            raise Denied(f"{name} is a RUN, whose inputs are fixed from its start: they do not change")
        for child in new.inputs:
            check_name(child)
        if new.config and not self.after.has_file(path_of(new.config)):
            raise NotFound(f"{name} names the configuration {new.config}, and main has no {path_of(new.config)}")
        if isinstance(old, Run) and old.validated and not new.validated:
            for parent, chain in self.after.of_type(Chained):
                if name in chain.children and self.policy.names.row(parent).role == "validated":
                    raise Denied(f"{name} is in {parent}, which takes only what is validated: take it out there first")

    def _check_listed(self, name: str, old: Collection | None, new: Listed) -> None:
        members = list(map(new.parse, lines_beyond(new, old)))
        owner = owner_of(name)
        for member in members:
            if member.dataset.is_personal and not owner:
                raise Denied(f"{name} is shared, and {member.dataset} is personal work: promote it first")
        check_there(self.repository, (member.dataset for member in members), self.coming, withdrawn=self.is_audit)
        for transient in {member.dataset.name for member in members}:
            _check_unique(name, new, new.of(transient))
        if isinstance(new, Tagged) and self._is_public_output(name):
            self._check_no_calibration(name, [member.dataset for member in members])

    def _is_public_output(self, name: str) -> bool:
        """Whether a TAGGED collection is meant for all readers, by its own name or as a child of a shared chain."""
        if owner_of(name):
            return False
        if self.policy.names.row(name).role != "private":
            return True
        chains = self.after.of_type(Chained)
        return any(name in chain.children and self.policy.is_shared(parent) for parent, chain in chains)

    def _check_no_calibration(self, name: str, datasets: Iterable[Dataset]) -> None:
        certified = list(self._calibrations())
        for dataset in datasets:
            by_path = any(fnmatchcase(dataset.path, pattern) for pattern in self.policy.calibrations) and dataset.path
            home = next((each for each, held in certified if _holds(held, dataset)), "")
            if by_path or home:
                raise Denied(
                    f"{dataset} is a calibration{f' ({home})' if home else ''}, and {name} is TAGGED and public: it "
                    "would lose the time for which it is valid. Put a CALIBRATION collection next to it in the chain"
                )

    def _calibrations(self) -> Iterator[tuple[str, Calibration]]:
        for name, collection in self.after.of_type(Calibration):
            if not owner_of(name):
                yield name, collection

    def _check_chained(self, name: str, chain: Chained) -> None:
        if not chain.children:
            raise InvalidInput(f"{name} would chain nothing: name at least one child, or delete it")
        if len(set(chain.children)) < len(chain.children):
            raise InvalidInput(f"{name} would have a child twice: only its first position counts")
        for child in chain.children:
            self._check_child(name, child)
        _depth(self.after, name, (), {})
        role = self.policy.names.row(name).role
        filtered = f"{name}/filtered"
        if role == "public" and filtered in chain.children:
            screened = [each for each in chain.children if each.startswith(f"{name}/") and each != filtered]
            runs = [each for each in screened if isinstance(self.after.get(each), Run)]
            if runs:
                raise InvalidInput(f"{filtered} screens the runs of {name}, so {runs[0]} cannot be another child")

    def _check_child(self, name: str, child: str) -> None:
        there = self.after[check_name(child)]
        if owner_of(child) and not owner_of(name):
            raise Denied(f"{name} is shared, and shared collections do not refer to personal ones, such as {child}")
        if owner_of(name):
            return
        row, own = self.policy.names.row(child), self.policy.names.row(name)
        if row.role == "private":
            umbrella = row.umbrella(child)
            if name != umbrella and not name.startswith(f"{umbrella}/"):
                raise Denied(f"{child} is private to {umbrella}: chain that one, or make its own runs below {name}/")
        if own.role == "validated" and not (isinstance(there, Run) and there.validated):
            raise Denied(
                f"{child} is not marked as validated, and {name} takes nothing else: when it was checked, "
                f"`blastgit collection validate {child}`"
            )
        if isinstance(there, Tagged) and own.role != "private":
            self._check_no_calibration(child, there.datasets())


def check_all(repository: Repository, policy: CollectionPolicy, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Check every collection, and yield the name of each that breaks a rule, with the error message."""
    rules = Rules(repository, policy, Catalogue(None), catalogue, is_audit=True)
    for name in catalogue:
        try:
            check_text(catalogue.data(name), name)
            rules.check(name)
        except BlastgitError as error:
            yield name, str(error)


def _holds(collection: Listed, dataset: Dataset) -> bool:
    return any(member.dataset == dataset for member in collection.of(dataset.name))


def _check_unique(name: str, collection: Listed, members: list[Member]) -> None:
    """Check that there is one dataset for each type and data ID; for a CALIBRATION, one at any instant."""
    timed = isinstance(collection, Calibration)
    for i, one in enumerate(members):
        for other in members[:i]:
            a, b = one.dataset, other.dataset
            same = a.path == b.path or not a.path or not b.path
            if same and (not timed or one.overlaps(other)):
                what = "all of it" if not a.path and not b.path else a.path or b.path
                when = f", and their validity overlaps ({other.validity}; {one.validity})" if timed else ""
                raise InvalidInput(
                    f"{name} would hold {b} and {a}, two datasets of one type for {a.name} ({what}){when}: "
                    f"{'decertify' if timed else 'remove'} one first"
                )


def _depth(catalogue: Catalogue, name: str, above: tuple[str, ...], known: dict[str, int]) -> int:
    """Return how deep chains are nested within a chain, after checking that there is no cycle."""
    if name in above:
        raise InvalidInput(f"the chain would run in a circle: {' > '.join((*above[above.index(name) :], name))}")
    if name not in known:
        collection = catalogue.get(name)
        if collection is None:
            raise NotFound(f"{above[-1]} has a child that does not exist: {name}")
        children = collection.children if isinstance(collection, Chained) else ()
        depths = [_depth(catalogue, child, (*above, name), known) for child in children]
        known[name] = 1 + max(depths, default=0)
    if len(above) + known[name] > DEPTH_LIMIT:
        raise InvalidInput(f"{(*above, name)[0]} would have more than {DEPTH_LIMIT} chains within chains")
    return known[name]
