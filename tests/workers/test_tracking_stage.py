"""Tracked events find their customer and their person, at once or later, and count once."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import text, update

from domain.facts import Fact
from domain.time import BusinessInstant, WallInstant
from domain.usage_windows import MetricKind
from models.database import Database
from models.facts import store_facts
from models.metrics import Metric, declare_metric
from models.playbooks import publish
from models.tables.data import SourceRow
from tests.support.facts import CRM, WALL, connect, contact, customer, day
from tests.support.runs import one_letter
from tests.support.tracked import NOW, PRODUCT, RECEIVED, message, track
from workers.tracking_stage import TrackingStage

pytestmark = pytest.mark.integration


class StoppedClock:
    """A clock port that stands still."""

    def now(self) -> BusinessInstant:
        return NOW

    def wall_now(self) -> WallInstant:
        return RECEIVED

    def wall_at(self, due: BusinessInstant) -> WallInstant:
        return WallInstant(due)

    def business_at(self, wall: WallInstant) -> BusinessInstant:
        return BusinessInstant(wall)


@pytest.fixture
async def stage(database: Database) -> TrackingStage:
    """The second stage beside a CRM that knows the customers acme and globex."""
    await connect(database, provides=("customers", "contacts"))
    await connect(database, PRODUCT, provides=("usage",))
    async with database.transaction() as session:
        told: list[Fact] = [
            customer(),
            customer("globex", domain="globex.com"),
            contact(email="ann@acme.com"),
        ]
        await store_facts(session, CRM, told, received_at=WALL)
        await session.execute(text("DELETE FROM rescore_queue"))
    return TrackingStage(database, StoppedClock())


async def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    async with database.transaction() as session:
        return [tuple(row) for row in await session.execute(text(query))]


USED = """
SELECT customers.external_id, contacts.external_id, usage_events.feature, count(*)
FROM usage_events JOIN customers ON customers.id = customer_id LEFT JOIN contacts ON contacts.id = contact_id
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
HELD = "SELECT reason, group_key, count(*) FROM held_events GROUP BY 1, 2 ORDER BY 1, 2"


async def test_an_event_of_a_known_group_and_user_counts_for_both(
    database: Database, stage: TrackingStage
) -> None:
    await track(database, message(user="ann", group="acme"), message("page", name="Home", user="ann"))
    await stage.run()
    assert await rows(database, USED) == [("acme", "ann", "page:Home", 1), ("acme", "ann", "search", 1)]
    assert await rows(database, "SELECT sum(events_7), max(as_of) FROM usage_windows") == [(2, NOW.date())]
    assert await rows(database, "SELECT feature, events FROM usage_contact_daily ORDER BY 1") == [
        ("page:Home", 1),
        ("search", 1),
    ]
    assert await rows(database, "SELECT users FROM usage_daily") == [(1,), (1,)]
    assert await rows(database, HELD) == []


async def test_everything_that_follows_commits_with_the_mark(
    database: Database, stage: TrackingStage
) -> None:
    await track(database, message(group="acme", properties={"rows": 3, "who": "x", "list": []}))
    await stage.run()
    assert await rows(database, "SELECT processed_at IS NOT NULL FROM tracking_batches") == [(True,)]
    assert await rows(database, "SELECT reason FROM rescore_queue") == [("usage",)]
    received = "SELECT last_received_at FROM sources WHERE id = 'product'"
    assert await rows(database, received) == [(RECEIVED,)]
    [(kind, name, events, properties)] = await rows(
        database, "SELECT kind, name, events, properties FROM seen_events"
    )
    assert (kind, name, events) == ("track", "search", 1)
    assert properties == {
        "rows": {"types": ["number"], "example": 3},
        "who": {"types": ["string"]},
        "list": {"types": ["array"]},
    }
    assert await stage.run_once(1) is None


async def test_customers_are_rung_for_what_a_playbook_waits_for_and_for_nothing_else(
    database: Database, stage: TrackingStage
) -> None:
    trigger = {"event": {"performed": "Plan Limit Hit"}}
    async with database.transaction() as session:
        await publish(session, one_letter(trigger=trigger), NOW)
        await session.execute(text("DELETE FROM outbox"))
    hit = message(name="Plan Limit Hit", group="acme")
    await track(database, hit, message(group="acme"), message(name="Plan Limit Hit", group="initech"))
    await stage.run()
    told = "SELECT customers.external_id, kind FROM outbox JOIN customers ON customers.id = customer_id"
    assert await rows(database, told) == [("acme", "performed")]
    await track(database, message(group="globex"))
    await stage.run()
    assert await rows(database, told) == [("acme", "performed")]


