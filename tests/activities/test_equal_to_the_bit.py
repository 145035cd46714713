"""Whatever is told, in whatever order and pieces: one, everybody, and the past as known are equal."""

import datetime as dt
import random
import uuid
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from activities.leak_checks import differences, future_deleted_equal
from domain.facts import Fact, UsageFact
from domain.features import CustomerFeatures
from domain.time import BusinessInstant
from models.customer_standing import refresh_customers
from models.database import Database
from models.facts import store_facts
from models.facts_batch import fact_id
from models.features import load_features
from models.snapshots import told_since
from models.usage_rollups import recompute_usage
from tests.support.facts import CRM, WALL, connect, contact, customer, day, subscription, ticket, usage
from tests.support.tellings import goal, meeting, survey

pytestmark = pytest.mark.integration
NAMES = ("acme", "blue", "cyan")
IDS = sorted(fact_id(CRM, "customer", name) for name in NAMES)
NOW = day(4, 20, 12)
"""Later than anything became known: the present knows what is stored."""
HOUR = dt.timedelta(hours=1)
TABLES = (
    "fact_changes, usage_events, usage_seen, usage_daily, usage_windows, usage_contact_daily, tickets, "
    "surveys, meetings, goals, subscriptions, contact_roles, contacts, field_points, outbox, rescore_queue, "
    "customers"
)

amounts = st.floats(0, 1e6, allow_nan=False) | st.sampled_from([0.1, 0.2, 0.3, 1 / 3])
hours = st.integers(1, 24 * 85) | st.integers(1200, 1240)
"""Many on few days, so that sums have several parts."""
names = st.sampled_from(NAMES)


def at(hour: int) -> BusinessInstant:
    return BusinessInstant(day(1, 1) + hour * HOUR)


used = st.builds(
    lambda key, name, hour, late, **told: usage(
        f"u{key}", customer=name, occurred_at=at(hour), known_at=at(hour + late), **told
    ),
    key=st.integers(0, 10_000),
    name=names,
    hour=hours,
    late=st.sampled_from([0, 0, 1, 400]),
    feature=st.sampled_from(["search", "export"]),
    quantity=amounts,
    value=st.none() | amounts,
    users=st.none() | st.integers(0, 5),
    contact=st.none() | st.sampled_from(["ann", "bob"]),
)
asked = st.builds(
    lambda key, hour, late, **told: ticket(
        f"t{key}", customer=NAMES[key % 3], opened_at=at(100 * key), known_at=at(100 * key + late),
        resolved_at=at(100 * key + hour) if hour else None, **told,
    ),
    key=st.integers(0, 3),
    hour=st.sampled_from([0, 0, 0, 800]),
    late=st.sampled_from([0, 24, 300, 900]),
    sentiment=st.none() | st.none() | st.floats(-1, 1),
    satisfaction=st.none() | st.none() | st.floats(1, 5),
    escalated=st.booleans(),
    reopened=st.integers(0, 2),
)  # fmt: skip
aims = st.builds(
    lambda key, late, progress: goal(
        f"g{key}", customer=NAMES[key % 3], known_at=at(300 + late), progress=progress
    ),
    key=st.integers(0, 1),
    late=st.integers(0, 30).map(lambda step: 50 * step),
    progress=st.floats(0, 1),
)
met = st.builds(
    lambda key, late, held: meeting(
        f"m{key}", customer=NAMES[key % 3], known_at=at(300 + late), scheduled_at=at(1000),
        held_at=at(1000) if held else None,
    ),
    key=st.integers(0, 5),
    late=st.integers(0, 1500),
    held=st.booleans(),
)  # fmt: skip
said = st.builds(
    lambda key, hour, late: survey(
        f"s{key}", customer=NAMES[key % 3], responded_at=at(hour), known_at=at(hour + late), score=key
    ),
    key=st.integers(0, 10),
    hour=st.sampled_from([500, 501, 900]),
    late=st.sampled_from([0, 600]),
)
terms = st.builds(
    lambda key, late, ended: subscription(
        f"c{key}", customer=NAMES[key % 3], known_at=at(10 + late), started_at=at(10), billing_months=1 + key,
        mrr_minor=1000 * key, ended_at=at(900) if ended else None,
    ),
    key=st.integers(0, 6),
    late=st.sampled_from([0, 950, 1800]),
    ended=st.booleans(),
)  # fmt: skip
plans = st.builds(
    lambda name, late, plan, employees: customer(name, known_at=at(late), plan=plan, employees=employees),
    name=names,
    late=st.integers(0, 1900),
    plan=st.none() | st.sampled_from(["pro", "free"]),
    employees=st.none() | st.integers(0, 3000),
)
tellings = st.lists(
    st.one_of(used, used, asked, aims, aims, met, said, terms, plans), min_size=40, max_size=80
)
FIRST: tuple[Fact, ...] = (
    *(customer(name) for name in NAMES),
    contact("ann"),
    contact("bob", customer="blue", known_at=at(700), since=day(1, 5)),
)
quickly = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


