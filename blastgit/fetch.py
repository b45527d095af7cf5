"""Contents out of the store, never trusted before their SHA-256 is known to be right."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from blastgit.errors import DamagedData
from blastgit.store.base import Store


def checked(chunks: Iterable[bytes], sha256: str, what: str) -> Iterator[bytes]:
    """Yield chunks on, and raise at the end unless they were what was published.

    Raises:
        DamagedData: The bytes have another SHA-256.
    """
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != sha256:
        raise DamagedData(f"{what} is damaged: its SHA-256 is {digest.hexdigest()}, and {sha256} was published")


def fetch_content(store: Store, md5: str, sha256: str, folder: Path) -> Path:
    """Return the path of a checked content: in the store itself if that is a folder, else a copy in `folder`.

    Raises:
        DamagedData: The store lacks it, or holds something else.
        StoreError: The store fails.
    """
    chunks = checked(store.read(md5), sha256, f"the content {md5} in {store.url}")
    local = store.local_path(md5)
    if local is not None:
        for _ in chunks:
            pass
        return local
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / f"{md5}.{os.urandom(16).hex()}"
    with copy.open("xb") as file:
        file.writelines(chunks)
    return copy
