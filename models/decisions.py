"""The decision ledger: one row per directive and per refusal, with what led to it."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant
from domain.vocabulary import DecisionKind
from models.tables.ledger import DecisionRow


@dataclass(frozen=True)
class Decision:
    """What was decided, or refused, and why."""

    customer_id: uuid.UUID
    kind: DecisionKind
    action: str
    subject: str
    reason: str
    sentence: str
    evidence: dict[str, Any] = field(default_factory=dict)
    intervention_id: uuid.UUID | None = None
    case_id: uuid.UUID | None = None


async def record_decisions(session: AsyncSession, decisions: list[Decision], now: BusinessInstant) -> None:
    """Write decisions in the transaction that carries them out."""
    rows = [
        {
            "id": uuid.uuid4(),
            "customer_id": one.customer_id,
            "intervention_id": one.intervention_id,
            "case_id": one.case_id,
            "decided_at": now,
            "kind": one.kind,
            "action": one.action,
            "subject": one.subject,
            "reason": one.reason,
            "sentence": one.sentence,
            "evidence": one.evidence,
        }
        for one in decisions
    ]
    if rows:
        await session.execute(insert(DecisionRow), rows)
