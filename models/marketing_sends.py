"""Mail that a marketing tool reports through the tracking API: it spends the contact budget too."""

import uuid

from sqlalchemy import text

from domain.facts import TouchpointFact
from domain.time import WallInstant
from domain.vocabulary import Channel, Direction, Purpose
from models.attribution_queries import MARKETING
from models.database import Session
from models.facts import store_facts

_SENDS = f"""
SELECT DISTINCT ON (source_id, key) source_id, customer_id, contact_id, subject, occurred_at, known_at, key
FROM (
    SELECT attributed.*, COALESCE(properties ->> 'email_subject', properties ->> 'subject') AS subject,
           concat_ws('/', 'email', COALESCE(
               properties ->> 'email_id', properties ->> 'message_id', properties ->> 'campaign_id',
               properties ->> 'campaign_name', properties ->> 'email_subject', properties ->> 'subject'),
               contact_id, CAST(occurred_at AT TIME ZONE 'UTC' AS date)) AS key
    FROM attributed
    WHERE kind = 'track' AND lower(replace(name, '_', ' ')) IN ('email sent', 'email delivered')
      AND customer_id IS NOT NULL AND contact_id IS NOT NULL AND source_id IN ({MARKETING})
) AS sends
ORDER BY source_id, key, occurred_at
"""  # noqa: S608 - constants only
"""Sending and delivery tell of one mail: what names it, its reader and the day make one of them."""


async def store_sends(session: Session, wall: WallInstant) -> int:
    """Store the mails among the attributed events as touchpoints; return how many were new.

    They are announced to nobody: a campaign is no contact, and ends no silence.
    """
    sends = (await session.execute(text(_SENDS))).mappings().all()
    by_source: dict[str, list[TouchpointFact]] = {}
    for row in sends:
        fact = TouchpointFact(
            key=row["key"],
            known_at=max(row["known_at"], row["occurred_at"]),
            customer=str(row["customer_id"]),
            contact=str(row["contact_id"]),
            direction=Direction.OUT,
            channel=Channel.EMAIL,
            purpose=Purpose.MARKETING,
            subject=row["subject"],
            occurred_at=row["occurred_at"],
        )
        by_source.setdefault(row["source_id"], []).append(fact)
    stored = 0
    for source_id, facts in by_source.items():
        customers = {fact.customer: uuid.UUID(fact.customer) for fact in facts}
        people = {fact.contact: uuid.UUID(fact.contact) for fact in facts if fact.contact}
        result = await store_facts(
            session, source_id, facts, received_at=wall, announces=False, customers=customers, people=people
        )
        stored += result.stored
    return stored
