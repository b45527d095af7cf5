"""Compares a requested setting with the recorded one."""

from __future__ import annotations

from typing import Any

from blastgit.errors import BlastgitError
from blastgit.safe_yaml import load_yaml


def differs(recorded: Any, wanted: str) -> bool:
    """Whether a value, written as in a configuration file, differs from the recorded one."""
    if str(recorded) == wanted:
        return False
    try:
        value = load_yaml(f"value: {wanted}".encode(), "the setting")
    except BlastgitError:
        return True
    return not isinstance(value, dict) or bool(value.get("value") != recorded)
