"""Why a playbook did or did not act for a customer: decisions of a day, and what stands against it now."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFoundError
from domain.time import BusinessInstant, after, start_of_day
from domain.why_not import Ground, why_not
from models.director_inputs import load_director_inputs
from models.playbooks import PlaybookShelf
from models.tables.customers import CustomerRow
from models.tables.ledger import DecisionRow
from models.tables.playbooks import InterventionRow, PlaybookRow


@dataclass(frozen=True)
class Why:
    """The answer. `decisions` are of the day that was asked for, or of all days, the newest first."""

    customer: str
    playbook: str
    open_run: uuid.UUID | None
    decisions: tuple[DecisionRow, ...]
    grounds: tuple[Ground, ...]
    """What stands against a run now; empty where one is open or would be opened."""


MOST = 50


async def customer_name(session: AsyncSession, customer_id: uuid.UUID) -> str:
    """Return whom the question is about; raises NotFoundError."""
    name = await session.scalar(select(CustomerRow.name).where(CustomerRow.id == customer_id))
    if name is None:
        raise NotFoundError(what="customer", key=customer_id)
    return name


async def load_why(
    session: AsyncSession, customer_id: uuid.UUID, key: str, on: dt.date | None, now: BusinessInstant
) -> Why:
    """Return why; raises NotFoundError. Nothing is decided by asking, and no notice counts as heard."""
    customer = await session.get(CustomerRow, customer_id)
    if customer is None:
        raise NotFoundError(what="customer", key=customer_id)
    if await session.get(PlaybookRow, key) is None:
        raise NotFoundError(what="playbook", key=key)
    inputs = await load_director_inputs(session, customer_id, PlaybookShelf(), now)
    runs = [run.id for run in inputs.state.open_runs if run.playbook_key == key]
    grounds = why_not(key, inputs.state, inputs.policy, now)
    decisions = await _decisions(session, customer_id, key, on)
    return Why(customer.name, key, next(iter(runs), None), decisions, grounds)


async def _decisions(
    session: AsyncSession, customer_id: uuid.UUID, key: str, on: dt.date | None
) -> tuple[DecisionRow, ...]:
    row, run = DecisionRow, InterventionRow
    of_runs = select(run.id).where(run.customer_id == customer_id, run.playbook_key == key)
    query = select(row).where(
        row.customer_id == customer_id, (row.subject == key) | row.intervention_id.in_(of_runs)
    )
    if on is not None:
        begins = start_of_day(on)
        query = query.where(row.decided_at >= begins, row.decided_at < after(begins, dt.timedelta(days=1)))
    query = query.order_by(row.decided_at.desc(), row.id).limit(MOST)
    return tuple((await session.scalars(query)).all())
