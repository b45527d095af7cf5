"""The initial files of a data repo: `.dvc/` and `hooks/` of the project or the package."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from blastgit.store.config import Remote, with_remote

_PACKAGE = Path(__file__).parents[1]


def shipped_folder(name: str) -> Path:
    """Return the folder of shipped files named `name` ("dvc" or "hooks")."""
    installed = _PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent / {"dvc": ".dvc"}.get(name, name)


@cache
def _read(name: str) -> bytes:
    return (shipped_folder("dvc") / name).read_bytes()


def store_config(url: str, options: Mapping[str, str] | None = None) -> bytes:
    """Return the `.dvc/config` of a data repo with its contents at `url`.

    Raises:
        RepoError: The URL or an option is not valid, or not allowed on main.
    """
    return with_remote(_read("config"), Remote("store", url, dict(options or {})))


_FORMER = {".gitignore": b"/*/**\n!/*/**/\n!*.dvc\n"}
"""Former versions of dot files, which old revisions have."""


def is_dot_file(path: str, data: bytes) -> bool:
    """Whether `data` is a present or former version of a dot file; `.dvc/config` may be anything."""
    return path == ".dvc/config" or data in (dot_files(b"")[path], _FORMER.get(path))


def dot_files(config: bytes) -> dict[str, bytes]:
    """Return the dot files, by path, that let plain git and DVC check out a commit."""
    return {
        ".dvc/config": config,
        ".dvc/.gitignore": _read(".gitignore"),
        ".dvcignore": _read("tree/dvcignore"),
        ".gitignore": _read("tree/gitignore"),
        ".gitattributes": _read("tree/gitattributes"),
    }
