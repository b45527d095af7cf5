"""Refuses names that differ only in case, since not every file system can tell them apart."""

from __future__ import annotations

from blastgit.errors import InvalidName
from blastgit.naming.names import fold, user_of
from blastgit.plumbing.folded import branches_like
from blastgit.repository.base import Repository


def case_collision(repository: Repository, name: str) -> str | None:
    """Return a line whose name differs from `name` only in case, or None; for users' own, in the user's name."""
    user = user_of(name)
    if user is None:
        found = branches_like(repository.path, name, repository.work_folder / "packed-names")
        return next((other for other in found if other != name), None)
    from blastgit.repository.lines import own_lines

    alike = (line for line in own_lines(repository) if fold(user_of(line) or "") == fold(user))
    return next((line for line in alike if user_of(line) != user), None)


def refuse_case_collision(repository: Repository, name: str) -> None:
    """Raise unless the name is free of case collisions.

    Raises:
        InvalidName: Another name differs only in case.
    """
    other = case_collision(repository, name)
    if other is not None:
        raise InvalidName(
            f"{name!r} differs only in case from {other!r}, which exists; not every system can tell such names apart"
        )
