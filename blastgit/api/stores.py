"""`repo.stores`: where the contents are kept, and which repos rely on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from blastgit.repository.question import Asked

if TYPE_CHECKING:
    from blastgit.api.session import Session
    from blastgit.maintenance.restore_placement import Due
    from blastgit.store.registry import Reliance


class Stores(Asked):
    """The stores of a data repo: the default one, and those to which storage rules send some kinds of files."""

    def __init__(self, session: Session) -> None:
        """Use the stores of an open data repo."""
        self._session = session
        self._repository = session.repository

    @property
    def urls(self) -> dict[str, str]:
        """The URL of each store besides the default one, by its name."""
        return {name: part.url for name, part in self._repository.store.others.items()}

    def users(self) -> list[Reliance]:
        """Return which repos rely on this repo's stores, as registered there; see `repository/ownership.py`.

        Raises:
            StoreError: A store fails.
        """
        from blastgit.store.registry import reliances

        return [each for part in self._repository.store.parts for each in reliances(part)]

    def own(self) -> list[str]:
        """Make this repo an owner of its stores, which allows it to delete from them, and return their URLs.

        Raises:
            Denied: This user is not an admin.
            StoreError: A store does not accept the registration.
        """
        from blastgit.repository.ownership import own

        return own(self._session.local())

    def forget(self, name: str) -> Reliance:
        """Make this repo's stores forget another repo that no longer exists, by the id that `users` gives.

        Raises:
            Denied: This user is not an admin.
            NotFound: No store knows it.
            RepoError: This repo does not own the store.
        """
        from blastgit.repository.ownership import forget

        return forget(self._session.local(), name)

    def move(self, url: str, options: Mapping[str, str] | None = None, *, check: bool = True) -> None:
        """Switch main to another store, to which the contents have been copied; old tags stay unchanged.

        Args:
            url: Where the contents are now.
            options: What DVC needs besides the URL; replaces all old options.
            check: Whether to refuse a store that lacks contents of any tag that the current one has.

        Raises:
            Denied: This user is not an admin.
            StoreError: The new store lacks contents, or one of the two fails.
        """
        from blastgit.maintenance.move_store import move_store

        move_store(self._session.local(), url, options, check=check)

    def add(self, name: str, url: str, options: Mapping[str, str] | None = None) -> None:
        """Add a store to main, to which storage rules may send some kinds of files.

        Args:
            name: Its name.
            url: Where it is; it need not exist yet.
            options: What DVC needs besides the URL.

        Raises:
            Denied: This user is not an admin.
            InvalidInput: The name is not valid, or is taken.
        """
        from blastgit.maintenance.move_store import add_store

        add_store(self._session.local(), name, url, options)

    def bring(self, *, dry_run: bool = False) -> Due:
        """Copy published contents to where the storage rules now send them; with `dry_run`, only report which.

        Raises:
            Denied: This user is not an admin.
            DamagedData: A content is not what was published.
            StoreError: A store fails; what was copied stays, and the next call continues.
        """
        from blastgit.maintenance.restore_placement import bring, due

        return due(self._session.local()) if dry_run else bring(self._session.local(), self._session.progress)
