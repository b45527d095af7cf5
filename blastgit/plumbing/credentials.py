"""Keeps names and tokens in a URL out of git's arguments, which everybody on a machine may read.

Git gets the URL without them, and a credential helper that prints them from its environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

_USER, _PASSWORD = "BLASTGIT_GIT_USER", "BLASTGIT_GIT_PASSWORD"
_URL = re.compile(
    r"(?P<begin>https?://)(?P<user>[^/@:]*)(?::(?P<password>[^/@]*))?@(?P<host>[^/@]+)(?P<path>/.*)?", re.DOTALL
)
_HELPER = f'!f() {{ printf \'username=%s\\npassword=%s\\n\' "${_USER}" "${_PASSWORD}"; }}; f'
_WORDS = r"secret|token|passw|credential|access_key"
_SECRET = re.compile(rf"(?i)(\w+://)[^/\s@'\"]*@|(\b[\w-]*(?:{_WORDS})[\w-]*\s*[=:]\s*)\S+")


@dataclass(frozen=True)
class Hidden:
    """A command line of git without secrets.

    Attributes:
        args: The arguments.
        settings: Settings with a credential helper for the secrets.
        environment: Variables with the secrets.
    """

    args: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def hidden(args: Sequence[str]) -> Hidden:
    """Return arguments of git without the name and token in a URL."""
    for i, word in enumerate(args):
        match = _URL.fullmatch(word)
        if match is not None:
            site = f"{match['begin']}{match['host']}"
            plain = f"{site}{match['path'] or ''}"
            settings = {f"credential.{site}.helper": _HELPER}
            secrets = {_USER: unquote(match["user"]), _PASSWORD: unquote(match["password"] or "")}
            return Hidden((*args[:i], plain, *args[i + 1 :]), settings, secrets)
    return Hidden(tuple(args))


def redacted(text: str, environment: Mapping[str, str]) -> str:
    """Return text without secrets, as far as they can be recognised.

    Args:
        text: The text.
        environment: Variables; the values of those whose names suggest secrets are removed as well.
    """
    for name, value in environment.items():
        if len(value) >= 6 and re.search(rf"(?i){_WORDS}", name):
            text = text.replace(value, "…")
    return _SECRET.sub(lambda match: f"{match[1]}…@" if match[1] else f"{match[2]}…", text)
