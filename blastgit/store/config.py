"""Reading `.dvc/config`: where a data repo keeps its contents."""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from blastgit.errors import RepoError

_REMOTE = re.compile(r"""'?remote "(?P<name>[^"]+)"'?""")


@dataclass(frozen=True)
class Remote:
    """One DVC remote: its URL and the options that stand beside it."""

    name: str
    url: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path | None:
        """The folder of a remote on this machine; None for one that DVC's own libraries have to reach."""
        parts = urlsplit(self.url)
        if parts.scheme == "file":
            return Path(unquote(parts.path))
        return Path(self.url) if not parts.scheme or len(parts.scheme) == 1 else None


def default_remote(config: bytes) -> Remote:
    """Return the default remote of a `.dvc/config`.

    Raises:
        RepoError: There is none, or the text is no such file.
    """
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(config.decode())
        wanted = parser.get("core", "remote")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise RepoError(f".dvc/config on main names no store: {error}") from None
    for section in parser.sections():
        match = _REMOTE.fullmatch(section)
        if match and match["name"] == wanted:
            options = dict(parser.items(section))
            return Remote(wanted, options.pop("url", ""), options)
    raise RepoError(f".dvc/config on main has no remote {wanted!r}, though core.remote names it")
