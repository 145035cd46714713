"""What fields are: by the customer's own facts, the last scoring, the clock, and what changed since."""

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from activities.customer_scoring import score_customers
from domain.condition_check import check_condition
from domain.conditions import Condition, Value
from domain.field_shape import Place
from domain.fields import FIELDS, fields_known_in
from domain.fields_measured import MEASURED
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, HealthStatus, RiskTier
from ml.adapters import CatBoostModelReader
from models.condition_facts import load_known
from models.condition_sql import condition_sql
from models.customer_standing import refresh_customers
from models.database import Database
from models.field_columns import LIVE, RECORDED, column_of
from models.field_points import note_points
from models.tables.customers import CustomerRow
from models.tables.data import SourceRow
from models.tables.facts import CancellationRow
from models.tables.ledger import TouchpointRow
from models.tables.scoring import FieldPointRow
from models.tables.tracking import MetricRow
from tests.support.portfolio import NOW, FixedClock, Portfolio, ago

pytestmark = pytest.mark.integration


def read(document: Any) -> Condition:
    checked = check_condition(document)
    assert checked.condition is not None, checked.problems
    return checked.condition


async def holds(
    database: Database, customer_id: uuid.UUID, document: dict[str, Any], now: BusinessInstant = NOW
) -> bool:
    """Ask both ways, which must agree."""
    condition = read(document)
    async with database.transaction() as session:
        in_memory = condition.holds(await load_known(session, customer_id, [condition], now))
        query = select(condition_sql(condition, now)).where(CustomerRow.id == customer_id)
        assert (await session.scalars(query)).one() is in_memory
    return in_memory


async def values(
    database: Database, customer_id: uuid.UUID, *names: str, now: BusinessInstant = NOW
) -> list[Value]:
    conditions = [read({"field": name, "is": None}) for name in names]
    async with database.transaction() as session:
        known = await load_known(session, customer_id, conditions, now)
    return [known.values[name] for name in names]


def later(days: float) -> BusinessInstant:
    return BusinessInstant(NOW + dt.timedelta(days=days))


def test_every_field_of_a_customer_is_told_by_its_row_or_kept_at_the_scoring() -> None:
    for name in fields_known_in(Place.CUSTOMER):
        assert name in LIVE or name in MEASURED, name
        assert column_of(name, NOW) is not None
    assert set(LIVE) <= set(fields_known_in(Place.CUSTOMER))
    assert {name for name, field in FIELDS.items() if field.has_history} == {*RECORDED, "tier_rank"}


