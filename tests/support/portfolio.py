"""Writes customers and facts straight into tables, for tests of what is read from them."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.ports import Clock
from domain.time import BusinessInstant, WallInstant, business
from models.tables.customers import ContactRoleRow, ContactRow, CustomerRow
from models.tables.data import SourceRow
from models.tables.facts import (
    InvoiceRow,
    SubscriptionRow,
    TicketRow,
    UsageDailyRow,
    UsageEventRow,
)
from models.tables.ledger import TouchpointRow

NOW = business(dt.datetime(2026, 6, 15, 2, 0, tzinfo=dt.UTC))
WALL = WallInstant(dt.datetime(2026, 6, 15, 9, 0, tzinfo=dt.UTC))
LONG_AGO = BusinessInstant(NOW - dt.timedelta(days=400))
EVERYTHING = [
    "customers", "contacts", "subscriptions", "usage", "tickets", "surveys", "meetings", "goals", "invoices",
    "touchpoints",
]  # fmt: skip


@dataclass
class FixedClock(Clock):
    """A clock that stands where the test puts it."""

    instant: BusinessInstant = NOW

    def wall_now(self) -> WallInstant:
        return WALL

    def now(self) -> BusinessInstant:
        return self.instant

    def wall_at(self, due: BusinessInstant) -> WallInstant:
        return WallInstant(WALL + max(due - self.instant, dt.timedelta()))

    def business_at(self, wall: WallInstant) -> BusinessInstant:
        return BusinessInstant(self.instant + (wall - WALL))


def ago(days: float, now: BusinessInstant = NOW) -> BusinessInstant:
    """Return the instant so many days before."""
    return BusinessInstant(now - dt.timedelta(days=days))


@dataclass
class Portfolio:
    """One source and its customers."""

    session: AsyncSession
    source_id: str = "crm"
    ids: list[uuid.UUID] = field(default_factory=list)

    async def connect(
        self, provides: list[str] | None = None, connected_at: BusinessInstant = LONG_AGO
    ) -> None:
        """Add the source."""
        values = {
            "id": self.source_id, "name": "CRM", "kind": "test", "connected_at": connected_at,
            "provides": EVERYTHING if provides is None else provides,
        }  # fmt: skip
        await self.session.execute(insert(SourceRow).values(values))

    async def customer(self, **values: Any) -> uuid.UUID:
        """Add a customer that has been here for over a year."""
        customer_id = uuid.uuid4()
        defaults = {
            "id": customer_id, "source_id": self.source_id, "external_id": str(customer_id),
            "content_hash": "", "name": "Acme", "segment": "mid_market", "touch_tier": "managed",
            "touch_tier_override": "managed", "employees": 150,
            "status": "active", "started_at": ago(400), "onboarded_at": ago(380), "known_at": ago(400),
            "declared": {},
        }  # fmt: skip
        await self.session.execute(insert(CustomerRow).values(defaults | values))
        self.ids.append(customer_id)
        return customer_id

    async def usage(
        self, customer_id: uuid.UUID, day: dt.date, quantity: float, feature: str = "report", users: int = 3
    ) -> None:
        """Add a day of use to the rollup."""
        await self.session.execute(
            insert(UsageDailyRow).values(
                customer_id=customer_id, day=day, feature=feature, events=1, quantity=quantity, users=users
            )
        )

    async def daily_usage(
        self,
        customer_id: uuid.UUID,
        quantity: float,
        days: range,
        feature: str = "report",
        now: BusinessInstant = NOW,
    ) -> None:
        """Add the same use on each day, counted in days before now."""
        rows = [
            {
                "customer_id": customer_id, "day": ago(day, now).date(), "feature": feature, "events": 1,
                "quantity": quantity, "users": 3,
            }
            for day in days
        ]  # fmt: skip
        await self.session.execute(insert(UsageDailyRow), rows)

    async def event(
        self, customer_id: uuid.UUID, occurred_at: BusinessInstant, known_at: BusinessInstant, quantity: float
    ) -> None:
        """Add one usage event, without the rollup."""
        await self.session.execute(
            insert(UsageEventRow).values(
                source_id=self.source_id, message_id=uuid.uuid4().hex, customer_id=customer_id,
                feature="report", quantity=quantity, users=3, occurred_at=occurred_at, known_at=known_at,
                received_at=WALL,
            )
        )  # fmt: skip

    async def fact(self, table: type[Any], customer_id: uuid.UUID, **values: Any) -> uuid.UUID:
        """Add a fact of any other kind."""
        fact_id = uuid.uuid4()
        base = {
            "id": fact_id, "source_id": self.source_id, "external_id": str(fact_id), "content_hash": "",
            "customer_id": customer_id, "received_at": WALL,
        }  # fmt: skip
        await self.session.execute(insert(table).values(base | values))
        return fact_id

    async def ticket(self, customer_id: uuid.UUID, opened_at: BusinessInstant, **values: Any) -> uuid.UUID:
        """Add a ticket known when it was opened."""
        base = {"priority": "medium", "opened_at": opened_at, "known_at": opened_at}
        return await self.fact(TicketRow, customer_id, **(base | values))

    async def invoice(self, customer_id: uuid.UUID, due_at: BusinessInstant, **values: Any) -> uuid.UUID:
        """Add an open invoice, issued a fortnight before it is due."""
        issued = BusinessInstant(due_at - dt.timedelta(days=14))
        base = {
            "currency": "USD", "amount_due_minor": 10000, "status": "open", "issued_at": issued,
            "due_at": due_at, "known_at": issued,
        }  # fmt: skip
        return await self.fact(InvoiceRow, customer_id, **(base | values))

    async def subscription(
        self, customer_id: uuid.UUID, started_at: BusinessInstant, **values: Any
    ) -> uuid.UUID:
        """Add a running subscription."""
        base = {
            "product": "everstay", "status": "active", "mrr_minor": 50000, "currency": "USD",
            "is_trial": False, "started_at": started_at, "known_at": started_at,
        }  # fmt: skip
        return await self.fact(SubscriptionRow, customer_id, **(base | values))

    async def touch(self, customer_id: uuid.UUID, occurred_at: BusinessInstant, **values: Any) -> None:
        """Add a touchpoint."""
        touch_id = uuid.uuid4()
        base = {
            "id": touch_id, "source_id": self.source_id, "external_id": str(touch_id), "content_hash": "",
            "customer_id": customer_id, "direction": "out", "channel": "call", "purpose": "lifecycle",
            "state": "sent", "occurred_at": occurred_at, "known_at": occurred_at,
        }  # fmt: skip
        await self.session.execute(insert(TouchpointRow).values(base | values))

    async def contact(self, customer_id: uuid.UUID, role: str, **values: Any) -> uuid.UUID:
        """Add a contact person in a role, there from the start."""
        contact_id = uuid.uuid4()
        base = {
            "id": contact_id, "source_id": self.source_id, "external_id": str(contact_id),
            "content_hash": "", "name": "Ada", "known_at": LONG_AGO,
        }  # fmt: skip
        await self.session.execute(insert(ContactRow).values(base | values))
        await self.session.execute(
            insert(ContactRoleRow).values(
                id=uuid.uuid4(), customer_id=customer_id, contact_id=contact_id, role=role, since=LONG_AGO
            )
        )
        return contact_id
