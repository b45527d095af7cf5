"""An open index that answers ADQL, too."""

from __future__ import annotations

from dataclasses import replace

from blastgit.index.described import Described, plain
from blastgit.index.open_index import Limits, OpenIndex, Result


class SearchIndex(OpenIndex):
    """An open index that is asked in SQL or in ADQL. What `repo.index.open()` returns."""

    def adql(self, text: str, *, limits: Limits | None = None) -> Result:
        """Return the rows of one query in ADQL.

        Raises:
            InvalidQuery: It is no ADQL, or asks for what is not there; see also `query`.
        """
        from blastgit.search.adql import describe, translate  # late: SQL needs no parser
        from blastgit.search.adql.afterwards import in_terms_of

        sql = translate(text)
        with in_terms_of(text):
            result = self.query(sql, limits=limits)
        return replace(result, columns=Described(plain(result.columns), lambda found: describe(text, found)))
