"""What operating systems, editors and copying programs leave among data; the names are in `leftovers.yaml`."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import cache
from pathlib import Path

from blastgit.safe_yaml import load_yaml


def is_leftover(path: str) -> bool:
    """Whether a file, or a folder that it lies in, bears such a name: `cutout_cdn/DES/._DES_z.fits`."""
    names = _names()
    return any(names.fullmatch(part) for part in path.lower().split("/"))


@cache
def _names() -> re.Pattern[str]:
    loaded = load_yaml(Path(__file__).with_name("leftovers.yaml").read_bytes(), "leftovers.yaml")
    assert isinstance(loaded, dict)
    patterns = [pattern for group in loaded.values() for pattern in group]
    return re.compile("|".join(translate(pattern.lower()) for pattern in patterns))
