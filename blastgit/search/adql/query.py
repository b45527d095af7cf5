"""An open index that also answers ADQL."""

from __future__ import annotations

from dataclasses import replace

from blastgit.index.described import Described, plain
from blastgit.index.open_index import Limits, OpenIndex, Result


class SearchIndex(OpenIndex):
    """An open index for queries in SQL or ADQL, as returned by `repo.index.open()`."""

    def adql(self, text: str, *, limits: Limits | None = None) -> Result:
        """Return the rows of one query in ADQL.

        Raises:
            InvalidQuery: It is not ADQL, or names an unknown table or column; see also `query`.
        """
        from blastgit.search.adql import describe, translate  # late: SQL needs no parser
        from blastgit.search.adql.afterwards import in_terms_of

        sql = translate(text)
        with in_terms_of(text):
            result = self.query(sql, limits=limits)
        return replace(result, columns=Described(plain(result.columns), lambda found: describe(text, found)))
