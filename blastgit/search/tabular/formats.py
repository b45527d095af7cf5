"""The formats of tables, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from blastgit.errors import UsageError
from blastgit.index.tables import Column
from blastgit.search.tabular.cells import Rows
from blastgit.search.tabular.ecsv import write_ecsv
from blastgit.search.tabular.lines import write_csv, write_json, write_jsonl, write_names, write_table
from blastgit.search.tabular.votable import Votable

Writer = Callable[[Sequence[Column], Rows], Iterator[str]]

FORMATS: dict[str, tuple[str, Writer]] = {
    "table": ("aligned columns, for people", write_table),
    "json": ("a JSON list of objects", write_json),
    "jsonl": ("a JSON object a line", write_jsonl),
    "csv": ("CSV", write_csv),
    "tsv": ("the same with tabs", partial(write_csv, delimiter="\t")),
    "ecsv": ("CSV with types, units and descriptions, for astropy and TOPCAT", write_ecsv),
    "votable": ("VOTable, for TOPCAT and whatever the Virtual Observatory has", Votable().write),
    "names": ("NAME@N a line, for subset, get and collection add", write_names),
}
"""The description of each format, and its writer."""

DESCRIBED = ("ecsv", "votable")
"""The formats with units and descriptions of columns."""


def written(form: str, columns: Sequence[Column], rows: Rows) -> Iterator[str]:
    """Yield rows in one of the formats, piece by piece.

    Raises:
        UsageError: The format does not exist, or does not suit the columns.
    """
    if form not in FORMATS:
        raise UsageError(f"there is no format {form!r}: {', '.join(FORMATS)}")
    return FORMATS[form][1](columns, rows)
