"""What a customer's contact budget was spent on lately: claimed counts as made."""

import uuid

from sqlalchemy import Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact_policy import MARKETING
from domain.contact_slots import WEEK, Spent
from domain.time import BusinessInstant
from domain.vocabulary import Channel, Direction, Purpose, TouchpointState
from models.runs import EVERSTAY
from models.tables.cases import CaseRow
from models.tables.ledger import TouchpointRow
from models.tables.playbooks import InterventionRow, PlaybookRow

NOT_SENT = [TouchpointState.FAILED, TouchpointState.SUPPRESSED]


async def spent_lately(
    session: AsyncSession, customer_id: uuid.UUID, now: BusinessInstant, *, except_for: str | None = None
) -> tuple[Spent, ...]:
    """Return the optional e-mails to this customer of the last seven days, the newest first.

    Marketing that other systems sent counts like ours; what our people write by hand does not, and prompts
    are counted where they are offered, each person's own.
    `except_for` begins the keys of a message in question: an earlier attempt at it is no other message.
    """
    row = TouchpointRow
    query = (
        select(
            row.occurred_at,
            row.contact_id,
            row.channel,
            row.purpose,
            func.coalesce(cast(PlaybookRow.motion, Text), cast(CaseRow.kind, Text)),
        )
        .outerjoin(InterventionRow, InterventionRow.id == row.intervention_id)
        .outerjoin(PlaybookRow, PlaybookRow.key == InterventionRow.playbook_key)
        .outerjoin(CaseRow, CaseRow.id == row.case_id)
        .where(
            row.customer_id == customer_id,
            row.direction == Direction.OUT,
            row.channel == Channel.EMAIL,
            row.purpose != Purpose.TRANSACTIONAL,
            row.state.not_in(NOT_SENT),
            (row.source_id == EVERSTAY) | (row.purpose == Purpose.MARKETING),
            row.occurred_at > now - WEEK,
        )
        .order_by(row.occurred_at.desc())
    )
    if except_for is not None:
        others = row.effect_key.is_(None) | ~row.effect_key.startswith(except_for, autoescape=True)
        query = query.where(others)
    return tuple(
        Spent(at, str(person) if person else None, channel, _topic(purpose, motion))
        for at, person, channel, purpose, motion in await session.execute(query)
    )


def _topic(purpose: Purpose, motion: str | None) -> str:
    return MARKETING if purpose is Purpose.MARKETING else str(motion or "")
