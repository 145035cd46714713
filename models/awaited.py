"""Rings runs whose exit, goal or awaited condition a scoring, or the passing of days, has made true.

Without it such a run would find out at its next wake, which may be weeks away. Only what holds now is told:
the run ends or moves on by it, so that the same thing is not told night after night.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.awaited import awaited, comes_without_news
from domain.conditions import Condition
from domain.time import BusinessInstant
from domain.vocabulary import InterventionState, NoticeKind
from models.arrays import among_ids
from models.outbox import Notice
from models.playbooks import PlaybookShelf
from models.runs import load_run
from models.tables.playbooks import InterventionRow


async def told_by_conditions(
    session: AsyncSession, shelf: PlaybookShelf, customers: Sequence[uuid.UUID], now: BusinessInstant
) -> list[Notice]:
    """Return a notice for each of these customers with a run for which something has come to hold.

    The caller holds the customers' row locks.
    """
    row = InterventionRow
    query = (
        select(row.id, row.customer_id, row.version_id, row.position, row.state)
        .where(among_ids(row.customer_id, customers))
        .where(row.state.in_([InterventionState.RUNNING, InterventionState.PAUSED]))
        .order_by(row.customer_id, row.id)
    )
    told: dict[uuid.UUID, Notice] = {}
    for run in (await session.execute(query)).all():
        if run.customer_id not in told and await _holds(session, shelf, run, now):
            told[run.customer_id] = Notice(run.customer_id, NoticeKind.CUSTOMER_CHANGED, {}, now)
    return list(told.values())


async def _holds(session: AsyncSession, shelf: PlaybookShelf, run: Row[Any], now: BusinessInstant) -> bool:
    asked = await _asked(session, shelf, run)
    if not asked:
        return False
    facts = (await load_run(session, run.id, shelf, now)).view.facts
    return any(condition.holds(facts) for condition in asked)


async def _asked(session: AsyncSession, shelf: PlaybookShelf, run: Row[Any]) -> list[Condition]:
    playbook = await shelf.version(session, run.version_id)
    rests = run.state is InterventionState.PAUSED
    return [
        one for one in awaited(playbook, run.position.get("step"), rests=rests) if comes_without_news(one)
    ]
