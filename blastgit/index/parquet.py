"""Export the index as Parquet files, one for each table."""

from __future__ import annotations

import os
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from blastgit.errors import RepoError
from blastgit.index.library import need, silence
from blastgit.index.open_index import NAME
from blastgit.index.tables import Table, tables
from blastgit.progress import Progress

_VOTABLE_TYPES = {
    "text": 'datatype="char" arraysize="*"',
    "integer": 'datatype="int"',
    "bigint": 'datatype="long"',
    "double": 'datatype="double"',
    "boolean": 'datatype="boolean"',
    "timestamp": 'datatype="char" arraysize="*" xtype="timestamp"',
}


def publish(index: Path, folder: Path, progress: Progress) -> list[Path]:
    """Write every table of an index into a folder, and return the files.

    Raises:
        RepoError: They cannot be written.
    """
    need("duckdb")
    import duckdb

    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"}) as connection:
            silence(connection)
            connection.execute(f"ATTACH {_literal(str(index))} AS {NAME} (READ_ONLY)")
            connection.execute(f"USE {NAME}")
            for done, table in enumerate(tables().values()):
                target = folder / f"{table.name}.parquet"
                part = target.with_name(f".{target.name}.{os.getpid()}")
                connection.execute(_copy(table, part))
                part.replace(target)
                written.append(target)
                progress("tables", done + 1, len(tables()))
    except OSError as error:
        raise RepoError(f"{folder} cannot be written: {error.strerror}") from None
    except duckdb.Error as error:
        raise RepoError(f"the tables cannot be written to {folder}: {error}") from None
    finally:
        for part in folder.glob(f".*.parquet.{os.getpid()}") if folder.is_dir() else ():
            part.unlink()
    return written


def _copy(table: Table, target: Path) -> str:
    facts = {"IVOA.VOTable-Parquet.version": "1.0", "IVOA.VOTable-Parquet.content": votable(table)}
    said = ", ".join(f"{_literal(key)}: {_literal(value)}" for key, value in facts.items())
    order = ", ".join(table.key)
    return (
        f"COPY (SELECT * FROM {table.name} ORDER BY {order}) TO {_literal(str(target))} "  # noqa: S608 (names of ours)
        f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{said}}})"
    )


def votable(table: Table) -> str:
    """Return a VOTable without data that describes the columns of a table."""
    fields = []
    for each in table.columns:
        unit = f" unit={quoteattr(each.unit)}" if each.unit else ""
        fields.append(
            f"<FIELD name={quoteattr(each.name)} {_VOTABLE_TYPES[each.type]} ucd={quoteattr(each.ucd)}{unit}>"
            f"<DESCRIPTION>{escape(each.about)}</DESCRIPTION></FIELD>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE>'
        f"<TABLE name={quoteattr(table.name)}><DESCRIPTION>{escape(table.about)}</DESCRIPTION>{''.join(fields)}</TABLE>"
        "</RESOURCE></VOTABLE>\n"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
