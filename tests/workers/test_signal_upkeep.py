"""The sweep between two nights, on a real Postgres."""

import datetime as dt

import pytest
from sqlalchemy import select

from integrations.sentiment import VADER
from ml.sentiment import OWN
from models import sentiment
from models.database import Database
from models.digests import read_digest
from models.tables.facts import TicketRow
from tests.support.portfolio import NOW, FixedClock, Portfolio, ago
from workers.signal_upkeep import sweep, train, train_if_due

pytestmark = pytest.mark.integration


async def tickets(database: Database) -> dict[str, TicketRow]:
    async with database.transaction() as session:
        return {row.subject or "": row for row in await session.scalars(select(TicketRow))}


async def test_tickets_without_a_tone_are_read_and_what_a_source_told_stays(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        customer = await made.customer()
        await made.ticket(customer, ago(3), subject="This is terrible")
        await made.ticket(customer, ago(3), subject="Great, thank you", sentiment=-0.9)
    await sweep(database, FixedClock())
    found = await tickets(database)
    angry, told = found["This is terrible"], found["Great, thank you"]
    assert angry.sentiment is not None
    assert angry.sentiment < 0
    assert angry.sentiment_by == VADER
    assert (told.sentiment, told.sentiment_by) == (-0.9, None)


async def test_rated_tickets_train_a_model_that_then_reads(database: Database) -> None:
    async with database.transaction() as session:
        made = Portfolio(session)
        await made.connect()
        customer = await made.customer()
        for number in range(320):
            bad = number % 3 == 0
            subject = f"{'ledger mismatch' if bad else 'question'} {number % 7}"
            await made.ticket(customer, ago(330 - number), subject=subject, satisfaction=1.0 if bad else 5.0)
    figures = await train(database, FixedClock())
    assert figures["is_used"]
    await sweep(database, FixedClock())
    assert {row.sentiment_by for row in (await tickets(database)).values()} == {OWN}
    async with database.transaction() as session:
        said = sentiment.said_of(await read_digest(session, sentiment.KEY))
        assert not await sentiment.is_due(session, NOW, dt.timedelta(days=7))
    assert said.startswith("a model of your own, trained on 320 rated tickets")


async def test_a_model_is_trained_once_a_week(database: Database) -> None:
    assert await train_if_due(database, FixedClock())
    assert not await train_if_due(database, FixedClock())
