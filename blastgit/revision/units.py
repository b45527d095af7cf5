"""The physical units of values."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from blastgit.safe_yaml import load_yaml


@cache
def unit_of(field: str) -> str | None:
    """Return the unit of a field of a row, as astropy writes it; None if it has none."""
    return next((unit for pattern, unit in _units().items() if fnmatchcase(field, pattern)), None)


@cache
def _units() -> dict[str, str]:
    loaded = load_yaml(Path(__file__).with_name("units.yaml").read_bytes(), "units.yaml")
    assert isinstance(loaded, dict)
    return loaded
