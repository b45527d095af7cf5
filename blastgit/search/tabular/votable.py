"""Write VOTable 1.4, with the cells as XML elements or in binary (BINARY2)."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from blastgit.index.tables import Column
from blastgit.search.tabular.cells import Rows, distinct, text_of

Info = tuple[str, str, str]
"""Name, value and text of an INFO: `("QUERY_STATUS", "OVERFLOW", "")`."""

_NAMESPACE = "http://www.ivoa.net/xml/VOTable/v1.3"  # of all versions from 1.3 on
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0
_TYPES = {"integer": 'datatype="int"', "bigint": 'datatype="long"', "double": 'datatype="double"',
          "boolean": 'datatype="boolean"', "timestamp": 'datatype="char" arraysize="*" xtype="timestamp"',
          "text": 'datatype="char" arraysize="*"'}  # fmt: skip
_UNICODE = 'datatype="unicodeChar" arraysize="*"'
_PIECE = 48 * 1024  # bytes encoded as base64 at once: a multiple of 3, so that there is no padding in between


@dataclass(frozen=True)
class Votable:
    """The options and metadata of a VOTable.

    Attributes:
        name: The name of the table.
        about: Its description.
        infos: INFO elements before the table.
        closing: INFO elements after it; read when all rows are written.
        is_binary: Whether its cells are binary, which is shorter and distinguishes empty texts from missing ones.
    """

    name: str = "results"
    about: str = ""
    infos: Sequence[Info] = (("QUERY_STATUS", "OK", ""),)
    closing: Sequence[Info] = ()
    is_binary: bool = False

    def write(self, columns: Sequence[Column], rows: Rows) -> Iterator[str]:
        """Yield a whole document.

        A column of text has the type `char` if its cells are known to be ASCII (which takes a sequence of rows, not an
        iterator), and else the type `unicodeChar`.
        """
        fields = [_Field.of(column, i, rows) for i, column in enumerate(distinct(columns))]
        yield from self._begin(fields)
        yield from (_binary if self.is_binary else _elements)(fields, rows)
        yield "</DATA>\n</TABLE>\n"
        yield from map(_info, self.closing)
        yield "</RESOURCE>\n</VOTABLE>\n"

    def _begin(self, fields: Sequence[_Field]) -> Iterator[str]:
        yield '<?xml version="1.0" encoding="UTF-8"?>\n'
        yield f'<VOTABLE version="1.4" xmlns="{_NAMESPACE}">\n<RESOURCE type="results">\n'
        yield from map(_info, self.infos)
        refs = {field.ref for field in fields}
        if "icrs" in refs:
            yield '<COOSYS ID="icrs" system="ICRS"/>\n'
        if "utc" in refs:
            yield '<TIMESYS ID="utc" timescale="UTC" refposition="UNKNOWN"/>\n'
        yield f"<TABLE name={quoted(self.name)}>\n{_description(self.about)}"
        for field in fields:
            yield field.element
        yield "<DATA>\n"


def error_document(message: str) -> str:
    """Return the VOTable by which services report that a query failed."""
    status = _info(("QUERY_STATUS", "ERROR", message))
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<VOTABLE version="1.4" xmlns="{_NAMESPACE}">\n'
    return f'{head}<RESOURCE type="results">\n{status}</RESOURCE>\n</VOTABLE>\n'


@dataclass(frozen=True)
class _Field:
    column: Column
    is_unicode: bool

    @classmethod
    def of(cls, column: Column, place: int, rows: Rows) -> _Field:
        if column.type != "text":
            return cls(column, False)
        is_read_once = not isinstance(rows, Sequence)
        return cls(column, is_read_once or not all(row[place] is None or text_of(row[place]).isascii() for row in rows))

    @property
    def ref(self) -> str:
        """The id of its coordinate or time system."""
        if self.column.type == "timestamp":
            return "utc"
        return "icrs" if self.column.ucd.startswith(("pos.eq.ra", "pos.eq.dec")) else ""

    @property
    def element(self) -> str:
        column = self.column
        given = {
            "xtype": column.xtype, "unit": column.unit, "ucd": column.ucd, "utype": column.utype, "ref": self.ref
        }  # fmt: skip
        rest = "".join(f" {key}={quoted(value)}" for key, value in given.items() if value)
        type_ = _UNICODE if self.is_unicode else _TYPES[column.type]
        begin = f"<FIELD name={quoted(column.name)} {type_}{rest}"
        return f"{begin}>{_description(column.about)}</FIELD>\n" if column.about else f"{begin}/>\n"

    @property
    def packer(self) -> Callable[[Any], bytes]:
        if self.is_unicode:
            return _pack_unicode
        return _PACKERS.get(self.column.type, _pack_text)


def _elements(fields: Sequence[_Field], rows: Rows) -> Iterator[str]:
    yield "<TABLEDATA>\n"
    for row in rows:
        cells = (f"<TD>{_cell(value, field.column.type)}</TD>" for value, field in zip(row, fields, strict=True))
        yield f"<TR>{''.join(cells)}</TR>\n"
    yield "</TABLEDATA>\n"


def _cell(value: Any, type_: str) -> str:
    if value is None:
        return ""
    if type_ == "double":
        number = float(value)
        return {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}.get(repr(number), repr(number))
    return safe(text_of(value))


def _binary(fields: Sequence[_Field], rows: Rows) -> Iterator[str]:
    yield '<BINARY2>\n<STREAM encoding="base64">\n'
    packers, waiting = [field.packer for field in fields], bytearray()
    for row in rows:
        waiting += _mask(row)
        for value, pack in zip(row, packers, strict=True):
            waiting += pack(value)
        while len(waiting) >= _PIECE:
            yield f"{base64.b64encode(waiting[:_PIECE]).decode()}\n"
            del waiting[:_PIECE]
    yield f"{base64.b64encode(waiting).decode()}\n"
    yield "</STREAM>\n</BINARY2>\n"


def _mask(row: Sequence[Any]) -> bytes:
    """Return the null mask of a row: a bit for each cell, the first one highest."""
    size = (len(row) + 7) // 8
    bits = sum(1 << (8 * size - 1 - i) for i, value in enumerate(row) if value is None)
    return bits.to_bytes(size, "big")


def _pack_text(value: Any) -> bytes:
    data = b"" if value is None else text_of(value).encode("ascii", "replace")
    return struct.pack(">i", len(data)) + data


def _pack_unicode(value: Any) -> bytes:
    data = b"" if value is None else text_of(value).encode("utf-16-be", "replace")
    return struct.pack(">i", len(data) // 2) + data


_PACKERS: dict[str, Callable[[Any], bytes]] = {
    "integer": lambda value: struct.pack(">i", 0 if value is None else value),
    "bigint": lambda value: struct.pack(">q", 0 if value is None else value),
    "double": lambda value: struct.pack(">d", float("nan") if value is None else float(value)),
    "boolean": lambda value: b"?" if value is None else b"T" if value else b"F",
}


def _info(info: Info) -> str:
    name, value, text = info
    begin = f"<INFO name={quoted(name)} value={quoted(value)}"
    return f"{begin}>{safe(text)}</INFO>\n" if text else f"{begin}/>\n"


def _description(text: str) -> str:
    return f"<DESCRIPTION>{safe(text)}</DESCRIPTION>" if text else ""


def quoted(text: str) -> str:
    """Return a text as a quoted attribute value; characters that XML does not allow are replaced."""
    return quoteattr(_ILLEGAL.sub("\ufffd", text))


def safe(text: str) -> str:
    """Return a text escaped for XML; characters that XML does not allow are replaced."""
    return escape(_ILLEGAL.sub("\ufffd", text))
