"""When a source counts as silent, and what a silence leaves behind, on a real Postgres."""

import datetime as dt

import pytest
from sqlalchemy import insert, select, update

from domain.features import KindFreshness
from domain.scoring_policy import FreshnessPolicy
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment
from models.clock import append_segment
from models.database import Database
from models.freshness import load_freshness, watch_freshness
from models.tables.customers import CustomerRow
from models.tables.data import SourceRow
from models.tables.scoring import DigestRow, KindSilenceRow
from models.tables.tracking import SourceDayRow
from tests.support.portfolio import NOW, Portfolio, ago

pytestmark = pytest.mark.integration
POLICY = FreshnessPolicy()


async def source(database: Database, **changes: object) -> None:
    async with database.transaction() as session:
        await Portfolio(session).connect(["tickets", "usage"])
        await session.execute(update(SourceRow).values(changes))


async def ticket(database: Database, at: BusinessInstant = NOW) -> KindFreshness:
    async with database.transaction() as session:
        return (await watch_freshness(session, at, POLICY))["ticket"]


async def test_a_source_that_only_repeats_itself_is_not_silent(database: Database) -> None:
    await source(database, last_fact_at=ago(30))
    assert (await ticket(database)).silent
    await source_heard(database, WallInstant(ago(1)))
    assert not (await ticket(database)).silent


async def source_heard(database: Database, wall: WallInstant) -> None:
    async with database.transaction() as session:
        await session.execute(update(SourceRow).values(last_received_at=wall))


async def test_in_compressed_time_receipt_is_mapped_to_business_time(database: Database) -> None:
    wall = WallInstant(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    await source(database, last_received_at=wall)
    async with database.transaction() as session:
        await append_segment(session, Segment(wall, ago(1), 20_000.0), "test")
    assert not (await ticket(database)).silent
    assert (await ticket(database, ago(-8))).silent


async def test_a_rhythm_is_learned_from_the_days_on_which_a_source_spoke(database: Database) -> None:
    await source(database, last_fact_at=ago(4))
    assert not (await ticket(database)).silent
    async with database.transaction() as session:
        for back in range(4, 20):
            await session.execute(
                insert(SourceDayRow).values(
                    source_id="crm", day=ago(back).date(), kind="ticket", received=1, stored=1, duplicates=0,
                    quarantined=0,
                )
            )  # fmt: skip
    assert (await ticket(database)).silent


async def test_a_silence_is_kept_with_its_beginning_and_its_end(database: Database) -> None:
    await source(database, last_fact_at=ago(10))
    await ticket(database)
    await ticket(database)
    await source_heard(database, WallInstant(NOW))
    assert (await ticket(database)).settling
    async with database.transaction() as session:
        row = await session.scalar(select(KindSilenceRow).where(KindSilenceRow.kind == "ticket"))
    assert row is not None
    assert (row.since, row.until, row.sources) == (ago(10), NOW, ["CRM"])
    assert (await ticket(database, ago(-2))).is_usable
    assert (await ticket(database, ago(5))).silent


async def usage_after_a_gap(database: Database, filled: bool) -> list[KindFreshness]:  # noqa: FBT001 - a case
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect(["usage"])
        await session.execute(update(SourceRow).values(last_fact_at=ago(-9)))
        for _ in range(6):
            customer = await made.customer()
            await made.daily_usage(customer, 10, range(10, 60))
            if filled:
                await made.daily_usage(customer, 10, range(1, 10))
        await session.execute(
            insert(KindSilenceRow).values(
                kind="usage", since=ago(10), until=NOW, sources=["CRM"], noticed_at=ago(5)
            )
        )
        for customer in made.ids:
            await made.daily_usage(customer, 10, range(-12, 1))
        return [(await load_freshness(session, ago(-days), POLICY))["usage"] for days in (0.5, 3, 9)]


async def test_a_gap_that_was_filled_settles_within_a_day(database: Database) -> None:
    first, then, later = await usage_after_a_gap(database, filled=True)
    assert first.settling
    assert then.is_usable
    assert later == then


async def test_a_gap_that_was_never_filled_is_remembered_by_those_that_look_back(database: Database) -> None:
    first, then, later = await usage_after_a_gap(database, filled=False)
    assert first.settling
    assert then.settling
    assert later.is_usable
    assert not later.is_fresh_for(14, ago(-9).date())
    assert later.is_fresh_for(8, ago(-9).date())


async def usage(database: Database, at: BusinessInstant) -> KindFreshness:
    async with database.transaction() as session:
        return (await watch_freshness(session, at, POLICY))["usage"]


async def looked_at(database: Database) -> list[BusinessInstant]:
    async with database.transaction() as session:
        query = select(DigestRow.as_of).where(DigestRow.key == "usage_feed")
        return list(await session.scalars(query))


async def test_a_talking_feed_is_looked_at_once_in_minutes_and_a_dead_one_every_time(
    database: Database,
) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect(["usage"])
        await session.execute(update(SourceRow).values(last_fact_at=NOW))
        for _ in range(POLICY.usage_customers):
            await made.daily_usage(await made.customer(), 10, range(1, 60))
    minutes = dt.timedelta(minutes=1)
    assert not (await usage(database, NOW)).silent
    assert not (await usage(database, BusinessInstant(NOW + 9 * minutes))).silent
    assert await looked_at(database) == [NOW]
    later = BusinessInstant(NOW + 11 * minutes)
    assert not (await usage(database, later)).silent
    assert await looked_at(database) == [later]
    assert (await usage(database, ago(-5))).silent
    assert await looked_at(database) == [later]
    async with database.transaction() as session:
        made = Portfolio(session, ids=[])
        for customer in list(await session.scalars(select(CustomerRow.id))):
            await made.daily_usage(customer, 10, range(-5, 1))
    assert not (await usage(database, ago(-5))).silent
