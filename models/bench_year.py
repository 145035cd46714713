"""What the benchmarks of workflows tell of a customer, as scoring and the CRM would tell it."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant, after
from domain.vocabulary import (
    HealthStatus,
    NoticeKind,
    RiskTier,
    Severity,
    SignalKind,
    SignalState,
    StepState,
    TouchTier,
)
from models.installation import withhold_playbooks
from models.outbox import Notice, put_notices
from models.signals import resolve_signals
from models.tables.customers import CustomerRow
from models.tables.ledger import DecisionRow, OutboxRow
from models.tables.playbooks import InterventionRow, InterventionStepRow, PlaybookRow
from models.tables.scoring import ScoreRow, SignalRow

HORIZON_DAYS = 90
BEFORE = dt.timedelta(days=1)
DRIVER = {"family": "usage", "sentence": "logins fell from 41 to 9 a week", "points": 30.0}


async def keep_only(session: AsyncSession, keys: Sequence[str], now: BusinessInstant) -> None:
    """Leave only these playbooks to the director."""
    others = update(PlaybookRow).where(PlaybookRow.key.not_in(keys))
    await session.execute(others.values(archived_at=now))


async def settle_customers(
    session: AsyncSession,
    ids: Sequence[uuid.UUID],
    touch_tier: TouchTier,
    tier: RiskTier,
    now: BusinessInstant,
) -> None:
    """Let customers be of these tiers, held out of nothing, spoken with today, and scored once before."""
    await withhold_playbooks(session, 0.0)
    values = {
        "holdout": False,
        "touch_tier_override": touch_tier,
        "acted_tier": tier,
        "health_status": HealthStatus.ENGAGED,
        "last_touch_at": now,
    }
    await session.execute(update(CustomerRow).where(CustomerRow.id.in_(ids)).values(values))
    await session.execute(insert(ScoreRow), [_score(one, tier, after(now, -BEFORE)) for one in ids])


def _score(customer_id: uuid.UUID, tier: RiskTier, at: BusinessInstant) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "as_of": at.date(),
        "scored_at": at,
        "churn_probability": 0.1,
        "churn_risk_score": 25 * tier.rank,
        "churn_risk_tier": tier,
        "health_score": 60,
        "components": {},
        "drivers": [DRIVER],
        "horizon_days": HORIZON_DAYS,
        "model_version": "bench",
    }


async def move_tier(
    session: AsyncSession, customer_id: uuid.UUID, tier: RiskTier, now: BusinessInstant, wall: WallInstant
) -> None:
    """Act as a night's scoring does when the tier moves."""
    mine = update(CustomerRow).where(CustomerRow.id == customer_id)
    await session.execute(mine.values(acted_tier=tier, acted_tier_at=now))
    score = _score(customer_id, tier, now)
    statement = upsert(ScoreRow).values(score)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["customer_id", "as_of"], set_=score)
    )
    await put_notices(session, [Notice(customer_id, NoticeKind.TIER_CHANGED, {"to": tier.value}, now)], wall)


async def open_signals(
    session: AsyncSession,
    ids: Sequence[uuid.UUID],
    kind: SignalKind,
    severity: Severity,
    now: BusinessInstant,
    wall: WallInstant,
) -> None:
    """Act as a detector does when it fires for these customers."""
    rows: list[dict[str, Any]] = [
        {
            "id": uuid.uuid4(),
            "customer_id": customer_id,
            "kind": kind,
            "dedupe_key": kind.value,
            "severity": severity,
            "state": SignalState.OPEN,
            "title": f"{kind.value} was seen",
            "evidence": {},
            "is_baseline": False,
            "opened_at": now,
            "updated_at": now,
        }
        for customer_id in ids
    ]
    await session.execute(insert(SignalRow), rows)
    notices = [
        Notice(
            row["customer_id"],
            NoticeKind.SIGNAL_OPENED,
            {"signal_id": str(row["id"]), "kind": kind.value, "severity": severity.value},
            now,
        )
        for row in rows
    ]
    await put_notices(session, notices, wall)


async def resolve_signal(
    session: AsyncSession, customer_id: uuid.UUID, kind: SignalKind, now: BusinessInstant, wall: WallInstant
) -> None:
    """Act as a detector does when what it saw is over."""
    signal_id = await session.scalar(
        select(SignalRow.id).where(
            SignalRow.customer_id == customer_id,
            SignalRow.kind == kind,
            SignalRow.state == SignalState.OPEN,
        )
    )
    await resolve_signals(session, [signal_id] if signal_id is not None else [], now)
    payload = {"signal_id": str(signal_id), "kind": kind.value}
    await put_notices(session, [Notice(customer_id, NoticeKind.SIGNAL_RESOLVED, payload, now)], wall)


async def renew(
    session: AsyncSession, customer_id: uuid.UUID, until: dt.date, now: BusinessInstant, wall: WallInstant
) -> None:
    """Let the contract run on until another date."""
    mine = update(CustomerRow).where(CustomerRow.id == customer_id)
    await session.execute(mine.values(renewal_on=until))
    await put_notices(session, [Notice(customer_id, NoticeKind.CUSTOMER_CHANGED, {}, now)], wall)


async def tell(
    session: AsyncSession, ids: Sequence[uuid.UUID], kind: NoticeKind, now: BusinessInstant, wall: WallInstant
) -> None:
    """Put a notice without content for each customer."""
    await put_notices(session, [Notice(one, kind, {}, now) for one in ids], wall)


@dataclass(frozen=True)
class StartedRun:
    """A run of one customer."""

    customer_id: uuid.UUID
    run_id: uuid.UUID
    playbook_key: str


async def runs_before(
    session: AsyncSession, customer_id: uuid.UUID, end: BusinessInstant
) -> list[StartedRun]:
    """Return the runs of a customer that started before an instant."""
    row = InterventionRow
    query = select(row.customer_id, row.id, row.playbook_key)
    mine = query.where(row.customer_id == customer_id, row.started_at < end)
    return [StartedRun(*found) for found in (await session.execute(mine)).all()]


async def steps_done(session: AsyncSession, kind: str) -> int:
    """Return how many visits of steps of this kind are done."""
    row = InterventionStepRow
    query = select(func.count()).where(row.kind == kind, row.state == StepState.DONE)
    return await session.scalar(query) or 0


async def count_unheard(session: AsyncSession) -> int:
    """Return how many notices nobody has heard."""
    return await session.scalar(select(func.count()).where(OutboxRow.consumed_at.is_(None))) or 0


async def count_decided(session: AsyncSession, action: str) -> int:
    """Return how many customers have a decision of this kind."""
    query = select(func.count(DecisionRow.customer_id.distinct())).where(DecisionRow.action == action)
    return await session.scalar(query) or 0


async def count_heads_ups(session: AsyncSession, kind: SignalKind) -> int:
    """Return how many customers' owners were warned of a kind of signal."""
    mine = (DecisionRow.action == "heads_up", DecisionRow.subject == kind.value)
    return await session.scalar(select(func.count(DecisionRow.customer_id.distinct())).where(*mine)) or 0
