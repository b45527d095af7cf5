"""`repo.queries`: saved queries. Every change is one commit on main, with its author and reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pygit2

from blastgit.collections.change import Intent, Reason
from blastgit.errors import InvalidInput, NotFound
from blastgit.naming.nearest import did_you_mean
from blastgit.plumbing.trees import flatten, read_blob
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.history import History
from blastgit.repository.question import Asked
from blastgit.search.saved.answer import Answer, state_of
from blastgit.search.saved.check import check_sql
from blastgit.search.saved.names import FOLDER, check_name, is_name, path_of
from blastgit.search.saved.text import Query, read_query

if TYPE_CHECKING:
    from blastgit.index.open_index import OpenIndex, Result
    from blastgit.index.tables import Column


@dataclass(frozen=True)
class Entry:
    """One change of a query.

    Attributes:
        commit: The commit of main.
        time: When it was made.
        author: Who made it.
        subject: What was changed, and why.
    """

    commit: str
    time: datetime
    author: str
    subject: str

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"commit": self.commit, "time": self.time.isoformat(), "author": self.author, "subject": self.subject}


class Queries(Asked, Mapping[str, Query]):
    """The saved queries of a data repo on main now, by name."""

    def __init__(self, repository: Repository) -> None:
        """Open the queries of a data repo."""
        self._repository = repository

    def __getitem__(self, name: str) -> Query:
        """Return a query.

        Raises:
            NotFound: The query does not exist.
        """
        tree = self._tree()
        data = read_blob(tree, path_of(name)) if is_name(name) else None
        if data is None:
            hint = did_you_mean(name[:80], _names(tree), "`blastgit query list` has those there are")
            raise NotFound(f"there is no saved query {name[:80]!r}{hint}")
        return read_query(data, name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and is_name(name) and name in _names(self._tree())

    def __iter__(self) -> Iterator[str]:
        return iter(_names(self._tree()))

    def __len__(self) -> int:
        return len(_names(self._tree()))

    def add(self, name: str, text: str, reason: Reason, *, replace: bool = False) -> str | None:
        """Save a query.

        Args:
            name: Its name: small letters, digits and `_`.
            text: Its SQL, with a description and parameters in comments before it (`docs/find.md`).
            reason: Why, in one line; or an `Intent`.
            replace: Whether to replace a query of that name.

        Returns:
            The commit on main; None after a dry run.

        Raises:
            InvalidName: The name is not valid.
            InvalidInput: A query or transient of that name exists, or the comments before the SQL are not valid.
            InvalidQuery: It is not a SELECT from the tables of the index.
            Denied: This user may not save queries.
        """
        data = f"{text.rstrip()}\n".encode()
        check_sql(read_query(data, check_name(name)))
        if History(self._repository).tip(name) is not None:
            raise InvalidInput(f"{name} is a transient: give the query another name")

        def decide(tip: pygit2.Commit | None) -> BranchEdit | None:
            there = None if tip is None else read_blob(tip.tree, path_of(name))
            if there == data:
                return None
            if there is not None and not replace:
                raise InvalidInput(
                    f"the query {name} exists: replace it if you mean it (--replace), or take another name"
                )
            return self._edit(
                {path_of(name): data}, f"{'Save' if there is None else 'Change'} the query {name}", reason
            )

        return self._change(decide, reason)

    def remove(self, name: str, reason: Reason) -> str | None:
        """Remove a query; its history stays on main.

        Raises:
            NotFound: The query does not exist.
            Denied: This user may not remove queries.
        """

        def decide(_: pygit2.Commit | None) -> BranchEdit | None:
            self[name]
            return self._edit({path_of(name): None}, f"Remove the query {name}", reason)

        return self._change(decide, reason)

    def log(self, name: str) -> Sequence[Entry]:
        """Return the changes of a query, newest first.

        Raises:
            NotFound: The query never existed.
        """
        found = [_entry(commit) for commit in self._changes(check_name(name))]
        if not found:
            raise NotFound(f"there never was a query {name!r}{did_you_mean(name, _names(self._tree()))}")
        return found

    def columns(self, index: OpenIndex, query: Query, params: Mapping[str, Any]) -> Sequence[Column]:
        """Return the columns of a query's result."""
        return index.query(f"SELECT * FROM (\n{query.body}\n) AS saved LIMIT 0", query.values(params)).columns  # noqa: S608

    def ask(self, index: OpenIndex, query: Query, params: Mapping[str, Any]) -> tuple[Answer, Result]:
        """Return a query's result, and the identity of the answer."""
        result = index.query(query.body, query.values(params))
        return self.answer(index, query, params), result

    def answer(self, index: OpenIndex, query: Query, params: Mapping[str, Any]) -> Answer:
        """Return the identity of a query's present answer."""
        commit = next(self._changes(query.name))
        return Answer(query.name, str(commit.id), query.values(params), state_of(index))

    def _edit(self, files: Mapping[str, bytes | None], subject: str, reason: Reason) -> BranchEdit:
        self._repository.require("curator")
        return BranchEdit(files, f"{subject}: {reason}")

    def _change(self, decide: Any, reason: Reason) -> str | None:
        intent = reason if isinstance(reason, Intent) else Intent(reason)
        if intent.dry_run:
            decide(self._repository.main)
            return None
        return commit_to_branch(self._repository, "main", decide)

    def _tree(self) -> pygit2.Tree:
        return self._repository.main.tree

    def _changes(self, name: str) -> Iterator[pygit2.Commit]:
        """Yield the commits of main that changed a query, newest first."""
        path, commits = path_of(name), list(self._repository.commits("main"))
        for commit, before in zip(commits, [*commits[1:], None], strict=True):
            if _blob(commit, path) != _blob(before, path):
                yield commit


def _names(tree: pygit2.Tree) -> list[str]:
    if FOLDER not in tree:
        return []
    folder = tree / FOLDER
    if not isinstance(folder, pygit2.Tree):
        return []
    return [path.removesuffix(".sql") for path, _ in flatten(folder) if is_name(path.removesuffix(".sql"))]


def _blob(commit: pygit2.Commit | None, path: str) -> pygit2.Oid | None:
    return None if commit is None or path not in commit.tree else commit.tree[path].id


def _entry(commit: pygit2.Commit) -> Entry:
    return Entry(str(commit.id), Marker(commit).recorded, commit.author.name, commit.message.partition("\n")[0])
