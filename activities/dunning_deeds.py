"""The deeds of a dunning case: one charge, the end of a subscription, an invoice that is written off."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from activities.deeds import Doing
from domain.billing import BillingProvider, InvoiceEvidence, InvoiceStatus, PaymentResult
from domain.dunning_charges import against_charge
from domain.dunning_state import Sight
from domain.ports import Clock
from domain.time import BusinessInstant
from domain.vocabulary import DecisionKind, EffectState, StepState
from models.case_steps import CaseVisit
from models.cases import StoredCase, read_case
from models.database import Session
from models.deed_places import CasePlace
from models.deeds import Deed, Outcome
from models.dunnings import DunnedInvoice, load_dunning, policy_of
from models.effects import Effect
from models.payment_attempts import note_ours
from models.send_ledger import Become

PAYMENT, SUBSCRIPTION, WRITE_OFF = "payment", "subscription", "write_off"
"""Kinds of effect, for the ledger."""


@dataclass(frozen=True)
class Charge:
    """One deed for one invoice, with the evidence that was asked for just before it."""

    visit: CaseVisit
    case: StoredCase
    invoice: DunnedInvoice
    evidence: InvoiceEvidence | None
    provider: BillingProvider
    clock: Clock

    @property
    def place(self) -> CasePlace:
        """Where its deed is recorded."""
        return CasePlace(self.visit)

    async def against_charge(self, session: Session, now: BusinessInstant) -> str | None:
        """Say what speaks against the charge at this moment."""
        if self.evidence is None:
            return "no_longer_open"
        case = await read_case(session, self.case.id)
        state = await load_dunning(session, case, self.invoice, self.evidence, now)
        return against_charge(Sight(state, self.evidence, policy_of(case), now))

    async def against_ending(self, _session: Session, _now: BusinessInstant) -> str | None:
        """Say what speaks against the final action: the invoice is not owed any more."""
        evidence = self.evidence
        if evidence is None or evidence.status is not InvoiceStatus.OPEN:
            return "no_longer_open"
        return "payment_under_way" if evidence.pending else None


def collecting(charge: Charge) -> Doing[PaymentResult]:
    """Return how the card on file is charged once."""
    provider, key, evidence = charge.provider, charge.invoice.key, charge.evidence

    async def call(delivery_id: str) -> PaymentResult:
        return await provider.collect(key, delivery_id)

    async def look_up(effect: Effect) -> PaymentResult | None:
        return await provider.find_collection(key, charge.clock.business_at(effect.first_claimed_at))

    async def record(session: Session, effect: Effect, result: PaymentResult) -> None:
        assert evidence is not None  # noqa: S101 - nothing is charged without
        now = charge.clock.now()
        await note_ours(session, charge.invoice.id, charge.case.id, effect.key, evidence, result, now)

    return Doing(
        Deed(charge.place, PAYMENT, key, provider.name),
        charge.against_charge,
        call,
        look_up,
        provider.remembers_for,
        judge_payment,
        record,
    )


def judge_payment(result: PaymentResult) -> Outcome:
    """Return what an answer means for ledger and record: a refusal of the card is an answer too."""
    if result.succeeded or result.pending:
        reason = None if result.succeeded else "pending"
        return Outcome(EffectState.CONFIRMED, Become(StepState.DONE, reason), result.key or None)
    code = result.decline.code if result.decline is not None else ""
    reason = "needs_customer" if result.needs_customer else code or "declined"
    sentence = f"The charge was refused: {reason.replace('_', ' ')}."
    become = Become(StepState.DONE, reason, None, DecisionKind.DIRECTIVE, sentence)
    return Outcome(EffectState.CONFIRMED, become, result.key or None)


def ending_the_subscription(charge: Charge) -> Doing[str]:
    """Return how the final action is carried out on the subscription."""
    provider, evidence = charge.provider, charge.evidence
    action = policy_of(charge.case).final_action
    key = (evidence.subscription_key if evidence is not None else None) or ""

    async def call(delivery_id: str) -> str:
        await provider.end_subscription(key, action, delivery_id, "The invoice was not paid.")
        return action.value

    def is_done(now: InvoiceEvidence) -> bool:
        return now.subscription_status in ENDED_STATES

    deed = Deed(charge.place, SUBSCRIPTION, key, provider.name, {"action": action.value})
    return _final(charge, deed, call, is_done)


ENDED_STATES = frozenset({"canceled", "paused"})


def writing_off(charge: Charge) -> Doing[str]:
    """Return how an invoice is marked as uncollectible."""
    provider, key = charge.provider, charge.invoice.key

    async def call(delivery_id: str) -> str:
        await provider.write_off(key, delivery_id)
        return WRITE_OFF

    def is_done(now: InvoiceEvidence) -> bool:
        return now.status is InvoiceStatus.UNCOLLECTIBLE

    return _final(charge, Deed(charge.place, WRITE_OFF, key, provider.name), call, is_done)


def _final(
    charge: Charge,
    deed: Deed,
    call: Callable[[str], Awaitable[str]],
    is_done: Callable[[InvoiceEvidence], bool],
) -> Doing[str]:
    async def look_up(_effect: Effect) -> str | None:
        now = await charge.provider.invoice(charge.invoice.key)
        return deed.kind if now is not None and is_done(now) else None

    async def record(_session: Session, _effect: Effect, _result: str) -> None:
        """Nothing else changes."""

    return Doing(
        deed,
        charge.against_ending,
        call,
        look_up,
        charge.provider.remembers_for,
        lambda _done: Outcome(EffectState.CONFIRMED, Become(StepState.DONE)),
        record,
    )
