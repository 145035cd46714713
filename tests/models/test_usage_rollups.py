"""Whatever arrives, in whatever pieces and however often: the daily sums are those of the distinct facts."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from domain.facts import UsageFact
from domain.time import BusinessInstant
from models.database import Database
from models.facts import store_facts
from models.facts_batch import StoreResult, Verdict
from tests.support.facts import CRM, WALL, connect, customer, day, usage

pytestmark = pytest.mark.integration

FACTS = st.builds(
    lambda key, hour, **told: usage(
        f"u{key}", occurred_at=BusinessInstant(day(1, 1) + dt.timedelta(hours=hour)), **told
    ),
    key=st.integers(0, 12),
    hour=st.integers(-30, 60),
    feature=st.sampled_from(["search", "ex\tport\\N", "ü\nb"]),
    quantity=st.sampled_from([0.0, 1.0, 2.5, 7.0]),
    users=st.none() | st.integers(0, 9),
    value=st.none() | st.sampled_from([0.5, 3.0]),
    properties=st.none() | st.just({"a\\b": 'x"\t\n'}),
)
RECOMPUTED = """
SELECT customer_id, (occurred_at AT TIME ZONE 'UTC')::date, feature,
       count(*), sum(quantity), max(users), sum(value)
FROM usage_events GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
KEPT = """
SELECT customer_id, day, feature, events, quantity, users, value FROM usage_daily ORDER BY 1, 2, 3
"""


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(pieces=st.lists(st.lists(FACTS, max_size=12), max_size=5))
async def test_daily_sums_equal_a_recount_of_what_was_stored(
    pieces: list[list[UsageFact]], database: Database
) -> None:
    await connect(database)
    await _clear(database)
    first: dict[str, UsageFact] = {}
    for piece in pieces:
        for fact in piece:
            first.setdefault(fact.key, fact)
        await _tell(database, piece, first)
    assert await _rows(database, KEPT) == await _rows(database, RECOMPUTED)
    assert await _rows(database, "SELECT count(*) FROM usage_events") == [(len(first),)]
    latest = max((fact.occurred_at.date() for fact in first.values()), default=None)
    assert await _rows(database, "SELECT last_usage_on FROM customers") == [(latest,)]


async def _tell(database: Database, piece: Sequence[UsageFact], first: dict[str, UsageFact]) -> None:
    async with database.transaction() as session:
        result: StoreResult = await store_facts(session, CRM, piece, received_at=WALL)
    for fact, verdict in zip(piece, result.verdicts, strict=True):
        assert (verdict is Verdict.CONFLICT) == (fact != first[fact.key])


async def _rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    async with database.transaction() as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def _clear(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("TRUNCATE usage_events, usage_seen, usage_daily"))
        await session.execute(text("UPDATE customers SET last_usage_on = NULL"))
        await store_facts(session, CRM, [customer()], received_at=WALL)
