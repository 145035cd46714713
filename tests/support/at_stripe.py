"""A simulated Stripe over HTTP, and a company there that owes or has left, with its case and a letter."""

import datetime as dt
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import DiscountOrder, DiscountReceipt
from domain.case_vocabulary import CaseKind, CaseOutcome, CaseState, OfferState
from domain.facts import Fact
from domain.labels import Cause
from domain.links import BillingLink, LinkMaker
from domain.time import BusinessInstant, after
from domain.timeline import AS_TOLD
from domain.vocabulary import Channel, CustomerStatus, Direction, EffectState, Purpose, TouchpointState
from integrations.billing import open_billing
from integrations.simulators.providers import Simulated
from integrations.simulators.server import SimulatorOptions, simulator_server
from integrations.simulators.stripe.account import STRIPE_KEY, SimulatedStripe
from models.ciphers import Cipher
from models.clock import start_clock, wall_now
from models.connections import Connection, save_connection
from models.database import Database
from models.dunnings import open_dunning
from models.facts import store_facts
from models.sources import Source, connect_source
from models.tables.cases import CaseRow, WinBackRow
from models.tables.customers import ContactRow, CustomerRow
from models.tables.facts import InvoiceRow
from models.tables.ledger import EffectRow, TouchpointRow
from models.tables.runs import OfferRow
from models.tables.system import InstallationRow
from tests.support import facts
from tests.support.postgres import free_port
from tests.support.web import SIGNING_KEY
from tests.workers.embedded.support import wait_until

NOON = BusinessInstant(dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC))
LONG_AGO = after(NOON, dt.timedelta(days=-200))
BILLING = "billing"
LINKS = LinkMaker("", SIGNING_KEY)


@dataclass(frozen=True)
class StripeBeside:
    """The simulated account, on a thread of its own: clients of tests hold the loop while they wait."""

    url: str
    http: httpx.Client
    simulated: Simulated

    def turn(self, path: str, method: str = "POST", body: Any = None) -> Any:
        """Pull one of its strings."""
        answer = self.http.request(method, f"/_control/stripe/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def asked(self) -> list[str]:
        """Return what was asked of it, and forget it."""
        asked = list(self.simulated.asked)
        self.simulated.asked.clear()
        return asked

    def company(self, *results: str) -> dict[str, str]:
        """Return the ids of a company, with an invoice whose first charge had the first result."""
        made: dict[str, str] = self.turn("companies", body={"name": "Acme", "card": {"results": results}})
        if results:
            made["invoice"] = self.turn(f"subscriptions/{made['subscription']}/next-invoice")["id"]
        return made


@contextmanager
def stripe_beside(home: Path) -> Iterator[StripeBeside]:
    """Run it until the end."""
    simulated = Simulated(SimulatedStripe([]))
    options = SimulatorOptions(home=home, port=free_port(), simulations={"stripe": simulated})
    server = simulator_server(options)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, "the simulated Stripe listens")
    url = f"http://127.0.0.1:{server.config.port}"
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        yield StripeBeside(url, http, simulated)
    server.should_exit = True
    thread.join()


@dataclass(frozen=True)
class CaseAtStripe:
    """One case, and whoever got its letter today."""

    case_id: uuid.UUID
    customer_id: uuid.UUID
    contact_id: uuid.UUID
    made: dict[str, str]
    receipt: DiscountReceipt | None = None

    def url(self, days_ago: int = 0) -> str:
        """Return the link of a letter of so many days ago."""
        day = NOON.date() - dt.timedelta(days=days_ago)
        return LINKS.billing(BillingLink(self.case_id, self.contact_id, day))


async def be_noon(database: Database) -> None:
    """Set the clock, before anybody reads it."""
    async with database.transaction() as session:
        await start_clock(session, wall_now(), at=NOON)


async def owing(database: Database, stripe: StripeBeside) -> CaseAtStripe:
    """Have a company owe an invoice, of which a case writes."""
    made = stripe.company("insufficient_funds", "ok")
    due = {"currency": "EUR", "issued_at": LONG_AGO, "due_at": NOON, "failed_attempts": 1}
    told = {"customer": made["customer"], "known_at": NOON, "number": "R-117"}
    bill = facts.invoice(made["invoice"], **due, **told)
    async with database.transaction() as session:
        await _begin(session, stripe, made, bill)
        invoice_id = await session.scalar(select(InvoiceRow.id))
        assert invoice_id is not None
        case_id = await open_dunning(session, invoice_id, "A charge was refused.", NOON, wall_now())
        assert case_id is not None
        return await _written_to(session, case_id, made)


