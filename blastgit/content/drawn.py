"""Whether two versions of a file of samples differ only in what a sampler drew."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blastgit.content.model import Difference, Part


def only_drawn(difference: Difference, arrays: Sequence[str]) -> bool:
    """Whether all that differs are finite numbers of arrays that are drawn, of the same type and shape as before.

    Args:
        difference: how the versions differ, as `describe` tells it.
        arrays: patterns of the paths of the arrays that are drawn.
    """
    return difference.raw is None and all(_is_drawn(part, arrays) for part in difference.parts)


def _is_drawn(part: Part, arrays: Sequence[str]) -> bool:
    numbers = part.numbers
    return (
        part.state == "changed"
        and not part.reshaped
        and numbers is not None
        and numbers.largest is not None  # texts and bytes have none
        and numbers.undefined == 0
        and any(fnmatchcase(part.name, pattern) for pattern in arrays)
    )
