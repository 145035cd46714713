"""Begin a send: look the effect up, ask the guard, and claim, under the customer's row lock."""

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact_policy import ContactPolicy
from domain.contact_slots import make_way
from domain.guard import SLOT_REASONS, Allow, Defer, Refuse, Verdict, ask_of, if_useful, may_send
from domain.playbook import Playbook
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import DecisionKind, EffectState, Purpose, StepState
from models.contact_policy import load_contact_policy
from models.contact_reservations import displace, give_up_slot, load_reservations, reserve
from models.customer_state import lock_customer
from models.effects import Effect, NewEffect, claim, find_effect, reclaim, settle
from models.meeting_plans import with_meeting
from models.playbooks import PlaybookShelf
from models.runs import customer_of, version_of
from models.send_ledger import Become, add_touchpoint, catch_up, is_over, record_step
from models.sending_limits import ask_limit
from models.sends import Order, SendContext, load_send, order_of
from models.step_visits import Visit


@dataclass(frozen=True)
class Ready:
    """A claimed message that this attempt may send."""

    effect: Effect
    context: SendContext
    order: Order
    allowed_at: BusinessInstant
    """The instant at which the guard let it pass: the letter's date, and what the budget counts from."""


@dataclass(frozen=True)
class Lost:
    """A claim whose sender is gone: ask the provider before anything else."""

    effect: Effect
    context: SendContext
    order: Order


@dataclass(frozen=True)
class Unsent:
    """What was found out about a claim whose sender is gone, which allows it to be repeated.

    Word on one attempt says nothing of a later one.
    """

    counts_as: EffectState
    """If it is not repeated: FAILED where the provider certainly has nothing of it, else UNCERTAIN."""
    attempt: int


@dataclass(frozen=True)
class Busy:
    """Another attempt holds the lease for this much longer."""

    left: timedelta


@dataclass(frozen=True)
class Closed:
    """Nothing to send: it was settled before, deferred or refused."""

    state: str
    reason: str = ""


@dataclass(frozen=True)
class Route:
    """How a message would leave: by which provider, and from which sender domain, whose limit is asked."""

    provider: str
    domain: str = ""


Begun = Ready | Lost | Busy | Closed
GIVEN_UP = "its step is over: it was skipped, or the run was sent back"


async def begin_send(
    session: AsyncSession,
    visit: Visit,
    shelf: PlaybookShelf,
    route: Route,
    now: BusinessInstant,
    wall: WallInstant,
    lost: Unsent | None = None,
) -> Begun:
    """Return what this attempt may do. Everything that speaks against the message is asked here, again."""
    await lock_customer(session, await customer_of(session, visit.intervention_id))
    playbook = await shelf.version(session, await version_of(session, visit.intervention_id))
    order = order_of(playbook, visit)
    effect = await find_effect(session, visit.origin)
    policy = await load_contact_policy(session)
    context = await load_send(session, visit, playbook, policy, now)
    known = Lost(effect, context, order) if effect is not None else None
    standing = await _standing(session, visit, known, now, wall, lost)
    if standing is not None:
        return standing
    context = await _with_reservations(session, context, policy, now)
    verdict = may_send(context.proposed, policy.budget, now)
    if isinstance(verdict, Allow):
        late = await ask_limit(session, route.domain, order.purpose, now)
        verdict = if_useful(context.proposed, late) if late is not None else verdict
    await _settle_slot(session, visit, playbook, context, verdict, policy, now)
    unsent = counts_as(lost)
    if not isinstance(verdict, Allow):
        if effect is not None and isinstance(verdict, Refuse):
            await settle(session, effect.key, unsent, wall, error=verdict.reason)
        return await _decline(session, visit, context, verdict, now)
    digest = payload_hash(context, order)
    context = await with_meeting(session, visit, order, context, shelf, now, wall)
    if effect is not None and effect.key == _key(visit, context):
        return Ready(await reclaim(session, effect, digest, now, wall), context, order, now)
    if effect is not None:
        await settle(session, effect.key, unsent, wall, error="somebody else gets it: its recipient left")
    new = NewEffect(
        _key(visit, context), "email", digest, context.customer_id, route.provider, None, route.domain
    )
    claimed = await claim(session, new, wall)
    await add_touchpoint(session, context, claimed, order.template, now, run_id=visit.intervention_id)
    return Ready(claimed, context, order, now)


async def _with_reservations(
    session: AsyncSession, context: SendContext, policy: ContactPolicy, now: BusinessInstant
) -> SendContext:
    held = await load_reservations(session, context.customer_id, policy, now)
    return replace(context, proposed=replace(context.proposed, reserved=held))


