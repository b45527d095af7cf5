"""Several stores as one: new contents are sent to stores by name, and contents are found in any of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from blastgit.errors import DamagedData, StoreError
from blastgit.progress import Progress, silent
from blastgit.store.base import Content, SetAside, Sizes, Store
from blastgit.store.borrowed import Borrowed
from blastgit.store.hashing import Checksums
from blastgit.store.source import Origin


class MultiStore(Store):
    """The default store of a data repo, and others to which storage rules send some kinds of files."""

    def __init__(self, default: Store, others: Mapping[str, Store]) -> None:
        """Combine stores.

        Args:
            default: The store for everything that is not sent to another one.
            others: The others, by their names in pointers (`outs[].remote`).
        """
        self.url = default.url
        self._default = default
        self._others = others

    @property
    def others(self) -> Mapping[str, Store]:
        """The stores besides the default one, by name."""
        return self._others

    @property
    def parts(self) -> list[Store]:
        """All stores, the default one first."""
        return [self._default, *self._others.values()]

    def named(self, name: str) -> Store:
        """Return the store of a name, "" for the default one.

        Raises:
            StoreError: It does not exist.
        """
        if name and name not in self._others:
            raise StoreError(f".dvc/config on main has no remote {name!r}, only {', '.join(self._others)}")
        return self._others[name] if name else self._default

    @property
    def staging_root(self) -> Path:
        """The folder of the default store in which contents are staged."""
        return self._default.staging_root

    def put(self, staged: Path, sums: Checksums) -> None:
        """Store a staged file in the default store."""
        self._default.put(staged, sums)

    def put_all(
        self,
        items: Mapping[Path, Checksums],
        progress: Progress = silent,
        origins: Mapping[str, Origin] = MappingProxyType({}),
    ) -> None:
        """Store staged files in the default store."""
        self._default.put_all(items, progress, origins)

    def read(self, md5: str) -> Iterator[bytes]:
        """Yield the bytes of a content from the first store that has it."""
        holder = next((part for part in self.parts if not part.missing([md5])), None)
        if holder is None:
            urls = ", ".join(part.url for part in self.parts)
            raise DamagedData(f"the stores {urls} lack the content {md5}: run `blastgit verify`")
        yield from holder.read(md5)

    def sizes(self, md5s: Iterable[str]) -> Sizes:
        """Return the size of each of these contents in any store; later stores are only asked for the rest."""
        wanted, found = set(md5s), dict[str, int | None]()
        for part in self.parts:
            left = wanted - found.keys()
            if left:
                found.update(part.sizes(left))
        return found

    def borrowed(self, md5s: Iterable[str]) -> Mapping[str, Sequence[Borrowed]]:
        """Return the borrowed files behind contents of any store, by MD5."""
        wanted, found = list(md5s), dict[str, list[Borrowed]]()
        for part in self.parts:
            for md5, files in part.borrowed(wanted).items():
                found.setdefault(md5, []).extend(files)
        return found

    def local_path(self, md5: str) -> Path | None:
        """Return the local path of a content, or None."""
        found = (part.local_path(md5) for part in self.parts)
        return next((path for path in found if path is not None), None)

    def synced_folders(self) -> list[Path]:
        """Return the folders of all stores."""
        return [folder for part in self.parts for folder in part.synced_folders()]

    def contents(self) -> Iterator[Content]:
        """Yield every content of any store."""
        for part in self.parts:
            yield from part.contents()

    def set_aside(self, md5: str, untouched_since: float | None = None, *, damaged: bool = False) -> bool:
        """Move a content into the quarantine of each store that has it; return whether any did."""
        holders = [part for part in self.parts if not part.missing([md5])]
        moved = [part.set_aside(md5, untouched_since, damaged=damaged) for part in holders]
        return any(moved)

    def quarantined(self) -> Iterator[SetAside]:
        """Yield the contents in all quarantines."""
        for part in self.parts:
            yield from part.quarantined()

    def restore(self, item: SetAside) -> None:
        """Restore a content in each store where it was set aside."""
        for part in self._keepers(item):
            part.restore(item)

    def discard(self, item: SetAside) -> None:
        """Delete a content in a quarantine permanently."""
        for part in self._keepers(item):
            part.discard(item)

    def _keepers(self, item: SetAside) -> list[Store]:
        return [part for part in self.parts if any(each.key == item.key for each in part.quarantined())]
