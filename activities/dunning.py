"""Unpaid invoices: fresh evidence from the provider, the rules, and one charge, letter or final action."""

from dataclasses import dataclass, replace

from temporalio.exceptions import ApplicationError

from activities.billing_calls import OpenBilling, asking
from activities.contracts_cases import LETTER, CaseOrder
from activities.deeds import Deeds
from activities.dunning_deeds import Charge, collecting, ending_the_subscription, writing_off
from domain.billing import BillingProvider, InvoiceEvidence
from domain.dunning import LOOK_AGAIN, decide_dunning
from domain.dunning_state import DEEDS, DunningRuling, DunningStep
from domain.errors import NotFoundError, PermanentProviderError
from domain.ports import Clock
from domain.time import BusinessInstant, WallInstant, after
from models.case_letters import CasePost
from models.case_steps import CaseVisit
from models.cases import CaseEnding, CaseProgress, CaseStep, StoredCase, read_case
from models.database import Database, Session
from models.dunning_letters import write_letter
from models.dunning_questions import ask_a_person, note_planned
from models.dunnings import (
    DunnedInvoice,
    invoice_of,
    load_dunning,
    memory_of,
    policy_of,
    write_dunning,
)
from models.payment_doubts import note_doubts
from models.posts import Post


@dataclass(frozen=True)
class Seen:
    """What a look at the provider has shown."""

    invoice: DunnedInvoice
    evidence: InvoiceEvidence | None = None
    problem: str | None = None
    """Why the provider cannot be asked at all, as a sentence."""


class DunningMotion:
    """How cases of unpaid invoices are handled."""

    def __init__(self, database: Database, clock: Clock, open_billing: OpenBilling) -> None:
        """Take the system of record, both times, and how the account of a source is opened."""
        self._database, self._clock, self._open = database, clock, open_billing
        self._deeds = Deeds(database, clock)

    async def look(self, case: StoredCase) -> Seen:
        """Ask the provider how the invoice stands. What it can never answer holds the case, and says why."""
        async with self._database.transaction() as session:
            invoice = await invoice_of(session, case.id)
        try:
            async with asking(), self._open(invoice.source_id) as provider:
                return Seen(invoice, await provider.invoice(invoice.key))
        except (NotFoundError, PermanentProviderError) as error:
            return Seen(invoice, problem=f"The billing provider cannot be asked: {error}")

    async def decide(
        self, session: Session, case: StoredCase, seen: Seen, now: BusinessInstant, _wall: WallInstant
    ) -> CaseProgress:
        """Decide what comes next, and keep it with the case."""
        if seen.problem is not None:
            return _held(case, seen.problem, now)
        await note_doubts(session, case, seen.invoice, seen.evidence)
        state = await load_dunning(session, case, seen.invoice, seen.evidence, now)
        ruling = decide_dunning(state, seen.evidence, policy_of(case), now)
        await write_dunning(session, case.id, ruling.memory, seen.evidence, ruling.ending)
        if ruling.question is not None:
            await ask_a_person(session, case, ruling.question, now)
        if ruling.planned is not None:
            await note_planned(session, case, ruling, now)
        return _progress(ruling)

    async def perform(self, order: CaseOrder) -> str:
        """Charge, end or write off, under the effect ledger."""
        async with self._database.transaction() as session:
            case = await read_case(session, order.case_id)
            invoice = await invoice_of(session, order.case_id)
        visit = CaseVisit(order.case_id, order.step, order.occurrence)
        async with self._open(invoice.source_id) as provider:
            evidence = await _evidence(provider, invoice.key)
            charge = Charge(visit, case, invoice, evidence, provider, self._clock)
            if order.kind == DunningStep.END_SUBSCRIPTION:
                return await self._deeds.do(ending_the_subscription(charge))
            if order.kind == DunningStep.WRITE_OFF:
                return await self._deeds.do(writing_off(charge))
            return await self._deeds.do(collecting(charge))

    def post(self, order: CaseOrder) -> Post:
        """Return the letter of an order."""
        return CasePost(CaseVisit(order.case_id, order.step, order.occurrence), write_letter)


async def _evidence(provider: BillingProvider, key: str) -> InvoiceEvidence | None:
    """Return the invoice just before something is done for it; what is refused for good ends the attempt."""
    try:
        async with asking():
            return await provider.invoice(key)
    except PermanentProviderError:
        raise ApplicationError(REFUSED, non_retryable=True) from None


REFUSED = "the billing provider refuses to tell of the invoice"


def _held(case: StoredCase, problem: str, now: BusinessInstant) -> CaseProgress:
    """Hold the case while its provider cannot be asked; its schedule waits with it."""
    memory = memory_of(case)
    if memory.halted_at is None:
        memory = memory.model_copy(update={"halted_at": now})
    return CaseProgress(
        memory.model_dump(mode="json"),
        case.stage,
        problem,
        wake_at=after(now, LOOK_AGAIN),
        held_reason=problem,
    )


def _progress(ruling: DunningRuling) -> CaseProgress:
    """Return a ruling as every case keeps it."""
    progress = CaseProgress(
        ruling.memory.model_dump(mode="json"),
        ruling.stage,
        ruling.sentence,
        wake_at=ruling.wake_at,
        held_reason=ruling.held,
    )
    if ruling.ending is not None:
        return replace(progress, ending=CaseEnding(ruling.ending.outcome, ruling.ending.sentence))
    if ruling.step is not None:
        kind = ruling.step.value if ruling.step in DEEDS else LETTER
        return replace(progress, step=CaseStep(kind, ruling.step.value, ruling.occurrence))
    return progress