async def test_history_asks_for_no_new_score(database: Database, stage: TrackingStage) -> None:
    await track(database, message(group="acme", known_at=day(1, 1) - dt.timedelta(days=900)))
    await stage.run()
    assert await rows(database, "SELECT * FROM rescore_queue") == []


async def test_an_unknown_group_waits_and_is_counted_when_a_source_tells_of_it(
    database: Database, stage: TrackingStage
) -> None:
    await track(database, message(user="u1", group="initech"), message(group="initech"))
    await stage.run()
    assert await rows(database, HELD) == [("unknown_group", "initech", 2)]
    async with database.transaction() as session:
        await store_facts(session, CRM, [customer("initech")], received_at=WALL)
    await track(database, message(group="initech"))
    await stage.run()
    assert await rows(database, USED) == [("initech", None, "search", 3)]
    assert await rows(database, HELD) == [("unknown_user", "initech", 1)]


async def test_a_group_is_known_by_its_domain(database: Database, stage: TrackingStage) -> None:
    traits = {"website": "https://www.globex.com/start"}
    await track(database, message(group="g-77"), message("group", user="u", group="g-77", properties=traits))
    await stage.run()
    assert await rows(database, USED) == [("globex", None, "search", 1)]


async def test_a_source_that_may_creates_the_customer(database: Database, stage: TrackingStage) -> None:
    async with database.transaction() as session:
        await session.execute(update(SourceRow).where(SourceRow.id == PRODUCT).values(creates_customers=True))
    traits = {"name": "Hooli", "employees": "1,200", "plan": "pro"}
    await track(
        database,
        message(user="u", group="hooli"),
        message("group", user="u", group="hooli", properties=traits),
        message("identify", user="u", properties={"email": "Gavin@hooli.com", "firstName": "Gavin"}),
    )
    await stage.run()
    made = "SELECT name, employees, plan FROM customers WHERE source_id = 'product'"
    assert await rows(database, made) == [("Hooli", 1200, "pro")]
    assert await rows(database, USED) == [("hooli", "u", "search", 1)]
    person = "SELECT name, email FROM contacts WHERE source_id = 'product'"
    assert await rows(database, person) == [("Gavin", "gavin@hooli.com")]


async def test_late_identification_names_what_was_counted_for_nobody(
    database: Database, stage: TrackingStage
) -> None:
    await track(
        database,
        message(user="u9", group="acme"),
        message(anonymous="visitor"),
        message("page", name="Pricing", anonymous="visitor"),
    )
    await stage.run()
    assert await rows(database, HELD) == [("no_group", None, 2), ("unknown_user", "acme", 1)]
    await track(
        database,
        message("identify", user="u9", anonymous="visitor", properties={"name": "Peter"}),
    )
    await stage.run()
    assert await rows(database, USED) == [("acme", "u9", "page:Pricing", 1), ("acme", "u9", "search", 2)]
    assert await rows(database, HELD) == []
    assert await rows(database, "SELECT feature, events FROM usage_contact_daily ORDER BY 1") == [
        ("page:Pricing", 1),
        ("search", 2),
    ]
    assert await rows(database, "SELECT feature, events FROM usage_daily ORDER BY 1") == [
        ("page:Pricing", 1),
        ("search", 2),
    ]


async def test_an_alias_moves_a_former_id_to_the_new_one(database: Database, stage: TrackingStage) -> None:
    await track(database, message(user="old", group="acme"))
    await stage.run()
    await track(database, message("alias", user="ann", anonymous="old"), message(user="old"))
    await stage.run()
    assert await rows(database, USED) == [("acme", "ann", "search", 2)]


async def test_a_user_is_known_by_their_e_mail_address(database: Database, stage: TrackingStage) -> None:
    identify = message("identify", user="7", properties={"email": "ANN@acme.com"})
    await track(database, message(user="7"), identify)
    await stage.run()
    assert await rows(database, USED) == [("acme", "ann", "search", 1)]


