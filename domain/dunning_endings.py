"""How a case ends by what the provider says of its invoice, and who made the payment."""

from domain.billing import InvoiceEvidence, InvoiceStatus, Retries
from domain.case_vocabulary import AttemptResult, CaseOutcome, PaidBy
from domain.dunning_state import DunningEnding, DunningState
from domain.time import BusinessInstant


def paid_or_void(
    state: DunningState, evidence: InvoiceEvidence, now: BusinessInstant
) -> DunningEnding | None:
    """Return how the case ends where the provider says so."""
    if evidence.status is InvoiceStatus.PAID:
        was_refused = bool(state.attempts) or evidence.attempts > 1
        return paid_ending(state, evidence.attempts, is_early=now < evidence.due_at and not was_refused)
    if evidence.status in {InvoiceStatus.VOID, InvoiceStatus.DRAFT}:
        return DunningEnding(CaseOutcome.STOPPED, "The invoice is void: nothing is owed any more.")
    if evidence.status is InvoiceStatus.UNCOLLECTIBLE:
        return DunningEnding(CaseOutcome.WRITTEN_OFF, "The invoice was written off at the provider.")
    return None


def paid_ending(state: DunningState, attempts_counted: int, *, is_early: bool) -> DunningEnding:
    """Return the end of a paid invoice, and say who made the payment."""
    by = _who_paid(state, attempts_counted)
    if is_early:
        sentence = "The invoice was paid before it was due: nothing had to be recovered."
        return DunningEnding(CaseOutcome.STOPPED, sentence, by)
    return DunningEnding(CaseOutcome.RECOVERED, f"The invoice is paid: {PAID_BY[by]}.", by)


PAID_BY = {
    PaidBy.EVERSTAY: "an attempt of ours succeeded",
    PaidBy.PROVIDER: "an attempt of the provider succeeded",
    PaidBy.CUSTOMER: "the customer paid by themselves",
}


def _who_paid(state: DunningState, attempts_counted: int) -> PaidBy:
    mine = [one for one in state.attempts if one.result is AttemptResult.SUCCEEDED]
    if mine and mine[-1].at >= state.memory.anchored_at:
        return mine[-1].by
    tried = state.retries is Retries.PROVIDER and attempts_counted > state.memory.attempts_seen
    return PaidBy.PROVIDER if tried else PaidBy.CUSTOMER
