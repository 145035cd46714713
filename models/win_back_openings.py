"""Opens a win-back for a departure, with its arm of the trial; and what the director knows of departures."""

import datetime as dt
import uuid

from sqlalchemy import func, insert, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseKind, CaseState
from domain.customer_state import CustomerState
from domain.departures import KnownDeparture
from domain.directives import OpenWinBack
from domain.labels import Cause, Relation
from domain.time import BusinessInstant, WallInstant, after
from domain.trials import Arm, Assignment
from domain.win_back_policy import KEY
from models.assignments import Subject, record_assignment
from models.cases import NewCase, open_case
from models.relations import load_relations
from models.tables.cases import CaseRow, WinBackRow
from models.tables.customers import CustomerRow
from models.tables.data import SourceRow
from models.tables.facts import CancellationRow, SubscriptionRow

OPENING = "opening"


async def open_win_back(
    session: AsyncSession,
    customer_id: uuid.UUID,
    directive: OpenWinBack,
    now: BusinessInstant,
    wall: WallInstant,
) -> uuid.UUID | None:
    """Open a case for a departure, with its arm of the trial; None where there is one already.

    A departure whose date is told anew while its case is open is the same departure.
    """
    departure = directive.departure
    if await _is_open(session, customer_id):
        return None
    number = 1 + await _count(session, customer_id)
    new = NewCase(
        kind=CaseKind.WIN_BACK,
        customer_id=customer_id,
        subject=f"{customer_id}/{departure.at.isoformat()}",
        workflow_id=f"win-back/{customer_id}/{number}",
        policy=directive.policy.model_dump(mode="json"),
        stage=OPENING,
        sentence=directive.sentence,
        evidence={
            "cause": departure.cause.value,
            "reason": departure.reason,
            "arr_minor": departure.arr_minor,
        },
    )
    case_id = await open_case(session, new, now, wall)
    if case_id is None:
        return None
    arm = directive.assignment.arm if directive.assignment is not None else Arm.TREATED
    await session.execute(
        insert(WinBackRow).values(
            case_id=case_id,
            number=number,
            cause=departure.cause,
            cancelled_at=departure.at,
            reason=departure.reason,
            lost_arr_minor=departure.arr_minor,
            currency=departure.currency,
            is_held_out=arm is not Arm.TREATED,
        )
    )
    if directive.assignment is not None:
        await _assign(session, customer_id, case_id, directive.assignment, departure.arr_minor, now)
    return case_id


async def _is_open(session: AsyncSession, customer_id: uuid.UUID) -> bool:
    row = CaseRow
    mine = (row.customer_id == customer_id, row.kind == CaseKind.WIN_BACK, row.state != CaseState.ENDED)
    return await session.scalar(select(row.id).where(*mine).limit(1)) is not None


async def _count(session: AsyncSession, customer_id: uuid.UUID) -> int:
    query = (
        select(func.max(WinBackRow.number))
        .join(CaseRow, CaseRow.id == WinBackRow.case_id)
        .where(CaseRow.customer_id == customer_id)
    )
    return int(await session.scalar(query) or 0)


async def _assign(
    session: AsyncSession,
    customer_id: uuid.UUID,
    case_id: uuid.UUID,
    assignment: Assignment,
    arr_minor: int,
    now: BusinessInstant,
) -> None:
    """Record who was treated or left alone by chance: what the effect of win-back is measured by."""
    subject = Subject(customer_id, KEY, None, case_id=case_id)
    await record_assignment(session, subject, assignment, now, arr_minor=arr_minor)


async def load_departure(session: AsyncSession, state: CustomerState) -> KnownDeparture | None:
    """Return how a customer that is gone has left; None where nobody knows when."""
    row = CustomerRow
    query = select(row.churned_at, row.cancellation_reason, row.currency, row.declared, row.source_id).where(
        row.id == state.customer_id
    )
    told = (await session.execute(query)).one()
    if told.churned_at is None:
        return None
    relation = (await load_relations(session, {state.customer_id}))[state.customer_id]
    return KnownDeparture(
        at=told.churned_at,
        cause=_cause(relation, told.churned_at),
        reason=told.cancellation_reason,
        arr_minor=_paid_before(relation, told.churned_at) or int(told.declared.get("arr_minor") or 0),
        currency=told.currency,
        connected_at=await _connected_at(session, state.customer_id, told.churned_at, told.source_id),
        is_answered=False,
    )


def _cause(relation: Relation, at: BusinessInstant) -> Cause:
    """Return whose doing it was, as the labels that models learn from say it."""
    same = (one.cause for one in relation.absences() if one.since == at)
    return next(same, Cause.INVOLUNTARY if at in relation.failed_payment else Cause.VOLUNTARY)


def _paid_before(relation: Relation, at: BusinessInstant) -> int:
    """Return the yearly revenue just before they left."""
    return 12 * relation.mrr_minor_at(after(at, -dt.timedelta(microseconds=1)))


async def _connected_at(
    session: AsyncSession, customer_id: uuid.UUID, at: BusinessInstant, source_id: str
) -> BusinessInstant:
    """Return when the source was connected that told of the departure, else the customer's own."""
    said, term = CancellationRow, SubscriptionRow
    told = union(
        select(said.source_id).where(said.customer_id == customer_id, said.occurred_at == at),
        select(term.source_id).where(term.customer_id == customer_id, term.ended_at == at),
    )
    row = SourceRow
    newest = select(func.max(row.connected_at)).where(row.id.in_(told))
    own = select(row.connected_at).where(row.id == source_id)
    found: BusinessInstant = await session.scalar(newest) or (await session.execute(own)).scalar_one()
    return found
