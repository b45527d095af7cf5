"""The paths of files in Blast's data folder and in a dataset."""

from __future__ import annotations

import re

from blastgit.errors import InvalidFiles
from blastgit.naming.names import WINDOWS_DEVICES

ROOTS = ("cutout_cdn", "sed_output")
"""The two folders of Blast's data; the component below them is the transient, which a dataset's paths omit."""

_OF_DVC = re.compile(r"dvc\.(ya?ml|lock|json|toml)|dvcfile")
"""Files that some version of DVC reads in any folder."""


def dataset_path(blast_path: str) -> str:
    """Return the path in a dataset of a file of Blast's: the path without its second component.

    Paths like `sed_output/<transient>_…`, without a transient's folder, stay unchanged.
    """
    parts = blast_path.split("/")
    return blast_path if len(parts) == 2 else "/".join([parts[0], *parts[2:]])


def check_path(path: str) -> str:
    """Return `path` if it is valid for a dataset's file: `cutout_cdn/DES/DES_z.fits`.

    Raises:
        InvalidFiles: The path is absolute, leads out, is at the root, or uses a name that git or DVC reserve.
    """
    parts = path.split("/")
    if len(parts) < 2:
        raise InvalidFiles(f"{path!r} is at the root of the dataset: files belong under cutout_cdn/ or sed_output/")
    for part in parts:
        problem = _component_problem(part)
        if problem:
            raise InvalidFiles(f"{path!r} cannot be recorded: {problem}")
    return path


def _component_problem(part: str) -> str | None:
    folded = part.casefold()
    if part in {"", ".", ".."}:
        return "it is not a plain relative path"
    if folded.startswith((".git", ".dvc", "git~")) or folded.endswith(".dvc"):
        return f"{part!r} is a name that git or DVC reserve"
    if "\\" in part or ":" in part or not part.isprintable():
        return f"{part!r} has a backslash, a colon or a character that cannot be printed"
    if len(part.encode()) > 200:
        return f"a name of more than 200 bytes ({part[:20]}…)"
    if part.endswith((" ", ".")) or set(part) & set('<>"|?*') or folded.split(".")[0] in WINDOWS_DEVICES:
        return f"{part!r} cannot be checked out on every system"
    return None


def check_new_path(path: str) -> str:
    """Return `path` if a new file may have it: plain DVC must not mistake it for one of its own files.

    Raises:
        InvalidFiles: See `check_path`; or DVC would read or run it.
    """
    for part in path.split("/"):
        if _OF_DVC.fullmatch(part.casefold()):
            raise InvalidFiles(f"{path!r} cannot be recorded: plain DVC mistakes a file {part!r} for one of its own")
    return check_path(path)


def check_new_paths(paths: list[str]) -> None:
    """Check each path of a dataset being recorded, and that no two collide.

    Raises:
        InvalidFiles: See `check_new_path` and `check_paths`.
    """
    for path in paths:
        check_new_path(path)
    check_paths(paths)


def check_paths(paths: list[str]) -> None:
    """Check each path of a dataset, and that no two differ only in case or in the encoding of accents.

    Raises:
        InvalidFiles: See `check_path`; or two paths collide.
    """
    seen: dict[str, str] = {}
    for path in paths:
        check_path(path)
        twin = seen.setdefault(_folded(path), path)
        if twin != path:
            raise InvalidFiles(f"{path!r} and {twin!r} differ only in case or accents: a clone may not hold both")
    for path in paths:
        parents = _folded(path).split("/")
        for depth in range(1, len(parents)):
            if "/".join(parents[:depth]) in seen:
                raise InvalidFiles(f"{path!r} is below a path that is itself a file")


def _folded(path: str) -> str:
    if path.isascii():
        return path.casefold()
    import unicodedata

    return unicodedata.normalize("NFC", path).casefold()
