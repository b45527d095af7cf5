"""`repo.stores`: where the contents are kept, and who relies on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from blastgit.repository.question import Asked

if TYPE_CHECKING:
    from blastgit.api.session import Session
    from blastgit.maintenance.restore_placement import Due
    from blastgit.store.registry import Reliance


class Stores(Asked):
    """The stores of a data repo: the default one, and those that rules of storage send some kinds of files to."""

    def __init__(self, session: Session) -> None:
        """Look at those of an opened data repo."""
        self._session = session
        self._repository = session.repository

    @property
    def urls(self) -> dict[str, str]:
        """Where each store beside the default one is, by its name."""
        return {name: part.url for name, part in self._repository.store.others.items()}

    def users(self) -> list[Reliance]:
        """Return which repos rely on the stores of this one, as far as the stores know; see `repository/ownership.py`.

        Raises:
            StoreError: A store fails.
        """
        from blastgit.store.registry import reliances

        return [each for part in self._repository.store.parts for each in reliances(part)]

    def own(self) -> list[str]:
        """Make this repo an owner of its stores, which may delete from them, and return their URLs.

        Raises:
            Denied: This user is no admin.
            StoreError: A store takes no note of it.
        """
        from blastgit.repository.ownership import own

        return own(self._session.local())

    def forget(self, name: str) -> Reliance:
        """Have the stores of this repo forget another repo that is no more, by the id that `users` gives.

        Raises:
            Denied: This user is no admin.
            NotFound: No store knows it.
            RepoError: This repo does not own the store.
        """
        from blastgit.repository.ownership import forget

        return forget(self._session.local(), name)

    def move(self, url: str, options: Mapping[str, str] | None = None, *, check: bool = True) -> None:
        """Make main name another store, to which the contents have been copied; old tags stay as they are.

        Args:
            url: Where the contents are now.
            options: What DVC needs beside the URL; none of the old ones is kept.
            check: Whether to refuse a store that lacks contents of any tag which the present one has.

        Raises:
            Denied: This user is no admin.
            StoreError: The new store lacks contents, or one of the two fails.
        """
        from blastgit.maintenance.move_store import move_store

        move_store(self._session.local(), url, options, check=check)

    def add(self, name: str, url: str, options: Mapping[str, str] | None = None) -> None:
        """Make main name one more store, which rules of storage may send kinds of files to.

        Args:
            name: What it is to be called.
            url: Where it is; it need not exist yet.
            options: What DVC needs beside the URL.

        Raises:
            Denied: This user is no admin.
            InvalidInput: It cannot be called so, or there is one of that name.
        """
        from blastgit.maintenance.move_store import add_store

        add_store(self._session.local(), name, url, options)

    def bring(self, *, dry_run: bool = False) -> Due:
        """Copy published contents to where the rules of storage send them now; or just say which, with `dry_run`.

        Raises:
            Denied: This user is no admin.
            DamagedData: A content is not what was published.
            StoreError: A store fails; what was copied stays, and the next call goes on.
        """
        from blastgit.maintenance.restore_placement import bring, due

        return due(self._session.local()) if dry_run else bring(self._session.local(), self._session.progress)
