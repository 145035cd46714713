"""Begin and end one deed at the billing provider: a charge, a discount, a subscription's end."""

import datetime as dt
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant, after
from domain.vocabulary import DecisionKind, EffectState, StepState
from models.deed_places import Place, Standing
from models.doubts import WAIT_FOR_WORD, Question
from models.effects import Effect, NewEffect, claim, find_effect, reclaim, settle
from models.send_claims import GIVEN_UP
from models.send_ledger import Become
from models.tables.customers import CustomerRow

Wanted = Callable[[AsyncSession, BusinessInstant], Awaitable[str | None]]
"""Says what speaks against a deed now, with the customer locked; None where nothing does."""


@dataclass(frozen=True)
class Deed:
    """One deed, and what makes it the same deed at each attempt."""

    place: Place
    kind: str
    """`payment`, `discount`, `subscription` …: the kind of effect, for the ledger."""
    target: str
    """The invoice, subscription or customer at the provider."""
    provider: str
    payload: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return the hash of what is asked for."""
        text = json.dumps([self.kind, self.target, dict(self.payload)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class DeedReady:
    """A claimed deed that this attempt may do."""

    effect: Effect
    is_repeat: bool = False
    """An earlier attempt may have reached the provider."""
    against: str | None = None
    """What speaks against it by now: what may have happened is only found out, and not done again."""


@dataclass(frozen=True)
class DeedBusy:
    """Another attempt holds the lease for this much longer."""

    left: dt.timedelta


@dataclass(frozen=True)
class DeedClosed:
    """Nothing to do: it was settled before, put off or refused."""

    state: str


@dataclass(frozen=True)
class Outcome:
    """What became of a deed: for the ledger, and for the record of the step."""

    state: EffectState
    become: Become
    receipt: str | None = None


async def begin_deed(
    session: AsyncSession, deed: Deed, wanted: Wanted, now: BusinessInstant, wall: WallInstant
) -> DeedReady | DeedBusy | DeedClosed:
    """Return what this attempt may do. Everything that speaks against the deed is asked here, again."""
    standing = await deed.place.load(session, now)
    effect = await find_effect(session, deed.place.origin)
    known = await _known(session, deed, effect, wall)
    if known is not None:
        return known
    against = await _against(session, standing, wanted, now)
    if effect is not None and effect.lease_until is not None:
        again = await reclaim(session, effect, deed.digest, now, wall)
        return DeedReady(again, is_repeat=True, against=None if against is None else against.reason)
    if against is not None:
        if effect is not None and against.state is not StepState.DEFERRED:
            await settle(session, effect.key, EffectState.FAILED, wall, error=against.reason)
        await deed.place.record(session, standing.customer_id, against, now)
        return DeedClosed(against.state.value)
    if effect is not None:
        return DeedReady(await reclaim(session, effect, deed.digest, now, wall))
    key = f"{deed.place.origin}{deed.target}"
    new = NewEffect(key, deed.kind, deed.digest, standing.customer_id, deed.provider)
    return DeedReady(await claim(session, new, wall))


async def _known(
    session: AsyncSession, deed: Deed, effect: Effect | None, wall: WallInstant
) -> DeedBusy | DeedClosed | None:
    """Return what ledger and record say of what was begun or given up before, None if it may be tried."""
    lease = effect.lease_until if effect is not None else None
    if effect is not None and effect.state is not EffectState.CLAIMED:
        return DeedClosed(effect.state.value)
    if lease is not None:  # what may have happened must be found out, whatever its record says
        return DeedBusy(lease - wall) if lease > wall else None
    closed = await deed.place.finished(session)
    if closed is None:
        return None
    if effect is not None:
        await settle(session, effect.key, EffectState.FAILED, wall, error=GIVEN_UP)
    return DeedClosed(closed.value)


async def _against(
    session: AsyncSession, standing: Standing, wanted: Wanted, now: BusinessInstant
) -> Become | None:
    """Return what becomes of a deed that a person holds back, or that is not wanted any more."""
    if standing.held is not None:
        why, until = standing.held
        words = f"Put off until {until:%d %B %Y %H:%M} UTC: {HELD[why]}."
        return Become(StepState.DEFERRED, why, until, DecisionKind.DEFERRAL, words)
    reason = IS_OVER if standing.is_over else await wanted(session, now)
    return None if reason is None else not_done(reason)


def not_done(reason: str) -> Become:
    """Return what becomes of a deed that certainly did not happen and is not wanted."""
    return Become(StepState.SKIPPED, reason, None, DecisionKind.REFUSAL, f"Not done: {_words(reason)}.")


async def end_deed(
    session: AsyncSession,
    deed: Deed,
    effect: Effect,
    outcome: Outcome,
    now: BusinessInstant,
    wall: WallInstant,
) -> Standing:
    """Write what became of a deed into the ledger and where it belongs, with the customer locked."""
    standing = await deed.place.load(session, now)
    error = outcome.become.reason if outcome.state is EffectState.FAILED else None
    await settle(session, effect.key, outcome.state, wall, provider_message_id=outcome.receipt, error=error)
    await deed.place.record(session, standing.customer_id, outcome.become, now)
    return standing


async def doubt_deed(
    session: AsyncSession,
    deed: Deed,
    effect: Effect,
    reason: str,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """Leave a deed of which nobody can say whether it happened, and ask a person with the evidence."""
    until = after(now, WAIT_FOR_WORD)
    become = Become(StepState.WAITING, "uncertain", until, DecisionKind.DEFERRAL, DOUBT)
    standing = await end_deed(session, deed, effect, Outcome(EffectState.UNCERTAIN, become), now, wall)
    owner = select(CustomerRow.csm_id).where(CustomerRow.id == standing.customer_id)
    question = Question(
        f"Find out whether a {deed.kind} at {deed.provider} happened",
        f"Since {effect.first_claimed_at:%d %B %Y %H:%M} UTC nobody can say what became of delivery "
        f"{effect.delivery_id} ({deed.target}): {reason}. It is not repeated by itself. Look at the "
        "provider's own pages, and say on the page of effects what you found.",
        await session.scalar(owner),
    )
    await deed.place.ask(session, standing.customer_id, question, now)


def _words(reason: str) -> str:
    return REASONS.get(reason, reason.replace("_", " "))


IS_OVER = "no_longer_wanted"
DOUBT = "Nobody can say whether it happened. It is not repeated by itself; a person was asked."
HELD = {
    "effects_stopped": "a person has stopped every outward effect",
    "observing": "the installation has not been released",
    "paused": "a person has ordered a rest",
}
REASONS = {IS_OVER: "the case or run has ended, is held, or stands elsewhere"}
