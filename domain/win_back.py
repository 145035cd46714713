"""What comes next for a customer that has left: a letter, an offer, a wait, or the end. Pure.

A case goes on without a word where nobody may be written to, or where chance left the customer alone: how it
ends is known all the same, and that is what the others are held against.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from domain.calendar import local_day, zone
from domain.case_vocabulary import CaseOutcome, OfferState
from domain.offers import NoOffer, Offer, choose_offer
from domain.time import BusinessInstant, after
from domain.vocabulary import TaskOutcome
from domain.win_back_policy import WinBackPolicy
from domain.win_back_state import (
    GRANT,
    LETTER,
    WITHDRAW,
    CaseOffer,
    Ending,
    Order,
    Return,
    WinBackDecision,
    WinBackState,
    letter_step,
)

MORNING = dt.time(9)
"""On the customer's own clock; whether an office is open then is asked of the recipient's."""
MAKE = "Have the offer made"


def decide_win_back(state: WinBackState, policy: WinBackPolicy, now: BusinessInstant) -> WinBackDecision:
    """Return what comes next. The same arguments give the same answer."""
    offers = tuple(replace(one, state=_standing(one, state, now)) for one in state.offers)
    pairs = zip(offers, state.offers, strict=True)
    moved = {new.id: new.state for new, old in pairs if new.state is not old.state}
    decision = _next(replace(state, offers=offers), policy, now)
    return replace(decision, offer_states={**moved, **decision.offer_states})


def _next(state: WinBackState, policy: WinBackPolicy, now: BusinessInstant) -> WinBackDecision:
    if state.returned is not None:
        return _ended(state, came_back(state, state.returned, policy), now)
    ends_at = window_ends(state, policy)
    if now >= ends_at:
        sentence = f"Not back {policy.attribution_days} days after our last word."
        return _ended(state, Ending(CaseOutcome.LOST, sentence), now)
    silence = _silence(state)
    if silence is not None:
        return replace(silence, wake_at=_earliest(ends_at, state.offer_ends_at))
    if state.rests:
        held = "a person has ordered a rest"
        return WinBackDecision("held", held=held, wake_at=_earliest(ends_at, state.rests_until))
    return _letters(state, policy, now, ends_at)


def _standing(offer: CaseOffer, state: WinBackState, now: BusinessInstant) -> OfferState:
    """Return where an offer stands now."""
    is_late = offer.expires_at is not None and offer.expires_at <= now
    if offer.state is OfferState.GRANTED:
        left = OfferState.EXPIRED if is_late else OfferState.GRANTED
        return OfferState.REDEEMED if offer.is_used else left
    if offer.state is not OfferState.PROPOSED:
        return offer.state
    grant = state.grant(offer)
    if grant is not None:
        return OfferState.WITHDRAWN if grant.is_over(now) else OfferState.PROPOSED
    if offer.answer is TaskOutcome.REJECTED:
        return OfferState.REFUSED
    is_needless = state.returned is not None or bool(state.silent)
    is_answered = offer.is_agreed or offer.answer is not None
    return OfferState.EXPIRED if is_needless or (is_late and not is_answered) else OfferState.PROPOSED


def came_back(state: WinBackState, back: Return, policy: WinBackPolicy) -> Ending:
    """Return a happy end, and whether it is ours: an offer used, or touched within the window before it."""
    window = dt.timedelta(days=policy.attribution_days)
    used = any(one.state is OfferState.REDEEMED for one in state.offers)
    touched = state.touched_at is not None and state.touched_at <= back.at <= state.touched_at + window
    why = "with our offer" if used else "after we spoke to them" if touched else "by themselves"
    sentence = f"They are customers again since {back.at:%d %B %Y}, {why}."
    return Ending(CaseOutcome.REACTIVATED, sentence, is_attributed=used or touched)


def _ended(state: WinBackState, ending: Ending, now: BusinessInstant) -> WinBackDecision:
    """End, but first take back what could still be used."""
    for offer in state.offers:
        taken = state.withdrawal(offer)
        if offer.state is not OfferState.GRANTED or (taken is not None and taken.is_over(now)):
            continue
        later = taken.rests_until(now) if taken is not None else None
        order = Order(WITHDRAW, WITHDRAW, offer.number) if later is None else None
        return WinBackDecision("closing", "Take an unused offer back", order, wake_at=later)
    return WinBackDecision(ending.outcome.value, ending=ending)


def window_ends(state: WinBackState, policy: WinBackPolicy) -> BusinessInstant:
    """Return when coming back stops to count as ours: a while after the last letter or touch."""
    last = morning_of(state.cancelled_at, state.time_zone, policy.days[-1])
    touched = state.touched_at
    begins = last if touched is None else max(last, touched)
    return after(begins, dt.timedelta(days=policy.attribution_days))


def morning_of(cancelled_at: BusinessInstant, time_zone: str, day: int) -> BusinessInstant:
    """Return the morning, where the customer is, so many days after the departure."""
    date = local_day(cancelled_at, time_zone) + dt.timedelta(days=day)
    morning = dt.datetime.combine(date, MORNING, zone(time_zone)).astimezone(dt.UTC)
    return max(BusinessInstant(morning), cancelled_at)


def _silence(state: WinBackState) -> WinBackDecision | None:
    """Return why no letter goes out, if none does; how it ends is still waited for."""
    if state.is_held_out:
        return WinBackDecision("held_out", "Nothing: left alone by chance")
    if state.silent:
        return WinBackDecision("silent", f"Nothing: {state.silent}")
    if any(one.state is OfferState.REDEEMED for one in state.offers):
        return WinBackDecision("returning", "Wait for the subscription that they began with our offer")
    if state.by_person:
        return WinBackDecision("by_person", "One of ours talks to them", asks_person=not state.has_task)
    return None


def _letters(
    state: WinBackState, policy: WinBackPolicy, now: BusinessInstant, ends_at: BusinessInstant
) -> WinBackDecision:
    """Return the letter that is due, what has to come before it, or the wait for the next.

    Only the latest letter whose day has come is due: what was missed is not caught up on.
    """
    mornings = [morning_of(state.cancelled_at, state.time_zone, day) for day in policy.days]
    number = sum(morning <= now for morning in mornings)
    taken = state.letter(number)
    if number and not (taken is not None and taken.is_over(now)):
        return _letter(state, policy, number, mornings, now)
    if number == len(mornings):
        wake_at = _earliest(ends_at, state.offer_ends_at)
        return WinBackDecision("watching", "See whether they come back", wake_at=wake_at)
    return _await_letter(state, policy, number + 1, mornings[number], now)


def _await_letter(
    state: WinBackState, policy: WinBackPolicy, number: int, due: BusinessInstant, now: BusinessInstant
) -> WinBackDecision:
    """Wait for a letter's day; a person who has to agree to its offer is asked some days before."""
    wake_at = _earliest(due, state.offer_ends_at)
    waiting = WinBackDecision(f"letter_{number}", f"Send letter {number}", wake_at=wake_at)
    asks_at = after(due, -dt.timedelta(days=policy.offers.decide_in_days))
    if number < policy.offer_from or state.open_offer is not None:
        return waiting
    if now < asks_at:
        return replace(waiting, wake_at=_earliest(asks_at, wake_at))
    offer = _chosen(state, policy, now)
    if isinstance(offer, Offer) and offer.approval:
        return replace(waiting, proposal=offer, decide_by=due)
    return waiting


