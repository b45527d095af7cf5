"""The version of the on-disk format, and the files on main that identify a data repo (`docs/format.md`)."""

from __future__ import annotations

import re

FORMAT = 1
"""The version that this code writes, and the newest that it reads."""

FILE = "blastgit.yaml"
"""The settings."""

CONFIG = ".dvc/config"
"""DVC's configuration, which locates the store."""

_LINE = re.compile(rb"^format: %d *(?:#.*)?$" % FORMAT, re.MULTILINE)


def is_readable(settings: bytes) -> bool:
    """Whether the settings plainly state a format that this code reads; if not, they must be parsed to find out.

    Most reading verbs need nothing else from the settings, and parsing YAML takes a while.
    """
    return _LINE.search(settings) is not None
