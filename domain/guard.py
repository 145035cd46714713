"""May this message go out now? Asked in the sending transaction, with the customer's row locked.

Each rule either lets pass, defers to a named instant, or refuses with a reason; both answers are recorded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.calendar import is_office_time, local_day, next_opening, spread
from domain.time import BusinessInstant
from domain.vocabulary import Purpose, TouchTier

DAY = timedelta(hours=24)
WEEK = timedelta(days=7)
EPOCH = BusinessInstant(datetime(1970, 1, 1, tzinfo=UTC))
MORNING_SPREAD = timedelta(hours=3)
STOPPED_RETRY = timedelta(hours=4)


@dataclass(frozen=True)
class ContactBudget:
    """How much non-transactional contact one customer gets, over all motions and all its people."""

    per_day: int = 1
    per_week: int = 3
    longest_deferral: timedelta = timedelta(days=5)


@dataclass(frozen=True)
class Recipient:
    """The person that a message would go to: what bears on whether it may."""

    key: str
    time_zone: str
    has_address: bool
    suppressed: bool
    consents: frozenset[Purpose]


@dataclass(frozen=True)
class ProposedSend:
    """One message that a run asks for, and everything that could speak against it."""

    purpose: Purpose
    recipient: Recipient | None
    still_wanted: bool
    """The run is open and stands at this step."""
    effects_stopped: bool
    released: bool
    do_not_contact: bool
    holdout: bool
    touch_tier: TouchTier
    first_asked_at: BusinessInstant
    sent_at: tuple[BusinessInstant, ...]
    """When non-transactional messages to this customer were claimed or sent, last week."""
    is_paused: bool = False
    """A person has ordered the run, or what it belongs to, to rest since the message was asked for."""


@dataclass(frozen=True)
class Allow:
    """Send it now."""


@dataclass(frozen=True)
class Defer:
    """Not now; ask again then."""

    until: BusinessInstant
    reason: str


@dataclass(frozen=True)
class Refuse:
    """Never, and why."""

    reason: str


Verdict = Allow | Defer | Refuse


def may_send(send: ProposedSend, budget: ContactBudget, now: BusinessInstant) -> Verdict:
    """Return the first answer that is not a yes, in the order: wanted, allowed, possible, timely."""
    for rule in RULES:
        verdict = rule(send, budget, now)
        if not isinstance(verdict, Allow):
            return verdict
    return Allow()


def _wanted(send: ProposedSend, _budget: ContactBudget, _now: BusinessInstant) -> Verdict:
    """Refuse what its run no longer wants: it has ended, or moved on to another step."""
    return Allow() if send.still_wanted else Refuse("no_longer_wanted")


def _switched_on(send: ProposedSend, _budget: ContactBudget, now: BusinessInstant) -> Verdict:
    """Put off while a person has stopped every effect, has the run rest, or has not released the playbook."""
    if send.effects_stopped:
        return Defer(BusinessInstant(now + STOPPED_RETRY), "effects_stopped")
    if send.is_paused:  # the run itself waits for the end of the rest, and then asks again at once
        return Defer(now, "paused")
    return Allow() if send.released else Defer(BusinessInstant(now + DAY), "observing")


def _consented(send: ProposedSend, _budget: ContactBudget, _now: BusinessInstant) -> Verdict:
    """Refuse what the customer or the person does not want, or the holdout; transactional mail passes."""
    if send.purpose is Purpose.TRANSACTIONAL:
        return Allow()
    if send.do_not_contact:
        return Refuse("do_not_contact")
    if send.holdout and send.touch_tier is not TouchTier.STRATEGIC:
        return Refuse("holdout")
    if send.recipient is not None and send.purpose not in send.recipient.consents:
        return Refuse("no_consent")
    return Allow()


def _reachable(send: ProposedSend, _budget: ContactBudget, _now: BusinessInstant) -> Verdict:
    """Refuse where nobody of the wanted roles has an address that takes mail."""
    if send.recipient is None or not send.recipient.has_address:
        return Refuse("no_recipient")
    return Refuse("suppressed") if send.recipient.suppressed else Allow()


def _within_budget(send: ProposedSend, budget: ContactBudget, now: BusinessInstant) -> Verdict:
    """Put off until the rolling day, the recipient's own day and the rolling week have room; then refuse."""
    if send.purpose is Purpose.TRANSACTIONAL:
        return Allow()
    if min(budget.per_day, budget.per_week) < 1:
        return Refuse("budget")
    free = max(
        _free_after(send.sent_at, budget.per_day, DAY), _free_after(send.sent_at, budget.per_week, WEEK)
    )
    zone = send.recipient.time_zone if send.recipient is not None else "UTC"
    today = local_day(now, zone)
    spent_today = sum(local_day(at, zone) == today for at in send.sent_at)
    if spent_today < budget.per_day and free <= now:
        return Allow()
    return _put_off(send, budget, free, now)


def _free_after(sent_at: tuple[BusinessInstant, ...], cap: int, window: timedelta) -> BusinessInstant:
    """Return the first instant at which a rolling window has room again. `cap` is at least 1."""
    newest_first = sorted(sent_at, reverse=True)
    if len(newest_first) < cap:
        return BusinessInstant(EPOCH)
    return BusinessInstant(newest_first[cap - 1] + window)


def _put_off(
    send: ProposedSend, budget: ContactBudget, free: BusinessInstant, now: BusinessInstant
) -> Verdict:
    """Defer to when there is room again, or to the morning after that, but not for ever."""
    zone = send.recipient.time_zone if send.recipient is not None else "UTC"
    key = send.recipient.key if send.recipient is not None else ""
    until = free if free > now and is_office_time(free, zone) else _morning(max(free, now), zone, key)
    if until > send.first_asked_at + budget.longest_deferral + DAY * 2:
        return Refuse("budget")
    return Defer(until, "budget")


def _morning(instant: BusinessInstant, zone: str, key: str) -> BusinessInstant:
    """Return a time in the next morning there, another one for each person."""
    return BusinessInstant(next_opening(instant, zone) + spread(key, MORNING_SPREAD))


def _in_office_hours(send: ProposedSend, _budget: ContactBudget, now: BusinessInstant) -> Verdict:
    """Put off until the next morning there outside nine to five on weekdays; transactional mail passes."""
    if send.purpose is Purpose.TRANSACTIONAL or send.recipient is None:
        return Allow()
    if is_office_time(now, send.recipient.time_zone):
        return Allow()
    return Defer(_morning(now, send.recipient.time_zone, send.recipient.key), "quiet_hours")


RULES: tuple[Callable[[ProposedSend, ContactBudget, BusinessInstant], Verdict], ...] = (
    _wanted,
    _switched_on,
    _consented,
    _reachable,
    _within_budget,
    _in_office_hours,
)
