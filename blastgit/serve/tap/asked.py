"""Parses and checks the parameters of a TAP query."""

from __future__ import annotations

from dataclasses import dataclass

from blastgit.errors import InvalidQuery
from blastgit.serve.tap.forms import VOTABLE, Form, form_of
from blastgit.serve.tap.limits import ServiceLimits
from blastgit.serve.tap.request import Parameters

LANGUAGES = ("ADQL-2.1", "ADQL-2.0")


@dataclass(frozen=True, slots=True)
class Asked:
    """A TAP query.

    Attributes:
        query: Its text, in ADQL.
        form: The format of the result.
        rows: How many rows it may have.
    """

    query: str
    form: Form
    rows: int


def asked(parameters: Parameters, limits: ServiceLimits) -> Asked:
    """Return the query that the parameters describe.

    Raises:
        InvalidQuery: They are not valid, or ask for what does not exist.
    """
    request = parameters.one("REQUEST")
    if request is not None and request.lower() != "doquery":
        raise InvalidQuery(f"REQUEST is doQuery here, not {request[:80]!r}")
    if any(each.strip() for each in parameters.all("UPLOAD")):
        raise InvalidQuery("UPLOAD: this service takes no tables; join the result with your table at home")
    _check_language(parameters.one("LANG"))
    query = parameters.one("QUERY")
    if query is None or not query.strip():
        raise InvalidQuery("QUERY is missing: the text of a query in ADQL")
    if len(query) > limits.query:
        raise InvalidQuery(f"QUERY has {len(query):,} characters; {limits.query:,} are allowed")
    return Asked(query, _form(parameters), _rows(parameters.one("MAXREC"), limits))


def _check_language(named: str | None) -> None:
    if named is None or not named.strip():
        raise InvalidQuery(f"LANG is missing: ADQL, or one of {', '.join(LANGUAGES)}")
    if named.upper() not in ("ADQL", *LANGUAGES):
        raise InvalidQuery(f"LANG {named[:80]!r} is not known here; there is ADQL ({', '.join(LANGUAGES)})")


def _form(parameters: Parameters) -> Form:
    named = parameters.one("RESPONSEFORMAT") or parameters.one("FORMAT")  # the latter is that of TAP 1.0
    return form_of(named) if named else VOTABLE


def _rows(text: str | None, limits: ServiceLimits) -> int:
    if text is None or not text.strip():
        return limits.rows
    if not text.strip().isascii() or not text.strip().isdigit():
        raise InvalidQuery(f"MAXREC is a number of rows, 0 or more, not {text[:80]!r}")
    digits = text.strip().lstrip("0")
    return min(int(digits or "0"), limits.most_rows) if len(digits) < 16 else limits.most_rows
