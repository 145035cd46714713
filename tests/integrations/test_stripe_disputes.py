"""A dispute that Stripe tells of, and its end, have the invoice's case look again: no fact has changed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select
from temporalio.testing import ActivityEnvironment

from activities.contracts_pulls import PullStreamInput
from domain.webhook_messages import Envelope
from integrations.simulators.providers import Simulated
from integrations.simulators.server import SimulatorOptions
from integrations.simulators.stripe.account import SimulatedStripe
from integrations.stripe_client import EVENTS
from models.asked_objects import ASKED
from models.clock import open_clock, wall_now
from models.database import Database
from models.deliveries import receive_delivery
from models.dunnings import open_dunning
from models.tables.facts import InvoiceRow
from models.tables.workflows import WorkflowOrderRow
from tests.support.pulls import CIPHER, activities_of, connect, pull
from tests.support.simulators import Receiver, running_receiver, running_simulators, until
from workers.delivery_stage import DeliveryStage

pytestmark = pytest.mark.integration
SOURCE = "stripe"


@dataclass
class Account:
    """The simulated account, whose webhooks reach a receiver of the test."""

    database: Database
    http: httpx.AsyncClient
    receiver: Receiver

    async def turn(self, path: str, **told: Any) -> Any:
        answer = await self.http.post(f"/_control/stripe/{path}", json=told)
        assert answer.is_success, answer.text
        return answer.json()

    async def charge_of(self, invoice: str) -> str:
        """Return the one charge of an invoice; the simulator lets a refused one be disputed too."""
        held = (await self.http.get("/_control/stripe/charges")).json()
        return str(next(charge["id"] for charge in held if charge["invoice"] == invoice))

    async def tell(self, topic: str) -> None:
        """Take in the webhook that Stripe has posted about this, as our address for them does."""

        def bodies() -> list[bytes]:
            return [body for _, body in self.receiver.requests if f'"type":"{topic}"'.encode() in body]

        await until(lambda: bool(bodies()))
        async with self.database.transaction() as session:
            await receive_delivery(session, SOURCE, Envelope(topic, None), bodies()[-1], None, wall_now())
        stage = DeliveryStage(self.database, await open_clock(self.database), CIPHER)
        assert await stage.settle_all() == 1


@pytest.fixture
async def account(database: Database, tmp_path: Path) -> AsyncIterator[Account]:
    options = SimulatorOptions(tmp_path, 0, simulations={SOURCE: Simulated(SimulatedStripe([]))})
    receiver = Receiver()
    async with (
        running_simulators(options) as url,
        running_receiver(receiver) as here,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=30.0) as http,
    ):
        await connect(database, SOURCE, url, customers=True)
        told = await http.put("/_control/stripe/webhook", json={"url": here})
        assert told.is_success, told.text
        yield Account(database, http, receiver)


async def rung_by(account: Account, stream: str) -> int:
    """Forget what was ordered so far, read one stream, and return how often a case is rung then."""
    async with account.database.transaction() as session:
        await session.execute(delete(WorkflowOrderRow))
    activities = await activities_of(account.database)
    await ActivityEnvironment().run(activities.pull_stream, PullStreamInput(SOURCE, stream))
    async with account.database.transaction() as session:
        rung = await session.scalars(select(WorkflowOrderRow.case_id))
        return len([one for one in rung if one is not None])


async def test_a_dispute_and_its_end_ring_the_case(account: Account) -> None:
    made = await account.turn("companies", name="Acme", card={"results": ["approved", "insufficient_funds"]})
    invoice = (await account.turn(f"subscriptions/{made['subscription']}/next-invoice"))["id"]
    await pull(account.database, SOURCE)
    clock = await open_clock(account.database)
    async with account.database.transaction() as session:
        mine = select(InvoiceRow.id).where(InvoiceRow.external_id == invoice)
        invoice_id = (await session.scalars(mine)).one()
        assert await open_dunning(session, invoice_id, "It is not paid.", clock.now(), clock.wall_now())
    assert await rung_by(account, ASKED) == 0
    dispute = await account.turn("disputes", charge=await account.charge_of(invoice))
    await account.tell("charge.dispute.created")
    assert await rung_by(account, ASKED) == 1
    assert await rung_by(account, ASKED) == 0
    await account.turn(f"disputes/{dispute['id']}/close", status="won")
    await account.tell("charge.dispute.closed")
    assert await rung_by(account, ASKED) == 1
    assert await rung_by(account, EVENTS) == 1, "who gets no webhooks hears of it by the next pull"
