"""Tombstones: the record on main of published files that were taken down.

Published bytes are never altered, so a withdrawal stands beside them: `withdrawn/<transient>/<N>.yaml` on main, of a
draft `withdrawn/<transient>/<N>-draft-<K>.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pygit2

from blastgit.errors import RepoError, Withdrawn
from blastgit.naming.names import transient_of
from blastgit.plumbing.trees import blob_data, flatten, read_blob
from blastgit.safe_yaml import load_yaml

if TYPE_CHECKING:
    from blastgit.repository.base import Repository
    from blastgit.repository.commits import Snapshot

FOLDER = "withdrawn"
LEFT_OUT = "left out of this subset"
"""The beginning of the reason in a subset's tombstones."""

ATTACHMENT = "attachment"
_SHA256 = re.compile(rb"[0-9a-f]{64}")
_FILE = re.compile(r"((?:u/[^/]+/|r/[^/]+/)?[^/]+)/(0|[1-9][0-9]{0,8})(?:-draft-([1-9][0-9]{0,8}))?\.yaml")


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The record of a withdrawn file of a revision.

    Attributes:
        path: The file.
        md5: The name of its content in the store.
        sha256: Its checksum.
        size: Its size in bytes.
        at: When it was withdrawn (ISO 8601, UTC).
        by: By whom.
        reason: Why.
    """

    path: str
    md5: str
    sha256: str
    size: int
    at: str
    by: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return asdict(self)

    def __str__(self) -> str:
        if self.reason.startswith(LEFT_OUT):  # not withdrawn: the repo that the subset was made from has it
            return self.reason
        return f"withdrawn on {self.at[:10]} by {self.by}: {self.reason}"


Stones = Mapping[str, Tombstone]
"""The tombstones of one revision, by path."""


class Withdrawals:
    """All withdrawals recorded on main."""

    def __init__(self, repository: Repository) -> None:
        """Read the current state of main."""
        self._git = repository.git
        self._main = repository.main.tree
        self._tree = self._main / FOLDER if FOLDER in self._main else None

    def of(self, name: str, number: int, draft: int | None = None) -> Stones:
        """Return the tombstones of a revision, or of a draft on the way to it.

        Raises:
            RepoError: Its file on main is not valid.
        """
        if not isinstance(self._tree, pygit2.Tree):
            return {}
        try:
            blob = self._tree[file_of(name, number, draft).removeprefix(f"{FOLDER}/")]
        except KeyError:
            return {}
        return read_tombstones(blob.data, file_of(name, number, draft)) if isinstance(blob, pygit2.Blob) else {}

    def all(self) -> Iterator[tuple[str, int | None, Stones]]:
        """Yield each state with withdrawn files: its transient, its number (None for a draft) and the tombstones.

        Raises:
            RepoError: A file on main is not valid.
        """
        if isinstance(self._tree, pygit2.Tree):
            for path, _ in flatten(self._tree):
                match = _FILE.fullmatch(path)
                if match:
                    name, number, draft = match[1], int(match[2]), int(match[3]) if match[3] else None
                    yield name, number if draft is None else None, self.of(name, number, draft)

    def attachments(self) -> Iterator[Tombstone]:
        """Yield the tombstone of each withdrawn attachment; its path is that on the branch `annotations`.

        Raises:
            RepoError: A file on main is not valid.
        """
        folder = self._tree / ATTACHMENT if isinstance(self._tree, pygit2.Tree) and ATTACHMENT in self._tree else None
        if isinstance(folder, pygit2.Tree):
            for path, blob in flatten(folder):
                if "/" in path:  # the others belong to a transient named "attachment"
                    where = f"{FOLDER}/{ATTACHMENT}/{path}"
                    yield from read_tombstones(blob_data(self._git, blob), where).values()

    def attachment(self, sha256: str) -> Tombstone | None:
        """Return the tombstone of an attachment, or None.

        Raises:
            RepoError: Its file on main is not valid.
        """
        where = attachment_file(sha256)
        data = None if self._tree is None else read_blob(self._main, where)
        return None if data is None else next(iter(read_tombstones(data, where).values()), None)

    def returning(self, transient: str, sha256: Mapping[str, str]) -> dict[str, tuple[str, Tombstone]]:
        """Return the files with withdrawn bytes: by path, the revision they were withdrawn from, and the tombstone.

        Files that a subset left out are not withdrawn; see `maintenance/subset.py`.

        Args:
            transient: The transient of the files; its own tombstones take precedence.
            sha256: The checksum of each file, by path, without prefix.

        Raises:
            RepoError: A file on main is not valid.
        """
        if not isinstance(self._tree, pygit2.Tree):
            return {}
        wanted = {digest.encode() for digest in sha256.values()}
        found: dict[str, tuple[str, Tombstone]] = {}
        for path, blob in flatten(self._tree):
            data = blob_data(self._git, blob)
            if wanted.isdisjoint(_SHA256.findall(data)):
                continue
            match = _FILE.fullmatch(path)
            name = f"{match[1]}@{match[2]}{f':draft-{match[3]}' if match[3] else ''}" if match else ATTACHMENT
            for stone in read_tombstones(data, f"{FOLDER}/{path}").values():
                is_first = stone.sha256 not in found or (match is not None and transient_of(match[1]) == transient)
                if is_first and not stone.reason.startswith(LEFT_OUT):
                    found[stone.sha256] = name, stone
        return {path: found[digest] for path, digest in sha256.items() if digest in found}

    def concerning(self, state: Snapshot) -> Stones:
        """Return the tombstones of a state by path; for a marker, those of any revision that has the same file.

        Raises:
            RepoError: A file on main is not valid.
        """
        if state.number is not None:
            return self.of(state.name, state.number)
        files = state.pointers if isinstance(self._tree, pygit2.Tree) and state.name in self._tree else {}
        found = [stones for name, _, stones in self.all() if name == state.name] if files else []
        return {
            path: stone
            for stones in found
            for path, stone in stones.items()
            if path in files and files[path].md5 == stone.md5
        }

    def refuse(self, state: Snapshot, paths: Collection[str]) -> None:
        """Check that none of these files of a state was withdrawn.

        Raises:
            Withdrawn: One was.
        """
        gone = self.concerning(state)
        stones = [gone[path] for path in paths if path in gone]
        if stones:
            more = f" and {len(stones) - 1} more" if len(stones) > 1 else ""
            raise Withdrawn(f"{state}:{stones[0].path}{more} was {stones[0]}")


def check_returning(repository: Repository, transient: str, sha256: Mapping[str, str]) -> dict[str, str]:
    """Return a sentence for each file that would republish withdrawn content and thus needs permission.

    Bytes that were withdrawn from another transient but are still in the store are also published elsewhere, so they
    need no permission.
    """
    found = Withdrawals(repository).returning(transient, sha256)
    others = {path: each for path, each in found.items() if transient_of(each[0].partition("@")[0]) != transient}
    gone = repository.store.missing({stone.md5 for _, stone in others.values()}) if others else set()
    return {
        path: f"{path} has the same bytes as {name}:{stone.path}, which was {stone}"
        for path, (name, stone) in found.items()
        if path not in others or stone.md5 in gone
    }


def file_of(name: str, number: int, draft: int | None = None) -> str:
    """Return the path on main of the tombstones of a revision, or of a draft on the way to it."""
    return f"{FOLDER}/{name}/{number}{'' if draft is None else f'-draft-{draft}'}.yaml"


def attachment_file(sha256: str) -> str:
    """Return the path on main of an attachment's tombstone."""
    return f"{FOLDER}/{ATTACHMENT}/{sha256[:2]}/{sha256[2:]}.yaml"


