"""Whatever arrives, in whatever pieces and however often: the daily sums are those of the distinct facts."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from domain.facts import UsageFact
from domain.time import BusinessInstant, WallInstant, start_of_day
from domain.usage_windows import SPANS, MetricKind, UsageDay, last_reading, window_of
from models.database import Database
from models.facts import store_facts
from models.facts_batch import StoreResult, Verdict, fact_id
from models.metrics import Metric, declare_metric
from models.usage_rollups import recompute_usage
from models.usage_windows import roll_windows, stale_customers
from tests.support.facts import CRM, WALL, connect, contact, customer, day, usage

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
WINDOWS = """
SELECT feature, as_of, events_7, value_7, days_7, events_28, value_28, days_28, events_90, value_90, days_90,
       last_value
FROM usage_windows WHERE events_90 > 0 ORDER BY 1
"""
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


async def _tell(
    database: Database,
    piece: Sequence[UsageFact],
    first: dict[str, UsageFact],
    wall: WallInstant = WALL,
) -> None:
    async with database.transaction() as session:
        result: StoreResult = await store_facts(session, CRM, piece, received_at=wall)
    for fact, verdict in zip(piece, result.verdicts, strict=True):
        assert (verdict is Verdict.CONFLICT) == (fact != first[fact.key])


async def _rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    async with database.transaction() as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def _clear(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("TRUNCATE usage_events, usage_seen, usage_daily, usage_windows, metrics"))
        await declare_metric(session, Metric("seats", MetricKind.GAUGE))
        await session.execute(text("UPDATE customers SET last_usage_on = NULL"))
        await store_facts(session, CRM, [customer()], received_at=WALL)


LATE = st.builds(
    lambda key, back, hour, feature, quantity: usage(
        f"w{key}",
        occurred_at=BusinessInstant(day(5, 1) + dt.timedelta(days=back, hours=hour)),
        feature=feature,
        quantity=quantity,
    ),
    key=st.integers(0, 25),
    back=st.sampled_from([-200, -91, -90, -89, -60, -30, -29, -28, -27, -8, -7, -6, -1, 0, 0, 1, 2, 9]),
    hour=st.integers(0, 23),
    feature=st.sampled_from(["search", "seats"]),
    quantity=st.sampled_from([0.0, 1.0, 2.5, 7.0]),
)
PASSED = st.sampled_from([0, 0, 1, 1, 2, 6, 30, 100])
STEPS = st.lists(st.tuples(PASSED, st.lists(LATE, max_size=6)), max_size=7)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_windows_equal_a_recount_whatever_comes_late_twice_or_out_of_order(
    steps: list[tuple[int, list[UsageFact]]], database: Database
) -> None:
    await connect(database)
    await _clear(database)
    today = day(5, 1).date()
    first: dict[str, UsageFact] = {}
    for passed, piece in steps:
        today += dt.timedelta(days=passed)
        for fact in piece:
            first.setdefault(fact.key, fact)
        await _tell(database, piece, first, wall=WallInstant(start_of_day(today)))
    await _roll(database, today)
    kept = await _rows(database, WINDOWS)
    assert kept == _expected(first.values(), today)
    before = await _everything(database)
    async with database.transaction() as session:
        await recompute_usage(session, [fact_id(CRM, "customer", "acme")], today)
    assert await _everything(database) == before


async def _roll(database: Database, today: dt.date) -> None:
    async with database.transaction() as session:
        await roll_windows(session, await stale_customers(session, today, 10), today)


async def _everything(database: Database) -> list[list[tuple[Any, ...]]]:
    daily = "SELECT * FROM usage_daily ORDER BY customer_id, day, feature"
    return [await _rows(database, query) for query in (daily, WINDOWS)]


def _expected(facts: Iterable[UsageFact], today: dt.date) -> list[tuple[Any, ...]]:
    by_feature: dict[str, dict[dt.date, list[UsageFact]]] = {}
    for fact in facts:
        by_feature.setdefault(fact.feature, {}).setdefault(fact.occurred_at.date(), []).append(fact)
    found = []
    for feature, days in sorted(by_feature.items()):
        kind = MetricKind.GAUGE if feature == "seats" else MetricKind.COUNTER
        summed = [_day(one, told, kind) for one, told in days.items()]
        windows = [window_of(summed, today, span, kind) for span in SPANS]
        if windows[-1].events:
            cells = [cell for one in windows for cell in (one.events, one.value, one.days)]
            found.append((feature, today, *cells, last_reading(summed, today)))
    return found


def _day(one: dt.date, told: list[UsageFact], kind: MetricKind) -> UsageDay:
    newest = max(told, key=lambda fact: (fact.occurred_at, fact.quantity)).quantity
    sums = UsageDay(one, len(told), sum(fact.quantity for fact in told))
    if kind is MetricKind.COUNTER:
        return sums
    return replace(sums, most=max(fact.quantity for fact in told), last_value=newest)


async def test_the_people_of_a_day_are_at_least_those_we_can_name(database: Database) -> None:
    await connect(database, provides=("customers", "contacts", "usage"))
    people = [contact(key) for key in ("ann", "bob")]
    told = [usage(f"u{n}", contact=key) for n, key in enumerate(("ann", "bob", "ann"))]
    async with database.transaction() as session:
        await store_facts(session, CRM, [customer(), *people, *told[:2]], received_at=WALL)
    async with database.transaction() as session:
        await store_facts(session, CRM, told, received_at=WALL)
    assert await _rows(database, "SELECT users, events FROM usage_daily") == [(2, 3)]
    per_contact = "SELECT events, quantity FROM usage_contact_daily ORDER BY events"
    assert await _rows(database, per_contact) == [(1, 1.0), (2, 2.0)]
