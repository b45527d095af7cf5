"""The version of the on-disk format, and the files of main by which a data repo is known (`docs/format.md`)."""

from __future__ import annotations

import re

FORMAT = 1
"""The version that this code writes, and the newest that it reads."""

FILE = "blastgit.yaml"
"""The settings."""

CONFIG = ".dvc/config"
"""Where the store is."""

_LINE = re.compile(rb"^format: %d *(?:#.*)?$" % FORMAT, re.MULTILINE)


def is_readable(settings: bytes) -> bool:
    """Whether the settings plainly state a format that this code reads; if not, reading them all will tell.

    Most verbs that read need no more of the settings, and reading YAML takes a while to begin with.
    """
    return _LINE.search(settings) is not None
