"""Whoever changes a stored fact keeps what it said before, so that the past can be seen as it was known."""

import re

from models.time_travel import FACTS
from tests.house.repository import files, name

FEATURE_COLUMNS = "plan|onboarded_at|first_value_at|declared|employees|touch_tier_override"
"""Of customers: what features read and nobody derives."""
ALLOWED = {
    "models/effects.py": "moves a claim, which is no contact yet, to the instant of its next try",
    "models/identity_queries.py": "names and addresses of people, which no feature reads",
    "models/opt_outs.py": "suppression, which no feature reads",
    "models/send_ledger.py": "a message's subject, which no feature reads",
    "models/usage_rollups.py": "when a person was active last, which no feature reads",
}


def _changing() -> re.Pattern[str]:
    others = [row for row in FACTS if row.__tablename__ != "customers"]
    rows = "|".join(row.__name__ for row in others)
    tables = "|".join(row.__tablename__ for row in others)
    of_customers = rf"update\(CustomerRow\)[^\n]*\n?[^\n]*({FEATURE_COLUMNS})="
    return re.compile(rf"\bupdate\(({rows})\)|UPDATE ({tables})\b|{of_customers}")


def _changers() -> dict[str, str]:
    sources = {name(path): path.read_text(encoding="utf-8") for path in files("models/*.py")}
    changing = _changing()
    return {path: source for path, source in sources.items() if changing.search(source)}


def test_who_changes_a_stored_fact_keeps_what_it_was() -> None:
    keeping = re.compile(r"\b(keep_before|note_changes)\(|INSERT INTO fact_changes")
    bare = {path for path, source in _changers().items() if not keeping.search(source)}
    assert bare == set(ALLOWED)
