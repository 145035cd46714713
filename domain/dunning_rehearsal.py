"""What a policy would do with an invoice that is never paid: our decisions, look by look, ahead of time."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

from domain.billing import Collection, Decline, InvoiceEvidence, InvoiceStatus, PaymentMethod, Retries
from domain.case_vocabulary import AttemptResult, PaidBy
from domain.dunning import decide_dunning, first_memory
from domain.dunning_policy import DunningPolicy
from domain.dunning_schedule import CardUse, Place
from domain.dunning_state import Attempt, DunningEnding, DunningRuling, DunningState, DunningStep
from domain.time import BusinessInstant, after

MOST_LOOKS = 2_000
"""The longest policy, a look a day, comes to fewer."""
CARD = "a card"


@dataclass(frozen=True)
class SampleInvoice:
    """An invoice that is only imagined. Money in minor units."""

    amount_minor: int
    currency: str
    at: BusinessInstant
    """When its charge is refused, or when a transfer is due."""
    code: str = ""
    """Why its card is refused, each time; empty for one that is paid by transfer."""

    @property
    def collection(self) -> Collection:
        """How it is paid."""
        return Collection.CHARGE if self.code else Collection.TRANSFER


@dataclass(frozen=True)
class RehearsedStep:
    """Something that would be done, or the end."""

    at: BusinessInstant
    step: DunningStep | None
    ending: DunningEnding | None = None


def rehearse_dunning(sample: SampleInvoice, policy: DunningPolicy, place: Place) -> Iterator[RehearsedStep]:
    """Yield each step as `decide_dunning` would order it, and the end."""
    now = sample.at if sample.code else after(sample.at, -policy.remind_before)
    state = _opened(sample, place, now)
    for _ in range(MOST_LOOKS):
        ruling = decide_dunning(state, _evidence(sample, state), policy, now)
        state = replace(state, memory=ruling.memory)
        if ruling.ending is not None:
            yield RehearsedStep(now, None, ruling.ending)
            return
        if ruling.step is not None:
            yield RehearsedStep(now, ruling.step)
        state, now = _done(sample, state, ruling, now)


def _opened(sample: SampleInvoice, place: Place, now: BusinessInstant) -> DunningState:
    memory = first_memory(sample.amount_minor, sample.at)
    state = DunningState(CARD, memory, Retries.EVERSTAY, place=place)
    return _refused(sample, state, now) if sample.code else state


def _done(
    sample: SampleInvoice, state: DunningState, ruling: DunningRuling, now: BusinessInstant
) -> tuple[DunningState, BusinessInstant]:
    """Return what a step leaves behind, or the time of the next look."""
    if ruling.step is DunningStep.COLLECT:
        return _refused(sample, state, now), now
    if ruling.step is not None or ruling.wake_at is None:
        return state, now
    later = after(now, dt.timedelta(seconds=1)) if ruling.question is None else now
    return state, max(ruling.wake_at, later)


def _refused(sample: SampleInvoice, state: DunningState, now: BusinessInstant) -> DunningState:
    decline = Decline(sample.code, at=now)
    attempt = Attempt(now, PaidBy.EVERSTAY, AttemptResult.DECLINED, CARD, decline=decline)
    card = CardUse(CARD, charged_at=(*state.card.charged_at, now))
    return replace(state, attempts=(*state.attempts, attempt), card=card)


def _evidence(sample: SampleInvoice, state: DunningState) -> InvoiceEvidence:
    last = state.attempts[-1] if state.attempts else None
    return InvoiceEvidence(
        key=CARD,
        customer_key=CARD,
        status=InvoiceStatus.OPEN,
        collection=sample.collection,
        currency=sample.currency,
        due_minor=sample.amount_minor,
        paid_minor=0,
        remaining_minor=sample.amount_minor,
        issued_at=state.memory.anchored_at,
        due_at=sample.at,
        subscription_key=CARD,
        attempts=len(state.attempts),
        method=PaymentMethod(CARD) if last is not None else None,
        decline=last.decline if last is not None else None,
    )