async def test_a_user_of_two_customers_without_a_group_is_held_as_ambiguous(
    database: Database, stage: TrackingStage
) -> None:
    async with database.transaction() as session:
        await store_facts(session, CRM, [contact(customer="globex", known_at=day(1, 2))], received_at=WALL)
    await track(database, message(user="ann"))
    await stage.run()
    assert await rows(database, HELD) == [("ambiguous_group", None, 1)]
    await track(database, message("group", user="ann", group="globex"))
    await stage.run()
    assert await rows(database, USED) == [("globex", "ann", "search", 1)]


async def test_a_group_call_makes_a_member_and_a_removed_one_is_not_made_again_by_an_event(
    database: Database, stage: TrackingStage
) -> None:
    await track(database, message("group", user="ann", group="globex"))
    await stage.run()
    open_roles = "SELECT count(*) FROM contact_roles WHERE until IS NULL"
    assert await rows(database, open_roles) == [(2,)]
    async with database.transaction() as session:
        await session.execute(text("UPDATE contact_roles SET until = :at"), {"at": NOW})
    await track(database, message(user="ann", group="globex"))
    await stage.run()
    assert await rows(database, open_roles) == [(0,)]


async def test_a_gauge_reads_its_property_and_adds_nothing_up(
    database: Database, stage: TrackingStage
) -> None:
    async with database.transaction() as session:
        await declare_metric(session, Metric("seats", MetricKind.GAUGE, property="used"))
        await declare_metric(session, Metric("export", MetricKind.COUNTER, property="rows"))
    hour = dt.timedelta(hours=1)
    await track(
        database,
        message(name="seats", group="acme", properties={"used": 9}, at=BusinessInstant(NOW - 2 * hour)),
        message(name="seats", group="acme", properties={"used": 7}, at=BusinessInstant(NOW - hour)),
        message(name="seats", group="acme", properties={"used": "many"}),
        message(name="export", group="acme", properties={"rows": 40}),
        message(name="export", group="acme", properties={"rows": 1e307}),
    )
    await stage.run()
    gauge = "SELECT last_value, most, quantity FROM usage_daily WHERE feature = 'seats'"
    assert await rows(database, gauge) == [(7.0, 9.0, 0.0)]
    windows = "SELECT feature, value_28, last_value FROM usage_windows ORDER BY 1"
    assert await rows(database, windows) == [("export", 41.0, None), ("seats", 9.0, 7.0)]


async def test_a_batch_that_cannot_be_attributed_is_left_aside_and_the_others_go_on(
    database: Database, stage: TrackingStage
) -> None:
    await track(database, message(group="acme"), source_id="nobody")
    await track(database, message(group="acme"))
    await stage.run()
    assert await rows(database, USED) == [("acme", None, "search", 1)]
    assert await rows(database, "SELECT processed_at IS NULL FROM tracking_batches ORDER BY id") == [
        (True,),
        (False,),
    ]


MAIL = """
SELECT touchpoints.source_id, customers.external_id, contacts.external_id,
       direction, channel, purpose, subject
FROM touchpoints JOIN customers ON customers.id = customer_id JOIN contacts ON contacts.id = contact_id
"""


async def test_what_a_marketing_tool_sent_spends_the_budget_once_and_is_no_use(
    database: Database, stage: TrackingStage
) -> None:
    await connect(database, "mailer", provides=("contacts", "marketing"))
    said = {"email_id": "m1", "email_subject": "News"}
    for name in ("Email Sent", "Email Delivered"):
        sent = message(name=name, user="ann@acme.com", properties=said)
        await track(database, sent, message(name="Email Opened", user="ann@acme.com"), source_id="mailer")
        await stage.run()
    assert await rows(database, MAIL) == []
    await track(
        database,
        message("identify", user="ann@acme.com", properties={"email": "ann@acme.com"}),
        message("identify", user="ann@acme.com", group="acme"),
        source_id="mailer",
    )
    await stage.run()
    assert await rows(database, MAIL) == [("mailer", "acme", "ann", "out", "email", "marketing", "News")]
    assert await rows(database, USED) == []
    assert await rows(database, "SELECT last_touch_at FROM customers WHERE external_id = 'acme'") == [(None,)]


async def test_the_same_events_of_a_product_are_use(database: Database, stage: TrackingStage) -> None:
    await track(database, message(name="Email Sent", user="ann", group="acme"))
    await stage.run()
    assert await rows(database, USED) == [("acme", "ann", "Email Sent", 1)]
    assert await rows(database, MAIL) == []