async def left(database: Database, stripe: StripeBeside, *, percent: float | None = 10) -> CaseAtStripe:
    """Have a company leave, whom a case offers a discount."""
    made = stripe.company()
    ends = f"/stripe/v1/subscriptions/{made['subscription']}"
    assert stripe.http.delete(ends, headers={"Authorization": f"Bearer {STRIPE_KEY}"}).is_success
    receipt = await _discount(stripe, made, percent) if percent is not None else None
    async with database.transaction() as session:
        had = facts.subscription(
            made["subscription"], customer=made["customer"], known_at=LONG_AGO, started_at=LONG_AGO
        )
        await _begin(session, stripe, made, had)
        await session.execute(update(CustomerRow).values(status=CustomerStatus.CHURNED))
        customer_id = await session.scalar(select(CustomerRow.id))
        assert customer_id is not None
        case_id = await _win_back(session, customer_id)
        if receipt is not None:
            await _offer(session, case_id, customer_id, receipt)
        return await _written_to(session, case_id, made, receipt)


async def end_case(database: Database, outcome: CaseOutcome) -> None:
    """Let the only case be over."""
    async with database.transaction() as session:
        over = {"state": CaseState.ENDED, "outcome": outcome, "ended_at": NOON}
        await session.execute(update(CaseRow).values(over))


async def _begin(session: AsyncSession, stripe: StripeBeside, made: dict[str, str], fact: Fact) -> None:
    names = {"company_name": "Vendor", "product_name": "Northwind", "holdout_salt": "salt"}
    await session.execute(insert(InstallationRow).values(id=1, **names))
    await connect_source(session, Source(BILLING, "Billing", "stripe", ("invoices",), LONG_AGO))
    options = {"base_url": f"{stripe.url}/stripe", "clock": "business"}
    connection = Connection(BILLING, "stripe", options, {"token": STRIPE_KEY})
    await save_connection(session, connection, Cipher(SIGNING_KEY), wall_now())
    company = facts.customer(made["customer"], name="Acme & Söhne", known_at=LONG_AGO, currency="EUR")
    ann = facts.contact(
        customer=made["customer"], known_at=LONG_AGO, since=LONG_AGO, email="ann@acme.example"
    )
    result = await store_facts(session, BILLING, [company, ann, fact], received_at=wall_now())
    assert not result.problems, result.problems


async def _discount(stripe: StripeBeside, made: dict[str, str], percent: float) -> DiscountReceipt:
    options, secrets = {"base_url": f"{stripe.url}/stripe"}, {"token": STRIPE_KEY}
    async with open_billing("stripe", options, secrets, AS_TOLD) as provider:
        return await provider.grant(DiscountOrder("d1", made["customer"], "Come back", percent, months=3))


async def _win_back(session: AsyncSession, customer_id: uuid.UUID) -> uuid.UUID:
    case_id = uuid.uuid4()
    case = {"id": case_id, "kind": CaseKind.WIN_BACK, "customer_id": customer_id, "subject": "left"}
    state = {"workflow_id": "win-back/1", "state": CaseState.OPEN, "stage": "letter_3", "opened_at": NOON}
    await session.execute(insert(CaseRow).values(**case, **state, policy={}, memory={}))
    told = {"case_id": case_id, "number": 1, "cause": Cause.INVOLUNTARY, "cancelled_at": NOON}
    money = {"lost_arr_minor": 480_000, "currency": "EUR", "is_held_out": False}
    await session.execute(insert(WinBackRow).values(**told, **money))
    return case_id


async def _offer(
    session: AsyncSession, case_id: uuid.UUID, customer_id: uuid.UUID, receipt: DiscountReceipt
) -> None:
    await session.execute(
        insert(OfferRow).values(
            id=uuid.uuid4(), customer_id=customer_id, case_id=case_id, effect_key=f"case/{case_id}/grant/1/",
            kind="discount", title="10 % off for 3 months", percent=10, months=3, currency="EUR",
            state=OfferState.GRANTED, proposed_at=NOON, decided_at=NOON, source_id=BILLING,
            provider_key=receipt.key, code=receipt.code, expires_at=after(NOON, dt.timedelta(days=20)),
        )
    )  # fmt: skip


async def _written_to(
    session: AsyncSession, case_id: uuid.UUID, made: dict[str, str], receipt: DiscountReceipt | None = None
) -> CaseAtStripe:
    """Write the letter that the link was in."""
    contact_id = await session.scalar(select(ContactRow.id))
    customer_id = await session.scalar(select(CustomerRow.id))
    assert contact_id is not None
    assert customer_id is not None
    key = f"case/{case_id}/letter/1/{contact_id}"
    await session.execute(
        insert(EffectRow).values(
            key=key, delivery_id=uuid.uuid4().hex, kind="email", payload_hash="0", customer_id=customer_id,
            state=EffectState.SENT, attempts=1, claimed_at=wall_now(), provider="sendgrid",
        )
    )  # fmt: skip
    await session.execute(
        insert(TouchpointRow).values(
            id=uuid.uuid4(), source_id=BILLING, external_id=key, content_hash="0", customer_id=customer_id,
            contact_id=contact_id, case_id=case_id, effect_key=key, direction=Direction.OUT,
            channel=Channel.EMAIL, purpose=Purpose.TRANSACTIONAL, state=TouchpointState.SENT,
            occurred_at=NOON, known_at=NOON,
        )
    )  # fmt: skip
    return CaseAtStripe(case_id, customer_id, contact_id, made, receipt)
