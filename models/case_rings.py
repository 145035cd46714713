"""Which news of a customer its open cases are rung for."""

import uuid
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import WallInstant
from domain.vocabulary import NoticeKind
from models.cases import ring_cases_of
from models.outbox import Notice

HEEDED = frozenset(
    {
        NoticeKind.PAYMENT,
        NoticeKind.PAYMENT_FAILED,
        NoticeKind.TASK_DONE,
        NoticeKind.CLOCK_CHANGED,
        NoticeKind.RELEASED,
        NoticeKind.SWITCHED,
        NoticeKind.PAUSED,
        NoticeKind.RESUMED,
    }
)
"""Money that moved, the word of a person, what holds a case or lets it go, and a new pace of time."""
HEEDED_WHEN_GONE = frozenset({NoticeKind.CUSTOMER_CHANGED, NoticeKind.CONSENT_CHANGED})
"""A case of who has left sleeps for weeks; any other looks once a day by itself."""


async def ring_cases_for(
    session: AsyncSession,
    customer_id: uuid.UUID,
    notices: Sequence[Notice],
    wall: WallInstant,
    *,
    has_left: bool,
) -> None:
    """Have every open case look again, once, where any of the news concerns it."""
    heeded = HEEDED | HEEDED_WHEN_GONE if has_left else HEEDED
    if any(notice.kind in heeded for notice in notices):
        await ring_cases_of(session, customer_id, wall)
