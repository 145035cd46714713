"""Two years of history come in at once, into an installation that is released: nothing of it is acted on."""

import datetime as dt

import pytest
from sqlalchemy import select

from activities.customer_scoring import score_customers
from domain.facts import Fact, SubscriptionFact, SurveyFact, TicketFact, UsageFact
from domain.time import BusinessInstant
from domain.vocabulary import Purpose
from ml.adapters import CatBoostModelReader
from models.facts import store_facts
from models.sources import Source, connect_source
from models.tables.customers import CustomerRow
from models.tables.playbooks import InterventionRow
from models.tables.scoring import SignalRow
from tests.support.facts import contact, customer, touchpoint
from tests.support.loop import Loop

pytestmark = [pytest.mark.cadence, pytest.mark.timeout(240)]

DAY = dt.timedelta(days=1)
YEARS = 730
KINDS = ("customers", "contacts", "subscriptions", "usage", "tickets", "surveys", "touchpoints")
STOPPED, STORMY, WELL = "stopped", "stormy", "well"


def history(name: str, now: BusinessInstant) -> list[Fact]:
    """A customer that stopped using the product, one with a storm of tickets, and one that is well."""

    def ago(days: float) -> BusinessInstant:
        return BusinessInstant(now - days * DAY)

    start = ago(YEARS)
    facts: list[Fact] = [
        customer(name, known_at=start, started_at=start, renewal_on=(now + 300 * DAY).date()),
        contact(
            f"{name}/ann",
            customer=name,
            known_at=start,
            since=start,
            email=f"ann@{name}.example",
            roles=("champion",),
            consents=(Purpose.LIFECYCLE, Purpose.MARKETING),
        ),
        SubscriptionFact(
            key=name, known_at=start, customer=name, product="core", mrr_minor=900_000, started_at=start
        ),
        touchpoint(f"{name}/call", customer=name, known_at=ago(200), occurred_at=ago(200)),
    ]
    facts += [
        UsageFact(
            key=f"{name}/{day}",
            known_at=ago(day),
            customer=name,
            feature="reports",
            quantity=40,
            occurred_at=ago(day),
        )
        for day in range(1, YEARS)
        if name != STOPPED or day > 45
    ]
    if name == STORMY:
        facts += [
            TicketFact(
                key=f"ticket-{day}",
                known_at=ago(day),
                customer=name,
                priority="urgent",
                opened_at=ago(day),
                resolve_due_at=ago(day - 1),
            )
            for day in range(2, 20)
        ]
        facts.append(
            SurveyFact(key="nps", known_at=ago(5), customer=name, score=1, responded_at=ago(5)),
        )
    return facts


async def test_two_years_of_history_give_everyone_a_status_and_send_nothing(loop: Loop) -> None:
    now = await loop.look_at_the_clock()
    names = (STOPPED, STORMY, WELL)
    async with loop.database.transaction() as session:
        await connect_source(session, Source("crm", "CRM", "export", KINDS, now))
        facts = [fact for name in names for fact in history(name, now)]
        told = await store_facts(session, "crm", facts, received_at=loop.clock.wall_now())
        assert (told.stored, told.conflicts, told.unresolved) == (len(facts), [], [])
        ids = list(await session.scalars(select(CustomerRow.id)))
    for _night in range(3):
        await score_customers(loop.database, loop.clock, CatBoostModelReader(), ids)
        await loop.live(1)
    async with loop.database.transaction() as session:
        standings = (
            await session.execute(select(CustomerRow.health_status, CustomerRow.churn_risk_tier))
        ).all()
        signals = list(await session.scalars(select(SignalRow)))
        runs = list(await session.scalars(select(InterventionRow.playbook_key)))
    assert len(standings) == len(names)
    assert all(status and tier for status, tier in standings)
    assert {signal.is_baseline for signal in signals} == {True}, [signal.kind for signal in signals]
    assert runs == []
    assert loop.sender.accepted == []
