"""How soon a customer's payment ends the case of its invoice: simulator, webhook, API, stage, database."""

import asyncio
import time
import uuid
from dataclasses import dataclass

from domain.errors import EverstayError
from domain.time import BusinessInstant, after
from integrations.simulators.control_client import SimulatorControl
from integrations.simulators.stripe.account import STRIPE_KEY, WEBHOOK_SECRET
from models.bench_effects import cases_of_invoices, how_it_ended
from models.ciphers import Cipher
from models.clock import wall_now
from models.connections import Connection, save_connection
from models.database import Database
from models.sources import Source, connect_source
from settings import Settings
from workers.bench.charge_load import owe
from workers.bench.portfolio import BEFORE

SOURCE = "stripe"
PROVIDES = ("customers", "subscriptions", "invoices")
LOOK_SECONDS, OPEN_SECONDS, GIVE_UP_SECONDS = 0.005, 240.0, 60.0


class NoEndError(EverstayError):
    """{what} after {seconds:.0f} s."""


@dataclass(frozen=True)
class Office:
    """The running stack, and the simulated account that is connected to it."""

    settings: Settings
    database: Database
    control: SimulatorControl

    async def connect(self, now: BusinessInstant) -> None:
        """Connect the account, whose events are posted from now on; Everstay tries again what is refused."""
        address = f"{self.settings.simulators_url}/stripe"
        connection = Connection(
            SOURCE,
            SOURCE,
            {"retries": "everstay", "base_url": address},
            {"token": STRIPE_KEY, "webhook_secret": WEBHOOK_SECRET},
        )
        async with self.database.transaction() as session:
            await connect_source(session, Source(SOURCE, "Stripe", SOURCE, PROVIDES, after(now, -BEFORE)))
            await save_connection(session, connection, Cipher(self.settings.signing_key), wall_now())
        url = f"{self.settings.local_url}/webhooks/{SOURCE}"
        await self.control.call("PUT", "/stripe/webhook", {"url": url})

    async def open_cases(self, count: int) -> dict[str, uuid.UUID]:
        """Let so many charges be refused; return the cases that were opened for their invoices."""
        invoices = [one.invoice for one in await owe(self.control, "Late", count)]
        deadline, found = time.monotonic() + OPEN_SECONDS, dict[str, uuid.UUID]()
        while len(found) < count:
            if time.monotonic() > deadline:
                raise NoEndError(what=f"only {len(found)} of {count} cases are open", seconds=OPEN_SECONDS)
            await asyncio.sleep(0.1)
            async with self.database.transaction() as session:
                found = await cases_of_invoices(session, invoices)
        return found

    async def pay_each(self, cases: dict[str, uuid.UUID]) -> list[float]:
        """Let each customer pay, one after the other; return milliseconds until each case has its outcome."""
        return [await self._pay(invoice, case) for invoice, case in cases.items()]

    async def _pay(self, invoice: str, case: uuid.UUID) -> float:
        began = time.perf_counter()
        await self.control.call("POST", "/stripe/pay", {"invoice": invoice})
        while (spent := time.perf_counter() - began) < GIVE_UP_SECONDS:
            async with self.database.transaction() as session:
                outcome = await how_it_ended(session, case)
            if outcome is not None:
                return (time.perf_counter() - began) * 1000
            await asyncio.sleep(LOOK_SECONDS)
        raise NoEndError(what=f"the case of {invoice} goes on though it was paid", seconds=spent)