@lru_cache(maxsize=256)
def read_tombstones(text: bytes, where: str) -> Stones:
    """Read a file of tombstones.

    Raises:
        RepoError: It is not valid.
    """
    loaded = load_yaml(text, f"{where} on main")
    try:
        stones = [Tombstone(**{**entry, "at": str(entry["at"])}) for entry in loaded["withdrawn"]]
    except (TypeError, KeyError):
        raise RepoError(f"{where} on main is not a list of withdrawn files: see docs/care.md") from None
    if not all(isinstance(value, str) for stone in stones for value in (stone.path, stone.md5, stone.reason)):
        raise RepoError(f"{where} on main has a withdrawn file without path, MD5 or reason")
    return {stone.path: stone for stone in stones}


def write_tombstones(name: str, number: int, stones: Stones, draft: int | None = None) -> bytes:
    """Return the contents of the file with the tombstones of a revision or of a draft on the way to it."""
    import yaml

    entries = [stones[path].to_json() for path in sorted(stones)]
    which = {"revision": number} if draft is None else {"revision": number, "draft": draft}
    value = {"transient": name, **which, "withdrawn": entries}
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100).encode()


def write_attachment_tombstone(stone: Tombstone) -> bytes:
    """Return the contents of the file with an attachment's tombstone."""
    import yaml

    value = {"attachment": f"sha256:{stone.sha256}", "withdrawn": [stone.to_json()]}
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100).encode()
