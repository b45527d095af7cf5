"""A store in a folder of this machine, written without DVC's libraries and readable by them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from blastgit.errors import DamagedData, StoreError
from blastgit.store.base import Store
from blastgit.store.hashing import Checksums, chunks_of, drain

_MODE = 0o444  # DVC trusts a read-only object without hashing it: so it is complete and checked before it has its name


class LocalStore(Store):
    """Contents in a folder."""

    def __init__(self, folder: Path) -> None:
        """Use the store in `folder`, which need not exist yet."""
        self.folder = folder
        self.url = str(folder)

    def object_path(self, md5: str) -> Path:
        """Return where the content of that name lies, or would."""
        return self.folder / "files" / "md5" / md5[:2] / md5[2:]

    def local_path(self, md5: str) -> Path | None:
        """Return where a content lies, or None if it does not."""
        path = self.object_path(md5)
        return path if path.exists() else None

    @property
    def staging_root(self) -> Path:
        """A folder inside the store, so that taking in a file is a rename."""
        return self.folder / "tmp"

    def put(self, staged: Path, sums: Checksums) -> None:
        """Rename a staged file to its name; one that is there already stays if it is sound."""
        path = self.object_path(sums.md5)
        try:
            if self._is_sound(path, sums):
                staged.unlink()
                return
            staged.chmod(_MODE)
            try:
                staged.rename(path)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                staged.rename(path)
        except OSError as error:
            raise store_failure(self.url, error) from None

    def _is_sound(self, path: Path, sums: Checksums) -> bool:
        """Whether the content is there and is the one meant; a damaged one counts as absent, and is replaced."""
        try:
            with path.open("rb", buffering=0) as file:
                found = drain(chunks_of(file), len)
        except FileNotFoundError:
            return False
        if found.md5 == sums.md5 and found.sha256 != sums.sha256:
            raise StoreError(f"{path} has the MD5 of another file but not its content: a collision, made on purpose")
        return found == sums

    def read(self, md5: str) -> Iterator[bytes]:
        """Yield the bytes of a content, unchecked."""
        path = self.object_path(md5)
        try:
            with path.open("rb", buffering=0) as file:
                yield from chunks_of(file)
        except FileNotFoundError:
            raise DamagedData(f"the store {self.url} lacks the content {md5}: run `blastgit verify`") from None
        except OSError as error:
            raise store_failure(self.url, error) from None

    def missing(self, md5s: Iterable[str]) -> set[str]:
        """Return those of `md5s` that are not there."""
        return {md5 for md5 in md5s if not os.path.lexists(self.object_path(md5))}

    def synced_folders(self) -> list[Path]:
        """Return the store's own folder."""
        return [self.folder] if self.folder.exists() else []


def store_failure(url: str, error: OSError) -> StoreError:
    """Return the error to raise when a store's file system fails, in words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(f"no space left in the store {url}: nothing was recorded; make room and record again")
    return StoreError(f"the store {url} cannot be used: {error.strerror or error}")
