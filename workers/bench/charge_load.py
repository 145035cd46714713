"""Charges unpaid invoices at the simulated Stripe: through the ledger, with and without faults, and bare."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from activities.deeds import Deeds, Doing
from activities.dunning_deeds import PAYMENT, judge_payment
from domain.billing import BillingProvider, PaymentResult
from domain.ports import Clock
from domain.time import BusinessInstant
from integrations.simulators.control_client import SimulatorControl
from models.case_steps import CaseVisit
from models.database import Database, Session
from models.deed_places import CasePlace
from models.deeds import Deed
from models.effects import Effect
from workers.bench.effect_load import AT_ONCE, Spent, timed, until_done

STEP = "charge"
REFUSED_ONCE = ("insufficient_funds", "ok")
"""From the second invoice on: one that is not paid from the first on is void after a day."""
REFUSED_AGAIN = ("insufficient_funds", "insufficient_funds", "ok")
"""The provider's own charge and ours are refused; one too many would be another charge, and succeed."""


@dataclass(frozen=True)
class Owed:
    """One unpaid invoice, and who owes it at the provider."""

    customer: str
    invoice: str


async def owe(
    control: SimulatorControl, name: str, count: int, results: Sequence[str] = REFUSED_ONCE
) -> list[Owed]:
    """Make so many companies whose newest invoice was refused."""
    found = []
    for number in range(count):
        company = {
            "name": f"{name} {number}",
            "card": {"results": list(results)},
            "interval": "year",  # nothing else falls due meanwhile
        }
        made = await control.call("POST", "/stripe/companies", company)
        late = await control.call("POST", f"/stripe/subscriptions/{made['subscription']}/next-invoice")
        found.append(Owed(made["customer"], late["id"]))
    return found


@dataclass(frozen=True)
class Till:
    """Where charges are made, and where they are written down."""

    database: Database
    clock: Clock
    provider: BillingProvider

    async def charge(self, cases: Sequence[uuid.UUID], owed: Sequence[Owed], at_once: int = AT_ONCE) -> Spent:
        """Charge an invoice for each case, repeating an attempt when its own error says so."""
        deeds = Deeds(self.database, self.clock)
        doings = [self._doing(case, one.invoice) for case, one in zip(cases, owed, strict=True)]
        return await timed([partial(until_done, partial(deeds.do, one)) for one in doings], at_once)

    async def charge_bare(self, owed: Sequence[Owed]) -> Spent:
        """Charge invoices by the same adapter and nothing else."""
        return await timed([partial(self.provider.collect, one.invoice, uuid.uuid4().hex) for one in owed])

    def _doing(self, case_id: uuid.UUID, invoice: str) -> Doing[PaymentResult]:
        provider = self.provider

        async def look_up(effect: Effect) -> PaymentResult | None:
            return await provider.find_collection(invoice, self.clock.business_at(effect.first_claimed_at))

        return Doing(
            Deed(CasePlace(CaseVisit(case_id, STEP)), PAYMENT, invoice, provider.name),
            _nothing_against,
            lambda delivery_id: provider.collect(invoice, delivery_id),
            look_up,
            provider.remembers_for,
            judge_payment,
            _nothing_else,
        )


async def _nothing_against(_session: Session, _now: BusinessInstant) -> str | None:
    return None


async def _nothing_else(_session: Session, _effect: Effect, _result: PaymentResult) -> None:
    """Keep nothing beside the ledger: these invoices are known to the provider alone."""
