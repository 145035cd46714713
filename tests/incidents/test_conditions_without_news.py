"""What a night's scoring or the calendar makes true is told in that night, not at the run's next wake."""

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import select, update

from activities.customer_scoring import score_customers
from domain.time import BusinessInstant
from domain.vocabulary import HealthStatus, InterventionState, NoticeKind, RiskTier
from ml.adapters import CatBoostModelReader
from models.database import Database
from models.playbooks import publish
from models.tables.customers import CustomerRow
from models.tables.ledger import OutboxRow
from models.tables.playbooks import InterventionRow
from tests.support.journeys import call, recipe, rest
from tests.support.portfolio import NOW, FixedClock, Portfolio
from tests.support.runs import open_run

pytestmark = pytest.mark.integration
DAY = dt.timedelta(days=1)
NEAR = {"field": "days_to_renewal", "at_most": 30}
WELL = {"field": "health_status", "one_of": ["thriving", "engaged"]}
EXIT = {"if": NEAR, "reason": "the renewal is near"}


async def run_at(database: Database, step: str, *steps: dict[str, Any], **more: Any) -> uuid.UUID:
    """A customer that renews in 32 days and uses the product daily, with a run that stands at this step."""
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        declared = {"renewal_on": (NOW + 32 * DAY).date().isoformat()}
        customer_id = await portfolio.customer(declared=declared)
        await portfolio.daily_usage(customer_id, 10, range(-9, 120))
    document = recipe(*steps, **more)
    run_id = await open_run(database, document, customer_id, NOW)
    stands = {"step": step, "visits": {step: 1}, "entered_at": NOW.isoformat()}
    async with database.transaction() as session:
        await session.execute(
            update(InterventionRow).where(InterventionRow.id == run_id).values(position=stands)
        )
    return customer_id


async def told_in_the_night(database: Database, customer_id: uuid.UUID, later: int) -> list[NoticeKind]:
    """Score so many days later, and return what the customer's workflow hears of it."""
    async with database.transaction() as session:
        await session.execute(update(OutboxRow).values(consumed_at=NOW))
    await score_customers(
        database, FixedClock(BusinessInstant(NOW + later * DAY)), CatBoostModelReader(), [customer_id]
    )
    async with database.transaction() as session:
        unheard = select(OutboxRow.kind).where(OutboxRow.consumed_at.is_(None))
        return list(await session.scalars(unheard))


@pytest.mark.parametrize("place", ["exit", "goal", "wait"])
async def test_what_the_calendar_makes_true_in_a_long_wait_is_told_in_that_night(
    database: Database, place: str
) -> None:
    long = rest("long", "30d")
    near = {"id": "long", "wait": {"condition": NEAR, "timeout": "60d"}}
    goal = {"when": "condition", "condition": NEAR, "window": "90d"}
    parts: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "exit": (long, {"exits": [EXIT]}),
        "goal": (long, {"goal": goal}),
        "wait": (near, {}),
    }
    step, more = parts[place]
    customer_id = await run_at(database, "long", step, call("call"), **more)
    assert await told_in_the_night(database, customer_id, 0) == []
    assert await told_in_the_night(database, customer_id, 3) == [NoticeKind.CUSTOMER_CHANGED]


async def test_what_a_scoring_makes_true_in_a_long_wait_is_told_with_it(database: Database) -> None:
    exits = [{"if": WELL, "reason": "they are well"}]
    customer_id = await run_at(database, "long", rest("long", "30d"), call("call"), exits=exits)
    assert await told_in_the_night(database, customer_id, 0) == [NoticeKind.CUSTOMER_CHANGED]


async def test_a_run_that_rests_is_told_of_its_exit_and_not_every_night_of_what_it_waits_for(
    database: Database,
) -> None:
    near = {"id": "long", "wait": {"condition": NEAR, "timeout": "60d"}}
    customer_id = await run_at(database, "long", near, call("call"))
    async with database.transaction() as session:
        await session.execute(update(InterventionRow).values(state=InterventionState.PAUSED))
    assert await told_in_the_night(database, customer_id, 3) == []
    async with database.transaction() as session:
        await session.execute(update(InterventionRow).values(state=InterventionState.ENDED))
    assert await told_in_the_night(database, customer_id, 4) == []


@pytest.mark.parametrize("is_asked_for", [True, False])
async def test_health_that_falls_in_the_night_is_told_where_a_playbook_opens_by_it(
    database: Database, *, is_asked_for: bool
) -> None:
    trigger = {"health": "neutral"} if is_asked_for else {"manual": True}
    async with database.transaction() as session:
        portfolio = Portfolio(session)
        await portfolio.connect()
        scored = {"acted_tier": RiskTier.LOW, "acted_tier_at": NOW, "health_status": HealthStatus.THRIVING}
        quiet = await portfolio.customer(**scored)
        await portfolio.daily_usage(quiet, 10, range(45, 160))
        await portfolio.daily_usage(await portfolio.customer(), 10, range(1, 120))
        await publish(session, recipe(call("call"), trigger=trigger), NOW)
    told = await told_in_the_night(database, quiet, 0)
    async with database.transaction() as session:
        found = await session.scalar(select(CustomerRow.health_status).where(CustomerRow.id == quiet))
    assert found is not HealthStatus.THRIVING
    assert (NoticeKind.CUSTOMER_CHANGED in told) is is_asked_for
