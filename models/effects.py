"""The effect ledger: what was done to the world, once.

`claimed` with a live lease is being sent; with a dead one, nobody knows yet; with no lease, it certainly was
not taken. `sent` was accepted, `confirmed` was heard of from the provider, `uncertain` waits for a person.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.documents import Document
from domain.errors import ConflictError, LateAttemptError
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import EffectState, TouchpointState
from models.tables.ledger import EffectRow, TouchpointRow
from models.touch_states import move_touchpoint

LEASE = dt.timedelta(seconds=15)
"""Longer than any attempt may take: a claim older than this has lost its sender."""

TOUCHPOINT_STATES = {
    EffectState.CLAIMED: TouchpointState.CLAIMED,
    EffectState.SENT: TouchpointState.SENT,
    EffectState.CONFIRMED: TouchpointState.DELIVERED,
    EffectState.FAILED: TouchpointState.FAILED,
    EffectState.UNCERTAIN: TouchpointState.UNCERTAIN,
}
"""The one table from effect states to touchpoint states."""


@dataclass(frozen=True)
class Effect:
    """One effect as the ledger has it."""

    key: str
    delivery_id: str
    payload_hash: str
    state: EffectState
    attempts: int
    lease_until: WallInstant | None
    claimed_at: WallInstant
    error: str | None
    first_claimed_at: WallInstant
    """A provider may have forgotten our delivery id since."""


FIELDS = (
    EffectRow.key,
    EffectRow.delivery_id,
    EffectRow.payload_hash,
    EffectRow.state,
    EffectRow.attempts,
    EffectRow.lease_until,
    EffectRow.claimed_at,
    EffectRow.error,
    EffectRow.first_claimed_at,
)


def is_late(effect: Effect, wall: WallInstant, call_seconds: float = 0.0) -> bool:
    """Tell whether a call of so many seconds that begins now would not end within the lease."""
    ends = wall + dt.timedelta(seconds=call_seconds)
    return effect.lease_until is not None and ends >= effect.lease_until


def refuse_late(effect: Effect, wall: WallInstant, call_seconds: float) -> None:
    """Raise LateAttemptError where it is too late for a call of so many seconds."""
    if is_late(effect, wall, call_seconds):
        raise LateAttemptError(key=effect.key)


def settled_at(effect: Effect, lag: dt.timedelta) -> WallInstant:
    """Return from when on a provider knows whether it has taken the newest attempt.

    An attempt may be taken as late as its lease ends, and what a provider can be asked lags behind that.
    """
    return WallInstant(effect.claimed_at + LEASE + lag)


async def is_newest(session: AsyncSession, effect: Effect) -> bool:
    """Tell whether nobody has tried it again since: of an older attempt only what it did is news."""
    query = select(EffectRow.attempts).where(EffectRow.key == effect.key)
    return await session.scalar(query) == effect.attempts


@dataclass(frozen=True)
class NewEffect:
    """What a claim says."""

    key: str
    kind: str
    payload_hash: str
    customer_id: uuid.UUID | None
    provider: str
    user_id: uuid.UUID | None = None
    """Who of ours gets it, where it is for us and not for a customer."""
    sender_domain: str | None = None


def payload_hash(order: Document) -> str:
    """Return the hash of what makes an effect the same effect: the step as the playbook's version has it."""
    return hashlib.sha256(json.dumps(order.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


async def find_effect(session: AsyncSession, origin: str) -> Effect | None:
    """Return the effect of one visit of one step: another recipient is no new effect."""
    row = (
        await session.execute(
            select(*FIELDS)
            .where(EffectRow.key.startswith(origin, autoescape=True))
            .order_by(EffectRow.claimed_at.desc(), EffectRow.key)
        )
    ).first()
    return Effect(*row) if row is not None else None


async def claim(session: AsyncSession, new: NewEffect, wall: WallInstant) -> Effect:
    """Claim a new effect under a lease. The caller holds the customer's row lock."""
    effect = Effect(
        new.key,
        uuid.uuid4().hex,
        new.payload_hash,
        EffectState.CLAIMED,
        1,
        WallInstant(wall + LEASE),
        wall,
        None,
        wall,
    )
    await session.execute(
        insert(EffectRow).values(
            key=effect.key,
            delivery_id=effect.delivery_id,
            kind=new.kind,
            payload_hash=effect.payload_hash,
            customer_id=new.customer_id,
            user_id=new.user_id,
            state=effect.state,
            attempts=1,
            lease_until=effect.lease_until,
            claimed_at=wall,
            first_claimed_at=wall,
            provider=new.provider,
            sender_domain=new.sender_domain,
        )
    )
    return effect


async def reclaim(
    session: AsyncSession, effect: Effect, payload_hash: str, now: BusinessInstant, wall: WallInstant
) -> Effect:
    """Try a claimed effect again under its old delivery id; another payload is an error.

    Its touchpoint moves to now: the contact happens when the message leaves, and counts from then.
    """
    if payload_hash != effect.payload_hash:
        raise ConflictError(what=f"effect {effect.key}", reason="it was claimed with another payload")
    lease = WallInstant(wall + LEASE)
    await session.execute(
        update(EffectRow)
        .where(EffectRow.key == effect.key)
        .values(attempts=EffectRow.attempts + 1, lease_until=lease, claimed_at=wall)
    )
    await session.execute(
        update(TouchpointRow)
        .where(TouchpointRow.effect_key == effect.key)
        .values(occurred_at=now, known_at=now)
    )
    return Effect(
        effect.key,
        effect.delivery_id,
        effect.payload_hash,
        effect.state,
        effect.attempts + 1,
        lease,
        wall,
        effect.error,
        effect.first_claimed_at,
    )


async def settle(
    session: AsyncSession,
    key: str,
    state: EffectState,
    wall: WallInstant,
    *,
    provider_message_id: str | None = None,
    error: str | None = None,
) -> bool:
    """Give an effect and its touchpoint their state. What is confirmed stays so, which returns False."""
    values: dict[str, object] = {"state": state, "settled_at": wall, "lease_until": None, "error": error}
    if provider_message_id is not None:
        values["provider_message_id"] = provider_message_id
    changed = await session.scalar(
        update(EffectRow)
        .where(EffectRow.key == key, EffectRow.state != EffectState.CONFIRMED)
        .values(values)
        .returning(EffectRow.key)
    )
    if changed is not None:
        mine = (TouchpointRow.effect_key == key,)
        await move_touchpoint(session, mine, TOUCHPOINT_STATES[state], wall)
    return changed is not None


async def record_done(session: AsyncSession, new: NewEffect, wall: WallInstant) -> None:
    """Write an effect down that happens with this very transaction: nobody can be in doubt of it."""
    values = {"state": EffectState.SENT, "attempts": 1, "claimed_at": wall, "settled_at": wall}
    await session.execute(
        insert(EffectRow).values(**vars(new), delivery_id=uuid.uuid4().hex, lease_until=None, **values)
    )


async def hear_of(
    session: AsyncSession,
    keys: Sequence[str],
    state: EffectState,
    wall: WallInstant,
    error: str | None = None,
) -> None:
    """Take later word on effects that were sent; what is confirmed or has failed stays so."""
    row = EffectRow
    sent = update(row).where(row.key.in_(keys), row.state == EffectState.SENT)
    await session.execute(sent.values(state=state, settled_at=wall, error=error))


async def give_back(session: AsyncSession, effect: Effect, error: str) -> None:
    """Note that the provider certainly did not take it: the claim stays, without a lease.

    A later attempt keeps its lease: this one says nothing of it.
    """
    mine = (EffectRow.key == effect.key, EffectRow.attempts == effect.attempts)
    await session.execute(update(EffectRow).where(*mine).values(lease_until=None, error=error))


async def abandon_claims(session: AsyncSession, origin: str, error: str) -> None:
    """Fail what a run claimed and certainly never handed over, so that it counts as no contact."""
    mine = EffectRow.key.startswith(origin, autoescape=True)
    unsent = (mine, EffectRow.state == EffectState.CLAIMED, EffectRow.lease_until.is_(None))
    failed = update(EffectRow).where(*unsent).values(state=EffectState.FAILED, error=error)
    keys = list((await session.scalars(failed.returning(EffectRow.key))).all())
    if keys:
        await session.execute(
            update(TouchpointRow)
            .where(TouchpointRow.effect_key.in_(keys))
            .values(state=TOUCHPOINT_STATES[EffectState.FAILED])
        )
