"""What the demo shows and waits for while it runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseKind, CaseState
from domain.vocabulary import CustomerStatus, EffectState, InterventionState, Outcome, TaskState
from models.case_letters import EMAIL
from models.pressing import is_pressing
from models.tables.cases import CaseRow, DunningRow
from models.tables.connections import ConnectionRow, PullRunRow, WebhookDeliveryRow
from models.tables.customers import CustomerRow
from models.tables.ledger import EffectRow, OutboxRow
from models.tables.playbooks import InterventionRow
from models.tables.tracking import RescoreRow
from models.tables.work import TaskRow

RECEIVED = "received"
LAST_STREAM = "invoices"
"""Of Stripe's: when it has been read, whoever pays there is known, and an event of theirs is understood."""
SENT = (EffectState.SENT, EffectState.CONFIRMED)


async def count_under_way(session: AsyncSession) -> int:
    """Return what an orderly end waits for: notices not yet heard, effects not settled, webhooks not read."""
    unheard = select(func.count()).where(OutboxRow.consumed_at.is_(None), is_pressing()).scalar_subquery()
    claimed = select(func.count()).where(EffectRow.state == EffectState.CLAIMED).scalar_subquery()
    unread = select(func.count()).where(WebhookDeliveryRow.state == RECEIVED).scalar_subquery()
    return sum((await session.execute(select(unheard, claimed, unread))).one())


async def is_warm(session: AsyncSession) -> bool:
    """Tell whether Stripe was read once, and every customer decided on and, unless it has left, scored.

    Whoever Stripe has told of waits for the first night: days are too short to score on demand.
    """
    asked = select(RescoreRow.customer_id)
    unscored = (CustomerRow.churn_risk_score.is_(None), CustomerRow.status != CustomerStatus.CHURNED)
    cold = await session.scalar(select(func.count()).where(*unscored, CustomerRow.id.not_in(asked)))
    read = select(PullRunRow.source_id).where(
        PullRunRow.stream == LAST_STREAM, PullRunRow.finished_at.is_not(None)
    )
    unread = await session.scalar(select(func.count()).where(ConnectionRow.source_id.not_in(read)))
    return not cold and not unread and not await count_under_way(session)


@dataclass(frozen=True)
class LiveFigures:
    """What the live view shows."""

    tiers: dict[str, int]
    open_runs: int
    saved: int
    emails: int
    tasks_open: int
    tasks_done: int
    unpaid: int
    """Invoices that a case looks after."""
    recovered_minor: int


async def live_figures(session: AsyncSession) -> LiveFigures:
    """Return the figures of this moment."""
    tiers = select(CustomerRow.churn_risk_tier, func.count()).where(
        CustomerRow.status != CustomerStatus.CHURNED
    )
    found = (await session.execute(tiers.group_by(CustomerRow.churn_risk_tier))).all()
    counts: Sequence[ColumnElement[int]] = [
        _count(InterventionRow.state != InterventionState.ENDED),
        _count(InterventionRow.outcome == Outcome.SAVED),
        _count(EffectRow.state.in_(SENT) & (EffectRow.kind == EMAIL)),
        _count(TaskRow.state.in_((TaskState.OPEN, TaskState.SNOOZED))),
        _count(TaskRow.state == TaskState.DONE),
        _count((CaseRow.kind == CaseKind.DUNNING) & (CaseRow.state != CaseState.ENDED)),
        select(func.coalesce(func.sum(DunningRow.recovered_minor), 0)).scalar_subquery(),
    ]
    row = (await session.execute(select(*counts))).one()
    by_tier = {tier.value if tier else "unscored": number for tier, number in found}
    return LiveFigures(by_tier, *(int(number) for number in row))


def _count(condition: ColumnElement[bool]) -> Any:
    return select(func.count()).where(condition).scalar_subquery()
