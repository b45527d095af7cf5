"""Where a data repo keeps its contents: main's `.dvc/config`, overridden by a user's own settings.

Everybody reads main, and everybody with push access can change it. It therefore only names a location and how to reach
it; options that would read, run or reveal something of the reader's (keys, passwords, profiles, programs) are only
accepted in the reader's own settings. The order of precedence:

1. the environment variable `BLASTGIT_STORE`, a URL; endpoint and credentials then come from the environment too
   (`AWS_ENDPOINT_URL`, `AWS_PROFILE`, …);
2. the file `blastgit/store.config` in the data repo, in the format of a `.dvc/config` and in no commit. With a `url` it
   stands alone; without one its options override main's, like DVC's `.dvc/config.local`. It may hold secrets:
   `chmod 600` it;
3. main's `.dvc/config`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from blastgit.errors import RepoError, UsageError

VARIABLE = "BLASTGIT_STORE"
"""The environment variable that names a user's own store."""

OWN_FILE = "store.config"
"""The file of a user's own settings, in the data repo's folder `blastgit`."""

_ON_MAIN = ".dvc/config on main"
_REMOTE = re.compile(r'\s*remote\s*"(?P<name>[^"]+)"\s*')
_PLAIN = re.compile(
    rb"""\[(?P<core>core)\]|\['(?P<remote>remote "[a-z0-9_-]+")'\]|"""
    rb"""[ \t]*(?P<option>[a-z_]+) = (?P<value>[A-Za-z0-9_./:@+-]+)"""
)
"""A line of a settings file that every parser reads in the same way."""

_SCHEMES = frozenset({
    "", "file", "s3", "gs", "azure", "ssh", "http", "https", "webdav", "webdavs", "hdfs", "webhdfs", "oss", "gdrive",
})  # fmt: skip
_CORE_OF_MAIN = frozenset({
    "remote", "analytics", "check_update", "autostage", "checksum_jobs", "hardlink_lock", "interactive", "no_scm",
})  # fmt: skip
_OPTIONS_OF_MAIN = frozenset({
    "url", "account_name", "allow_anonymous_login", "auth", "checksum_jobs", "connect_timeout", "connection_timeout",
    "endpointurl", "jobs", "listobjects", "method", "no_traverse", "oss_endpoint", "port", "projectname",
    "read_timeout", "region", "shared", "sse", "sse_kms_key_id", "timeout", "type", "use_https", "use_ssl", "user",
    "verify",
})  # fmt: skip
_LAYOUTS = ("version_aware", "worktree")  # other layouts of DVC, in which contents are not named by their MD5


@dataclass(frozen=True)
class Remote:
    """A DVC remote: its URL and its options."""

    name: str
    url: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path | None:
        """The folder of a local remote; None for one that needs DVC's own libraries."""
        parts = urlsplit(self.url)
        if parts.scheme == "file":
            return Path(unquote(parts.path))
        return Path(self.url) if not parts.scheme or len(parts.scheme) == 1 else None


def chosen_remote(config: bytes, own: Path, environment: Mapping[str, str]) -> Remote:
    """Return the remote to use.

    Args:
        config: Main's `.dvc/config`.
        own: The file of the user's own settings, which need not exist.
        environment: The environment's variables.

    Raises:
        RepoError: A setting is not valid, or not allowed on main.
    """
    url = environment.get(VARIABLE)
    if url:
        return _checked(Remote("store", absolute(url)), VARIABLE)
    try:
        text = own.read_bytes()
    except FileNotFoundError:
        return default_remote(config)
    except OSError as error:
        raise RepoError(f"the settings {own} cannot be read: {error.strerror}") from None
    return _own_remote(text, config, str(own))


def absolute(url: str) -> str:
    """Return a store's URL for a settings file: a path or a `file:` URL becomes an absolute path.

    Plain DVC cannot read `file:` URLs of stores.

    Raises:
        UsageError: The URL cannot be written in a settings file.
    """
    if not url.isprintable() or url != url.strip() or not url:
        raise UsageError(f"{url!r} cannot be the URL of a store")
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return str(Path(unquote(url[len("file:") :].removeprefix(f"//{parts.netloc}"))).absolute())
    return url if parts.scheme else str(Path(url).absolute())


