"""DVC pointers: the small file in git that represents a large one, as written by `dvc add`."""

from __future__ import annotations

import re
from typing import NamedTuple

from blastgit.errors import DamagedData

SUFFIX = ".dvc"
_MD5 = re.compile(r"[0-9a-f]{32}")
_SIZE = re.compile(r"[0-9]{1,18}")
_PLAIN = re.compile(
    r"outs:\n- md5: ([0-9a-f]{32})\n  size: ([0-9]{1,18})\n  hash: md5\n  path: ([A-Za-z0-9_][A-Za-z0-9_.+-]*)\n"
    r"(?:  remote: ([A-Za-z0-9_][A-Za-z0-9_.+-]*)\n)?"
)
_SIZE_LIMIT = 4096  # bytes; DVC writes about 100, and malicious YAML may take seconds to parse
# Names that YAML only reads as text: they begin like a word, or have a letter that numbers and dates do not have.
_TEXT = re.compile(r"(?:[A-Za-z_]|[0-9](?=.*[g-nG-Np-sP-Su-wU-WyY]))[A-Za-z0-9_.+-]{0,59}")
_WORDS = {"true", "false", "null"}


class Pointer(NamedTuple):
    """A pointer.

    Attributes:
        md5: The name of the content in the store.
        size: Its size in bytes.
        name: The file's own name, without folders: the pointer is beside it.
        remote: The remote in `.dvc/config` that holds the content; "" for the default one.
    """

    md5: str
    size: int
    name: str
    remote: str = ""

    def write(self) -> bytes:
        """Return the pointer's text."""
        if not _is_text(self.name) or not _is_text(self.remote or "remote"):
            return _as_dvc_quotes_it(self)
        remote = f"  remote: {self.remote}\n" if self.remote else ""
        return f"outs:\n- md5: {self.md5}\n  size: {self.size}\n  hash: md5\n  path: {self.name}\n{remote}".encode()


def _is_text(word: str) -> bool:
    return _TEXT.fullmatch(word) is not None and word.casefold() not in _WORDS


def _as_dvc_quotes_it(pointer: Pointer) -> bytes:
    from dvc.utils.serialize import dumps_yaml

    entry = {"md5": pointer.md5, "size": pointer.size, "hash": "md5", "path": pointer.name}
    entry |= {"remote": pointer.remote} if pointer.remote else {}
    return str(dumps_yaml({"outs": [entry]})).encode()


def read_pointer(data: bytes, path: str) -> Pointer:
    """Read a pointer at `path` (`…/DES_z.fits.dvc`) in a tree.

    Raises:
        DamagedData: It is not a pointer that a data repo may hold: one file, by MD5, right beside it.
    """
    match = _PLAIN.fullmatch(data.decode("latin-1")) if len(data) < _SIZE_LIMIT else None
    pointer = Pointer(match[1], int(match[2]), match[3], match[4] or "") if match else _read_yaml(data, path)
    if pointer.name != path.rpartition("/")[2].removesuffix(SUFFIX):
        raise DamagedData(f"the pointer {path} is about {pointer.name!r}, not about the file beside it")
    return pointer


def _read_yaml(data: bytes, path: str) -> Pointer:
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    if len(data) > _SIZE_LIMIT:
        raise DamagedData(f"the pointer {path} has {len(data):,} bytes")
    try:
        # Read every scalar as text: DVC and PyYAML disagree about which words are numbers or booleans.
        (entry,) = yaml.load(data, Loader=loader)["outs"]  # noqa: S506 (it makes text, lists and maps only)
        md5, size, name, remote = entry["md5"], entry["size"], entry["path"], entry.get("remote", "")
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, KeyError, LookupError, AttributeError):
        raise DamagedData(f"the pointer {path} is not one that DVC writes") from None
    is_text = all(isinstance(text, str) for text in (md5, size, name, remote))
    good = is_text and _MD5.fullmatch(md5) and _SIZE.fullmatch(size)
    if not good or entry.get("hash", "md5") != "md5":
        raise DamagedData(f"the pointer {path} has no MD5 and size of one file")
    return Pointer(md5, int(size), name, remote)
