"""Cases and offers, as the API shows them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select

from domain.case_vocabulary import CaseKind, CaseState, OfferState
from domain.errors import NotFoundError
from models.database import Session
from models.resources.history import decisions_of_case
from models.resources.keyset import Order, Row, Slice, only, read_row, read_rows, read_slice
from models.tables.cases import CaseRow, CaseStepRow, DunningRow, PaymentAttemptRow, WinBackRow
from models.tables.ledger import TouchpointRow
from models.tables.runs import OfferRow

_CASE = select(
    CaseRow.id,
    CaseRow.kind,
    CaseRow.customer_id,
    CaseRow.subject,
    CaseRow.state,
    CaseRow.stage,
    CaseRow.held_reason,
    CaseRow.next_action,
    CaseRow.expected_wake_at,
    CaseRow.opened_at,
    CaseRow.ended_at,
    CaseRow.outcome,
    CaseRow.outcome_reason,
)
_OFFER = select(
    OfferRow.id,
    OfferRow.customer_id,
    OfferRow.intervention_id,
    OfferRow.case_id,
    OfferRow.kind,
    OfferRow.title,
    OfferRow.percent,
    OfferRow.months,
    OfferRow.currency,
    OfferRow.cost_minor,
    OfferRow.margin,
    OfferRow.evidence,
    OfferRow.state,
    OfferRow.proposed_at,
    OfferRow.decided_at,
    OfferRow.decided_by_id,
    OfferRow.expires_at,
    OfferRow.redeemed_at,
)


@dataclass(frozen=True)
class CaseFilter:
    """Which cases; None and empty do not narrow."""

    kind: CaseKind | None = None
    states: Sequence[CaseState] = ()
    stage: str | None = None
    customer: uuid.UUID | None = None


async def list_cases(session: Session, chosen: CaseFilter, cursor: str | None, limit: int) -> Slice:
    """Return cases, the newest first."""
    conditions = only(
        kind=(CaseRow.kind.expression, chosen.kind),
        state=(CaseRow.state.expression, list(chosen.states)),
        stage=(CaseRow.stage.expression, chosen.stage),
        customer=(CaseRow.customer_id.expression, chosen.customer),
    )
    at: ColumnElement[Any] = CaseRow.opened_at.expression
    order = Order("opened_at", at, CaseRow.id.expression, descending=True)
    return await read_slice(session, _CASE.where(*conditions), order, cursor, limit)


async def load_case_detail(session: Session, case_id: uuid.UUID) -> Row:
    """Return one case with its steps, attempts, letters and decisions; raises NotFoundError."""
    found = await read_row(session, _CASE.where(CaseRow.id == case_id))
    if found is None:
        raise NotFoundError(what="case", key=case_id)
    return {
        **found,
        "dunning": await _part(session, DunningRow, case_id),
        "win_back": await _part(session, WinBackRow, case_id),
        "steps": await _all(session, CaseStepRow, CaseStepRow.started_at, case_id),
        "attempts": await _all(session, PaymentAttemptRow, PaymentAttemptRow.made_at, case_id),
        "letters": await _all(session, TouchpointRow, TouchpointRow.occurred_at, case_id),
        "decisions": await decisions_of_case(session, case_id),
    }


async def _part(session: Session, table: Any, case_id: uuid.UUID) -> Row | None:
    return await read_row(session, select(*table.__table__.c).where(table.case_id == case_id))


async def _all(session: Session, table: Any, at: Any, case_id: uuid.UUID) -> list[Row]:
    query = select(*table.__table__.c).where(table.case_id == case_id).order_by(at, table.id)
    return await read_rows(session, query)


async def list_offers(
    session: Session,
    states: Sequence[OfferState],
    customer: uuid.UUID | None,
    cursor: str | None,
    limit: int,
) -> Slice:
    """Return offers, the newest first."""
    conditions = only(
        state=(OfferRow.state.expression, list(states)),
        customer=(OfferRow.customer_id.expression, customer),
    )
    at: ColumnElement[Any] = OfferRow.proposed_at.expression
    order = Order("proposed_at", at, OfferRow.id.expression, descending=True)
    return await read_slice(session, _OFFER.where(*conditions), order, cursor, limit)
