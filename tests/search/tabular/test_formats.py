"""Written tables are read back by other libraries: values, types, units, missing values."""

import csv
import io
import json
import math
from datetime import datetime
from xml.etree import ElementTree

import pytest

from blastgit.errors import UsageError
from blastgit.index.tables import Column
from blastgit.search.tabular.formats import FORMATS, written
from blastgit.search.tabular.votable import Votable, error_document

COLUMNS = [
    Column("transient", "text", "", "meta.id;meta.main", "name of the <transient> & more"),
    Column("revision", "integer", "", "meta.version", "its number"),
    Column("ra_deg", "double", "deg", "pos.eq.ra;meta.main", "right ascension"),
    Column("bytes", "bigint", "byte", "phys.size"),
    Column("is_complete", "boolean"),
    Column("export_time", "timestamp", "", "time.creation"),
    Column("reason", "text", "", "meta.note"),
    Column("flux", "double", "uJy", "phot.flux.density", 'says "so"'),
    Column("wavelength", "double", "0.1nm", "em.wl.effective"),
]
MAY, JUNE = datetime.fromisoformat("2026-05-27T12:30:00.250000"), datetime.fromisoformat("2026-06-01")
ROWS = [
    ("2026dgt", 0, 150.1234567890123, 2**40, True, MAY, "first, of all", 1e-300, 4800.0),
    ("2026dgt", 1, 0.1 + 0.2, -(2**62), False, JUNE, 'a "quoted" <b> & ü …', math.inf, -math.inf),
    ("2026xyz", 2, None, None, None, None, None, None, math.nan),
    ("2026abc", -(2**31), -0.0, 0, True, MAY, "# no comment", 5e-324, 1.0),
]


def text(form, columns=COLUMNS, rows=ROWS):
    return "".join(written(form, columns, rows))


def votable(**options):
    return "".join(Votable(**options).write(COLUMNS, ROWS))


def parsed(text):
    table = pytest.importorskip("astropy.io.votable", reason="astropy is not installed")
    return table.parse(io.BytesIO(text.encode()), verify="exception")


def agrees(found, value):
    """Whether a cell that astropy read is what was written."""
    if value is None:
        return str(found) in ("--", "")
    if isinstance(value, float):
        return str(found) in ("--", "nan") if math.isnan(value) else float(found) == value
    if isinstance(value, datetime):
        return str(found) == f"{value.isoformat()}Z"
    return found == value


@pytest.mark.parametrize("is_binary", [False, True])
def test_votable_is_read_back(is_binary):
    document = parsed(votable(is_binary=is_binary, about="found"))
    table = document.get_first_table()
    for field, column in zip(table.fields, COLUMNS, strict=True):
        said = (field.name, str(field.unit or ""), field.ucd or "", field.description or "")
        wanted = (column.name, {"uJy": "uJy"}.get(column.unit, column.unit), column.ucd, column.about)
        assert said[0] == wanted[0]
        assert said[2:] == wanted[2:]
        assert bool(said[1]) == bool(wanted[1])
    assert [field.datatype for field in table.fields] == [
        "char", "int", "double", "long", "boolean", "char", "unicodeChar", "double", "double",
    ]  # fmt: skip
    assert table.fields[5].xtype == "timestamp"
    read = table.to_table()
    for row, wanted in zip(read, ROWS, strict=True):
        for name, value in zip(read.colnames, wanted, strict=True):
            assert agrees(row[name], value), (name, row[name], value)


def test_votable_says_how_it_went():
    closing = []
    pieces = Votable(infos=[("QUERY_STATUS", "OK", "")], closing=closing).write(COLUMNS, iter(ROWS))
    begin = next(pieces)
    closing.append(("QUERY_STATUS", "OVERFLOW", ""))
    root = ElementTree.fromstring(begin + "".join(pieces))
    ns = "{http://www.ivoa.net/xml/VOTable/v1.3}"
    resource = root.find(f"{ns}RESOURCE")
    kinds = [child.tag.removeprefix(ns) for child in resource]
    assert kinds == ["INFO", "COOSYS", "TIMESYS", "TABLE", "INFO"]
    assert [info.get("value") for info in resource.findall(f"{ns}INFO")] == ["OK", "OVERFLOW"]


def test_votable_of_an_iterator_takes_any_text():
    document = parsed("".join(Votable(is_binary=True).write(COLUMNS[:1], iter([("ß",), (None,), ("",)]))))
    assert document.get_first_table().to_table()["transient"][0] == "ß"


