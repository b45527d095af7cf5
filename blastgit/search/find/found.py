"""The result of a search: rows with described columns, and the datasets that they name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blastgit.index.open_index import Result
from blastgit.search.saved.answer import Answer
from blastgit.search.tabular.lines import write_names

if TYPE_CHECKING:
    from astropy.table import Table


@dataclass(frozen=True)
class Found(Result):
    """The result of a search.

    Attributes:
        answer: If a saved query was used: its state and that of the data.
    """

    answer: Answer | None = None

    @property
    def names(self) -> list[str]:
        """The datasets, `2026dgt@1`, without duplicates.

        Raises:
            UsageError: The columns do not name datasets.
        """
        return [line.rstrip("\n") for line in write_names(self.columns, self.rows)]

    def to_table(self) -> Table:
        """Return an astropy table with units and descriptions, and with the answer's identity in its `meta`.

        Raises:
            RepoError: astropy is not installed.
        """
        from blastgit.search.tabular.astropy_table import to_table

        meta: dict[str, Any] = {} if self.answer is None else {"identity": str(self.answer), **self.answer.to_json()}
        return to_table(self.columns, self.rows, meta)
