"""How fresh what is known of single customers is, by their newest facts."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain.features import KindFreshness

Row = Mapping[Any, Any]


class Told:
    """How fresh each kind of fact is for customers by the day of their newest: few days, many customers."""

    def __init__(self, everywhere: Mapping[str, KindFreshness]) -> None:
        """Take what is so everywhere in the installation."""
        self._everywhere = everywhere
        self._seen: dict[tuple[str, dt.date], KindFreshness] = {}

    def of(self, row: Row, usage: Row | None) -> dict[str, KindFreshness]:
        """Return it for a customer; a kind that has told of it is told, whatever was declared."""
        found = {}
        for kind, general in self._everywhere.items():
            newest = row.get(f"{kind}_newest")
            last_on = usage["last_on"] if kind == "usage" and usage else newest.date() if newest else None
            found[kind] = general if last_on is None else self._seen_on(kind, last_on)
        return found

    def _seen_on(self, kind: str, last_on: dt.date) -> KindFreshness:
        seen = self._seen.get((kind, last_on))
        if seen is None:
            seen = replace(self._everywhere[kind], provided=True, last_on=last_on)
            self._seen[kind, last_on] = seen
        return seen