async def begin(database: Database) -> None:
    await connect(database)
    async with database.transaction() as session:
        await session.execute(text(f"TRUNCATE {TABLES} CASCADE"))
        await store_facts(session, CRM, FIRST, received_at=WALL)


async def tell(database: Database, facts: Sequence[Fact], order: random.Random) -> None:
    """Tell in random batches; what contradicts is refused, what was told is told again."""
    left = list(facts)
    while left:
        some, left = left[: (size := order.randint(1, 12))], left[size:]
        async with database.transaction() as session:
            await store_facts(session, CRM, some, received_at=WALL)
    async with database.transaction() as session:
        await store_facts(session, CRM, order.sample(list(facts), len(facts) // 2), received_at=WALL)
        await refresh_customers(session, None, NOW)


async def look(
    database: Database, ids: Sequence[uuid.UUID], *, exact: bool = False
) -> list[CustomerFeatures]:
    async with database.transaction() as session:
        return await load_features(session, ids, NOW, {}, exact=exact)


@quickly
@given(facts=tellings, order=st.randoms(use_true_random=False))
async def test_everybody_and_one_and_the_past_as_known_now_are_equal(
    facts: list[Fact], order: random.Random, database: Database
) -> None:
    await begin(database)
    await tell(database, facts, order)
    everybody = await look(database, IDS)
    ones = [(await look(database, [one]))[0] for one in IDS]
    then = [(await look(database, [one], exact=True))[0] for one in IDS]
    assert differences(everybody, ones) == []
    assert differences(everybody, await look(database, IDS, exact=True)) == []
    assert differences(everybody, then) == []
    assert everybody == ones == then


@quickly
@given(facts=tellings, order=st.randoms(use_true_random=False), hour=st.integers(30, 2100))
async def test_no_order_of_telling_lets_the_future_into_the_past(
    facts: list[Fact], order: random.Random, hour: int, database: Database
) -> None:
    await begin(database)
    await tell(database, facts, order)
    async with database.transaction() as session:
        since = await told_since(session)
    report = await future_deleted_equal(database, IDS, at(hour), since)
    assert report.differences == ()
    assert report.passed


@quickly
@given(
    facts=st.lists(used, max_size=40, unique_by=lambda fact: fact.key),
    order=st.randoms(use_true_random=False),
)
async def test_the_same_uses_in_any_order_give_the_same_sums(
    facts: list[UsageFact], order: random.Random, database: Database
) -> None:
    found = []
    for _ in range(2):
        await begin(database)
        await tell(database, facts, order)
        found.append((await sums(database), await look(database, IDS)))
        order.shuffle(facts)
    assert found[0] == found[1]
    async with database.transaction() as session:
        await recompute_usage(session, IDS, NOW.date())
    assert await sums(database) == found[0][0]


async def sums(database: Database) -> list[tuple[object, ...]]:
    query = text("SELECT * FROM usage_daily ORDER BY customer_id, day, feature")
    async with database.transaction() as session:
        return [tuple(row) for row in await session.execute(query)]
