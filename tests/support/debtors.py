"""A customer whose invoice is not paid: told as facts, with its case looked at from outside."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select

from domain.dunning_policy import DunningPolicy
from domain.time import BusinessInstant
from models.ciphers import Cipher
from models.connections import Connection, save_connection
from models.dunning_policies import save_dunning_policy
from models.facts import store_facts
from models.tables.cases import CaseRow, DunningRow, PaymentAttemptRow
from models.tables.facts import InvoiceRow
from models.tables.ledger import DecisionRow
from models.tables.work import TaskRow
from tests.support.billing import MemoryBilling
from tests.support.facts import connect, invoice
from tests.support.loop import Loop
from tests.support.scenario import Scenario

BILLING = "billing"


class Debtor:
    """One customer that owes one invoice."""

    def __init__(self, loop: Loop, scene: Scenario) -> None:
        self.loop, self.scene = loop, scene

    @property
    def till(self) -> MemoryBilling:
        """The provider."""
        return self.loop.billing

    async def begin(self, *, retries: str = "everstay", policy: DunningPolicy | None = None) -> "Debtor":
        """Connect a billing provider, with a policy of its own where one is given."""
        now = self.loop.clock.now()
        await connect(self.loop.database, BILLING, provides=("invoices",), at=_earlier(now, 1))
        connection = Connection(BILLING, "stripe", {"retries": retries}, {"token": "none"})
        async with self.loop.database.transaction() as session:
            await save_connection(session, connection, Cipher("a secret"), self.loop.clock.wall_now())
            if policy is not None:
                await save_dunning_policy(session, policy, None, now)
        return self

    async def tell(self, key: str = "in_1", **more: Any) -> None:
        """Tell of the invoice as the provider has it now, as a webhook does, and let it be heard."""
        found, now = self.till.invoices[key], self.loop.clock.now()
        told = {
            "known_at": now,
            "number": "R-117",
            "amount_due_minor": found.due_minor,
            "amount_paid_minor": found.paid_minor,
            "status": found.status.value,
            "issued_at": found.issued_at,
            "due_at": found.due_at,
            "failed_attempts": found.attempts,
        }
        if found.status.value == "paid":
            told |= {"paid_at": now, "paid_known_at": now}
        async with self.loop.database.transaction() as session:
            fact = invoice(key, **told | more)
            result = await store_facts(session, BILLING, [fact], received_at=self.loop.clock.wall_now())
            assert not result.problems, result.problems
        await self.hear()

    async def hear(self) -> None:
        """Let everything be heard that waits, and have what was ordered carried out."""
        await self.loop.ring()
        await self.loop.decided(self.scene.customer_id)
        await self.loop.carry_out()

    async def owe(self, **values: object) -> None:
        """Have a charge refused, and tell of it."""
        self.till.owe(**values)  # type: ignore[arg-type]  # values are the test's
        await self.tell()

    async def case(self) -> CaseRow:
        """Return its only case."""
        async with self.loop.database.transaction() as session:
            return (await session.scalars(select(CaseRow))).one()

    async def cases(self) -> int:
        """Return how many cases there are."""
        async with self.loop.database.transaction() as session:
            return len((await session.scalars(select(CaseRow))).all())

    async def dunning(self) -> DunningRow:
        """Return what is kept of its money."""
        async with self.loop.database.transaction() as session:
            return (await session.scalars(select(DunningRow))).one()

    async def attempts(self) -> Sequence[PaymentAttemptRow]:
        """Return every attempt that is known, the oldest first."""
        async with self.loop.database.transaction() as session:
            row = PaymentAttemptRow
            return (await session.scalars(select(row).order_by(row.made_at, row.number))).all()

    async def note_attempts(self, card: str, brand: str, instants: Sequence[BusinessInstant]) -> None:
        """Have one card charged for another invoice, as often as given."""
        self.till.owe("in_0")
        async with self.loop.database.transaction() as session:
            fact = invoice("in_0", status="void", known_at=self.loop.clock.now())
            await store_facts(session, BILLING, [fact], received_at=self.loop.clock.wall_now())
            found = await session.scalar(select(InvoiceRow.id).where(InvoiceRow.external_id == "in_0"))
            for number, at in enumerate(instants, 1):
                await session.execute(
                    insert(PaymentAttemptRow).values(
                        id=uuid.uuid4(),
                        invoice_id=found,
                        number=number,
                        by="provider",
                        card_key=card,
                        card_brand=brand,
                        amount_minor=1,
                        currency="USD",
                        result="declined",
                        made_at=at,
                    )
                )

    async def tasks(self) -> Sequence[TaskRow]:
        """Return what people are asked."""
        async with self.loop.database.transaction() as session:
            return (await session.scalars(select(TaskRow).where(TaskRow.kind == "payment"))).all()

    async def decisions(self, kind: str) -> list[DecisionRow]:
        """Return what was decided in its case."""
        async with self.loop.database.transaction() as session:
            row = DecisionRow
            query = select(row).where(row.case_id.is_not(None), row.kind == kind)
            return list((await session.scalars(query.order_by(row.id))).all())

    def letters(self) -> list[str]:
        """Return the subjects of what was sent, in order."""
        return [message.subject for message in self.loop.sender.accepted]


def _earlier(now: BusinessInstant, days: float) -> BusinessInstant:
    return BusinessInstant(now - dt.timedelta(days=days))
