"""ADQL as a dialect of sqlglot's parser: `TOP` is a keyword, and functions keep their names."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp, parser, tokens
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from blastgit.errors import InvalidQuery
from blastgit.search.adql.mistakes import at, at_offset, at_token

_TEXT_LIMIT = 100_000  # characters
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BEGINNINGS = (TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN)


class Adql(Dialect):
    """The dialect; nulls come last, as in DuckDB."""

    NULL_ORDERING = "nulls_are_last"

    class Tokenizer(tokens.Tokenizer):
        """Splits a text into tokens."""

        KEYWORDS: ClassVar[dict[str, TokenType]] = {**tokens.Tokenizer.KEYWORDS, "TOP": TokenType.TOP}

    class Parser(parser.Parser):
        """Parses a text; of the functions that sqlglot knows, only CAST and CASE have their own syntax."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {"CAST": parser.Parser.FUNCTION_PARSERS["CAST"]}
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {"CASE": parser.Parser.NO_PAREN_FUNCTION_PARSERS["CASE"]}


def parse(text: str) -> exp.Expr:
    """Parse a query.

    Raises:
        InvalidQuery: It is not a query.
    """
    if len(text) > _TEXT_LIMIT:
        raise InvalidQuery(f"the query has {len(text):,} characters, more than the {_TEXT_LIMIT:,} allowed")
    if any("\ud800" <= each <= "\udfff" or each == "\0" for each in text):
        raise InvalidQuery("the query is not Unicode text")
    words = words_of(text)
    if not words:
        raise InvalidQuery("the query is empty")
    if words[0].token_type not in _BEGINNINGS:
        raise at_token(words[0], "a query begins with SELECT or WITH, and does no more than read")
    for word, following in zip(words, [*words[1:], None], strict=True):
        if word.token_type == TokenType.SEMICOLON and following is not None:
            raise at_token(following, "one query at a time")
        if word.token_type == TokenType.NUMBER:
            _check_number(word, following)
        if word.token_type == TokenType.LIMIT:
            raise at_token(word, "ADQL has no LIMIT: write SELECT TOP 10 …")
    try:
        found = sqlglot.parse(text, dialect=Adql, error_level=ErrorLevel.IMMEDIATE)[0]
    except ParseError as error:
        raise _parse_mistake(error) from None
    if not isinstance(found, exp.Query):
        raise at_token(words[0], "this is not a query")
    return found


def _check_number(word: Token, following: Token | None) -> None:
    if following is not None and following.start == word.end + 1 and following.token_type == TokenType.VAR:
        # 0x1F would be 0, called x1F
        raise at_token(word, f"{word.text}{following.text[:20]} is not a number here, and a name begins with a letter")
    if not _NUMBER.fullmatch(word.text):  # 1e5.0
        raise at_token(word, f"{word.text[:20]} is not a number")


def words_of(text: str) -> list[Token]:
    """Return the tokens of a text.

    Raises:
        InvalidQuery: Quotes are not closed.
    """
    try:
        return list(Adql().tokenize(text))
    except TokenError as error:
        start = getattr(error, "start", None) or 0
        opened = _unclosed(text)
        why = "the quotes that begin here do not end" if opened is not None else "this cannot be read"
        raise at_offset(text, start if opened is None else opened, why) from None


def _unclosed(text: str) -> int | None:
    """Return the position of a quote that is not closed, or None."""
    quote, began, place = "", None, 0
    while place < len(text):
        each = text[place]
        if not quote and text.startswith("--", place):
            end = text.find("\n", place)
            place = len(text) if end < 0 else end
        elif not quote and each in "'\"":
            quote, began = each, place
        elif each == quote:
            quote, began = "", None
        place += 1
    return began


def _parse_mistake(error: ParseError) -> InvalidQuery:
    facts = error.errors[0] if error.errors else {}
    word = str(facts.get("highlight") or "")
    why = str(facts.get("description") or "this is not understood")
    if why.startswith("Required keyword"):
        why = "something is missing after this"
    elif why.startswith("Invalid expression"):
        why = "this is not expected here"
    column = max(1, int(facts.get("col") or 1) - len(word) + 1)
    return at(int(facts.get("line") or 1), column, word, why[0].lower() + why[1:])
