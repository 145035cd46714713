"""Falls between two nights, on a real Postgres."""

import uuid

import pytest
from sqlalchemy import insert, select

from models.database import Database
from models.tables.scoring import ScoreRow
from models.tables.tracking import RescoreRow
from models.usage_falls import customers_that_fell, sweep
from tests.support.portfolio import NOW, FixedClock, Portfolio

pytestmark = pytest.mark.integration


async def portfolio(database: Database) -> dict[str, uuid.UUID]:
    """A steady customer, one that halved, one that fell silent and one that comes once a month."""
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        names = ("steady", "halved", "silent", "monthly")
        ids = {name: await made.customer(name=name) for name in names}
        await made.daily_usage(ids["steady"], 10, range(1, 60))
        await made.daily_usage(ids["halved"], 10, range(8, 60))
        await made.daily_usage(ids["halved"], 4, range(1, 8))
        await made.daily_usage(ids["silent"], 10, range(5, 60))
        await made.daily_usage(ids["monthly"], 10, range(20, 60, 28))
    return ids


async def test_the_halved_and_the_silent_are_found_and_the_steady_are_not(database: Database) -> None:
    ids = await portfolio(database)
    async with database.transaction() as session:
        assert set(await customers_that_fell(session, NOW)) == {ids["halved"], ids["silent"]}


async def test_who_was_looked_at_today_is_not_looked_at_again(database: Database) -> None:
    ids = await portfolio(database)
    async with database.transaction() as session:
        for name in ("halved", "silent"):
            await session.execute(
                insert(ScoreRow).values(
                    customer_id=ids[name], as_of=NOW.date(), scored_at=NOW, churn_probability=0.1,
                    churn_risk_score=1, churn_risk_tier="low", health_score=50, components={}, drivers=[],
                    horizon_days=90, model_version="x",
                )
            )  # fmt: skip
        assert await customers_that_fell(session, NOW) == []


async def test_a_sweep_queues_them_once(database: Database) -> None:
    ids = await portfolio(database)
    found = [await sweep(database, FixedClock()) for _ in range(2)]
    assert {*found[0]} == {ids["halved"], ids["silent"]}
    async with database.transaction() as session:
        queued = list(await session.scalars(select(RescoreRow.customer_id)))
    assert sorted(queued) == sorted(found[0])
