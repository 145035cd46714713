"""Shorthand for facts and for a source to tell them."""

import datetime as dt
from typing import Any

from domain.facts import (
    CancellationFact,
    ContactFact,
    CustomerFact,
    InvoiceFact,
    SubscriptionFact,
    TicketFact,
    TouchpointFact,
    UsageFact,
)
from domain.time import BusinessInstant, WallInstant, start_of_day
from models.database import Database
from models.sources import Source, connect_source

WALL = WallInstant(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC))
CONNECTED = start_of_day(dt.date(2025, 1, 1))
CRM = "crm"


def day(month: int, number: int, hour: int = 0) -> BusinessInstant:
    """An instant of 2026."""
    return BusinessInstant(dt.datetime(2026, month, number, hour, tzinfo=dt.UTC))


async def connect(
    database: Database,
    source_id: str = CRM,
    *,
    provides: tuple[str, ...] = ("customers", "usage"),
    at: BusinessInstant = CONNECTED,
) -> None:
    """Make a source known."""
    async with database.transaction() as session:
        await connect_source(session, Source(source_id, source_id, "test", provides, at))


Told = dict[str, Any]


def customer(key: str = "acme", **told: Any) -> CustomerFact:
    defaults: Told = {"key": key, "known_at": day(1, 1), "name": key.title()}
    return CustomerFact(**defaults | told)


def contact(key: str = "ann", **told: Any) -> ContactFact:
    defaults: Told = {"known_at": day(1, 1), "customer": "acme", "name": "Ann", "since": day(1, 1)}
    return ContactFact(**defaults | {"key": key} | told)


def subscription(key: str = "sub", **told: Any) -> SubscriptionFact:
    defaults: Told = {"known_at": day(1, 1), "customer": "acme", "product": "core", "mrr_minor": 100_00}
    return SubscriptionFact(**defaults | {"key": key, "started_at": day(1, 1)} | told)


def usage(key: str = "u1", **told: Any) -> UsageFact:
    defaults: Told = {"known_at": day(1, 2), "customer": "acme", "feature": "search"}
    return UsageFact(**defaults | {"key": key, "occurred_at": day(1, 2)} | told)


def ticket(key: str = "t1", **told: Any) -> TicketFact:
    defaults: Told = {"key": key, "known_at": day(1, 3), "customer": "acme", "opened_at": day(1, 3)}
    return TicketFact(**defaults | told)


def invoice(key: str = "i1", **told: Any) -> InvoiceFact:
    defaults: Told = {"known_at": day(1, 3), "customer": "acme", "amount_due_minor": 100_00}
    return InvoiceFact(**defaults | {"key": key, "issued_at": day(1, 3), "due_at": day(1, 17)} | told)


def touchpoint(key: str = "p1", **told: Any) -> TouchpointFact:
    defaults: Told = {"known_at": day(1, 4), "customer": "acme", "direction": "in", "channel": "call"}
    return TouchpointFact(**defaults | {"key": key, "occurred_at": day(1, 4)} | told)


def cancellation(key: str = "c1", **told: Any) -> CancellationFact:
    defaults: Told = {"key": key, "known_at": day(2, 1), "customer": "acme", "occurred_at": day(2, 1)}
    return CancellationFact(**defaults | told)