async def _settle_slot(
    session: AsyncSession,
    visit: Visit,
    playbook: Playbook,
    context: SendContext,
    verdict: Verdict,
    policy: ContactPolicy,
    now: BusinessInstant,
) -> None:
    """Hold the slot that a deferral names, or hold none; whoever is worth less gives way."""
    send = context.proposed
    takes_slot = isinstance(verdict, Allow) or (isinstance(verdict, Defer) and verdict.reason in SLOT_REASONS)
    if not isinstance(verdict, Defer) or not takes_slot:
        await give_up_slot(session, visit)
    if not takes_slot or send.purpose is Purpose.TRANSACTIONAL:
        return
    ask = ask_of(send, policy.budget)
    slot = verdict.until if isinstance(verdict, Defer) else now
    if isinstance(verdict, Defer):
        await reserve(session, visit, context.customer_id, ask, playbook.priority, slot, now)
    for move in make_way(ask, slot, send.spent, send.reserved, policy.budget, now):
        await displace(session, context.customer_id, move, f"“{playbook.name}” ({visit.step_id})", now)


async def _standing(
    session: AsyncSession,
    visit: Visit,
    known: Lost | None,
    now: BusinessInstant,
    wall: WallInstant,
    lost: Unsent | None,
) -> Begun | None:
    """Return what ledger and step say of what was begun or given up before, None if it may be tried."""
    begun = await _begun(session, visit, known, now, wall, lost) if known is not None else None
    if begun is not None or not await is_over(session, visit):
        return begun
    if known is not None:
        await settle(session, known.effect.key, counts_as(lost), wall, error=GIVEN_UP)
    return Closed("refused", "no_longer_wanted")


async def _begun(
    session: AsyncSession,
    visit: Visit,
    known: Lost,
    now: BusinessInstant,
    wall: WallInstant,
    lost: Unsent | None,
) -> Begun | None:
    """Return what the ledger says of an effect that was begun before, None if it is free to be tried."""
    effect = known.effect
    if effect.state is not EffectState.CLAIMED:
        await catch_up(session, visit, known.context, effect, now)
        return Closed(effect.state.value)
    if effect.lease_until is None:
        return None
    left = effect.lease_until - wall
    if left > timedelta():
        return Busy(left)
    return None if is_about(lost, effect) else known


def counts_as(lost: Unsent | None) -> EffectState:
    """Return what becomes of a claim that is not repeated."""
    return lost.counts_as if lost is not None else EffectState.FAILED


def is_about(lost: Unsent | None, effect: Effect) -> bool:
    """Tell whether it was found out what became of the newest attempt."""
    return lost is not None and lost.attempt == effect.attempts


def payload_hash(context: SendContext, order: Order) -> str:
    """Return the hash of what makes a message the same message: template, person, purpose."""
    person = context.person.contact_id if context.person else None
    return hashlib.sha256(f"{order.template}/{person}/{order.purpose.value}".encode()).hexdigest()


def _key(visit: Visit, context: SendContext) -> str:
    target = context.person.contact_id if context.person else "nobody"
    return f"{visit.origin}{target}"


async def _decline(
    session: AsyncSession, visit: Visit, context: SendContext, verdict: Verdict, now: BusinessInstant
) -> Closed:
    """Record a deferral with its time, or a refusal with its reason."""
    if isinstance(verdict, Defer):
        sentence = f"Put off until {verdict.until:%d %B %Y %H:%M} UTC: {SENTENCES[verdict.reason]}."
        become = Become(StepState.DEFERRED, verdict.reason, verdict.until, DecisionKind.DEFERRAL, sentence)
    else:
        assert not isinstance(verdict, Allow)  # noqa: S101 - the caller asked
        sentence = f"Not sent: {SENTENCES[verdict.reason]}."
        become = Become(StepState.SKIPPED, verdict.reason, None, DecisionKind.REFUSAL, sentence)
    await record_step(session, visit, context, become, now)
    return Closed("deferred" if isinstance(verdict, Defer) else "refused", verdict.reason)


SENTENCES = {
    "no_longer_wanted": "the run has ended or moved on",
    "effects_stopped": "a person has stopped every outward effect",
    "paused": "a person has ordered it to rest",
    "observing": "the playbook has not been released",
    "do_not_contact": "the customer asked not to be contacted",
    "holdout": "the customer is in the holdout group",
    "no_consent": "nobody reachable has agreed to such mail",
    "no_recipient": "nobody with the wanted role has an address",
    "suppressed": "the address is suppressed after a bounce, a complaint or an opt-out",
    "no_longer_useful": "it would come too late to be of use",
    "budget": "the customer's contact budget is spent",
    "displaced": "a worthier message took its place",
    "sending_limit": "the sender's domain has sent as much as it may for now",
    "topic_opted_out": "the person asked for no mail on this topic",
    "quiet_hours": "it is not office time where the recipient is",
    "day_off": "it is a day off where the recipient is",
}
"""Why a message did not go out, in words."""
