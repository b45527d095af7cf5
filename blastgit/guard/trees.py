"""List pushed trees, which cannot be trusted: within limits, and with plain files only."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pygit2
from pygit2.enums import FileMode, ObjectType

from blastgit.errors import Denied
from blastgit.guard.quarantine import Quarantine

_DEPTH_LIMIT = 16
_TREE_LIMIT = 16 * 1024 * 1024  # bytes of one folder: a quarter of a million files
ENTRY_LIMIT = 20_000
"""Most files of one revision. Real ones have thirty."""

_ENTRY = re.compile(rb"([0-7]{1,7}) ([^\0/]+)\0(.{20})", re.DOTALL)
_MODES = {b"100644": FileMode.BLOB, b"40000": FileMode.TREE}
_WORDS = {
    b"100755": "executable: `git update-index --chmod=-x` mends that",
    b"120000": "a symbolic link",
    b"160000": "a submodule",
}


def files_of(repo: Quarantine, tree: pygit2.Oid, limit: int = ENTRY_LIMIT) -> dict[str, pygit2.Oid]:
    """Return every file below a tree by its path.

    Raises:
        Denied: An entry is not a plain file, has an unreadable name or appears twice, or there are too many.
    """
    found: dict[str, pygit2.Oid] = {}
    for path, oid in _walk(repo, tree, "", 0):
        if path in found:
            raise Denied(f"{path!r} occurs twice in one tree")
        found[path] = oid
        if len(found) > limit:
            raise Denied(f"it has more than {limit:,} files")
    return found


def changed_files(
    repo: Quarantine, old: pygit2.Oid | None, new: pygit2.Oid | None, prefix: str = ""
) -> Iterator[tuple[str, pygit2.Oid | None, pygit2.Oid | None]]:
    """Yield path, old blob and new blob of every file that differs; equal folders are skipped.

    Raises:
        Denied: A new entry is not a plain file.
    """
    if old == new:
        return
    before = {} if old is None else _entries(repo, old, prefix)
    after = {} if new is None else _entries(repo, new, prefix)
    for name in sorted(before.keys() | after.keys()):
        path = f"{prefix}{name}"
        (old_kind, old_oid), (new_kind, new_oid) = before.get(name, _NOTHING), after.get(name, _NOTHING)
        old_tree = old_oid if old_kind == FileMode.TREE else None
        new_tree = new_oid if new_kind == FileMode.TREE else None
        if old_tree or new_tree:
            _check_depth(path)
            yield from changed_files(repo, old_tree, new_tree, f"{path}/")
        old_file, new_file = None if old_tree else old_oid, None if new_tree else new_oid
        if old_file != new_file:
            yield path, old_file, new_file


_NOTHING: tuple[int, pygit2.Oid | None] = (0, None)


def _walk(repo: Quarantine, tree: pygit2.Oid, prefix: str, depth: int) -> Iterator[tuple[str, pygit2.Oid]]:
    entries = _entries(repo, tree, prefix)
    if prefix and not entries:
        raise Denied(f"the folder {prefix!r} is empty: git keeps no empty folders")
    for name, (mode, oid) in entries.items():
        if mode == FileMode.TREE:
            _check_depth(f"{prefix}{name}")
            yield from _walk(repo, oid, f"{prefix}{name}/", depth + 1)
        else:
            yield f"{prefix}{name}", oid


def _check_depth(path: str) -> None:
    if path.count("/") >= _DEPTH_LIMIT:
        raise Denied(f"{path[:80]!r}… is more than {_DEPTH_LIMIT} folders deep")


def _entries(repo: Quarantine, oid: pygit2.Oid, where: str) -> dict[str, tuple[int, pygit2.Oid]]:
    """Return mode and id of each entry of a tree, read from its bytes: libgit2 reports mode 100664 as 100644."""
    try:
        kind, size = repo.git.odb.read_header(oid)
    except KeyError:
        raise Denied(f"the folder {where!r} was not pushed") from None
    if kind != ObjectType.TREE or size > _TREE_LIMIT:
        raise Denied(f"the folder {where!r} cannot be read, or has too many files")
    repo.budget.spend(size)
    entries: dict[str, tuple[int, pygit2.Oid]] = {}
    before = b""
    for mode, raw_name, entry in _raw_entries(repo.git.odb.read(oid)[1] if size else b"", where):
        try:
            name = raw_name.decode()
        except UnicodeDecodeError:
            raise Denied(f"{where}{raw_name!r}: the name is not UTF-8 text") from None
        if name in entries:
            raise Denied(f"{where + name!r} occurs twice in one tree")
        if mode not in _MODES:
            raise Denied(
                f"{where + name!r} is {_WORDS.get(mode) or f'of mode {mode.decode()}'}: only plain files may be"
            )
        key = raw_name + (b"/" if _MODES[mode] == FileMode.TREE else b"")
        if key <= before:
            raise Denied(f"{where + name!r} is not in its place: git sorts the names of a folder")
        entries[name], before = (_MODES[mode], entry), key
    return entries


def _raw_entries(data: bytes, where: str) -> Iterator[tuple[bytes, bytes, pygit2.Oid]]:
    at = 0
    while match := _ENTRY.match(data, at):
        yield match[1], match[2], pygit2.Oid(match[3])
        at = match.end()
    if at < len(data):
        raise Denied(f"the folder {where!r} is damaged: it is not a list of files as git writes them")
