"""A store that is not a folder: any DVC remote, reached through DVC's own libraries.

Contents that arrived stay: a recording that fails half way can be repeated, and only uploads the rest.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TypeVar

from blastgit.errors import DamagedData, StoreError
from blastgit.progress import Progress, silent
from blastgit.store import s3_listing
from blastgit.store.base import QUARANTINE, Content, SetAside, Sizes, Store, quarantine_key, read_quarantine_key
from blastgit.store.config import Remote
from blastgit.store.failures import Patience, explain, is_missing_bucket
from blastgit.store.hashing import Checksums, chunks_of, drain
from blastgit.store.remote import RemoteFolder
from blastgit.store.source import Origin

T = TypeVar("T")

_OLD = 7 * 86400.0  # seconds; half of the grace period that `gc` leaves


class DvcStore(Store):
    """Contents in a DVC remote."""

    def __init__(self, remote: Remote, staging_root: Path, patience: Patience | None = None) -> None:
        """Use the store of a remote; it is opened on first use.

        Args:
            remote: Its URL and options.
            staging_root: The local folder in which contents are staged.
            patience: How often and how slowly to try again.
        """
        self.url = remote.url
        self._remote = remote
        self._staging_root = staging_root
        self._patience = patience or Patience()
        self._folder: RemoteFolder | None = None
        self._opening = threading.Lock()

    @property
    def staging_root(self) -> Path:
        """The local folder in which contents are staged."""
        return self._staging_root

    def put(self, staged: Path, sums: Checksums) -> None:
        """Store one staged file; see `put_all`."""
        self.put_all({staged: sums})

    def put_all(
        self,
        items: Mapping[Path, Checksums],
        progress: Progress = silent,
        origins: Mapping[str, Origin] = MappingProxyType({}),
    ) -> None:
        """Upload what the store lacks or holds damaged, a few files at a time, and check that all of it arrived.

        One query finds out what exists and one what arrived; S3 needs no more, however large the store is. Contents in
        a bucket that the server can reach are copied by the server.
        """
        files = _by_md5(items)
        if not files:
            return
        # The smallest goes first: if it does not exist, no earlier attempt has uploaded any. Then large ones, so that
        # no thread ends late.
        first, *others = sorted(files, key=lambda md5: files[md5][1].size)
        order = [first, *reversed(others)]
        present = self._present(order)
        total, done, counting = sum(sums.size for _, sums in files.values()), 0, threading.Lock()

        def bring(md5: str) -> bool:
            nonlocal done
            is_open = self._bring(*files[md5], present, origins.get(md5))
            with counting:
                done += files[md5][1].size
                progress("storing", done, total)
            return is_open

        is_open = self._open().in_threads(bring, order)
        asked = [md5 for md5, unsure in zip(order, is_open, strict=True) if unsure] or [first]
        self._check_arrived({md5: files[md5][1].size for md5 in asked})
        for staged in items:
            staged.unlink(missing_ok=True)

    def _present(self, order: list[str]) -> Sizes | None:
        """Return which contents exist; None to let the server decide for each file during its upload."""
        if self._open().can_create() and not self._do(lambda folder: folder.has(order[0])):
            return None
        return self.sizes(order)

    def _bring(self, staged: Path, sums: Checksums, present: Sizes | None, origin: Origin | None) -> bool:
        """Upload one content if necessary, and return whether its arrival must be checked afterwards."""
        md5 = sums.md5
        if present is None:
            if origin is not None and self._do(lambda folder: folder.copy(origin, md5, replace=False)):
                return False
            if self._open().can_create(sums.size) and self._do(lambda folder: folder.create(staged, md5)):
                return False
            present = self.sizes([md5])
        if md5 in present and self._is_sound(sums) and not self._is_old(md5):
            return False
        if origin is not None and self._do(lambda folder: folder.copy(origin, md5, replace=True)):
            return False
        self._do(lambda folder: folder.upload(staged, md5, replace=md5 in present))
        return True

    def _check_arrived(self, expected: Mapping[str, int]) -> None:
        found = self.sizes(expected)
        for md5, size in expected.items():
            if md5 not in found or found[md5] not in (size, None):
                held = f"has {found[md5]:,} bytes" if md5 in found else "is missing"
                raise StoreError(
                    f"the store {self.url} accepted {md5} of {size:,} bytes, but now it {held}: nothing was recorded; "
                    "does another program delete or change objects there?"
                )

    def _is_sound(self, sums: Checksums) -> bool:
        """Whether the stored content is right; a damaged one counts as absent, and is replaced."""
        try:
            found = drain(self.read(sums.md5), len)
        except DamagedData:
            return False
        if found.md5 == sums.md5 and found.sha256 != sums.sha256:
            raise _collision(sums.md5)
        return found == sums

    def _is_old(self, md5: str) -> bool:
        """Whether `gc` might soon consider a content unused: uploading it again shows that it is relied on."""
        return self._open().changed.get(md5, math.inf) < time.time() - _OLD

    def contents(self) -> Iterator[Content]:
        """Yield every content."""
        self._open().forget_listings()
        sizes, changed = self._do_if_it_can(RemoteFolder.all_sizes, "list contents"), self._open().changed
        if sizes.keys() - changed.keys():
            raise self._cannot("see how old contents are")
        return iter([Content(md5, size, changed[md5]) for md5, size in sizes.items()])

    def set_aside(self, md5: str, untouched_since: float | None = None, *, damaged: bool = False) -> bool:
        """Move a content into the quarantine; see `Store.set_aside`."""
        self._open().forget_listings()
        if not self.sizes([md5]) or (untouched_since is not None and self._open().changed[md5] > untouched_since):
            return False
        target = quarantine_key(md5, damaged=damaged)
        return self._moved(f"files/md5/{md5[:2]}/{md5[2:]}", f"{QUARANTINE}/{target}")

    def quarantined(self) -> Iterator[SetAside]:
        """Yield the contents in the quarantine."""
        try:
            found = self._do_if_it_can(lambda folder: folder.files_below(QUARANTINE), "list contents")
        except StoreError:
            return iter(())
        return iter([item for key, size in found.items() if (item := read_quarantine_key(key, size))])

    def restore(self, item: SetAside) -> None:
        """Restore a content from the quarantine."""
        if self.sizes([item.md5]):
            self.discard(item)
        else:
            self._moved(f"{QUARANTINE}/{item.key}", f"files/md5/{item.md5[:2]}/{item.md5[2:]}")
        self._open().forget_listings()

    def discard(self, item: SetAside) -> None:
        """Delete a content in the quarantine permanently."""
        self._do_if_it_can(lambda folder: folder.remove(f"{QUARANTINE}/{item.key}"), "delete contents")
        self._open().forget_listings()

    def is_fresh(self) -> bool:
        """Whether the store is empty."""
        return self._do_if_it_can(RemoteFolder.is_empty, "list contents")

    def notes(self, folder: str) -> Mapping[str, bytes]:
        """Return the small files in a folder, by name; none if the protocol cannot list."""
        self._open().forget_listings()
        return self._do_if_it_can(lambda remote: remote.read_below(folder), "list contents")

    def write_note(self, path: str, data: bytes) -> None:
        """Write a small file."""
        self._do_if_it_can(lambda folder: folder.write(path, data), "write a note")
        self._open().forget_listings()

    def remove_note(self, path: str) -> None:
        """Delete a small file."""
        self._do_if_it_can(lambda folder: folder.remove(path), "delete a note")
        self._open().forget_listings()

    def _moved(self, old: str, new: str) -> bool:
        def move(folder: RemoteFolder) -> bool:
            try:
                folder.move(old, new)
            except FileNotFoundError:
                return False
            return True

        done = self._do_if_it_can(move, "move contents")
        self._open().forget_listings()
        return done

    def _do_if_it_can(self, work: Callable[[RemoteFolder], T], what: str) -> T:
        """Do something that not every protocol supports; its file system then raises `NotImplementedError`.

        Raises:
            StoreError: The protocol lacks it, or it failed.
        """
        folder = self._open()
        try:
            return self._patience.call(lambda: work(folder))
        except NotImplementedError:
            raise self._cannot(what) from None
        except Exception as error:  # noqa: BLE001 (whatever DVC's libraries and their clients raise)
            raise explain(self.url, error) from None

    def read(self, md5: str) -> Iterator[bytes]:
        """Yield the bytes of a content, unverified, after downloading all of them, so that this can be retried."""
        with TemporaryDirectory(prefix="blastgit-") as folder:
            copy = Path(folder) / md5
            if not self._do(lambda remote: _download(remote, md5, copy)):
                raise DamagedData(f"the store {self.url} lacks the content {md5}: run `blastgit verify`")
            with copy.open("rb", buffering=0) as file:
                yield from chunks_of(file)

    def sizes(self, md5s: Iterable[str]) -> Sizes:
        """Return the size of each of these contents that exists; see `questions.py` for the number of requests.

        S3 is queried without DVC's libraries, which are slow to import, unless they are already in use.
        """
        wanted = set(md5s)
        if not wanted:
            return {}
        if self._folder is None and self._remote.url.startswith("s3:"):
            with suppress(s3_listing.Unanswered):
                return s3_listing.sizes(self._remote, wanted)
        return self._do(lambda folder: folder.sizes(wanted))

    def _open(self) -> RemoteFolder:
        with self._opening:
            if self._folder is None:
                try:
                    self._folder = RemoteFolder(self._remote)
                except Exception as error:  # noqa: BLE001 (whatever DVC's libraries and their clients raise)
                    raise explain(self.url, error) from None
            return self._folder

    def _do(self, work: Callable[[RemoteFolder], T]) -> T:
        """Do something with the store, retrying transient failures.

        Raises:
            StoreError: The store failed.
        """
        folder = self._open()
        try:
            return self._patience.call(lambda: work(folder))
        except Exception as error:  # noqa: BLE001 (whatever DVC's libraries and their clients raise)
            raise explain(self.url, error) from None


def _download(folder: RemoteFolder, md5: str, target: Path) -> bool:
    try:
        folder.download(md5, target)
    except FileNotFoundError as error:
        if is_missing_bucket(error):
            raise
        return False
    return True


def _by_md5(items: Mapping[Path, Checksums]) -> dict[str, tuple[Path, Checksums]]:
    files: dict[str, tuple[Path, Checksums]] = {}
    for staged, sums in items.items():
        if files.setdefault(sums.md5, (staged, sums))[1] != sums:
            raise _collision(sums.md5)
    return files


def _collision(md5: str) -> StoreError:
    return StoreError(f"two contents have the MD5 {md5} but not the same SHA-256: a collision, made on purpose")
