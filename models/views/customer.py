"""One customer as its page shows it: who it is, what we think of it and why."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.attention import AttentionPolicy, CustomerStanding
from domain.errors import NotFoundError
from domain.time import BusinessInstant
from domain.vocabulary import ContactRole, HealthComponent, HealthStatus, Severity, SignalKind, SignalState
from models.attention import STORED, read_attention
from models.standing import health_in_force
from models.tables.customers import ContactRoleRow, ContactRow, CustomerRow
from models.tables.people import UserRow
from models.tables.scoring import AssessmentRow, ScoreRow, SignalRow
from models.views.portfolio import Trend, trend_columns

SIGNALS = 20


@dataclass(frozen=True)
class Driver:
    """One reason of the risk score; points above 0 raise it, below 0 they protect."""

    family: str
    sentence: str
    points: float


@dataclass(frozen=True)
class Component:
    """One part of health; without a score nobody tells of it."""

    name: HealthComponent
    score: int | None
    status: str
    trend: int | None


@dataclass(frozen=True)
class Score:
    """The newest score with everything that must stand beside it."""

    as_of: dt.date
    churn_probability: float
    churn_risk_score: int
    horizon_days: int
    model_version: str
    data_on: dt.date | None
    drivers: tuple[Driver, ...]


@dataclass(frozen=True)
class Verdict:
    """The newest assessment in words."""

    assessed_at: BusinessInstant
    reason: str
    next_best_action: str
    limited_since: dt.date | None
    data_on: dt.date | None
    changes: tuple[str, ...]
    components: tuple[Component, ...]


@dataclass(frozen=True)
class CustomerPage:
    """What stands at the top of the page. `row` is a plain mapping of the customer's own columns."""

    row: Mapping[str, Any]
    health: HealthStatus | None
    csm: str | None
    csm_id: uuid.UUID | None
    sales_owner: str | None
    score: Score | None
    verdict: Verdict | None
    trend: Trend | None
    policy: AttentionPolicy

    @property
    def standing(self) -> CustomerStanding:
        """What the attention table looks at."""
        row = self.row
        tier = row["churn_risk_tier"]
        return CustomerStanding(row["arr_minor"], row["currency"], self.health, tier, row["renewal_on"])


@dataclass(frozen=True)
class CustomerContact:
    """A person there, with all their roles."""

    id: uuid.UUID
    name: str
    email: str | None
    department: str | None
    roles: tuple[ContactRole, ...]
    last_active_at: BusinessInstant | None
    left_at: BusinessInstant | None
    suppressed_reason: str | None


@dataclass(frozen=True)
class CustomerSignal:
    """One observed change that matters."""

    id: uuid.UUID
    kind: SignalKind
    severity: Severity
    title: str
    state: SignalState
    opened_at: BusinessInstant
    resolved_at: BusinessInstant | None
    is_baseline: bool
    first_human_action_at: BusinessInstant | None


def _newest(table: Any, at: Any, name: str) -> Any:
    return select(table).where(table.customer_id == CustomerRow.id).order_by(at.desc()).limit(1).lateral(name)


async def load_customer(session: AsyncSession, customer_id: uuid.UUID, now: BusinessInstant) -> CustomerPage:
    """Return the customer with its newest score and assessment in one query, or raise NotFoundError."""
    score = aliased(ScoreRow, _newest(ScoreRow, ScoreRow.as_of, "score"))
    verdict = aliased(AssessmentRow, _newest(AssessmentRow, AssessmentRow.assessed_at, "verdict"))
    csm, sales = aliased(UserRow), aliased(UserRow)
    columns, recent = trend_columns(now.date())
    trend = select(*columns).where(ScoreRow.customer_id == CustomerRow.id, recent).lateral("trend")
    query = (
        select(CustomerRow, health_in_force(now), csm.name, sales.name, score, verdict)
        .add_columns(trend.c.since, trend.c.risks, trend.c.healths, STORED.scalar_subquery())
        .outerjoin(csm, csm.id == CustomerRow.csm_id)
        .outerjoin(sales, sales.id == CustomerRow.sales_owner_id)
        .outerjoin(score, true())
        .outerjoin(verdict, true())
        .outerjoin(trend, true())
        .where(CustomerRow.id == customer_id)
    )
    found: Any = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFoundError(what="customer", key=customer_id)
    row: CustomerRow = found[0]
    since, risks, healths, policy = found[6:]
    own = {column.key: getattr(row, column.key) for column in CustomerRow.__table__.columns}
    return CustomerPage(
        row=own | {"touch_tier": row.touch_tier_override or row.touch_tier},
        health=found[1],
        csm=found[2],
        csm_id=row.csm_id,
        sales_owner=found[3],
        score=_score(found[4]),
        verdict=_verdict(found[5]),
        trend=Trend(since, tuple(risks), tuple(healths)) if since is not None else None,
        policy=read_attention(policy),
    )


def _score(row: ScoreRow | None) -> Score | None:
    if row is None:
        return None
    drivers = tuple(
        Driver(str(each.get("family", "")), str(each.get("sentence", "")), float(each.get("points", 0)))
        for each in row.drivers
    )
    return Score(
        row.as_of,
        row.churn_probability,
        row.churn_risk_score,
        row.horizon_days,
        row.model_version,
        row.data_on,
        drivers,
    )


def _component(name: HealthComponent, document: Mapping[str, Any]) -> Component:
    score, trend = document.get("score"), document.get("trend")
    status = str(document.get("status") or "unknown")
    return Component(name, score, status, trend if isinstance(trend, int) else None)


def _verdict(row: AssessmentRow | None) -> Verdict | None:
    if row is None:
        return None
    changes = tuple(str(each["sentence"]) for each in row.changes if each.get("sentence"))
    components = tuple(_component(name, row.components.get(name.value) or {}) for name in HealthComponent)
    return Verdict(
        row.assessed_at,
        row.reason,
        row.next_best_action,
        row.limited_since,
        row.data_on,
        changes,
        components,
    )


async def load_contacts(session: AsyncSession, customer_id: uuid.UUID) -> tuple[CustomerContact, ...]:
    """Return the people there, those who left at the end."""
    roles = func.array_agg(ContactRoleRow.role.distinct())
    query = (
        select(ContactRow, roles)
        .join(ContactRoleRow, ContactRoleRow.contact_id == ContactRow.id)
        .where(ContactRoleRow.customer_id == customer_id)
        .group_by(ContactRow.id)
        .order_by(ContactRow.left_at.is_not(None), func.lower(ContactRow.name))
    )
    return tuple(
        CustomerContact(
            row.id,
            row.name,
            row.email,
            row.department,
            tuple(ContactRole(role) for role in held),
            row.last_active_at,
            row.left_at,
            row.suppressed_reason,
        )
        for row, held in await session.execute(query)
    )


async def load_signals(session: AsyncSession, customer_id: uuid.UUID) -> tuple[CustomerSignal, ...]:
    """Return open signals first, then the newest resolved ones."""
    row = SignalRow
    query = (
        select(
            row.id,
            row.kind,
            row.severity,
            row.title,
            row.state,
            row.opened_at,
            row.resolved_at,
            row.is_baseline,
            row.first_human_action_at,
        )
        .where(row.customer_id == customer_id)
        .order_by((row.state == SignalState.OPEN).desc(), row.opened_at.desc(), row.id)
        .limit(SIGNALS)
    )
    return tuple(CustomerSignal(*each) for each in await session.execute(query))
