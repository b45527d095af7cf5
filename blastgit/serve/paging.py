"""Divides a long list into pages."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from blastgit.errors import UsageError

SIZE = 50


@dataclass(frozen=True)
class Paging:
    """Which part of a list is shown.

    Attributes:
        page: The number of the page, from 1.
        count: How many rows there are in total.
        size: How many rows a page has.
    """

    page: int
    count: int
    size: int = SIZE

    @property
    def first(self) -> int:
        """How many rows are on the pages before."""
        return (self.page - 1) * self.size

    @property
    def last(self) -> int:
        """The number of the last row of the page."""
        return min(self.count, self.first + self.size)

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.count // self.size))

    @property
    def before(self) -> int | None:
        """The page before."""
        return self.page - 1 if self.page > 1 else None

    @property
    def after(self) -> int | None:
        """The page after."""
        return self.page + 1 if self.page < self.pages else None


def read_page(count: int, size: int = SIZE) -> Paging:
    """Return the page that the address asks for.

    Raises:
        UsageError: The address does not have a valid page number.
    """
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= 10**8):
        raise UsageError("page is a number from 1 on")
    return Paging(min(int(text[:9]), max(1, -(-count // size))), count, size)
