"""Mistakes in a query, told with the line, the column and the word there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastgit.errors import InvalidQuery

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.tokenizer_core import Token

_LONGEST = 60  # characters of a word that are repeated


def at(line: int, column: int, word: str, why: str) -> InvalidQuery:
    """Return the error for a mistake at a place."""
    shown = word if len(word) <= _LONGEST else f"{word[:_LONGEST]}…"
    return InvalidQuery(f"line {line}, column {column}, at {shown!r}: {why}" if shown else f"line {line}, {why}")


def at_offset(text: str, offset: int, why: str) -> InvalidQuery:
    """Return the error for a mistake so many characters after the beginning of a text."""
    before = text[:offset]
    line_start = before.rfind("\n") + 1
    word = (text[offset:].split() or [""])[0]
    return at(before.count("\n") + 1, offset - line_start + 1, word, why)


def at_token(token: Token, why: str) -> InvalidQuery:
    """Return the error for a mistake at a word of a text."""
    return at(token.line, token.col - (token.end - token.start), token.text, why)


def in_node(node: exp.Expr, why: str) -> InvalidQuery:
    """Return the error for a mistake in a part of a query that was understood so far."""
    for each in node.walk():
        if "line" in each.meta:
            length = each.meta["end"] - each.meta["start"]  # what sqlglot calls the column is that of the last letter
            return at(each.meta["line"], each.meta["col"] - length, each.name, why)
    return InvalidQuery(why)
