"""The JSON Schema of an export, and of a dataset revision, for other programs."""

from __future__ import annotations

from pathlib import Path


def schema_text() -> str:
    """Return the schema (JSON Schema 2020-12); `#/$defs/revision` in it requires the keys of a dataset revision."""
    return Path(__file__).with_name("export.schema.json").read_text("utf-8")
