"""Which column a list is sorted by: its links, and what assistive technology is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.web.query import ListAddress

Sorts = Mapping[str, tuple[str, bool]]
"""Columns that sort: their heading, and whether the first click puts the largest first."""


@dataclass(frozen=True)
class Sorting:
    """How a list is sorted now, at which address."""

    columns: Sorts
    address: ListAddress
    by: str
    descending: bool

    def link(self, name: str) -> str:
        """Return the address that sorts by a column; a second time turns it round."""
        turned = not self.descending if self.by == name else self.columns[name][1]
        return self.address.with_(sort=name, order="desc" if turned else "asc")

    def said(self, name: str) -> str:
        """Return the column's aria-sort."""
        if self.by != name:
            return "none"
        return "descending" if self.descending else "ascending"
