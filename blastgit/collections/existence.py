"""Check that datasets exist, by looking up single tags, since a repo may have a million of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import pygit2

from blastgit.collections.datasets import Dataset, dataset_of, read_dataset
from blastgit.errors import NotFound, Withdrawn
from blastgit.naming.names import parse_spec
from blastgit.naming.nearest import did_you_mean
from blastgit.naming.refs import MAIN, tag_ref
from blastgit.plumbing.objects import commit_of
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.entries import is_held
from blastgit.repository.history import History
from blastgit.repository.tombstones import Withdrawals
from blastgit.workflow.resolve import resolve_revision


def named(repository: Repository, texts: Iterable[str]) -> list[Dataset]:
    """Return the datasets that a user named; `@latest` and `@DATE` are resolved to a number now.

    Raises:
        InvalidName: A text is not the name of a dataset.
        NotFound: A revision does not exist.
    """
    return [_named(repository, text) for text in texts]


def _named(repository: Repository, text: str) -> Dataset:
    head = text.partition(":")[0]
    if "@" not in head or head.rpartition("@")[2].isdecimal():
        return read_dataset(text)
    spec = parse_spec(text)
    line = spec.name
    revision = resolve_revision(repository, spec)
    return Dataset(line, revision.number, dataset_of(line, spec).path)


def check_there(
    repository: Repository,
    datasets: Iterable[Dataset],
    coming: Mapping[str, str | None] = MappingProxyType({}),
    *,
    withdrawn: bool = False,
) -> None:
    """Check that datasets exist, and were not withdrawn.

    Args:
        repository: The data repo.
        datasets: The datasets to check.
        coming: The refs pushed at the same time, with their new values.
        withdrawn: Whether withdrawn datasets are accepted.

    Raises:
        NotFound: One does not exist; the error names the nearest.
        Withdrawn: One was withdrawn.
    """
    if repository.reference(MAIN) is None:
        return  # a copy is being pushed to an empty repo, main first
    withdrawals, wanted = Withdrawals(repository), sorted(datasets)
    tags = repository.look_up({each.ref for each in wanted})
    last: Revision | None = None
    for dataset in wanted:
        if last is None or (last.name, last.number) != (dataset.line, dataset.number):
            tag = tags.get(dataset.ref)
            if tag is None:
                last = _arriving(repository, dataset, coming)
            else:
                last = Revision(repository.git, dataset.line, commit_of(tag), dataset.number)
        if last is None:
            raise unknown_revision(repository, dataset)
        if dataset.path:
            _check_file(last, dataset.path)
        if withdrawn:
            continue
        stones = withdrawals.of(dataset.line, dataset.number)
        gone = {dataset.path} & stones.keys() if dataset.path else stones and stones.keys() & set(last.held)
        if gone and (dataset.path or len(gone) == len(last.held)):
            raise Withdrawn(f"{dataset} was {stones[min(gone)]}")


def has_file(repository: Repository, dataset: Dataset, path: str) -> bool:
    """Whether a revision has a file."""
    revision = History(repository).tagged(dataset.line, dataset.number)
    return revision is not None and is_held(revision.commit.tree, path)


def _arriving(repository: Repository, dataset: Dataset, coming: Mapping[str, str | None]) -> Revision | None:
    """Return a revision whose tag is pushed at the same time; other checks decide whether it is valid."""
    oid = coming.get(tag_ref(dataset.line, dataset.number))
    try:
        commit = None if oid is None else repository.git[oid].peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError):
        return None
    return None if commit is None else Revision(repository.git, dataset.line, commit, dataset.number)


def _check_file(revision: Revision, path: str) -> None:
    if is_held(revision.commit.tree, path):
        return
    hint = did_you_mean(path, revision.held, f"`blastgit show {revision}:files` lists its files")
    raise NotFound(f"{revision} has no file {path!r}{hint}")


def unknown_revision(repository: Repository, dataset: Dataset) -> NotFound:
    """Return the error that a revision does not exist, with similar names or the latest number."""
    history = History(repository)
    if history.tip(dataset.line) is None:
        return history.unknown(dataset.line)
    numbers = [revision.number for revision in history.revisions(dataset.line)]
    return NotFound(f"{dataset.line} has no revision {dataset.number}: the latest is {max(numbers)}")
