"""Customers as the API shows them: lists by filter, and one with what we think of it."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, func, literal, or_, select

from domain.errors import InvalidInputError, NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import (
    Attention,
    CustomerStatus,
    HealthStatus,
    InterventionState,
    RiskTier,
    Segment,
    SignalState,
    TouchTier,
)
from models.attention import load_attention
from models.database import Session
from models.resources.keyset import Order, Query, Row, Slice, only, read_row, read_rows, read_slice
from models.standing import (
    arr_is_high,
    attention_is,
    days_to_renewal,
    health_in_force,
    standing_is,
)
from models.tables.customers import ContactRoleRow, ContactRow, CustomerRow
from models.tables.playbooks import InterventionRow
from models.tables.scoring import AssessmentRow, ScoreRow, SignalRow

_FAR = dt.date(9999, 12, 31)
_NEVER = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
_TOUCH_TIER = func.coalesce(CustomerRow.touch_tier_override, CustomerRow.touch_tier)

SORTS: dict[str, ColumnElement[Any]] = {
    "name": func.lower(CustomerRow.name, type_=Text()),
    "arr": CustomerRow.arr_minor.expression,
    "churn_risk_score": func.coalesce(CustomerRow.churn_risk_score, literal(-1)),
    "health_score": func.coalesce(CustomerRow.health_score, literal(-1)),
    "renewal_on": func.coalesce(CustomerRow.renewal_on, literal(_FAR)),
    "last_touch_at": func.coalesce(CustomerRow.last_touch_at, literal(_NEVER)),
}


@dataclass(frozen=True)
class CustomerFilter:
    """What a caller wants to see; what is empty does not narrow."""

    search: str = ""
    status: tuple[CustomerStatus, ...] = ()
    tier: tuple[RiskTier, ...] = ()
    health: tuple[HealthStatus, ...] = ()
    segment: tuple[Segment, ...] = ()
    touch_tier: tuple[TouchTier, ...] = ()
    attention: tuple[Attention, ...] = ()
    owner: uuid.UUID | None = None


async def _attention(session: Session, now: BusinessInstant) -> ColumnElement[str]:
    policy = await load_attention(session)
    return attention_is(policy, arr_is_high(policy), standing_is(now), days_to_renewal(now.date()))


async def _columns(session: Session, now: BusinessInstant) -> Query:
    attention = await _attention(session, now)
    row = CustomerRow
    return select(
        row.id,
        row.external_id,
        row.source_id,
        row.name,
        row.domain,
        row.industry,
        row.country,
        row.segment,
        row.plan,
        _TOUCH_TIER.label("touch_tier"),
        row.status,
        row.arr_minor,
        row.currency,
        row.csm_id,
        row.sales_owner_id,
        row.started_at,
        row.renewal_on,
        row.churned_at,
        row.cancellation_reason,
        row.do_not_contact,
        row.holdout,
        row.churn_probability,
        row.churn_risk_score,
        row.churn_risk_tier,
        row.renewal_probability,
        row.expansion_probability,
        row.health_score,
        health_in_force(now).label("health_status"),
        row.watchlisted_at,
        row.last_touch_at,
        row.last_usage_on,
        attention.label("attention"),
    )


async def list_customers(
    session: Session,
    chosen: CustomerFilter,
    sort: str,
    cursor: str | None,
    limit: int,
    now: BusinessInstant,
) -> Slice:
    """Return one page; `sort` is a name of SORTS, with a minus in front for the other way round."""
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name not in SORTS:
        raise InvalidInputError(
            field="sort", reason=f"must be one of {', '.join(SORTS)}, or -… for descending"
        )
    query = (await _columns(session, now)).where(*_conditions(chosen, now))
    if chosen.attention:
        attention = await _attention(session, now)
        query = query.where(attention.in_([each.value for each in chosen.attention]))
    order = Order(name, SORTS[name], CustomerRow.id.expression, descending)
    return await read_slice(session, query, order, cursor, limit)


def _conditions(chosen: CustomerFilter, now: BusinessInstant) -> list[ColumnElement[bool]]:
    found = only(
        status=(CustomerRow.status.expression, list(chosen.status)),
        tier=(CustomerRow.churn_risk_tier.expression, list(chosen.tier)),
        health=(health_in_force(now), list(chosen.health)),
        segment=(CustomerRow.segment.expression, list(chosen.segment)),
        touch_tier=(_TOUCH_TIER, list(chosen.touch_tier)),
        owner=(CustomerRow.csm_id.expression, chosen.owner),
    )
    text = chosen.search.strip().lower()
    if not text:
        return list(found)
    named = [
        func.lower(column).contains(text, autoescape=True)
        for column in (CustomerRow.name, CustomerRow.domain)
    ]
    return [*found, or_(*named, func.lower(CustomerRow.external_id) == text)]


async def load_customer(session: Session, customer_id: uuid.UUID, now: BusinessInstant) -> Row:
    """Return one customer with score, assessment, contacts, open signals and open runs."""
    query = (await _columns(session, now)).where(CustomerRow.id == customer_id)
    found = await read_row(session, query)
    if found is None:
        raise NotFoundError(what="customer", key=customer_id)
    return {
        **found,
        "score": await read_row(session, _SCORE.where(ScoreRow.customer_id == customer_id).limit(1)),
        "assessment": await read_row(
            session, _ASSESSMENT.where(AssessmentRow.customer_id == customer_id).limit(1)
        ),
        "contacts": await read_rows(session, _CONTACTS.where(ContactRoleRow.customer_id == customer_id)),
        "signals": await read_rows(session, _SIGNALS.where(SignalRow.customer_id == customer_id)),
        "interventions": await read_rows(session, _RUNS.where(InterventionRow.customer_id == customer_id)),
    }


async def check_customer(session: Session, customer_id: uuid.UUID) -> None:
    """Raise NotFoundError for an id that is nobody's."""
    if await session.scalar(select(CustomerRow.id).where(CustomerRow.id == customer_id)) is None:
        raise NotFoundError(what="customer", key=customer_id)