def _check_readable(url: str) -> None:
    """Raise unless plain DVC can read a URL: some characters make it fail, and others make it cut the URL."""
    wrong = set("{}" if not urlsplit(url).scheme else "{}?#") & set(url)
    if wrong or urlsplit(url).scheme == "file":
        why = f"with {' and '.join(sorted(wrong))} in it" if wrong else "as a file: URL"
        raise UsageError(f"plain DVC cannot read a store {url!r}, {why}: choose another place")


def check_config(config: bytes) -> None:
    """Check a whole `.dvc/config` of main: that each store in it is allowed, and that plain DVC can read it.

    Raises:
        RepoError: A store is not allowed, plain DVC could not read it, or the text is not a settings file.
    """
    default_remote(config)
    for remote in remotes_of(config).values():
        _checked(remote, _ON_MAIN)
        try:
            _check_readable(remote.url)
        except UsageError as error:
            raise RepoError(f"{_ON_MAIN}: {error}") from None


def default_remote(config: bytes) -> Remote:
    """Return the default remote of main's `.dvc/config`.

    Raises:
        RepoError: It does not exist, the text is no such file, or it has an option that is not main's to set.
    """
    sections = _read(config, _ON_MAIN)
    for section, options in sections.items():
        _check_section(section, options)
    return _remote(sections, None, _ON_MAIN)


def remote_names(config: bytes) -> list[str]:
    """Return the names of the remotes of main's `.dvc/config`, the default one first.

    Raises:
        RepoError: The text is not a settings file.
    """
    sections = _read(config, _ON_MAIN)
    default = sections.get("core", {}).get("remote", "").lower()
    names = [name for section in sections if (name := remote_name(section))]
    return sorted(names, key=lambda name: (name != default, name))


def remotes_of(config: bytes) -> dict[str, Remote]:
    """Return the remotes of any `.dvc/config` by name, unchecked: of an old tag, or of a clone.

    Raises:
        RepoError: The text is not a settings file.
    """
    found = ((remote_name(section), options) for section, options in _read(config, ".dvc/config").items())
    return {name: Remote(name, options.pop("url", ""), options) for name, options in found if name}


def other_remotes(config: bytes, own: Path) -> dict[str, Remote]:
    """Return the remotes of main's `.dvc/config` besides the default one, by name.

    Args:
        config: Main's `.dvc/config`.
        own: The file of the user's own settings, which need not exist: its options for these remotes take precedence.

    Raises:
        RepoError: A setting is not valid, or not allowed on main.
    """
    others = remote_names(config)[1:]
    if not others:
        return {}
    default_remote(config)  # checks that everything in it is allowed on main
    sections = _read(config, _ON_MAIN)
    mine = _read(own.read_bytes(), str(own)) if own.is_file() else {}
    said: dict[str, dict[str, str]] = {name: {} for name in others}
    for section, options in (*sections.items(), *mine.items()):
        said.get(remote_name(section) or "", {}).update(options)
    return {name: _checked(Remote(name, each.pop("url", ""), each), _ON_MAIN) for name, each in said.items()}


def with_remote(config: bytes, remote: Remote) -> bytes:
    """Return a `.dvc/config` in which `remote` replaces the remote of that name; everything else stays.

    Raises:
        RepoError: The result would not be allowed on main.
        UsageError: Plain DVC could not read it.
    """
    _check_readable(remote.url)
    parsed = parse_config(config, _ON_MAIN)
    old = [section for section in parsed.sections if remote_name(section) == remote.name]
    parsed[old[0] if old else f'remote "{remote.name}"'] = {"url": remote.url, **remote.options}
    text = "\n".join(parsed.write()).encode() + b"\n"
    default_remote(text)
    return text


def _own_remote(text: bytes, config: bytes, where: str) -> Remote:
    sections = _read(text, where)
    wanted = sections.get("core", {}).get("remote")
    if wanted is None:
        names = [name for section in sections if (name := remote_name(section))]
        wanted = names[0] if len(names) == 1 else None
    own = _remote(sections, wanted, where, needs_url=False)
    if own.url:
        return own
    public = default_remote(config)
    return Remote(public.name, public.url, {**public.options, **own.options})


def _remote(
    sections: Mapping[str, dict[str, str]], wanted: str | None, where: str, *, needs_url: bool = True
) -> Remote:
    name = (wanted or sections.get("core", {}).get("remote", "")).lower()
    if not name:
        raise RepoError(f"{where} names no store: it should have `remote` in the section [core]")
    for section, options in sections.items():
        if remote_name(section) == name:
            others = dict(options)
            remote = Remote(name, others.pop("url", ""), others)
            return _checked(remote, where) if remote.url or needs_url else remote
    raise RepoError(f"{where} has no remote {name!r}, though core.remote names it")


