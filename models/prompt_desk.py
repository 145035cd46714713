"""Prompts as a customer's product asks for them: who a user is, what is open for them, what they did."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.documents import END
from domain.errors import NotFoundError
from domain.prompts import PromptOverError
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import (
    Channel,
    Direction,
    EffectState,
    InterventionState,
    NoticeKind,
    Outcome,
    PromptState,
    Purpose,
    TouchpointState,
)
from models.customer_state import lock_customer
from models.effects import hear_of
from models.installation import load_installation
from models.opt_outs import consents_of
from models.outbox import Notice, put_notices
from models.runs import EVERSTAY
from models.sources import Source, connect_source
from models.tables.customers import ContactRow, CustomerRow
from models.tables.ledger import TouchpointRow
from models.tables.playbooks import InterventionRow
from models.tables.runs import PromptRow
from models.tables.tracking import IdentityRow

OPEN = (PromptState.OFFERED, PromptState.SHOWN)
MOST = 20
UNSEEN = "it was withdrawn or expired before anybody saw it"


@dataclass(frozen=True)
class OpenPrompt:
    """A prompt as the product shows it."""

    id: uuid.UUID
    title: str
    body: str
    link: str | None
    expires_at: BusinessInstant


async def show_prompts(
    session: AsyncSession, source_id: str, user_key: str, now: BusinessInstant, wall: WallInstant
) -> list[OpenPrompt]:
    """Return what is open for a user of this source, the newest first, and mark it as shown.

    What speaks against a prompt is asked again: consent, the customer's wish, the switch of all effects.
    """
    contact_id = await contact_of(session, source_id, user_key)
    if contact_id is None:
        return []
    await close_over(session, now, wall, PromptRow.contact_id == contact_id)
    if not await _may_show(session, contact_id):
        return []
    row = PromptRow
    query = (
        select(row.id, row.title, row.body, row.link, row.expires_at)
        .join(CustomerRow, CustomerRow.id == row.customer_id)
        .where(row.contact_id == contact_id, row.state.in_(OPEN), ~CustomerRow.do_not_contact)
        .order_by(row.offered_at.desc(), row.id)
        .limit(MOST)
    )
    found = [OpenPrompt(*one) for one in (await session.execute(query)).all()]
    ids = [one.id for one in found]
    shown = update(row).where(row.id.in_(ids), row.state == PromptState.OFFERED)
    seen = await session.scalars(
        shown.values(state=PromptState.SHOWN, shown_at=now).returning(row.effect_key)
    )
    await hear_of(session, seen.all(), EffectState.CONFIRMED, wall)
    return found


async def contact_of(session: AsyncSession, source_id: str, user_key: str) -> uuid.UUID | None:
    """Return who a user of a source is: as identified, else whom this very source told of by that id."""
    row = IdentityRow
    known = select(row.contact_id).where(
        row.source_id == source_id, row.kind == "user", row.key == user_key, row.until.is_(None)
    )
    told = select(ContactRow.id).where(ContactRow.source_id == source_id, ContactRow.external_id == user_key)
    return await session.scalar(known) or await session.scalar(told)


async def _may_show(session: AsyncSession, contact_id: uuid.UUID) -> bool:
    if (await load_installation(session)).effects_stopped_at is not None:
        return False
    holding = await consents_of(session, contact_id)
    return holding.get(Purpose.LIFECYCLE, False)


async def close_over(
    session: AsyncSession, now: BusinessInstant, wall: WallInstant, among: ColumnElement[bool] | None = None
) -> int:
    """Close what has expired, and what belongs to a run that was broken off; return how many.

    In the effect ledger, what nobody had seen by then has failed.
    """
    row, run = PromptRow, InterventionRow
    broken_off = select(run.id).where(
        run.state == InterventionState.ENDED,
        or_(run.outcome == Outcome.CHURNED, run.position["step"].as_string().is_distinct_from(END)),
    )
    is_over = or_(row.expires_at <= now, row.intervention_id.in_(broken_off))
    chosen = and_(row.state.in_(OPEN), is_over)
    statement = update(row).where(chosen if among is None else and_(chosen, among))
    closed = await session.scalars(statement.values(state=PromptState.EXPIRED).returning(row.effect_key))
    keys = closed.all()
    await hear_of(session, keys, EffectState.FAILED, wall, UNSEEN)
    return len(keys)


async def answer_prompt(
    session: AsyncSession,
    source_id: str,
    prompt_id: uuid.UUID,
    answer: PromptState,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """Keep what a person did with a prompt; the first answer holds, and a click is a sign of life.

    Raises NotFoundError for a prompt of somebody whom this source does not know, PromptOverError where it
    is closed.
    """
    prompt = await session.scalar(select(PromptRow).where(PromptRow.id == prompt_id))
    if prompt is None or not await _is_known(session, source_id, prompt.contact_id):
        raise NotFoundError(what="prompt", key=prompt_id)
    await lock_customer(session, prompt.customer_id)
    await close_over(session, now, wall, PromptRow.id == prompt_id)
    row = PromptRow
    statement = update(row).where(row.id == prompt_id, row.state.in_(OPEN))
    news = await session.scalar(statement.values(state=answer, answered_at=now).returning(row.id))
    if news is None:
        state = await session.scalar(select(row.state).where(row.id == prompt_id))
        if state is PromptState.EXPIRED:
            raise PromptOverError
        return
    await hear_of(session, [prompt.effect_key], EffectState.CONFIRMED, wall)
    if answer is PromptState.CLICKED:
        await _note_life(session, prompt, now, wall)


async def _is_known(session: AsyncSession, source_id: str, contact_id: uuid.UUID) -> bool:
    row = IdentityRow
    known = select(row.id).where(
        row.source_id == source_id, row.contact_id == contact_id, row.until.is_(None)
    )
    told = select(ContactRow.id).where(ContactRow.source_id == source_id, ContactRow.id == contact_id)
    found: Sequence[object] = [
        await session.scalar(known.limit(1)),
        await session.scalar(told),
    ]
    return any(one is not None for one in found)


async def _note_life(
    session: AsyncSession, prompt: PromptRow, now: BusinessInstant, wall: WallInstant
) -> None:
    """Write the click down as a contact that came from the customer, and tell the customer's workflow."""
    await connect_source(session, Source(EVERSTAY, "Everstay", "everstay", (), now))
    statement = upsert(TouchpointRow).values(
        id=uuid.uuid4(),
        source_id=EVERSTAY,
        external_id=f"prompt/{prompt.id}",
        content_hash="",
        customer_id=prompt.customer_id,
        contact_id=prompt.contact_id,
        intervention_id=prompt.intervention_id,
        direction=Direction.IN,
        channel=Channel.IN_APP,
        purpose=Purpose.LIFECYCLE,
        state=TouchpointState.RECEIVED,
        subject=prompt.title,
        occurred_at=now,
        known_at=now,
    )
    await session.execute(statement.on_conflict_do_nothing(index_elements=["source_id", "external_id"]))
    customer = update(CustomerRow).where(CustomerRow.id == prompt.customer_id)
    await session.execute(customer.values(last_touch_at=func.greatest(CustomerRow.last_touch_at, now)))
    payload = {"direction": Direction.IN.value, "channel": Channel.IN_APP.value}
    notice = Notice(prompt.customer_id, NoticeKind.TOUCHPOINT, payload, now)
    await put_notices(session, [notice], wall)
