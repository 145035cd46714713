"""What ends mail to a person: a bounce, a complaint, their own word. Workflows of their customers hear it."""

import uuid
from collections.abc import Iterable

from sqlalchemy import func, insert, select, update

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import NoticeKind, Purpose
from models.database import Session
from models.outbox import Notice, put_notices
from models.tables.customers import ConsentRow, ContactRoleRow, ContactRow

OPTIONAL = (Purpose.LIFECYCLE, Purpose.MARKETING)
"""What a person can refuse; what a contract obliges us to say is not among them."""
OWN_PAGE = "their own page"
MAIL_PROVIDER = "mail provider"
OWN_WORDS = (OWN_PAGE, MAIL_PROVIDER)
"""Origins of a consent that are the person's own act: our pages and one-click links, and the provider's."""
LAST_HOLDS = (ConsentRow.origin.in_(OWN_WORDS), ConsentRow.occurred_at, ConsentRow.known_at)
"""The order of consents of one purpose whose last one holds: a person's own word is above any source's."""


async def suppress_contact(
    session: Session, contact_id: uuid.UUID, reason: str, now: BusinessInstant, wall: WallInstant
) -> bool:
    """Send nothing more to this address; the first reason stays. Returns whether that is news."""
    statement = (
        update(ContactRow)
        .where(ContactRow.id == contact_id, ContactRow.suppressed_at.is_(None))
        .values(suppressed_at=now, suppressed_reason=reason)
        .returning(ContactRow.id)
    )
    is_news = await session.scalar(statement) is not None
    if is_news:
        await tell_customers(session, contact_id, now, wall)
    return is_news


async def release_address(session: Session, email: str) -> None:
    """Take mail to an address up again, for everybody who has it."""
    same = func.lower(ContactRow.email) == email.lower()
    await session.execute(update(ContactRow).where(same).values(suppressed_at=None, suppressed_reason=None))


async def record_consent(
    session: Session,
    contact_id: uuid.UUID,
    choices: Iterable[tuple[Purpose, bool]],
    origin: str,
    at: BusinessInstant,
    now: BusinessInstant,
    wall: WallInstant,
) -> bool:
    """Write down what a person said at `at`, late or not: the newest word per purpose holds.

    Returns whether that changed what holds.
    """
    before = await consents_of(session, contact_id)
    rows = [
        {
            "id": uuid.uuid4(),
            "contact_id": contact_id,
            "purpose": purpose,
            "granted": granted,
            "origin": origin,
            "occurred_at": at,
            "known_at": now,
        }
        for purpose, granted in choices
    ]
    await session.execute(insert(ConsentRow), rows)
    is_news = await consents_of(session, contact_id) != before
    if is_news:
        await tell_customers(session, contact_id, now, wall)
    return is_news


async def consents_of(session: Session, contact_id: uuid.UUID) -> dict[Purpose, bool]:
    """Return what holds per purpose: a person's own newest word, else what was last told of them."""
    query = (
        select(ConsentRow.purpose, ConsentRow.granted)
        .where(ConsentRow.contact_id == contact_id)
        .order_by(*LAST_HOLDS)
    )
    return {row.purpose: row.granted for row in await session.execute(query)}


async def tell_customers(
    session: Session, contact_id: uuid.UUID, now: BusinessInstant, wall: WallInstant
) -> None:
    """Let the workflows of a person's customers hear that they want something else than before."""
    customers = await session.scalars(
        select(ContactRoleRow.customer_id)
        .where(ContactRoleRow.contact_id == contact_id, ContactRoleRow.until.is_(None))
        .distinct()
    )
    payload = {"contact_id": str(contact_id)}
    notices = [Notice(each, NoticeKind.CONSENT_CHANGED, payload, now) for each in customers]
    await put_notices(session, notices, wall)
