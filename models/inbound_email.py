"""Mail that customers' people write to us: a touchpoint, and news for the customer's workflow."""

import uuid

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from domain.delivery_events import InboundEmail
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import (
    Channel,
    Direction,
    NoticeKind,
    Purpose,
    TouchpointState,
)
from models.database import Session
from models.held_mail import copy_source, is_ours, keep_mail
from models.meeting_answers import take_reply
from models.outbox import Notice, put_notices
from models.sources import Source, connect_source
from models.tables.customers import ContactRoleRow, ContactRow, CustomerRow
from models.tables.ledger import EffectRow, TouchpointRow

MAIL = "mail"
"""The source id of what people write to us."""
LONGEST_SUBJECT = 300

Known = tuple[uuid.UUID, uuid.UUID | None, uuid.UUID | None]
"""Customer, contact, and the run whose message was answered."""


async def receive_email(
    session: Session, email: InboundEmail, now: BusinessInstant, wall: WallInstant
) -> bool:
    """Keep who wrote to whom, and that they did; the words stay in the mailbox. Returns whether it was news.

    A machine's answer says nothing about a person and is not kept. What our own people write, and copy to us,
    is a contact that we made; a stranger's mail is held until we know whose it is. A calendar's answer to an
    invitation is that answer and no letter, although programs mark it as automatic.
    """
    if email.reply is not None and await take_reply(session, email.reply, email.sender_email, now, wall):
        return True
    if email.is_automatic:
        return False
    copied = await copy_source(session, email)
    if copied is None:
        await _mail(session, now)
    if await is_ours(session, email.sender_email):
        return await keep_mail(session, copied or MAIL, email, now, wall)
    known = await _answered(session, email) or await _sender(session, email)
    if known is None:
        return await keep_mail(session, copied or MAIL, email, now, wall)
    subject = email.subject[:LONGEST_SUBJECT]
    return await receive_touch(session, known, email.message_id, Channel.EMAIL, subject, now, wall)


async def _mail(session: Session, now: BusinessInstant) -> None:
    """Make the source of what is written to us known; replies alone are not how we hear of contacts."""
    await connect_source(session, Source(MAIL, "Mail", "everstay", (), now))


async def _answered(session: Session, email: InboundEmail) -> Known | None:
    """Find the message of ours that this one answers, by the provider's id in its Message-ID."""
    ids = [each.partition("@")[0] for each in email.answers]
    if not ids:
        return None
    query = (
        select(TouchpointRow.customer_id, TouchpointRow.contact_id, TouchpointRow.intervention_id)
        .join(EffectRow, EffectRow.key == TouchpointRow.effect_key)
        .where(EffectRow.provider_message_id.in_(ids))
        .order_by(TouchpointRow.occurred_at.desc())
        .limit(1)
    )
    row = (await session.execute(query)).one_or_none()
    return (row.customer_id, row.contact_id, row.intervention_id) if row else None


async def _sender(session: Session, email: InboundEmail) -> Known | None:
    """Find the person by their address, at the customer that they joined last."""
    query = (
        select(ContactRoleRow.customer_id, ContactRow.id)
        .join(ContactRow, ContactRow.id == ContactRoleRow.contact_id)
        .where(func.lower(ContactRow.email) == email.sender_email, ContactRoleRow.until.is_(None))
        .order_by(ContactRoleRow.since.desc(), ContactRoleRow.customer_id)
        .limit(1)
    )
    row = (await session.execute(query)).one_or_none()
    return (row.customer_id, row.id, None) if row else None


async def receive_touch(
    session: Session,
    known: Known,
    external_id: str,
    channel: Channel,
    subject: str,
    now: BusinessInstant,
    wall: WallInstant,
) -> bool:
    """Keep a contact that a customer's person made with us, once; returns whether it was news."""
    customer_id, contact_id, intervention_id = known
    await _mail(session, now)
    statement = insert(TouchpointRow).values(
        id=uuid.uuid4(),
        source_id=MAIL,
        external_id=external_id,
        content_hash="",
        customer_id=customer_id,
        contact_id=contact_id,
        intervention_id=intervention_id,
        direction=Direction.IN,
        channel=channel,
        purpose=Purpose.LIFECYCLE,
        state=TouchpointState.RECEIVED,
        subject=subject,
        occurred_at=now,
        known_at=now,
    )
    fresh = statement.on_conflict_do_nothing(index_elements=["source_id", "external_id"])
    touchpoint_id = await session.scalar(fresh.returning(TouchpointRow.id))
    if touchpoint_id is not None:
        payload = {
            "touchpoint_id": str(touchpoint_id),
            "direction": Direction.IN.value,
            "channel": channel.value,
        }
        await _tell(session, customer_id, payload, now, wall)
    return touchpoint_id is not None


async def _tell(
    session: Session,
    customer_id: uuid.UUID,
    payload: dict[str, str],
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    touched = func.greatest(CustomerRow.last_touch_at, now)
    await session.execute(
        update(CustomerRow).where(CustomerRow.id == customer_id).values(last_touch_at=touched)
    )
    await put_notices(session, [Notice(customer_id, NoticeKind.TOUCHPOINT, payload, now)], wall)
