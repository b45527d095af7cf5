"""Errors in a query, with the line, the column and the word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastgit.errors import InvalidQuery

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.tokenizer_core import Token

_LONGEST = 60  # most characters of a word in a message


def at(line: int, column: int, word: str, why: str) -> InvalidQuery:
    """Return the error at a line and column."""
    shown = word if len(word) <= _LONGEST else f"{word[:_LONGEST]}…"
    return InvalidQuery(f"line {line}, column {column}, at {shown!r}: {why}" if shown else f"line {line}, {why}")


def at_offset(text: str, offset: int, why: str) -> InvalidQuery:
    """Return the error at an offset in a text, in characters."""
    before = text[:offset]
    line_start = before.rfind("\n") + 1
    word = (text[offset:].split() or [""])[0]
    return at(before.count("\n") + 1, offset - line_start + 1, word, why)


def at_token(token: Token, why: str) -> InvalidQuery:
    """Return the error at a token."""
    return at(token.line, token.col - (token.end - token.start), token.text, why)


def in_node(node: exp.Expr, why: str) -> InvalidQuery:
    """Return the error at a node of a parsed query."""
    for each in node.walk():
        if "line" in each.meta:
            length = each.meta["end"] - each.meta["start"]  # sqlglot's column is that of the last letter
            return at(each.meta["line"], each.meta["col"] - length, each.name, why)
    return InvalidQuery(why)
