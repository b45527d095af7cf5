"""Who may say what: asked by the library before it writes, and by the hook of what is pushed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pygit2

from blastgit.annotations.annotation import Annotation
from blastgit.annotations.states import may_supersede
from blastgit.annotations.subjects import Subject
from blastgit.errors import Denied, InvalidInput, NotFound
from blastgit.repository.policy import Policy


def check_authors(policy: Policy, who: str, authors: Iterable[str]) -> None:
    """Check that somebody may annotate, and may bring what others said if they do.

    Raises:
        Denied: They may not.
    """
    policy.check("annotator", who)
    others = sorted(set(authors) - {who})
    if others and not policy.allows("relay", who):
        raise Denied(
            f"{others[0]} is named as the author, and {who} brings it: that takes the role 'relay' (if you are "
            f"both, tell blastgit so: git config blastgit.user {who})"
        )


def check_supersedes(policy: Policy, who: str, event: Annotation, before: Sequence[Annotation]) -> None:
    """Check that an annotation may take the place of those that it names.

    Args:
        policy: Who may do what.
        who: Who brings it.
        event: The annotation.
        before: What was said of that subject until now.

    Raises:
        NotFound: One of them is not about this subject.
        Denied: It is somebody else's, or a human's while a bot speaks.
    """
    named = {name: list[Annotation]() for name in event.remark.supersedes}
    for each in before:
        if each.id in named and each.subject == event.subject:
            named[each.id].append(each)
    for name, known in named.items():
        if not known:
            raise NotFound(f"{event.subject} has no annotation {name}: see `blastgit notes --history`")
        for old in known:  # one, unless somebody forged an id before ids were looked at
            if not may_supersede(event, old):
                raise Denied(f"{name} is what {old.user} said: a bot does not override a human")
            if old.user != event.user and not policy.allows("relay", who):
                policy.check("curator", event.user)


def check_identity(event: Annotation, before: Iterable[Annotation]) -> None:
    """Check that the id of an annotation is its own: only the other subjects of the same annotation share it.

    Anyone who used somebody else's id could supersede what that person said, as if it were their own.

    Raises:
        Denied: The id is of another annotation.
    """
    for old in before:
        if old.id != event.id:
            continue
        said = [(each.user, each.is_bot, each.time, each.remark, each.subjects) for each in (old, event)]
        if said[0] != said[1]:
            raise Denied(f"its id, {event.id}, is that of what {old.user} said, {old.time:%Y-%m-%d %H:%M:%S} UTC")


class Twins:
    """Looks for names that differ only in case from others: a clone may not hold both."""

    def __init__(self, tree: pygit2.Tree | None) -> None:
        """Look at the files of the branch as it stands."""
        self._tree = tree
        self._folders: dict[str, dict[str, str]] = {}

    def check(self, subject: Subject) -> None:
        """Check that no other file differs from that of a subject in case alone; later ones are compared with it, too.

        Raises:
            InvalidInput: Another file does.
        """
        folder = ""
        if subject.kind in ("file", "interval"):
            return  # these have no letters that could be written otherwise
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
