"""Describe the tables of the index for the documentation."""

from __future__ import annotations

from collections.abc import Iterator

from blastgit.index.tables import Column, Table, tables

_FIRST, _OTHERS = "_16", ("_50", "_84")


def markdown() -> str:
    """Return the section of `docs/index.md` about the tables."""
    return "\n".join(line for table in tables().values() for line in _table(table))


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.name}"
    yield ""
    yield f"{table.about[0].upper()}{table.about[1:]}."
    if table.view and table.of_revision:
        yield f"It has the columns of `revisions`, and is `{table.view}`."
        yield ""
        return
    of_revision = " It begins with `transient`, `revision` and `is_latest`." if table.of_revision else ""
    follows = f" It is `{table.view}`." if table.view else ""
    yield f"A row is named by {', '.join(f'`{name}`' for name in table.key)}.{of_revision}{follows}"
    yield ""
    yield "| column | type | unit | UCD | what |"
    yield "|---|---|---|---|---|"
    for column in table.columns[3:] if table.of_revision else table.columns:
        if not column.name.endswith(_OTHERS):
            yield _row(column)
    yield ""


def _row(column: Column) -> str:
    name, about = column.name, column.about
    if name.endswith(_FIRST):
        name = f"{name.removesuffix(_FIRST)}_16, _50, _84"
        about = about.removesuffix("; percentile 16")
    ucd = f"`{column.ucd}`" if column.ucd else ""
    return f"| `{name}` | {column.type} | {column.unit} | {ucd} | {about} |"
