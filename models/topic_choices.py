"""What people want to hear about, by topic: the newest word of a person holds, and silence is a yes."""

import uuid
from collections.abc import Collection

from sqlalchemy import insert, select

from domain.time import BusinessInstant, WallInstant
from domain.topics import TOPICS
from domain.vocabulary import Motion
from models.database import Session
from models.opt_outs import tell_customers
from models.tables.mail import TopicChoiceRow


async def refused_topics(session: Session, contact_id: uuid.UUID) -> frozenset[Motion]:
    """Return the topics on which a person wants no optional mail."""
    row = TopicChoiceRow
    said = select(row.topic, row.wanted).where(row.contact_id == contact_id)
    rows = await session.execute(said.order_by(row.occurred_at, row.id))
    holding = {told.topic: told.wanted for told in rows}
    return frozenset(topic for topic, wanted in holding.items() if not wanted)


async def choose_topics(
    session: Session,
    contact_id: uuid.UUID,
    wanted: Collection[Motion],
    now: BusinessInstant,
    wall: WallInstant,
) -> bool:
    """Write down which topics a person wants, the others not; returns whether that changed anything."""
    before = await refused_topics(session, contact_id)
    changed = [topic for topic in TOPICS if (topic in before) is (topic in wanted)]
    if not changed:
        return False
    rows = [
        {
            "contact_id": contact_id,
            "topic": topic,
            "wanted": topic in wanted,
            "occurred_at": now,
        }
        for topic in changed
    ]
    await session.execute(insert(TopicChoiceRow), rows)
    await tell_customers(session, contact_id, now, wall)
    return True
