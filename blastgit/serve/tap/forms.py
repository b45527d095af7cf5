"""The formats of results: their names for clients, and the functions that write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from blastgit.errors import InvalidQuery
from blastgit.index.tables import Column
from blastgit.search.tabular.cells import Rows, distinct, plain
from blastgit.search.tabular.lines import write_csv
from blastgit.search.tabular.votable import Info, Votable

_STANDARD = "ivo://ivoa.net/std/TAPRegExt#output-votable-"
_OVERFLOW = ("QUERY_STATUS", "OVERFLOW", "there are more rows than were asked for, or are allowed")


class Cut:
    """Iterates over rows up to a limit; knows, after the last, whether there were more.

    Attributes:
        is_cut: Whether there were more rows; if the limit is 0, it is always true.
    """

    def __init__(self, rows: Rows, limit: int) -> None:
        """Pass on at most `limit` rows."""
        self._rows = iter(rows)
        self._limit = limit
        self.is_cut = limit == 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        yield from islice(self._rows, self._limit)
        self.is_cut = self.is_cut or next(self._rows, None) is not None


class _Closing(Sequence[Info]):
    """The text after a table, which is computed once the rows are written."""

    def __init__(self, rows: Cut) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return int(self._rows.is_cut)

    def __getitem__(self, at: Any) -> Any:
        return [_OVERFLOW][: len(self)][at]


Write = Callable[[Sequence[Column], Cut], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Form:
    """One format.

    Attributes:
        name: Its short name.
        mime: Its MIME type.
        write: Yields a result in pieces; only VOTable and JSON can state whether there were more rows.
        others: Its other names.
        ivoid: Its identifier in the VO registry; "" if it has none.
    """

    name: str
    mime: str
    write: Write
    others: tuple[str, ...] = ()
    ivoid: str = ""


def _votable(columns: Sequence[Column], rows: Cut, *, is_binary: bool) -> Iterator[str]:
    return Votable(closing=_Closing(rows), is_binary=is_binary).write(columns, rows)


def _json(columns: Sequence[Column], rows: Cut) -> Iterator[str]:
    said = [
        {"name": each.name, "type": each.type, "unit": each.unit, "ucd": each.ucd, "about": each.about}
        for each in distinct(columns)
    ]
    yield f'{{"columns": {json.dumps(said)},\n"rows": ['
    before = "\n"
    for row in rows:
        yield f"{before}{json.dumps([plain(value) for value in row])}"
        before = ",\n"
    yield f'\n],\n"overflow": {json.dumps(rows.is_cut)}}}\n'


_TSV = "text/tab-separated-values"
_XML = "application/x-votable+xml"
_BINARY, _ELEMENTS = partial(_votable, is_binary=True), partial(_votable, is_binary=False)
VOTABLE = Form("votable", f"{_XML};serialization=BINARY2", _BINARY, (_XML, "votable/b2"), f"{_STANDARD}binary2")
FORMS = (
    VOTABLE,
    Form("votable/td", f"{_XML};serialization=TABLEDATA", _ELEMENTS, ("text/xml",), f"{_STANDARD}td"),
    Form("csv", "text/csv;charset=utf-8;header=present", write_csv, ("text/csv", "text/csv;header=present")),
    Form("tsv", f"{_TSV};charset=utf-8", partial(write_csv, delimiter="\t"), (_TSV, "text/tsv")),
    Form("json", "application/json", _json),
)


def form_of(asked: str) -> Form:
    """Return the format that a client asks for.

    Raises:
        InvalidQuery: There is no format of that name.
    """
    name = "".join(asked.lower().replace("votable xml", "votable+xml").split())  # an unescaped + became a space
    for form in FORMS:
        if name in (form.name, form.mime.lower(), *form.others):
            return form
    known = ", ".join(form.name for form in FORMS)
    raise InvalidQuery(f"RESPONSEFORMAT {asked[:80]!r} is not known here; there are {known}")