def test_votable_of_much_in_pieces():
    rows = [(f"t{number}", number) for number in range(20_000)]
    read = parsed("".join(Votable(is_binary=True).write(COLUMNS[:2], rows))).get_first_table().to_table()
    assert list(read["revision"]) == list(range(20_000))
    assert read["transient"][19_999] == "t19999"


def test_votable_of_nothing():
    assert len(parsed("".join(Votable().write(COLUMNS, []))).get_first_table().to_table()) == 0


def test_what_xml_cannot_have_is_replaced():
    rows = [("a\x00b\x0bc ]]> \ufffe\ud800",)]
    read = parsed("".join(Votable().write(COLUMNS[:1], rows))).get_first_table().to_table()
    assert read["transient"][0].startswith("a\ufffdb\ufffdc ]]> \ufffd")


def test_an_error_as_votable():
    root = ElementTree.fromstring(error_document("no <such> column & so on"))
    info = root[0][0]
    assert (info.get("value"), info.text) == ("ERROR", "no <such> column & so on")


def test_ecsv_is_read_back():
    table_class = pytest.importorskip("astropy.table", reason="astropy is not installed").Table
    read = table_class.read(text("ecsv"), format="ascii.ecsv")
    assert read.colnames == [column.name for column in COLUMNS]
    assert str(read["ra_deg"].unit) == "deg"
    assert read["ra_deg"].description == "right ascension"
    assert read["flux"].description == 'says "so"'
    assert read["ra_deg"].meta["ucd"] == "pos.eq.ra;meta.main"
    for row, wanted in zip(read, ROWS, strict=True):
        for name, value in zip(read.colnames, wanted, strict=True):
            assert agrees(row[name], value), (name, row[name], value)


def test_ecsv_keeps_a_row_on_a_line():
    table_class = pytest.importorskip("astropy.table", reason="astropy is not installed").Table
    read = table_class.read(text("ecsv", COLUMNS[:2], [("a\nb\x85c", 1), ("d", 2)]), format="ascii.ecsv")
    assert list(read["revision"]) == [1, 2]


def test_csv_is_read_back():
    read = list(csv.reader(io.StringIO(text("csv"))))
    assert read[0] == [column.name for column in COLUMNS]
    assert read[2][:6] == ["2026dgt", "1", "0.30000000000000004", str(-(2**62)), "false", "2026-06-01T00:00:00Z"]
    assert read[3] == ["2026xyz", "2", "", "", "", "", "", "", "nan"]
    assert list(csv.reader(io.StringIO(text("tsv")), delimiter="\t")) == read


def test_json_is_read_back():
    read = json.loads(text("json"))
    assert read == [json.loads(line) for line in text("jsonl").splitlines()]
    assert read[0]["ra_deg"] == ROWS[0][2]
    assert read[1]["flux"] == "Infinity"
    assert read[0]["export_time"] == "2026-05-27T12:30:00.250000Z"
    assert json.loads(text("json", COLUMNS, [])) == []


def test_a_table_for_people():
    lines = text("table", COLUMNS[:3], [("2026dgt", 0, 150.1234567890123), ("x\x1b[31m", 10, None)]).splitlines()
    assert lines == ["transient  revision       ra_deg", "2026dgt           0  150.1234568", "x [31m           10"]


def test_names_each_once():
    rows = [("a1", 0), ("a1", 0), ("b1", 2), (None, None)]
    assert text("names", COLUMNS[:2], rows) == "a1@0\nb1@2\n"
    assert text("names", [Column("dataset", "text")], [("a1@0",), ("a1@0:x/y",)]) == "a1@0\na1@0:x/y\n"


def test_names_need_columns_that_name():
    with pytest.raises(UsageError, match="needs a column `dataset`"):
        text("names", COLUMNS[2:], [])


def test_columns_of_one_name_are_told_apart():
    columns = [Column("a", "integer"), Column("A", "integer"), Column("a", "integer")]
    assert json.loads(text("jsonl", columns, [(1, 2, 3)])) == {"a": 1, "A_2": 2, "a_3": 3}


def test_rows_are_asked_for_as_they_are_written():
    taken = []

    def rows():
        for number in range(5):
            taken.append(number)
            yield ("a", number)

    for form in ("jsonl", "csv", "ecsv", "votable"):
        taken.clear()
        pieces = written(form, COLUMNS[:2], rows())
        while "a" not in next(pieces).replace("transient", ""):
            pass
        assert len(taken) < 5, form


def test_there_is_no_other_format():
    with pytest.raises(UsageError, match="no format 'xlsx'"):
        written("xlsx", COLUMNS, ROWS)
    assert all(words for words, _ in FORMATS.values())
