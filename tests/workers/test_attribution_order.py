"""In whatever order and batches calls and events come, everything ends up with the same owner, once."""

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from models.clock import open_clock
from models.database import Database
from models.facts import store_facts
from tests.support.facts import CRM, WALL, connect, customer
from tests.support.tracked import NOW, PRODUCT, Message, message, track
from workers.tracking_stage import TrackingStage

pytestmark = pytest.mark.integration
MESSAGES = [
    message("identify", user="u1", anonymous="v1", properties={"name": "Una"}),
    message("group", user="u1", group="acme"),
    message("identify", user="u2", properties={"email": "due@acme.com"}),
    message("alias", user="u2", anonymous="v2"),
    message(anonymous="v1"),
    message("page", name="Home", anonymous="v1"),
    message(user="u1"),
    message(user="u2", group="acme"),
    message(anonymous="v2"),
    message(group="acme"),
    message(group="initech"),
]
OWNERS = """
SELECT customers.external_id, contacts.name, usage_events.feature, count(*)
FROM usage_events JOIN customers ON customers.id = customer_id LEFT JOIN contacts ON contacts.id = contact_id
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
EXPECTED = [
    ("acme", "Una", "page:Home", 1),
    ("acme", "Una", "search", 2),
    ("acme", "due@acme.com", "search", 2),
    ("acme", None, "search", 1),
]
TABLES = (
    "usage_events, usage_daily, usage_contact_daily, usage_windows, held_events, identities, tracked_traits, "
    "tracked_events, tracking_batches, contact_roles, contacts, consents, rescore_queue"
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(order=st.permutations(MESSAGES), cuts=st.sets(st.integers(1, len(MESSAGES) - 1), max_size=5))
async def test_the_end_is_the_same(order: list[Message], cuts: set[int], database: Database) -> None:
    await _begin(database)
    stage = TrackingStage(database, await open_clock(database))
    edges = [0, *sorted(cuts), len(order)]
    for start, end in itertools.pairwise(edges):
        await track(database, *order[start:end])
        await stage.run()
    assert await _rows(database, OWNERS) == EXPECTED
    assert await _rows(database, "SELECT reason, count(*) FROM held_events GROUP BY 1") == [
        ("unknown_group", 1)
    ]
    daily = "SELECT feature, events, users FROM usage_daily ORDER BY 1"
    assert await _rows(database, daily) == [("page:Home", 1, 1), ("search", 5, 2)]
    people = "SELECT sum(events) FROM usage_contact_daily"
    assert await _rows(database, people) == [(5,)]


async def _begin(database: Database) -> None:
    await connect(database, provides=("customers",))
    await connect(database, PRODUCT, provides=("usage",), at=NOW)
    async with database.transaction() as session:
        await session.execute(text(f"TRUNCATE {TABLES} CASCADE"))
        await store_facts(session, CRM, [customer()], received_at=WALL)


async def _rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    async with database.transaction() as session:
        return [tuple(row) for row in await session.execute(text(query))]
