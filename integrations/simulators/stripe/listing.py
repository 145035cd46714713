"""Lists and searches, as Stripe pages and filters them: newest first, `has_more`, cursors that are ids."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from integrations.simulators.stripe.errors import StripeRefusal, no_such
from integrations.simulators.stripe.store import ORDER, Row

DEFAULT_LIMIT, MOST = 10, 100
Filter = Callable[[Row, Any], bool]
_RANGES: Mapping[str, Callable[[int, int], bool]] = {
    "gt": lambda have, wanted: have > wanted,
    "gte": lambda have, wanted: have >= wanted,
    "lt": lambda have, wanted: have < wanted,
    "lte": lambda have, wanted: have <= wanted,
}
_CLAUSE = re.compile(r"""\s*(-?)([\w.]+)(?:\[["'](\w+)["']\])?\s*(:|>=|<=|>|<|~)\s*["']?([^"']*)["']?\s*$""")
_COMPARED = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


def newest_first(rows: Iterable[Row]) -> list[Row]:
    """Return rows in the order of a list."""
    return sorted(rows, key=lambda row: (row["created"], row[ORDER]), reverse=True)


def page(rows: list[Row], asked: Mapping[str, str], most: int = MOST) -> tuple[list[Row], bool]:
    """Return the asked part of a list that is in order, and whether there is more in its direction."""
    try:
        size = min(int(asked.get("limit") or DEFAULT_LIMIT), most)
    except ValueError:
        raise StripeRefusal("Invalid integer: limit", code="parameter_invalid", param="limit") from None
    after, before = asked.get("starting_after"), asked.get("ending_before")
    if not (after or before):
        return rows[:size], len(rows) > size
    name, key = ("starting_after", after) if after else ("ending_before", before)
    place = next((number for number, row in enumerate(rows) if row["id"] == key), None)
    if place is None:
        raise no_such("object", str(key), name)
    if after:
        return rows[place + 1 : place + 1 + size], place + 1 + size < len(rows)
    return rows[max(place - size, 0) : place], place > size


def fits(row: Row, name: str, wanted: Any) -> bool:
    """Whether a field has a value, or lies in a range of instants."""
    have: Any = row.get(name)
    if isinstance(wanted, dict):
        return have is not None and all(
            _RANGES[sign](have, int(bound)) for sign, bound in wanted.items() if sign in _RANGES
        )
    if isinstance(have, bool):
        return str(have).lower() == str(wanted)
    if isinstance(have, int):
        return str(have) == str(wanted)
    return bool(have == wanted)


def matches(row: Row, query: str) -> bool:
    """Whether an object fits Stripe's search language: clauses joined by AND."""
    return all(_clause(row, each) for each in re.split(r"\s+AND\s+", query.strip(), flags=re.IGNORECASE))


def _clause(row: Row, text: str) -> bool:
    found = _CLAUSE.fullmatch(text)
    if found is None:
        raise StripeRefusal(f"We could not understand the search query: {text}", param="query")
    negated, name, key, sign, wanted = found.groups()
    have: Any = row
    for part in (*name.split("."), *([key] if key else [])):
        have = have.get(part) if isinstance(have, dict) else None
    if sign in _COMPARED:
        holds = have is not None and _RANGES[_COMPARED[sign]](have, int(wanted))
    elif sign == "~":
        holds = wanted.lower() in str(have or "").lower()
    else:
        plain = str(have).lower() if isinstance(have, bool) else str(have)
        holds = (have is None) if wanted == "null" else plain.lower() == wanted.lower()
    return holds != bool(negated)
