import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from domain.delivery_events import DeliveryEvent, DeliveryEventKind, InboundEmail
from domain.guard import ContactBudget, Defer, ProposedSend, Recipient, may_send
from domain.scoring_policy import FreshnessPolicy
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import Channel, Direction, Purpose, TouchTier
from models.clock import wall_now
from models.customer_state import load_customer_state
from models.database import Database
from models.freshness import load_freshness
from models.held_mail import look_again
from models.inbound_email import receive_email
from models.playbooks import PlaybookShelf
from models.provider_events import apply_events, store_events
from models.sends import sent_lately
from models.sources import Source, connect_source
from models.tables.customers import ContactRow, CustomerRow
from models.tables.data import QuarantinedRow
from models.tables.ledger import OutboxRow, TouchpointRow
from models.touches import INBOX
from tests.support.sample_rows import NOW, Sample, fill
from tests.support.webhooks import connect_provider

pytestmark = pytest.mark.integration

BCC = "bcc+7fa3@in.example.com"
LATER = BusinessInstant(NOW + dt.timedelta(hours=1))
HANNA = "hanna@customer1.example"
MAIL = InboundEmail(
    message_id="m1@example.com",
    sender_email="jonas@example.com",
    recipients=(BCC,),
    subject="Your renewal",
    text="words",
    addressed=(HANNA, "priya@example.com", "somebody@nowhere.example"),
)


@pytest.fixture
async def sample(database: Database) -> Sample:
    async with database.transaction() as session:
        filled = await fill(session, customers=3)
    await connect_provider(database, "mail", provides=("touchpoints",), address=BCC)
    return filled


async def receive(database: Database, email: InboundEmail, at: BusinessInstant = LATER) -> bool:
    async with database.transaction() as session:
        return await receive_email(session, email, at, wall_now())


async def touchpoints(database: Database, *sources: str) -> list[TouchpointRow]:
    async with database.transaction() as session:
        query = select(TouchpointRow).where(TouchpointRow.source_id.in_(sources))
        return list((await session.scalars(query.order_by(TouchpointRow.external_id))).all())


async def held(database: Database) -> list[QuarantinedRow]:
    async with database.transaction() as session:
        query = select(QuarantinedRow).where(QuarantinedRow.file == "mail")
        return list((await session.scalars(query)).all())


async def test_a_copy_of_what_our_people_write_is_a_contact_that_we_made(
    database: Database, sample: Sample
) -> None:
    assert await receive(database, MAIL)
    assert not await receive(database, MAIL, BusinessInstant(LATER + dt.timedelta(minutes=1)))
    (sent,) = await touchpoints(database, "mail")
    assert (sent.direction, sent.channel, sent.user_id) == (
        Direction.OUT,
        Channel.EMAIL,
        sample.users["jonas"],
    )
    assert (sent.customer_id, sent.contact_id) == (
        sample.customers[1],
        sample.contacts[sample.customers[1]][0],
    )
    (row,) = await held(database)
    assert row.raw["customer"] == "mailto:somebody@nowhere.example"


async def test_a_letter_of_a_known_person_is_a_contact_that_they_made(
    database: Database, sample: Sample
) -> None:
    assert await receive(database, replace(MAIL, sender_email=HANNA, addressed=("jonas@example.com",)))
    (came,) = await touchpoints(database, "mail")
    assert (came.direction, came.customer_id) == (Direction.IN, sample.customers[1])


async def test_a_colleague_whom_nobody_told_of_is_known_by_the_domain(
    database: Database, sample: Sample
) -> None:
    domain = sample.rows[2]["domain"]
    assert await receive(database, replace(MAIL, sender_email=f"new@{domain}"))
    (came,) = await touchpoints(database, "mail")
    assert (came.customer_id, came.contact_id) == (sample.customers[2], None)


async def test_a_strangers_letter_is_held_until_somebody_knows_them(
    database: Database, sample: Sample
) -> None:
    assert not await receive(
        database, replace(MAIL, sender_email="ann@new.example", recipients=("a@b.example",))
    )
    (row,) = await held(database)
    assert (row.kind, row.state) == ("unresolved", "open")
    async with database.transaction() as session:
        assert await look_again(session, wall_now()) == 0
        person = update(ContactRow).where(ContactRow.id == sample.contacts[sample.customers[0]][1])
        await session.execute(person.values(email="Ann@New.example"))
        assert await look_again(session, wall_now()) == 1
    (came,) = [each for each in await touchpoints(database, "mail") if each.direction is Direction.IN]
    assert came.customer_id == sample.customers[0]
    assert (await held(database))[0].state == "replayed"


def campaign(**changes: Any) -> DeliveryEvent:
    now = WallInstant(wall_now() - dt.timedelta(seconds=1))
    event = DeliveryEvent("e1", DeliveryEventKind.DELIVERED, "", HANNA, now, is_marketing=True)
    return replace(event, **changes)


async def test_a_campaign_spends_the_contact_budget_and_ends_no_silence(
    database: Database, sample: Sample
) -> None:
    async with database.transaction() as session:
        events = [
            campaign(),
            campaign(event_id="e2", is_marketing=False),
            campaign(event_id="e3", email="x@y.z"),
        ]
        await store_events(session, "sendgrid", events, wall_now())
        await apply_events(session, wall_now())
        told = select(OutboxRow.id).where(OutboxRow.customer_id == sample.customers[1])
        assert (await session.scalars(told)).all() == []
        last = await session.scalar(
            select(CustomerRow.last_touch_at).where(CustomerRow.id == sample.customers[1])
        )
        assert last is not None
        assert last < NOW
        sent = await sent_lately(session, sample.customers[1], "no/run/")
    (row,) = await touchpoints(database, "campaigns")
    assert row.purpose is Purpose.MARKETING
    assert row.occurred_at in sent
    _deferred(sent, row.occurred_at)


def _deferred(sent: tuple[BusinessInstant, ...], now: BusinessInstant) -> None:
    """The guard asks to wait, with a budget of one mail a day."""
    person = Recipient(
        "k", "UTC", has_address=True, suppressed=False, consents=frozenset({Purpose.LIFECYCLE})
    )
    proposed = ProposedSend(
        purpose=Purpose.LIFECYCLE,
        recipient=person,
        still_wanted=True,
        effects_stopped=False,
        released=True,
        do_not_contact=False,
        holdout=False,
        touch_tier=TouchTier.MANAGED,
        first_asked_at=now,
        sent_at=sent,
    )
    verdict = may_send(proposed, ContactBudget(), now)
    assert isinstance(verdict, Defer)
    assert verdict.reason == "budget"


async def test_our_own_sends_and_answers_to_them_are_no_hearing(database: Database) -> None:
    async with database.transaction() as session:
        filled = await fill(session, customers=3)
        await receive_email(session, replace(MAIL, sender_email=HANNA, recipients=()), LATER, wall_now())
        await connect_source(session, Source(INBOX, "Inbox", "everstay", (), NOW))
        fresh = await load_freshness(session, LATER, FreshnessPolicy())
        assert not fresh["touchpoint"].provided
        assert not fresh["meeting"].provided
        state = await load_customer_state(session, filled.customers[0], PlaybookShelf())
        assert (state.is_observed, state.heard_since) == (False, None)
        await connect_source(session, Source("crm", "CRM", "hubspot", ("touchpoints",), LATER))
        state = await load_customer_state(session, filled.customers[0], PlaybookShelf())
        assert (state.is_observed, state.heard_since) == (True, LATER)
