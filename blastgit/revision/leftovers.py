"""Files that operating systems, editors and copying programs leave among data; `leftovers.yaml` lists the names."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import cache
from pathlib import Path


def is_leftover(path: str) -> bool:
    """Whether a file, or a folder that contains it, has such a name: `cutout_cdn/DES/._DES_z.fits`."""
    names = _names()
    return any(names.fullmatch(part) for part in path.lower().split("/"))


@cache
def _names() -> re.Pattern[str]:
    import yaml

    text = Path(__file__).with_name("leftovers.yaml").read_text("utf-8")
    loaded = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both are safe ones)
    patterns = [pattern for group in loaded.values() for pattern in group]
    return re.compile("|".join(translate(pattern.lower()) for pattern in patterns))
