"""What schedules of attempts recover from the same simulated cards: our own decisions beside fixed days."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from domain.billing import Collection, InvoiceEvidence, InvoiceStatus, PaymentMethod, Retries
from domain.case_vocabulary import AttemptResult, PaidBy
from domain.dunning import decide_dunning, first_memory
from domain.dunning_policy import DunningPolicy
from domain.dunning_schedule import CardUse
from domain.dunning_state import Attempt, DunningState, DunningStep
from domain.time import BusinessInstant, after
from ml.simulation.cards import Card

JUDGED_AFTER = dt.timedelta(days=30)
"""What is recovered later than so long after the failure counts for no schedule."""
FIXED: Mapping[str, tuple[int, ...]] = {
    "8 daily": (1, 2, 3, 4, 5, 6, 7, 8),
    "3, 5, 7 days": (3, 8, 15),
    "8, 8, 8 days": (8, 16, 24),
}
"""Days after the failure; an attempt of these is made at the very time of day of the failure."""
OURS, OURS_LONGER = "ours", "ours over 24 days"
LONGER_DAYS = 24
"""As long as the longest of the fixed ones: what is left of a difference is not due to patience."""
MOST_LOOKS = 500

Schedule = Callable[[Card], Iterator[BusinessInstant]]
"""Yields when a card is tried, until it is told no more."""


@dataclass
class Recovery:
    """What one schedule came to. Money in minor units."""

    owed_minor: int = 0
    recovered_minor: int = 0
    by_attempts_minor: int = 0
    """Of it, by attempts of the schedule and not by the holder."""
    attempts: int = 0
    hopeless_attempts: int = 0
    """At cards that only their holder can mend: networks ask fees for these."""
    days: float = 0.0
    """Until recovered, summed over what was recovered."""
    recovered: int = 0

    def document(self) -> dict[str, float | None]:
        """Return the figures as JSON: shares of what was owed, and attempts per invoice recovered."""
        owed = self.owed_minor or 1
        return {
            "recovered_share": round(self.recovered_minor / owed, 4),
            "by_attempts_share": round(self.by_attempts_minor / owed, 4),
            "attempts": self.attempts,
            "hopeless_attempts": self.hopeless_attempts,
            "mean_days": round(self.days / self.recovered, 2) if self.recovered else None,
        }


def compare(cards: Sequence[Card], policy: DunningPolicy) -> dict[str, Recovery]:
    """Return what each schedule recovers from the same cards."""
    longer = policy.retries.model_copy(update={"within_days": LONGER_DAYS})
    patient = policy.model_copy(update={"retries": longer})
    schedules: dict[str, Schedule] = {
        OURS: partial(our_attempts, policy=policy),
        OURS_LONGER: partial(our_attempts, policy=patient),
    }
    schedules |= {name: partial(fixed_attempts, days=days) for name, days in FIXED.items()}
    return {name: recover(cards, schedule) for name, schedule in schedules.items()}


def recover(cards: Sequence[Card], schedule: Schedule) -> Recovery:
    """Try each card by a schedule until it is paid, by an attempt or by its holder."""
    found = Recovery()
    for card in cards:
        _try(card, schedule, found)
    return found


def _try(card: Card, schedule: Schedule, found: Recovery) -> None:
    found.owed_minor += card.amount_minor
    ends = after(card.failed_at, JUDGED_AFTER)
    mended = card.mended_at if card.mended_at is not None and card.mended_at <= ends else None
    for at in schedule(card):
        if at > ends or (mended is not None and at >= mended):
            break
        found.attempts += 1
        found.hopeless_attempts += card.needs_holder
        if card.approves(at):
            found.by_attempts_minor += card.amount_minor
            _count(card, at, found)
            return
    if mended is not None:
        _count(card, mended, found)


def _count(card: Card, at: BusinessInstant, found: Recovery) -> None:
    found.recovered += 1
    found.recovered_minor += card.amount_minor
    found.days += (at - card.failed_at) / dt.timedelta(days=1)


def fixed_attempts(card: Card, days: Sequence[int]) -> Iterator[BusinessInstant]:
    """Yield an attempt so many days after the failure each, whatever the refusal was."""
    for day in days:
        yield after(card.failed_at, dt.timedelta(days=day))


def our_attempts(card: Card, policy: DunningPolicy) -> Iterator[BusinessInstant]:
    """Yield what the dunning of this installation would do: its own decisions, look by look."""
    now, first = card.failed_at, _attempt(card, card.failed_at)
    state = DunningState(
        card.key,
        first_memory(card.amount_minor, now),
        Retries.EVERSTAY,
        attempts=(first,),
        card=CardUse(card.key, card.brand, (now,)),
    )
    for _ in range(MOST_LOOKS):
        ruling = decide_dunning(state, _evidence(card, state), policy, now)
        state = replace(state, memory=ruling.memory)
        if ruling.ending is not None:
            return
        if ruling.step is DunningStep.COLLECT:
            yield now
            made = (*state.attempts, _attempt(card, now))
            used = replace(state.card, charged_at=(*state.card.charged_at, now))
            state = replace(state, attempts=made, card=used)
        elif ruling.step is None:
            assert ruling.wake_at is not None  # noqa: S101 - what neither acts nor ends waits
            now = max(ruling.wake_at, after(now, dt.timedelta(seconds=1)))


def _attempt(card: Card, at: BusinessInstant) -> Attempt:
    return Attempt(at, PaidBy.EVERSTAY, AttemptResult.DECLINED, card.key, card.brand, card.decline)


def _evidence(card: Card, state: DunningState) -> InvoiceEvidence:
    return InvoiceEvidence(
        key=card.key,
        customer_key=card.key,
        status=InvoiceStatus.OPEN,
        collection=Collection.CHARGE,
        currency="EUR",
        due_minor=card.amount_minor,
        paid_minor=0,
        remaining_minor=card.amount_minor,
        issued_at=card.failed_at,
        due_at=card.failed_at,
        attempts=len(state.attempts),
        method=PaymentMethod(card.key, card.brand),
        decline=card.decline,
    )