async def test_fields_of_the_record_are_read_as_of_the_moment_of_asking(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        told = {"arr_minor": 1_234_50, "renewal_on": dt.date(2026, 7, 15), "notice_days": 10}
        key = await made.customer(started_at=ago(400.5), acted_tier=RiskTier.HIGH, **told)
        yen = await made.customer(arr_minor=500, currency="JPY")
        dinars = await made.customer(arr_minor=500_000, currency="KWD")
        gone = await made.customer(status=CustomerStatus.CHURNED, churned_at=ago(3))
    asked = ("arr", "tenure_days", "days_to_renewal", "days_to_notice", "tier_rank", "has_owner", "nps")
    assert await values(database, key, *asked) == [1234.5, 400, 30, 20, 2, False, None]
    assert await values(database, key, *asked[1:4], now=later(31)) == [431, -1, -11]
    assert await values(database, yen, "arr", "days_to_renewal", "days_since_churn") == [500, None, None]
    assert await values(database, dinars, "arr") == [500]
    assert await values(database, gone, "days_since_churn") == [3]


async def test_an_override_is_shown_until_it_expires(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        overruled = {"health_override": HealthStatus.AT_RISK, "health_override_until": later(1)}
        key = await made.customer(health_status=HealthStatus.ENGAGED, **overruled)
    asked = ("health_status", "health_status_shown")
    assert await values(database, key, *asked) == ["engaged", "at_risk"]
    assert await values(database, key, *asked, now=later(1)) == ["engaged", "engaged"]


async def test_a_scoring_keeps_what_it_measured_and_days_go_on_counting(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        key = await made.customer()
        await made.daily_usage(key, 10, range(2, 120))
        await made.ticket(key, ago(4))
        touch = {"direction": "in", "channel": "call", "purpose": "lifecycle", "state": "received"}
        await made.session.execute(
            insert(TouchpointRow).values(
                id=uuid.uuid4(), source_id="crm", external_id="t", content_hash="", customer_id=key,
                occurred_at=ago(5), known_at=ago(5), **touch,
            )
        )  # fmt: skip
    asked = ("usage_week", "tickets_open", "days_since_inbound", "days_since_use", "days_since_touch")
    assert await values(database, key, *asked) == [None] * 5
    await score_customers(database, FixedClock(NOW), CatBoostModelReader(), [key])
    async with database.transaction() as session:
        await session.execute(update(CustomerRow).values(last_usage_on=ago(2).date()))
    assert await values(database, key, *asked) == [60, 1, 5, 2, 5]
    assert await values(database, key, *asked, now=later(10)) == [60, 1, 15, 12, 15]
    assert await holds(database, key, {"field": "usage_ratio", "less_than": 1})


async def test_what_nobody_tells_is_empty_and_not_nought(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect(["customers", "subscriptions"])
        key = await made.customer()
    await score_customers(database, FixedClock(NOW), CatBoostModelReader(), [key])
    assert await values(database, key, "usage_week", "tickets_open", "days_since_use") == [None] * 3
    assert not await holds(database, key, {"field": "tickets_open", "at_most": 0})
    assert await holds(database, key, {"not": {"field": "tickets_open", "at_most": 0}})
    assert await holds(database, key, {"field": "tickets_open", "is_not": 0})


async def test_a_window_is_whole_days_and_today_is_the_last(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        key = await made.customer()
        await made.usage(key, ago(29).date(), 2, "Report Exported")
        await made.usage(key, ago(0).date(), 1, "Report Exported")
    condition = {"performed": "Report Exported", "within": "30d"}
    assert await holds(database, key, condition | {"is": 3})
    assert await holds(database, key, condition | {"is": 1}, later(1))
    assert await holds(database, key, {"performed": "Report Exported", "within": "1d"})
    assert not await holds(database, key, {"performed": "Report Exported", "within": "1d"}, later(1))
    assert await holds(database, key, {"performed": "report exported", "is": 0, "within": "30d"})


async def test_an_amount_counts_once_per_reading(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        key = await made.customer()
        await made.usage(key, ago(1).date(), 500, "Uploaded")
        await made.usage(key, ago(2).date(), 7, "Logins")
        metric = {"feature": "Uploaded", "kind": "counter", "property": "megabytes"}
        await session.execute(insert(MetricRow).values(metric))
    assert await holds(database, key, {"performed": "Uploaded", "is": 1, "within": "7d"})
    assert await holds(database, key, {"performed": "Logins", "is": 7, "within": "7d"})


async def test_points_are_kept_of_every_change_and_of_nothing_else(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        key = await made.customer(acted_tier=RiskTier.HIGH, acted_tier_at=ago(9))
    for days, status in ((0, HealthStatus.AT_RISK), (1, HealthStatus.AT_RISK), (2, None), (3, "at_risk")):
        async with database.transaction() as session:
            await session.execute(update(CustomerRow).values(health_status=status))
            await note_points(session, [key], later(days))
    async with database.transaction() as session:
        rows = (await session.scalars(select(FieldPointRow).order_by(FieldPointRow.since))).all()
    told = [(row.field, row.since, row.value) for row in rows if row.field in {"health_status", "tier"}]
    assert told == [
        ("tier", ago(9), "high"),
        ("health_status", later(0), "at_risk"),
        ("health_status", later(2), None),
        ("health_status", later(3), "at_risk"),
    ]
    lasting = {"field": "health_status", "is": "at_risk", "for": "2d"}
    assert not await holds(database, key, lasting, later(4))
    assert await holds(database, key, lasting, later(5))
    assert await holds(database, key, {"field": "tier_rank", "at_least": 2, "for": "9d"})
    assert not await holds(database, key, {"field": "tier_rank", "at_least": 2, "for": "10d"})


async def test_a_change_that_is_noted_late_is_not_put_before_a_newer_one(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        key = await made.customer()
        for days, status in ((1, HealthStatus.AT_RISK), (0, HealthStatus.NEUTRAL)):
            await session.execute(update(CustomerRow).values(health_status=status))
            await note_points(session, [key], later(days))
        query = select(FieldPointRow.since, FieldPointRow.value)
        rows = (await session.execute(query.where(FieldPointRow.field == "health_status"))).all()
    assert [tuple(row) for row in rows] == [(later(1), "neutral")]


async def test_a_scoring_and_a_cancellation_record_since_when(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        key = await made.customer()
        await made.daily_usage(key, 10, range(30, 150))
    await score_customers(database, FixedClock(NOW), CatBoostModelReader(), [key])
    assert await holds(database, key, {"field": "health_status", "is": "at_risk", "for": "1d"}, later(1))
    assert not await holds(database, key, {"field": "health_status", "is": "at_risk", "for": "2d"}, later(1))
    async with database.transaction() as session:
        made = Portfolio(session)
        cancelled = {"reason": "unused", "involuntary": False}
        await made.fact(CancellationRow, key, occurred_at=later(1), known_at=later(1), **cancelled)
        await refresh_customers(session, [key], later(2))
    assert await holds(database, key, {"field": "status", "is": "churned", "for": "3d"}, later(5))
    assert not await holds(database, key, {"field": "status", "is": "churned", "for": "3d"}, later(4))


async def test_a_source_that_falls_silent_empties_its_fields_with_the_next_scoring(
    database: Database,
) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        key = await made.customer()
        await made.ticket(key, ago(4))
        await session.execute(update(SourceRow).values(last_fact_at=NOW))
    await score_customers(database, FixedClock(NOW), CatBoostModelReader(), [key])
    assert await values(database, key, "tickets_open", "contacts") == [1, 0]
    await score_customers(database, FixedClock(later(60)), CatBoostModelReader(), [key])
    assert await values(database, key, "tickets_open", "contacts", now=later(60)) == [None, None]
