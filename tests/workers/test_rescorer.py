"""Whoever something was told of is scored again: once, soon, and again if more came meanwhile."""

import uuid

import pytest
from sqlalchemy import text

from models.clock import StoredClock, open_clock, start_clock, wall_now
from models.database import Database
from models.facts import store_facts
from models.facts_batch import fact_id
from models.rescoring import FACTS, USAGE, Asked, ask_rescoring, settle, waiting
from tests.support.facts import CONNECTED, CRM, WALL, connect, customer, day, ticket, usage
from workers.rescorer import Rescorer

pytestmark = pytest.mark.integration
ACME = fact_id(CRM, "customer", "acme")


async def opened(database: Database, rate: float = 1.0) -> StoredClock:
    await connect(database, provides=("customers", "usage", "tickets"))
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=day(3, 1), rate=rate)
    return await open_clock(database)


async def tell(database: Database, *facts: object, announces: bool = True) -> None:
    async with database.transaction() as session:
        await store_facts(session, CRM, list(facts), received_at=WALL, announces=announces)  # type: ignore[arg-type]  # facts


async def queue(database: Database) -> list[Asked]:
    async with database.transaction() as session:
        return await waiting(session, [], 100)


async def health(database: Database) -> object:
    async with database.transaction() as session:
        return await session.scalar(text("SELECT health_status FROM customers"))


async def test_a_new_fact_has_its_customer_scored(database: Database) -> None:
    clock = await opened(database)
    await tell(database, customer(), ticket())
    assert [(one.customer_id, one.reason) for one in await queue(database)] == [(ACME, FACTS)]
    assert await Rescorer(database, clock, 0).run() == 1
    assert await health(database) is not None
    assert await queue(database) == []


async def test_what_says_nothing_new_and_history_ask_for_nothing(database: Database) -> None:
    await opened(database)
    await tell(database, customer())
    await Rescorer(database, await open_clock(database), 0).run()
    await tell(database, customer())
    await tell(database, usage("old", known_at=CONNECTED.replace(year=2020)))
    await tell(database, usage("imported"), announces=False)
    assert await queue(database) == []


async def test_a_fact_that_comes_while_its_customer_is_scored_is_not_swallowed(database: Database) -> None:
    clock = await opened(database)
    await tell(database, customer())
    found = await queue(database)
    await tell(database, ticket())
    await Rescorer(database, clock, 0).score(found)
    assert [one.customer_id for one in await queue(database)] == [ACME]


async def test_a_death_before_the_mark_only_scores_again(database: Database) -> None:
    clock = await opened(database)
    await tell(database, customer(), ticket())
    await Rescorer(database, clock, 0).score([Asked(uuid.UUID(int=1), USAGE, "0")])
    assert [one.customer_id for one in await queue(database)] == [ACME]
    assert await Rescorer(database, clock, 0).run() == 1


async def test_usage_alone_waits_for_the_gap_and_other_facts_do_not(database: Database) -> None:
    clock = await opened(database)
    rescorer = Rescorer(database, clock, 3600)
    await tell(database, customer(), usage("u1"))
    assert await rescorer.run() == 1
    await tell(database, usage("u2"))
    assert await rescorer.run() == 0
    await tell(database, ticket())
    assert await rescorer.run() == 1


async def test_where_days_pass_in_seconds_the_night_is_soon_enough(database: Database) -> None:
    clock = await opened(database, rate=20_000)
    await tell(database, customer(), ticket())
    assert await Rescorer(database, clock, 0).run() == 0
    assert len(await queue(database)) == 1


async def test_asking_again_keeps_the_place_in_the_queue(database: Database) -> None:
    await opened(database)
    await tell(database, customer(), customer("globex"))
    async with database.transaction() as session:
        await session.execute(text("UPDATE rescore_queue SET asked_at = :at"), {"at": day(1, 1)})
        await ask_rescoring(session, [ACME], WALL, USAGE)
        await session.execute(text("SELECT 1"))
    first = await queue(database)
    async with database.transaction() as session:
        await ask_rescoring(session, [ACME], WALL, USAGE)
    again = await queue(database)
    assert {one.customer_id for one in first} == {one.customer_id for one in again}
    assert {one.version for one in first} != {one.version for one in again}
    async with database.transaction() as session:
        await settle(session, first)
    assert [one.customer_id for one in await queue(database)] == [ACME]
