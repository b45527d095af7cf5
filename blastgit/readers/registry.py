"""Readers by name: built-in ones, and those of plug-ins."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from blastgit.errors import NotFound
from blastgit.readers.builtin import BUILT_IN
from blastgit.readers.dataset import Reader

GROUP = "blastgit.readers"
"""The entry point group of readers."""


@cache
def _plugins() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def is_known(name: str) -> bool:
    """Whether a reader is installed."""
    return name in BUILT_IN or name in _plugins()


def reader_of(name: str) -> Reader:
    """Return a reader by name.

    Raises:
        NotFound: The reader is not installed, or its plug-in cannot be loaded.
    """
    if name in BUILT_IN:
        reader: Reader = BUILT_IN[name]
        return reader
    entry = _plugins().get(name)
    if entry is None:
        known = ", ".join([*BUILT_IN, *_plugins()])
        raise NotFound(
            f"there is no reader {name!r} on this machine: there are {known}. A plug-in registers one as an entry "
            f"point of the group {GROUP}; reader='bytes' gives the file as it is"
        )
    try:
        loaded: Reader = entry.load()
    except Exception as error:  # whatever others' code raises
        raise NotFound(
            f"the reader {name!r} ({entry.value}) cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    return loaded
