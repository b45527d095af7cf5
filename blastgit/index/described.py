"""Columns of a result that are described lazily.

The description of a column is derived from the query (`lineage.py`), and the parser for it takes longer to load than
most queries take to run. So it is loaded only if units or descriptions are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import overload

from blastgit.index.tables import Column

Describe = Callable[[Sequence[Column]], Sequence[Column]]
"""Adds unit, UCD and description to columns of which only names and types are known."""


class Described(Sequence[Column]):
    """Columns that are described on first access.

    Attributes:
        plain: The same columns with only their names and types.
    """

    def __init__(self, plain: Sequence[Column], describe: Describe) -> None:
        """Keep the columns, and the function that describes them."""
        self.plain = tuple(plain)
        self._describe = describe

    @cached_property
    def _all(self) -> tuple[Column, ...]:
        return tuple(self._describe(self.plain))

    @overload
    def __getitem__(self, at: int) -> Column: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Column, ...]: ...
    def __getitem__(self, at: int | slice) -> Column | tuple[Column, ...]:
        return self._all[at]

    def __len__(self) -> int:
        return len(self.plain)


def plain(columns: Sequence[Column]) -> Sequence[Column]:
    """Return columns without describing them, for callers that need only names and types."""
    return columns.plain if isinstance(columns, Described) else columns
