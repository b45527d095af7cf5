"""Which format compares a dataset path: built in, or from a plug-in."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from posixpath import splitext
from typing import TYPE_CHECKING, cast

from blastgit.content.raw import Raw

if TYPE_CHECKING:
    from blastgit.content.model import Format

GROUP = "blastgit.content"

# Modules are imported when first needed; most runs need none or one of them.
_BUILT_IN = {
    ".fits": ("blastgit.content.fits", "Fits"),
    ".fit": ("blastgit.content.fits", "Fits"),
    ".fts": ("blastgit.content.fits", "Fits"),
    ".fz": ("blastgit.content.fits", "Fits"),
    ".npz": ("blastgit.content.npz", "Npz"),
    ".h5": ("blastgit.content.hdf5", "Hdf5"),
    ".hdf5": ("blastgit.content.hdf5", "Hdf5"),
}

_PACKED = frozenset({".gz", ".bz2", ".xz"})


def format_of(name: str) -> Format:
    """The format for a dataset path, chosen by its suffix; `Raw` if nobody knows the suffix.

    FITS is read whether it is compressed or not, so `.fits.gz` counts as `.fits`.
    """
    stem, suffix = splitext(name.lower())
    inner = splitext(stem)[1]
    return _format(inner if suffix in _PACKED and _BUILT_IN.get(inner) == _BUILT_IN[".fits"] else suffix)


@cache
def _format(suffix: str) -> Format:
    if suffix in _BUILT_IN:
        module, name = _BUILT_IN[suffix]
        return cast("Format", getattr(import_module(module), name)())
    return next((plugin for plugin in _plugins() if suffix in plugin.suffixes), Raw())


@cache
def _plugins() -> tuple[Format, ...]:
    from importlib.metadata import entry_points

    loaded = [entry.load() for entry in entry_points(group=GROUP)]
    return tuple(each() if isinstance(each, type) else each for each in loaded)