_SCORE = select(
    ScoreRow.as_of,
    ScoreRow.scored_at,
    ScoreRow.churn_probability,
    ScoreRow.churn_risk_score,
    ScoreRow.churn_risk_tier,
    ScoreRow.health_score,
    ScoreRow.components,
    ScoreRow.drivers,
    ScoreRow.horizon_days,
    ScoreRow.model_version,
    ScoreRow.data_on,
    ScoreRow.renewal_probability,
    ScoreRow.expansion_probability,
    ScoreRow.outlook_missing,
).order_by(ScoreRow.as_of.desc())
_ASSESSMENT = select(
    AssessmentRow.assessed_at,
    AssessmentRow.health_status,
    AssessmentRow.limited_since,
    AssessmentRow.reason,
    AssessmentRow.changes,
    AssessmentRow.next_best_action,
    AssessmentRow.components,
    AssessmentRow.data_on,
    AssessmentRow.renewal_probability,
    AssessmentRow.expansion_probability,
    AssessmentRow.outlook_missing,
).order_by(AssessmentRow.assessed_at.desc())
_CONTACTS = (
    select(
        ContactRow.id,
        ContactRow.name,
        ContactRow.email,
        ContactRow.department,
        ContactRoleRow.role,
        ContactRow.suppressed_at.is_not(None).label("suppressed"),
    )
    .join(ContactRoleRow, ContactRoleRow.contact_id == ContactRow.id)
    .where(ContactRoleRow.until.is_(None), ContactRow.left_at.is_(None))
    .order_by(ContactRoleRow.role, ContactRow.name)
)
_SIGNALS = (
    select(SignalRow.id, SignalRow.kind, SignalRow.severity, SignalRow.title, SignalRow.evidence)
    .add_columns(SignalRow.opened_at, SignalRow.updated_at)
    .where(SignalRow.state == SignalState.OPEN)
    .order_by(SignalRow.opened_at.desc())
)
_RUNS = (
    select(InterventionRow.id, InterventionRow.playbook_key, InterventionRow.reason, InterventionRow.state)
    .add_columns(InterventionRow.planned_at, InterventionRow.started_at, InterventionRow.expected_wake_at)
    .where(InterventionRow.state != InterventionState.ENDED)
    .order_by(InterventionRow.planned_at.desc())
)