def _checked(remote: Remote, where: str) -> Remote:
    parts = urlsplit(remote.url)
    if parts.scheme not in _SCHEMES and len(parts.scheme) != 1:
        known = ", ".join(sorted(_SCHEMES - {""}))
        raise RepoError(f"{where}: {remote.url!r} is not a place for a store: it can be a folder, or a URL of {known}")
    if not remote.url or (remote.folder is not None and not remote.folder.is_absolute()):
        raise RepoError(f"{where}: the store {remote.url!r} is neither an absolute path nor a URL: write it in full")
    for option in _LAYOUTS:
        if remote.options.pop(option, "false").lower() != "false":
            raise RepoError(f"{where}: {option} would make DVC use another layout of the store: set it to false")
    return remote


def _check_section(section: str, options: Mapping[str, str]) -> None:
    name = remote_name(section)
    if name is None and section != "core":
        raise RepoError(f"{_ON_MAIN} has a section [{section}], which {_OWN}")
    allowed = _CORE_OF_MAIN if name is None else {*_OPTIONS_OF_MAIN, *_LAYOUTS}
    for option, value in options.items():
        if option not in allowed:
            raise RepoError(f"{_ON_MAIN} sets {option!r} of [{section}], which {_OWN}")
        _check_value(option, value)


def _check_value(option: str, value: str) -> None:
    """Check that a program cannot mistake a value for an option (`ssh -oProxyCommand=…`)."""
    try:
        parts = urlsplit(value)
        words = (value, parts.netloc, parts.hostname or "", parts.username or "")
        has_password = parts.password is not None
    except ValueError as error:
        raise RepoError(f"{_ON_MAIN} has the value {value!r}, which is not a URL: {error}") from None
    if any(word.startswith("-") for word in words):
        raise RepoError(f"{_ON_MAIN} sets {option!r} to {value!r}, which a program could take for an option of its own")
    if has_password:
        raise RepoError(f"{_ON_MAIN} has a password in a URL, which {_OWN}")


_OWN = f"only a user's own settings may: move it to blastgit/{OWN_FILE} (for plain DVC: .dvc/config.local)"


def remote_name(section: str) -> str | None:
    """Return the name of the remote in the header of a section of a settings file; None for any other section."""
    match = _REMOTE.fullmatch(section.lower())
    return match["name"] if match else None


def _read(text: bytes, where: str) -> dict[str, dict[str, str]]:
    """Return the options of each section, as read by DVC."""
    plain = _read_plain(text)
    if plain is not None:
        return plain
    found: dict[str, dict[str, str]] = {}
    for section, options in parse_config(text, where).dict().items():
        if not isinstance(options, dict):
            raise RepoError(f"{where} sets {section!r} outside of any section")
        for option, value in options.items():
            if not isinstance(value, str) or "%(" in value or not value.isprintable():
                raise RepoError(f"{where}: the value of {option!r} is not plain text; quote it if it has commas")
        found[section.lower()] = {option.lower(): value for option, value in options.items()}
    return found


def _read_plain(text: bytes) -> dict[str, dict[str, str]] | None:
    """Return the options of each section of a plain file, such as `init` writes; None for any other.

    The library that can read all of them takes longer to import than everything else in a short command.
    """
    found: dict[str, dict[str, str]] = {}
    options: dict[str, str] | None = None
    for line in text.split(b"\n")[:-1]:
        match = _PLAIN.fullmatch(line)
        if match is None:
            return None
        if section := match["core"] or match["remote"]:
            if section.decode() in found:
                return None
            options = found[section.decode()] = {}
        elif options is None or match["option"].decode() in options:
            return None
        else:
            options[match["option"].decode()] = match["value"].decode()
    return found if text.endswith(b"\n") else None


def parse_config(text: bytes, where: str) -> Any:
    """Parse with the library that DVC uses, so that both agree, but without interpolation.

    Raises:
        RepoError: The text is not a settings file.
    """
    from configobj import ConfigObj, ConfigObjError

    try:
        return ConfigObj(text.decode().splitlines(), interpolation=False)
    except (ConfigObjError, UnicodeDecodeError) as error:
        raise RepoError(f"{where} is not a settings file of DVC: {error}") from None
