"""People who come after their address was listed: a list is of addresses, not of persons."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from domain.facts import Fact
from domain.suppressions import ListedAddress, SuppressionList
from domain.time import WallInstant
from domain.vocabulary import Purpose
from models.clock import start_clock, wall_now
from models.database import Database
from models.facts import store_facts
from models.opt_outs import consents_of
from models.suppressions import lift, take_entries
from models.tables.customers import ContactRow
from models.tables.mail import ProviderSuppressionRow
from tests.support.facts import CRM, connect, contact, customer, day

pytestmark = pytest.mark.integration
DAY = dt.timedelta(days=1)


async def listed(database: Database, which: SuppressionList, *emails: str) -> None:
    """Read a list of the mail provider's."""
    await connect(database)
    async with database.transaction() as session:
        await start_clock(session, wall_now())
        entries = [ListedAddress(each, WallInstant(wall_now() - DAY)) for each in emails]
        assert await take_entries(session, "sendgrid", which, entries, wall_now()) == len(emails)


async def tell(database: Database, **person: Any) -> ContactRow:
    """Let the CRM tell of a person at Acme, and return them."""
    async with database.transaction() as session:
        facts: list[Fact] = [customer(), contact(**person)]
        result = await store_facts(session, CRM, facts, received_at=wall_now())
        assert not result.problems, result.problems
    async with database.transaction() as session:
        return (await session.scalars(select(ContactRow))).one()


async def test_who_comes_with_a_listed_address_is_written_to_by_nobody(database: Database) -> None:
    await listed(database, SuppressionList.BOUNCES, "ann@acme.example")
    found = await tell(database, email="Ann@acme.example")
    assert found.suppressed_reason == SuppressionList.BOUNCES.value


async def test_who_takes_a_listed_address_is_from_then_on(database: Database) -> None:
    await listed(database, SuppressionList.BOUNCES, "new@acme.example")
    assert (await tell(database, email="old@acme.example")).suppressed_at is None
    found = await tell(database, email="new@acme.example", known_at=day(1, 2))
    assert found.suppressed_at is not None


async def test_an_unsubscribed_address_has_agreed_to_nothing_optional(database: Database) -> None:
    await listed(database, SuppressionList.UNSUBSCRIBES, "ann@acme.example")
    found = await tell(database, email="ann@acme.example", consents=tuple(Purpose))
    assert found.suppressed_at is None
    async with database.transaction() as session:
        agreed = await consents_of(session, found.id)
    assert (agreed[Purpose.LIFECYCLE], agreed[Purpose.MARKETING]) == (False, False)


async def test_an_address_that_was_lifted_is_free_for_newcomers_too(database: Database) -> None:
    await listed(database, SuppressionList.BOUNCES, "ann@acme.example")
    async with database.transaction() as session:
        row_id = (await session.scalars(select(ProviderSuppressionRow.id))).one()
        await lift(session, row_id, "The mailbox is back.", None, day(1, 2))
    assert (await tell(database, email="ann@acme.example")).suppressed_at is None
