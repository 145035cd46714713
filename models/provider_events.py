"""Providers' webhooks: stored first, then applied, in whatever order and however often they come."""

import uuid
from collections.abc import Iterable

import structlog
from pydantic import TypeAdapter
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from domain.delivery_events import DeliveryEvent, DeliveryEventKind
from domain.delivery_rules import RULES, DeliveryRule, touchpoints_before
from domain.errors import EverstayError
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import EffectState, NoticeKind
from models.campaign_mail import keep_campaign_mail
from models.clock import load_timeline, start_clock
from models.database import Session
from models.doubts import close_question
from models.opt_outs import MAIL_PROVIDER, OPTIONAL, record_consent, suppress_contact
from models.outbox import Notice, put_notices
from models.reactions import WEIGHED, weigh_reactions
from models.tables.customers import ContactRow
from models.tables.ledger import EffectRow, ProviderEventRow, TouchpointRow
from models.touch_states import move_touchpoint

BATCH = 200
BY_READERS = (DeliveryEventKind.OPENED, DeliveryEventKind.CLICKED)
_EVENT = TypeAdapter(DeliveryEvent)


async def store_events(
    session: Session, provider: str, events: Iterable[DeliveryEvent], wall: WallInstant
) -> int:
    """Keep the events that we have not seen, and return how many those are."""
    rows = {
        event.event_id: {
            "provider": provider,
            "event_id": event.event_id,
            "delivery_id": event.delivery_id or None,
            "kind": event.kind.value,
            "body": _EVENT.dump_python(event, mode="json"),
            "received_at": wall,
        }
        for event in events
    }
    if not rows:
        return 0
    statement = insert(ProviderEventRow).on_conflict_do_nothing().returning(ProviderEventRow.event_id)
    return len((await session.scalars(statement, list(rows.values()))).all())


async def apply_events(session: Session, wall: WallInstant, *, limit: int = BATCH) -> int:
    """Apply what is stored and not yet applied, oldest first; returns how many. Call until it is 0.

    Rows that another process is applying are left to it. Effects are touched in one order, so that two
    processes cannot wait for each other.
    """
    query = (
        select(ProviderEventRow)
        .where(ProviderEventRow.applied_at.is_(None))
        .order_by(ProviderEventRow.received_at, ProviderEventRow.event_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = sorted((await session.scalars(query)).all(), key=lambda row: (row.delivery_id or "", row.event_id))
    for row in rows:
        await _apply_one(session, row.body, wall)
    keys = [row.event_id for row in rows]
    done = update(ProviderEventRow).where(ProviderEventRow.event_id.in_(keys)).values(applied_at=wall)
    if keys:
        await session.execute(done)
    return len(rows)


async def _apply_one(session: Session, body: dict[str, object], wall: WallInstant) -> None:
    """Apply one event; one that cannot be applied is logged by its id and does not hold up the rest."""
    try:
        event = _EVENT.validate_python(body)
        async with session.begin_nested():
            await _apply(session, event, wall)
    except (EverstayError, ValueError, LookupError) as error:
        structlog.get_logger("provider_events").error(
            "event not applied", event_id=body.get("event_id"), exc_info=error
        )


async def _apply(session: Session, event: DeliveryEvent, wall: WallInstant) -> None:
    rule = RULES[event.kind]
    if event.is_marketing and event.kind is DeliveryEventKind.DELIVERED and not event.delivery_id:
        await keep_campaign_mail(session, event, wall)
    effect_key = await _effect_key(session, event.delivery_id)
    if effect_key is not None:
        await _confirm(session, effect_key, event, wall)
        if event.kind in WEIGHED:
            await weigh_reactions(session, event.delivery_id, effect_key, wall)
        if rule.touchpoint is not None and event.kind not in BY_READERS:
            earlier = TouchpointRow.state.in_(touchpoints_before(rule.touchpoint))
            mine = (TouchpointRow.effect_key == effect_key, earlier)
            await move_touchpoint(session, mine, rule.touchpoint, wall)
    if rule.suppresses or rule.consents is not None:
        await _hear(session, event, rule, effect_key, wall)


async def _effect_key(session: Session, delivery_id: str) -> str | None:
    if not delivery_id:
        return None
    return await session.scalar(select(EffectRow.key).where(EffectRow.delivery_id == delivery_id))


async def _confirm(session: Session, key: str, event: DeliveryEvent, wall: WallInstant) -> None:
    """Settle the effect: whoever wonders whether it was sent, and the sender itself, need not ask again."""
    values: dict[str, object] = {"state": EffectState.CONFIRMED, "settled_at": wall, "lease_until": None}
    if event.provider_message_id:
        values["provider_message_id"] = event.provider_message_id
    query = select(EffectRow.state, EffectRow.customer_id).where(EffectRow.key == key).with_for_update()
    before = (await session.execute(query)).one()
    if before.state is EffectState.CONFIRMED:
        return
    await session.execute(update(EffectRow).where(EffectRow.key == key).values(values))
    if before.state is EffectState.UNCERTAIN and before.customer_id is not None:
        timeline = await load_timeline(session) or await start_clock(session, wall)
        payload = {"delivery_id": event.delivery_id}
        now = timeline.business_at(wall)
        await close_question(session, key, now)
        await put_notices(
            session, [Notice(before.customer_id, NoticeKind.CUSTOMER_CHANGED, payload, now)], wall
        )


async def _hear(
    session: Session, event: DeliveryEvent, rule: DeliveryRule, effect_key: str | None, wall: WallInstant
) -> None:
    """Do what the event asks for the person who got the message."""
    timeline = await load_timeline(session) or await start_clock(session, wall)
    at, now = timeline.business_at(event.occurred_at), timeline.business_at(wall)
    for contact_id in await _contacts(session, event, effect_key):
        if rule.suppresses:
            await suppress_contact(session, contact_id, event.kind.value, now, wall)
        if rule.consents is not None:
            await _consent(session, contact_id, rule.consents, min(at, now), now, wall)


async def _consent(
    session: Session,
    contact_id: uuid.UUID,
    granted: bool,  # noqa: FBT001  the word itself
    at: BusinessInstant,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    choices = [(purpose, granted) for purpose in OPTIONAL]
    await record_consent(session, contact_id, choices, MAIL_PROVIDER, at, now, wall)


async def _contacts(session: Session, event: DeliveryEvent, effect_key: str | None) -> list[uuid.UUID]:
    """Return whom we wrote to; without our delivery id, everyone with that address."""
    if effect_key is not None:
        query = select(TouchpointRow.contact_id).where(TouchpointRow.effect_key == effect_key)
        return [each for each in (await session.scalars(query)).all() if each is not None]
    if not event.email:
        return []
    same = func.lower(ContactRow.email) == event.email.lower()
    return list((await session.scalars(select(ContactRow.id).where(same).order_by(ContactRow.id))).all())
