"""Who may annotate what: checked by the library before it writes, and by the hook when somebody pushes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pygit2

from blastgit.annotations.annotation import Annotation
from blastgit.annotations.states import may_supersede
from blastgit.annotations.subjects import Subject
from blastgit.errors import Denied, InvalidInput, NotFound
from blastgit.repository.policy import Policy


def check_authors(policy: Policy, who: str, authors: Iterable[str]) -> None:
    """Check that a user may annotate, and may relay the annotations of others if there are any.

    Raises:
        Denied: The user lacks the role.
    """
    policy.check("annotator", who)
    others = sorted(set(authors) - {who})
    if others and not policy.allows("relay", who):
        raise Denied(
            f"{others[0]} is named as the author, but {who} adds it: that requires the role 'relay' (if you are "
            f"both, tell blastgit so: git config blastgit.user {who})"
        )


def check_supersedes(policy: Policy, who: str, event: Annotation, before: Sequence[Annotation]) -> None:
    """Check that an annotation may supersede those that it names.

    Args:
        policy: The policy of the repo.
        who: The user who writes or pushes it.
        event: The annotation.
        before: The annotations of that subject so far.

    Raises:
        NotFound: One of them is not about this subject.
        Denied: One is somebody else's, or a human's and this one is a bot's.
    """
    named = {name: list[Annotation]() for name in event.remark.supersedes}
    for each in before:
        if each.id in named and each.subject == event.subject:
            named[each.id].append(each)
    for name, known in named.items():
        if not known:
            raise NotFound(f"{event.subject} has no annotation {name}: see `blastgit notes --history`")
        for old in known:  # one, unless an id was forged before ids were checked
            if not may_supersede(event, old):
                raise Denied(f"{name} was written by {old.user}: a bot does not override a human")
            if old.user != event.user and not policy.allows("relay", who):
                policy.check("curator", event.user)


def check_identity(event: Annotation, before: Iterable[Annotation]) -> None:
    """Check that no other annotation has the same id: only the lines of one annotation's subjects share it.

    With somebody else's id, a user could supersede that person's annotation as if it were their own.

    Raises:
        Denied: Another annotation has the id.
    """
    for old in before:
        if old.id != event.id:
            continue
        facts = [(each.user, each.is_bot, each.time, each.remark, each.subjects) for each in (old, event)]
        if facts[0] != facts[1]:
            raise Denied(f"its id, {event.id}, is that of what {old.user} said, {old.time:%Y-%m-%d %H:%M:%S} UTC")


class Twins:
    """Finds names that differ only in case: a clone on a case-insensitive file system cannot hold both."""

    def __init__(self, tree: pygit2.Tree | None) -> None:
        """Start from the files of the branch.

        Args:
            tree: The branch now; None if it does not exist yet.
        """
        self._tree = tree
        self._folders: dict[str, dict[str, str]] = {}

    def check(self, subject: Subject) -> None:
        """Check that no file differs from the subject's in case alone, and remember the subject for later checks.

        Raises:
            InvalidInput: One does.
        """
        folder = ""
        if subject.kind in ("file", "interval"):
            return  # their names have only one spelling
        for name in subject.path.split("/"):
            twin = self._names(folder).setdefault(name.casefold(), name)
            if twin != name:
                known = f"{folder}/{twin}".removesuffix(".jsonl")
                raise InvalidInput(f"{subject} differs only in case from what was annotated before, {known}")
            folder = f"{folder}/{name}".lstrip("/")

    def _names(self, folder: str) -> dict[str, str]:
        if folder not in self._folders:
            entry: pygit2.Object | None = self._tree
            if folder and self._tree is not None:
                entry = self._tree[folder] if folder in self._tree else None  # noqa: SIM401 (a tree has no `get`)
            children = entry if isinstance(entry, pygit2.Tree) else ()
            self._folders[folder] = {child.name.casefold(): child.name for child in children if child.name}
        return self._folders[folder]
