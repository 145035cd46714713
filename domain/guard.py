"""May this message go out now? Asked in the sending transaction, with the customer's row locked.

Each rule either lets pass, defers to a named instant, or refuses with a reason; both answers are recorded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from domain.calendar import NO_DAYS, local_day
from domain.contact_slots import (
    DAY,
    Ask,
    ContactBudget,
    Move,
    Reservation,
    Spent,
    earliest,
    has_room,
    is_barred,
    is_open,
    standing_before,
)
from domain.time import BusinessInstant
from domain.vocabulary import Channel, Purpose, TouchTier

STOPPED_RETRY = timedelta(hours=4)


@dataclass(frozen=True)
class Recipient:
    """The person that a message would go to: what bears on whether it may."""

    key: str
    time_zone: str
    has_address: bool
    suppressed: bool
    consents: frozenset[Purpose]
    days_off: frozenset[date] = NO_DAYS
    """Public holidays there, and the days on which we write to nobody."""
    refused_topics: frozenset[str] = frozenset()
    """What a playbook may be for on which they want no optional mail."""


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
    spent: tuple[Spent, ...] = ()
    """Optional messages to this customer that were claimed or sent in the last week, but this one."""
    reserved: tuple[Reservation, ...] = ()
    """Slots that messages to this customer hold, this one's own too."""
    key: str = ""
    """Names this visit of this step, the same at each asking."""
    worth: float = 0.0
    channel: Channel = Channel.EMAIL
    topic: str = ""
    useful_until: BusinessInstant | None = None
    """When the message is of no use any more, None where only the longest deferral ends it."""
    is_paused: bool = False
    """A person has ordered a rest that covers its run."""


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


def ask_of(send: ProposedSend, budget: ContactBudget) -> Ask:
    """Return the message as the contact budget sees it."""
    person = send.recipient
    patience = BusinessInstant(send.first_asked_at + budget.longest_deferral)
    return Ask(
        key=send.key,
        worth=send.worth,
        asked_at=send.first_asked_at,
        latest=patience if send.useful_until is None else min(patience, send.useful_until),
        person=person.key if person is not None else "",
        time_zone=person.time_zone if person is not None else "UTC",
        days_off=person.days_off if person is not None else NO_DAYS,
        channel=send.channel,
        topic=send.topic,
    )


def may_send(send: ProposedSend, budget: ContactBudget, now: BusinessInstant) -> Verdict:
    """Return the first answer that is not a yes, in the order: wanted, useful, allowed, possible, timely."""
    for rule in RULES:
        verdict = rule(send, budget, now)
        if not isinstance(verdict, Allow):
            return if_useful(send, verdict)
    return Allow()


def if_useful(send: ProposedSend, verdict: Verdict) -> Verdict:
    """Turn a time at which the message would be of no use into a refusal that says so."""
    ends = send.useful_until
    if isinstance(verdict, Defer) and ends is not None and verdict.until > ends and _is_optional(send):
        return Refuse("no_longer_useful")
    return verdict


def _is_optional(send: ProposedSend) -> bool:
    return send.purpose is not Purpose.TRANSACTIONAL


def _wanted(send: ProposedSend, _budget: ContactBudget, _now: BusinessInstant) -> Verdict:
    """Refuse what its run no longer wants: it has ended, or moved on to another step."""
    return Allow() if send.still_wanted else Refuse("no_longer_wanted")


def _useful(send: ProposedSend, _budget: ContactBudget, now: BusinessInstant) -> Verdict:
    """Refuse what is of no use any more: its run's goal, or its own time, lies behind."""
    ends = send.useful_until
    if ends is not None and now > ends and _is_optional(send):
        return Refuse("no_longer_useful")
    return Allow()


def _switched_on(send: ProposedSend, _budget: ContactBudget, now: BusinessInstant) -> Verdict:
    """Put off while a person has stopped every effect, ordered a rest, or not released the playbook."""
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
    if send.recipient is not None and send.topic in send.recipient.refused_topics:
        return Refuse("topic_opted_out")
    return Allow()


def _reachable(send: ProposedSend, _budget: ContactBudget, _now: BusinessInstant) -> Verdict:
    """Refuse where nobody of the wanted roles has an address that takes mail."""
    if send.recipient is None or not send.recipient.has_address:
        return Refuse("no_recipient")
    return Refuse("suppressed") if send.recipient.suppressed else Allow()


def _within_budget(send: ProposedSend, budget: ContactBudget, now: BusinessInstant) -> Verdict:
    """Put off until each cap has room beside what was sent and what is reserved for worthier; then refuse."""
    if not _is_optional(send):
        return Allow()
    ask = ask_of(send, budget)
    if is_barred(ask, budget):
        return Refuse("budget")
    taken = [*send.spent, *standing_before(ask, send.reserved)]
    if has_room(ask, now, taken, budget):
        return Allow()
    slot = earliest(ask, taken, budget, now)
    if slot is not None:
        return Defer(slot, "budget")
    if _ends_before_patience(send, ask):
        return Refuse("no_longer_useful")
    return Refuse("budget")


def _ends_before_patience(send: ProposedSend, ask: Ask) -> bool:
    return send.useful_until is not None and send.useful_until <= ask.latest


def _in_open_hours(send: ProposedSend, budget: ContactBudget, now: BusinessInstant) -> Verdict:
    """Put off until an open hour where the recipient is, on no day off; transactional mail passes."""
    if not _is_optional(send) or send.recipient is None:
        return Allow()
    ask = ask_of(send, budget)
    if is_open(ask, now, budget):
        return Allow()
    slot = earliest(ask, [*send.spent, *standing_before(ask, send.reserved)], budget, now)
    if slot is None:
        return Refuse("no_longer_useful")
    if local_day(now, ask.time_zone) in ask.days_off:
        return Defer(slot, "day_off")
    return Defer(slot, "quiet_hours")


def gave_way(move: Move) -> Defer | Refuse:
    """Say what it means for a message that waits when somebody worthier takes its slot."""
    return Refuse("displaced") if move.slot is None else Defer(move.slot, "displaced")


RULES: tuple[Callable[[ProposedSend, ContactBudget, BusinessInstant], Verdict], ...] = (
    _wanted,
    _useful,
    _switched_on,
    _consented,
    _reachable,
    _within_budget,
    _in_open_hours,
)
SLOT_REASONS = frozenset({"budget", "quiet_hours", "day_off", "displaced"})
"""Deferrals to a slot that is held; the others only say when to ask again."""