def _letter(
    state: WinBackState,
    policy: WinBackPolicy,
    number: int,
    mornings: Sequence[BusinessInstant],
    now: BusinessInstant,
) -> WinBackDecision:
    """Send a letter that is due; what it offers is made before."""
    stage, taken = f"letter_{number}", state.letter(number)
    letter = WinBackDecision(stage, f"Send letter {number}", Order(LETTER, letter_step(number)))
    later = taken.rests_until(now) if taken is not None else None
    if later is not None:
        ahead = _earliest(later, *mornings[number : number + 1])
        return WinBackDecision(stage, f"Send letter {number}, which was put off", wake_at=ahead)
    if number < policy.offer_from:
        return letter
    pending = state.open_offer
    if pending is not None and pending.state is OfferState.PROPOSED:
        return _make(state, pending, stage, now)
    if pending is not None or taken is not None:
        return letter
    chosen = _chosen(state, policy, now)
    if isinstance(chosen, Offer) and chosen.approval:
        chosen = NoOffer("not_agreed", "nobody has agreed to it in time")
    if isinstance(chosen, NoOffer) or _was_not_made(state, mornings[number - 1]):
        return replace(letter, no_offer=chosen if isinstance(chosen, NoOffer) else None)
    return WinBackDecision(stage, MAKE, Order(GRANT, GRANT, len(state.offers) + 1), proposal=chosen)


def _make(state: WinBackState, offer: CaseOffer, stage: str, now: BusinessInstant) -> WinBackDecision:
    """Have an offer made that was agreed to."""
    grant = state.grant(offer)
    later = grant.rests_until(now) if grant is not None else None
    order = Order(GRANT, GRANT, offer.number) if later is None else None
    return WinBackDecision(stage, MAKE, order, wake_at=later)


def _was_not_made(state: WinBackState, since: BusinessInstant) -> bool:
    """Tell whether the provider has failed to make an offer for the same letter: it goes without one."""
    last = state.offers[-1] if state.offers else None
    grant = state.grant(last) if last is not None and last.state is OfferState.WITHDRAWN else None
    return grant is not None and grant.finished_at is not None and grant.finished_at >= since


def _chosen(state: WinBackState, policy: WinBackPolicy, now: BusinessInstant) -> Offer | NoOffer:
    if state.facts is None:
        return NoOffer("not_connected", "no billing provider is connected that could make one")
    return choose_offer(state.facts, policy.offers, now)


def _earliest(*instants: BusinessInstant | None) -> BusinessInstant:
    return min(one for one in instants if one is not None)
