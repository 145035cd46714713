"""When playbooks that go by the calendar open: before or after a date, or again and again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from domain.calendar import spread
from domain.customer_state import CustomerState
from domain.playbook import Playbook
from domain.playbook_triggers import DateTrigger, ScheduleTrigger
from domain.time import BusinessInstant, after, start_of_day
from domain.vocabulary import CustomerDate

JITTER = timedelta(hours=3)
MORNING = timedelta(hours=9)
"""What the calendar brings comes in the morning: people are at work, and first messages find doors open."""
CATCH_UP = timedelta(days=14)
"""Over how long countdowns that had begun before we came are taken up."""


@dataclass(frozen=True)
class Opening:
    """One occasion of a playbook: from when until when it may open, and what tells it from the next one."""

    reason: str
    opens: BusinessInstant
    closes: BusinessInstant
    sentence: str

    def is_open(self, now: BusinessInstant) -> bool:
        """Whether it may open now."""
        return self.opens <= now < self.closes


def customer_dates(
    renewal_on: date | None,
    notice_days: int,
    started_at: BusinessInstant | None,
    onboarded_at: BusinessInstant | None,
    first_value_at: BusinessInstant | None,
) -> dict[CustomerDate, BusinessInstant]:
    """Return the dates that playbooks count from, as far as they are known."""
    renewal = start_of_day(renewal_on) if renewal_on else None
    known = {
        CustomerDate.RENEWAL: renewal,
        CustomerDate.NOTICE_DEADLINE: after(renewal, -timedelta(days=notice_days)) if renewal else None,
        CustomerDate.STARTED: started_at,
        CustomerDate.ONBOARDED: onboarded_at,
        CustomerDate.FIRST_VALUE: first_value_at,
    }
    return {name: at for name, at in known.items() if at is not None}


def renewal_opening(state: CustomerState, renewal_on: date, lead: timedelta) -> BusinessInstant:
    """Return when a countdown may begin; those that began before we came are taken up one by one."""
    renewal, key = start_of_day(renewal_on), f"renewal/{state.customer_id}"
    opens, seen = BusinessInstant(renewal - lead), state.first_seen_at
    if seen is None or seen <= opens:
        return BusinessInstant(opens + MORNING + spread(key, JITTER))
    left = max(renewal - seen, timedelta())
    return BusinessInstant(seen + spread(key, min(CATCH_UP, left / 3)))


def openings(document: Playbook, state: CustomerState, now: BusinessInstant) -> Iterator[Opening]:
    """Yield the occasions of a playbook that goes by the calendar which are open now or come next."""
    trigger = document.trigger
    if trigger.on_date is not None:
        yield from _by_date(document.key, trigger.on_date, state)
    if trigger.schedule is not None:
        yield from _by_schedule(document.key, trigger.schedule, state, now)


def _by_date(key: str, trigger: DateTrigger, state: CustomerState) -> Iterator[Opening]:
    """One occasion per date; what was past when we came is left alone."""
    at = state.dates.get(trigger.date)
    if at is None:
        return
    day = after(at, trigger.offset)
    if state.first_seen_at is not None and state.first_seen_at > after(day, trigger.within):
        return
    opens = after(day, spread(f"{key}/{state.customer_id}", JITTER))
    named = trigger.date.value.replace("_", " ")
    distance = f"{abs(trigger.offset.days)} days {'before' if trigger.offset < timedelta() else 'after'}"
    sentence = f"It is {distance} the {named} date ({at.date().isoformat()})."
    yield Opening(f"date:{at.date().isoformat()}", opens, after(opens, trigger.within), sentence)


def _by_schedule(
    key: str, trigger: ScheduleTrigger, state: CustomerState, now: BusinessInstant
) -> Iterator[Opening]:
    """Yield the occasion of this period and the next one."""
    since = state.dates.get(trigger.since)
    if since is None:
        return
    jitter = spread(f"{key}/{state.customer_id}", min(trigger.every / 7, CATCH_UP))
    passed = (now - after(since, jitter)) // trigger.every
    for number in (passed, passed + 1):
        opens = after(since, number * trigger.every + jitter)
        if number < 1 or (state.first_seen_at is not None and opens < state.first_seen_at):
            continue
        closes = after(opens, min(trigger.every / 2, CATCH_UP))
        sentence = f"It is due every {trigger.every.days} days."
        yield Opening(f"schedule:{number}", opens, closes, sentence)


def next_opening_of(document: Playbook, state: CustomerState, now: BusinessInstant) -> BusinessInstant | None:
    """Return the next instant at which one of its occasions begins."""
    begins = [one.opens for one in openings(document, state, now) if one.opens > now]
    return min(begins, default=None)
