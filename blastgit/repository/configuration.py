"""The configurations of runs: files on main, named by their SHA-256, to which commits of data refer in a trailer.

A file is kept byte for byte. Its settings are parsed on demand as YAML, JSON or TOML; the name of a setting is the path
of keys that leads to it, joined by full stops.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from blastgit.errors import BlastgitError, InvalidInput, NotFound
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.trees import read_blob
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.safe_yaml import load_yaml

FOLDER = "configurations"
LIMIT = 1024 * 1024
"""The greatest size of a file, in bytes."""

_PREFIX = "sha256:"


def read_configuration(file: Path) -> bytes:
    """Return the bytes of a configuration file.

    Raises:
        InvalidInput: It cannot be read, is too large, or is not text.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"the configuration {file} cannot be read: {error.strerror}") from None
    fault = fault_of(data)
    if fault:
        raise InvalidInput(f"the configuration {file} {fault}")
    return data


def fault_of(data: bytes) -> str:
    """Return why bytes are not a valid configuration, in words; "" if they are."""
    if not data.strip():
        return "is empty"
    if len(data) > LIMIT:
        return f"has {len(data):,} bytes, more than the {LIMIT:,} allowed"
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "is not UTF-8 text"
    return "is not text: it holds a zero byte" if "\0" in text else ""


def digest_of(data: bytes) -> str:
    """Return the name of a configuration: `sha256:` and 64 hexadecimal digits."""
    return f"{_PREFIX}{hashlib.sha256(data).hexdigest()}"


def path_of(digest: str) -> str:
    """Return the path of a configuration on main."""
    hexadecimal = digest.removeprefix(_PREFIX)
    return f"{FOLDER}/{hexadecimal[:2]}/{hexadecimal[2:]}"


def configuration(repository: Repository, digest: str) -> bytes:
    """Return a configuration.

    Raises:
        NotFound: Main does not have it.
    """
    data = read_blob(repository.main.tree, path_of(digest))
    if data is None:
        raise NotFound(f"main of {repository.location} has no configuration {digest}")
    return data


def settings_of(repository: Repository, state: Snapshot) -> dict[str, Any]:
    """Return the settings with which a state was made; empty if no configuration was recorded.

    Raises:
        NotFound: Main does not have the configuration that its commit names.
        InvalidInput: It is not YAML, JSON or TOML.
    """
    digest = state.trailers.get(Trailer.CONFIG)
    return {} if digest is None else read_settings(configuration(repository, digest), digest)


def read_settings(data: bytes, where: str) -> dict[str, Any]:
    """Return the settings in a configuration by their full names: `dynesty.nlive`.

    Raises:
        InvalidInput: It is not YAML, JSON or TOML.
    """
    loaded: Any = None
    with suppress(BlastgitError):
        loaded = load_yaml(data, where)
    if not isinstance(loaded, Mapping):
        try:
            loaded = tomllib.loads(data.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise InvalidInput(
                f"the configuration {where} is not a mapping of settings in YAML, JSON or TOML"
            ) from None
    return dict(_flat(loaded, ""))


def _flat(loaded: Mapping[Any, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in loaded.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value
