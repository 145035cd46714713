"""The last look before a claimed message leaves: what its reader, or their mailbox, said meanwhile."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.vocabulary import Purpose
from models.opt_outs import consents_of
from models.sends import SendContext
from models.tables.customers import ContactRow
from models.topic_choices import refused_topics


async def stopped_since(session: AsyncSession, context: SendContext) -> str | None:
    """Return the reason for which the message must not leave any more, None if it may.

    The guard has asked everything under the customer's lock; what people and providers say needs no such lock
    and may have come between that and now.
    """
    person, send = context.person, context.proposed
    assert person is not None  # noqa: S101 - the guard let it pass
    suppressed = select(ContactRow.suppressed_at).where(ContactRow.id == person.contact_id)
    if await session.scalar(suppressed) is not None:
        return "suppressed"
    if send.purpose is Purpose.TRANSACTIONAL:
        return None
    if not (await consents_of(session, person.contact_id)).get(send.purpose, False):
        return "no_consent"
    return "topic_opted_out" if send.topic in await refused_topics(session, person.contact_id) else None
