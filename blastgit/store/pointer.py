"""DVC pointers: the small file that stands in git for a large one, as `dvc add` would have written it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from blastgit.errors import DamagedData

SUFFIX = ".dvc"
_MD5 = re.compile(r"[0-9a-f]{32}")
_PLAIN = re.compile(
    r"outs:\n- md5: ([0-9a-f]{32})\n  size: (\d{1,18})\n  hash: md5\n  path: ([A-Za-z0-9_][A-Za-z0-9_.+-]*)\n"
)
_SIZE_LIMIT = 64 * 1024
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


@dataclass(frozen=True, slots=True)
class Pointer:
    """One pointer.

    Attributes:
        md5: The name of the content in the store.
        size: Bytes.
        name: The file's own name, without folders: the pointer lies beside it.
    """

    md5: str
    size: int
    name: str

    def write(self) -> bytes:
        """Return the pointer's text."""
        return f"outs:\n- md5: {self.md5}\n  size: {self.size}\n  hash: md5\n  path: {_scalar(self.name)}\n".encode()


def _scalar(name: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.+-]*", name) or re.fullmatch(
        r"(?!0[xob])\d+[A-Za-df-z][A-Za-z0-9_.+-]*", name
    )
    return name if plain and name.casefold() not in _WORDS else "'" + name.replace("'", "''") + "'"


def read_pointer(data: bytes, path: str) -> Pointer:
    """Read a pointer that lies at `path` (`…/DES_z.fits.dvc`) in a tree.

    Raises:
        DamagedData: It is no pointer that a data repo may hold: one file, by MD5, right beside it.
    """
    match = _PLAIN.fullmatch(data.decode("latin-1")) if len(data) < _SIZE_LIMIT else None
    pointer = Pointer(match[1], int(match[2]), match[3]) if match else _read_yaml(data, path)
    if pointer.name != PurePosixPath(path).name.removesuffix(SUFFIX):
        raise DamagedData(f"the pointer {path} is about {pointer.name!r}, not about the file beside it")
    return pointer


def _read_yaml(data: bytes, path: str) -> Pointer:
    import yaml

    if len(data) > _SIZE_LIMIT:
        raise DamagedData(f"the pointer {path} has {len(data):,} bytes")
    try:
        out: Any = yaml.safe_load(data)["outs"]
        (entry,) = out
        md5, size, name = entry["md5"], entry["size"], entry["path"]
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, KeyError, LookupError, AttributeError):
        raise DamagedData(f"the pointer {path} is not one that DVC writes") from None
    good = isinstance(md5, str) and _MD5.fullmatch(md5) and isinstance(size, int) and not isinstance(size, bool)
    if not good or size < 0 or not isinstance(name, str) or entry.get("hash", "md5") != "md5":
        raise DamagedData(f"the pointer {path} has no MD5 and size of one file")
    return Pointer(md5, size, name)
