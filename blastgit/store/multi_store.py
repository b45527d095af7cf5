"""Several stores as one: where each new content goes is said by name, and a content is found wherever it lies."""

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
    """The default store of a data repo, and others that its rules send some kinds of files to."""

    def __init__(self, default: Store, others: Mapping[str, Store]) -> None:
        """Use these; what is not sent elsewhere goes to the default one.

        Args:
            default: The default store.
            others: Others, by the names that pointers know them by (`outs[].remote`).
        """
        self.url = default.url
        self._default = default
        self._others = others

    @property
    def others(self) -> Mapping[str, Store]:
        """All but the default one, by name."""
        return self._others

    @property
    def parts(self) -> list[Store]:
        """All of them, the default one first."""
        return [self._default, *self._others.values()]

    def named(self, name: str) -> Store:
        """Return the store of a name, "" for the default one.

        Raises:
            StoreError: It does not exist.
        """
        if name and name not in self._others:
            raise StoreError(f".dvc/config on main has no remote {name!r}: there is {', '.join(self._others)}")
        return self._others[name] if name else self._default

    @property
    def staging_root(self) -> Path:
        """The folder of the default store in which contents on their way in are gathered."""
        return self._default.staging_root

    def put(self, staged: Path, sums: Checksums) -> None:
        """Take a staged file into the default store."""
        self._default.put(staged, sums)

    def put_all(
        self,
        items: Mapping[Path, Checksums],
        progress: Progress = silent,
        origins: Mapping[str, Origin] = MappingProxyType({}),
    ) -> None:
        """Take staged files into the default store."""
        self._default.put_all(items, progress, origins)

    def read(self, md5: str) -> Iterator[bytes]:
        """Yield the bytes of a content from the first store that has it."""
        holder = next((part for part in self.parts if not part.missing([md5])), None)
        if holder is None:
            urls = ", ".join(part.url for part in self.parts)
            raise DamagedData(f"the stores {urls} lack the content {md5}: run `blastgit verify`")
        yield from holder.read(md5)

    def sizes(self, md5s: Iterable[str]) -> Sizes:
        """Return the size of each of these contents that any of them has; later ones are asked for the rest only."""
        wanted, found = set(md5s), dict[str, int | None]()
        for part in self.parts:
            left = wanted - found.keys()
            if left:
                found.update(part.sizes(left))
        return found

    def borrowed(self, md5s: Iterable[str]) -> Mapping[str, Sequence[Borrowed]]:
        """Return which files of somebody else some contents of any of them are, by MD5."""
        wanted, found = list(md5s), dict[str, list[Borrowed]]()
        for part in self.parts:
            for md5, files in part.borrowed(wanted).items():
                found.setdefault(md5, []).extend(files)
        return found

    def local_path(self, md5: str) -> Path | None:
        """Return where a content lies on this machine, or None if it does not."""
        found = (part.local_path(md5) for part in self.parts)
        return next((path for path in found if path is not None), None)

    def synced_folders(self) -> list[Path]:
        """Return the folders of all of them."""
        return [folder for part in self.parts for folder in part.synced_folders()]

    def contents(self) -> Iterator[Content]:
        """Yield every content that any of them holds."""
        for part in self.parts:
            yield from part.contents()

    def set_aside(self, md5: str, untouched_since: float | None = None, *, damaged: bool = False) -> bool:
        """Move a content into the quarantine of each store that has it; whether any of them did."""
        holders = [part for part in self.parts if not part.missing([md5])]
        moved = [part.set_aside(md5, untouched_since, damaged=damaged) for part in holders]
        return any(moved)

    def quarantined(self) -> Iterator[SetAside]:
        """Yield what is in their quarantines."""
        for part in self.parts:
            yield from part.quarantined()

    def restore(self, item: SetAside) -> None:
        """Bring a content back wherever it was set aside."""
        for part in self._keepers(item):
            part.restore(item)

    def discard(self, item: SetAside) -> None:
        """Delete a content that is in a quarantine, for good."""
        for part in self._keepers(item):
            part.discard(item)

    def _keepers(self, item: SetAside) -> list[Store]:
        return [part for part in self.parts if any(each.key == item.key for each in part.quarantined())]
