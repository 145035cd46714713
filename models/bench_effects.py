"""What the benchmark of effects puts into the database, and what it counts there."""

import uuid
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseKind, CaseOutcome, CaseState
from domain.time import BusinessInstant
from domain.vocabulary import EffectState, StepState
from models.tables.cases import CaseRow, CaseStepRow
from models.tables.ledger import EffectRow


async def add_quiet_cases(
    session: AsyncSession, customers: Sequence[uuid.UUID], step: str, kind: str, now: BusinessInstant
) -> list[uuid.UUID]:
    """Add an open case of each customer whose one step is asked for; no workflow looks after them."""
    cases = [{"id": uuid.uuid4(), "customer_id": customer} for customer in customers]
    common = {
        "kind": CaseKind.DUNNING,
        "state": CaseState.OPEN,
        "stage": "bench",
        "policy": {},
        "memory": {},
        "opened_at": now,
    }
    rows = [
        case | common | {"subject": str(case["id"]), "workflow_id": f"bench/{case['id']}"} for case in cases
    ]
    await session.execute(insert(CaseRow), rows)
    steps = [
        {
            "id": uuid.uuid4(),
            "case_id": case["id"],
            "step": step,
            "occurrence": 1,
            "kind": kind,
            "state": StepState.STARTED,
            "detail": {},
            "started_at": now,
        }
        for case in cases
    ]
    await session.execute(insert(CaseStepRow), steps)
    return [case["id"] for case in cases]


async def effects_by_state(session: AsyncSession, kind: str) -> Counter[EffectState]:
    """Return how many effects of a kind are in each state."""
    query = select(EffectRow.state, func.count()).where(EffectRow.kind == kind).group_by(EffectRow.state)
    return Counter(dict(iter((await session.execute(query)).tuples())))


async def how_it_ended(session: AsyncSession, case_id: uuid.UUID) -> CaseOutcome | None:
    """Return the outcome of a case, None while it is open."""
    outcome: CaseOutcome | None = await session.scalar(select(CaseRow.outcome).where(CaseRow.id == case_id))
    return outcome
