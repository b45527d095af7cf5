"""The columns of a result with what is known of them, worked out when somebody looks at it.

What a column of a result is follows from the query (`lineage.py`), and the parser that reads it takes longer to load
than most queries to run. So it is loaded for those who ask for units, and not for those who print numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import overload

from blastgit.index.tables import Column

Describe = Callable[[Sequence[Column]], Sequence[Column]]
"""What returns columns, of which just names and types are known, with unit, UCD and description."""


class Described(Sequence[Column]):
    """Columns that are described at the first look.

    Attributes:
        plain: The same with no more than their names and types.
    """

    def __init__(self, plain: Sequence[Column], describe: Describe) -> None:
        """Take the columns, and what describes them."""
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
    """Return columns for those who need no more than names and types."""
    return columns.plain if isinstance(columns, Described) else columns
