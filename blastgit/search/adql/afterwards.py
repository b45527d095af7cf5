"""Report DuckDB's errors in a translated query with their place in the ADQL that the user wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from blastgit.errors import InvalidQuery
from blastgit.index.query_errors import without_place
from blastgit.search.adql.mistakes import at_token

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import Token

_NAMED = re.compile(r"'([^']+)'|\"([^\"]+)\"")


@contextmanager
def in_terms_of(text: str) -> Iterator[None]:
    """Turn errors that DuckDB finds in the SQL into errors in the ADQL.

    Raises:
        InvalidQuery: DuckDB found an error.
    """
    try:
        yield
    except InvalidQuery as error:
        raise _in_adql(error, text) from None


def _in_adql(error: InvalidQuery, text: str) -> InvalidQuery:
    """Return an error with its place in the ADQL, if it names a word of it."""
    from blastgit.search.adql.dialect import words_of

    words = without_place(str(error))
    named = [one or other for one, other in _NAMED.findall(words.partition("; ")[0])]
    place = _place(named, words_of(text))
    return error if place is None else at_token(place, " ".join(words.split()))


def _place(names: Sequence[str], words: Sequence[Token]) -> Token | None:
    """Return the word that an error message names: `'t' has no column 'x'` is about `t.x`, `"x"` rather about `x`."""
    lowered = ["" if word.token_type.name == "STRING" else word.text.lower() for word in words]
    wanted = [name.lower() for name in names]
    for at in range(2, len(words)):
        if [lowered[at - 2], lowered[at - 1], lowered[at]] == [*wanted[:1], ".", *wanted[1:2]]:
            return words[at]
    for name in wanted:
        places = [at for at, word in enumerate(lowered) if word == name]
        if places:
            return words[min(places, key=lambda at: (at > 0 and lowered[at - 1] == ".", at))]
    return None
