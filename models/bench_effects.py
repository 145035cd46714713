"""What the benchmark of effects puts into the database, and what it counts there."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseKind, CaseOutcome, CaseState
from domain.time import BusinessInstant
from domain.vocabulary import EffectState, StepState
from models.tables.cases import CaseRow, CaseStepRow, DunningRow
from models.tables.facts import InvoiceRow
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


@dataclass(frozen=True)
class Written:
    """What the ledger says of one effect of a case."""

    case_id: str
    delivery_id: str
    state: EffectState
    attempts: int


async def written_of(session: AsyncSession, cases: Sequence[uuid.UUID]) -> list[Written]:
    """Return every effect of these cases."""
    row = EffectRow
    case = func.split_part(row.key, "/", 2)
    query = select(case, row.delivery_id, row.state, row.attempts).where(
        row.key.startswith("case/"), case.in_([str(one) for one in cases])
    )
    return [Written(*each) for each in await session.execute(query)]


async def cases_of_invoices(session: AsyncSession, keys: Sequence[str]) -> dict[str, uuid.UUID]:
    """Return the open cases of invoices by the ids that the provider gave them."""
    query = (
        select(InvoiceRow.external_id, CaseRow.id)
        .join(DunningRow, DunningRow.invoice_id == InvoiceRow.id)
        .join(CaseRow, CaseRow.id == DunningRow.case_id)
        .where(InvoiceRow.external_id.in_(keys), CaseRow.state != CaseState.ENDED)
    )
    return dict((await session.execute(query)).all())


async def how_it_ended(session: AsyncSession, case_id: uuid.UUID) -> CaseOutcome | None:
    """Return the outcome of a case, None while it is open."""
    outcome: CaseOutcome | None = await session.scalar(select(CaseRow.outcome).where(CaseRow.id == case_id))
    return outcome
