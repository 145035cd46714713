"""What facts said before they moved: by sources in any order, by our own hands, and after an undo."""

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import insert, text

from domain.facts import Fact
from domain.features import CustomerFeatures
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import ContactRole, TouchpointState
from models.contact_links import Membership, begin_membership, end_membership
from models.database import Database
from models.fact_changes import take_back_edits
from models.facts import store_facts
from models.facts_batch import fact_id
from models.features import load_features
from models.holding_actions import Said
from models.sentiment import save_readings
from models.tables.changes import FactChangeRow
from models.tables.ledger import TouchpointRow
from models.touch_states import move_touchpoint
from tests.support.facts import CRM, WALL, connect, contact, customer, day, invoice, ticket, touchpoint
from tests.support.tellings import acme

pytestmark = pytest.mark.integration
ACME = fact_id(CRM, "customer", "acme")
FIRST, SECOND, THIRD = day(2, 1), day(2, 10), day(2, 20)


async def tell(database: Database, *facts: Fact) -> None:
    for fact in facts:
        async with database.transaction() as session:
            await store_facts(session, CRM, [fact], received_at=WALL)


async def seen(database: Database, at: BusinessInstant) -> CustomerFeatures:
    async with database.transaction() as session:
        [found] = await load_features(session, [ACME], at, {}, exact=True)
    return found


async def kept(database: Database) -> list[dict[str, Any]]:
    async with database.transaction() as session:
        return list((await session.scalars(text("SELECT before FROM fact_changes ORDER BY id"))).all())


async def test_each_day_sees_what_was_told_by_then(database: Database) -> None:
    await connect(database)
    failed = [
        invoice(known_at=at, failed_attempts=times) for at, times in ((FIRST, 1), (SECOND, 2), (THIRD, 3))
    ]
    await tell(database, customer(), *failed)
    days = (FIRST, day(2, 9), SECOND, day(2, 19), THIRD)
    assert [(await seen(database, at)).commercial.failed_attempts for at in days] == [1, 1, 2, 2, 3]


async def test_an_old_telling_that_comes_late_brings_nothing_back_and_gives_nothing_away(
    database: Database,
) -> None:
    await connect(database)
    opened: dict[str, Any] = {"opened_at": FIRST}
    await tell(
        database,
        customer(),
        ticket(known_at=FIRST, **opened),
        ticket(known_at=THIRD, escalated=True, **opened),
        ticket(known_at=SECOND, sentiment=0.5, **opened),
    )
    tones = [(await seen(database, at)).sentiment.tickets for at in (FIRST, SECOND, THIRD)]
    escalated = [(await seen(database, at)).support.escalated for at in (FIRST, SECOND, THIRD)]
    assert (tones, escalated) == ([None, 0.5, 0.5], [0, 0, 1])


async def test_numbers_that_rise_out_of_order_are_never_known_too_soon(database: Database) -> None:
    await connect(database)
    told = ((FIRST, 0), (THIRD, 1), (SECOND, 2))
    await tell(database, customer(), *(invoice(known_at=at, failed_attempts=times) for at, times in told))
    days = (FIRST, SECOND, THIRD)
    assert [(await seen(database, at)).commercial.failed_attempts for at in days] == [0, 0, 2]


async def test_the_word_list_reads_what_was_known_and_a_learned_model_does_not(database: Database) -> None:
    await connect(database)
    keys = ("t1", "t2")
    await tell(database, customer(), *(ticket(key, known_at=FIRST, opened_at=FIRST) for key in keys))
    first, second = (fact_id(CRM, "ticket", key) for key in keys)
    async with database.transaction() as session:
        await save_readings(session, [(first, 0.5)], "vader", SECOND, is_learned=False)
        await save_readings(session, [(second, 0.1)], "own", SECOND, is_learned=True)
    assert (await seen(database, FIRST)).sentiment.tickets == 0.5
    assert (await seen(database, SECOND)).sentiment.tickets == 0.3
    async with database.transaction() as session:
        await save_readings(session, [(first, -0.5)], "own", THIRD, is_learned=True)
    assert (await seen(database, SECOND)).sentiment.tickets == 0.3
    assert (await seen(database, THIRD)).sentiment.tickets == -0.2


@pytest.mark.parametrize(
    ("states", "changes"),
    [
        (("claimed", "sent", "delivered", "opened"), 0),
        (("sent", "bounced"), 1),
        (("claimed", "uncertain", "sent"), 1),
        (("claimed", "failed"), 0),
    ],
)
async def test_a_touchpoint_keeps_when_it_began_or_ceased_to_count(
    database: Database, states: tuple[str, ...], changes: int
) -> None:
    await connect(database)
    await tell(database, customer(), touchpoint(known_at=FIRST, occurred_at=FIRST, direction="out"))
    mine = (TouchpointRow.customer_id == ACME,)
    async with database.transaction() as session:
        await session.execute(text("UPDATE touchpoints SET state = :state"), {"state": states[0]})
        for state in states[1:]:
            await move_touchpoint(session, mine, TouchpointState(state), WallInstant(SECOND))
    assert len(await kept(database)) == changes
    counted = (await seen(database, FIRST)).relationship.touch_out_days is not None
    assert counted is (states[0] == "sent" or (changes == 0 and states[-1] == "opened"))


async def test_a_role_told_of_late_was_not_known_before_and_one_that_ends_was_held(
    database: Database,
) -> None:
    await connect(database)
    await tell(database, customer(), contact("ann"))
    ann = fact_id(CRM, "contact", "ann")
    member, said = Membership(ann, ACME), Said("Kim", SECOND, WALL)
    async with database.transaction() as session:
        await begin_membership(session, member, ContactRole.CHAMPION, FIRST, said)
    champions = [(await seen(database, at)).relationship.champions for at in (day(2, 5), SECOND)]
    assert champions == [0, 1]
    async with database.transaction() as session:
        gone = Said("Kim", THIRD, WALL)
        await end_membership(session, member, ContactRole.CHAMPION, day(2, 12), gone)
    champions = [(await seen(database, at)).relationship.champions for at in (day(2, 5), day(2, 15), THIRD)]
    assert champions == [0, 1, 0]


async def test_plan_renewal_and_size_are_those_declared_by_then(database: Database) -> None:
    await connect(database)
    later = acme(known_at=THIRD, plan="free", renewal_on=dt.date(2026, 3, 1), employees=5_000)
    await tell(database, acme(), later)
    before, after = await seen(database, SECOND), await seen(database, THIRD)
    assert (before.plan, before.segment.value, before.commercial.renewal_days) == ("pro", "small", 172)
    assert (after.plan, after.segment.value, after.commercial.renewal_days) == ("free", "enterprise", 9)


async def test_an_undone_source_never_changed_a_customer(database: Database) -> None:
    await connect(database)
    await tell(database, acme())
    moves = (("upload", SECOND, "pro"), (CRM, THIRD, "wrong"))
    async with database.transaction() as session:
        for source, at, before in moves:
            values = {"fact_table": "customers", "fact_id": ACME, "customer_id": ACME, "source_id": source}
            await session.execute(
                insert(FactChangeRow).values(values | {"known_at": at, "before": {"plan": before}})
            )
        await take_back_edits(session, "upload", {ACME: ({"plan": "pro"}, {"plan": "wrong"})})
        await take_back_edits(session, "other", {uuid.uuid4(): ({}, {})})
    assert await kept(database) == [{"plan": "pro"}]
    assert (await seen(database, day(2, 15))).plan == "pro"
