"""What a demo run has come to, read from the same tables as the pages."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, Text, case, cast, func, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from domain.case_vocabulary import CaseState
from domain.time import WallInstant
from domain.vocabulary import (
    GOING_ON,
    Channel,
    DecisionKind,
    Direction,
    EffectState,
    InterventionState,
    Outcome,
    Purpose,
)
from models.clock import StoredClock
from models.heads_up_mails import KIND as INTERNAL
from models.pressing import is_pressing
from models.tables.cases import CaseRow
from models.tables.customers import ContactRow, CustomerRow
from models.tables.facts import (
    CancellationRow,
    InvoiceRow,
    MeetingRow,
    SubscriptionRow,
    SurveyRow,
    TicketRow,
    UsageSeenRow,
)
from models.tables.ledger import DecisionRow, EffectRow, OutboxRow, TouchpointRow
from models.tables.playbooks import InterventionRow, LifecycleRow
from models.tables.scoring import ScoreRow, SignalRow
from models.tables.system import WakeRow
from models.tables.work import TaskRow

FACT_TABLES: tuple[type[Any], ...] = (
    CustomerRow, ContactRow, SubscriptionRow, UsageSeenRow, TicketRow, SurveyRow, MeetingRow, InvoiceRow,
    CancellationRow,
)  # fmt: skip
OUR_MAIL = (
    TouchpointRow.effect_key.is_not(None),
    TouchpointRow.direction == Direction.OUT,
    TouchpointRow.channel == Channel.EMAIL,
)
SENT = (EffectState.SENT, EffectState.CONFIRMED)
OPEN = "open"


@dataclass(frozen=True)
class Lateness:
    """How late deadlines were acted on, in business hours."""

    wakes: int = 0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0


PATIENCE_HOURS = 6.0
"""A pressing notice may wait so long to be heard before the wait counts as lateness; others may wait for
their customer's next wake (`models.pressing`)."""
SECONDS_PER_HOUR = 3600.0
ALWAYS = WallInstant(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))


async def lateness(session: AsyncSession, clock: StoredClock, since: WallInstant = ALWAYS) -> Lateness:
    """Return the lateness of the wakes since a wall instant, and of everything that is overdue right now.

    What has not woken at all counts with the time that it is late already: a stack that is swamped records
    few wakes.
    """
    now, life, run = clock.now(), LifecycleRow, InterventionRow
    woken = select(_hours(WakeRow.woke_at - WakeRow.due_at).label("hours")).where(WakeRow.wall_at >= since)
    lives = select(_hours(now - life.expected_wake_at)).where(
        life.ended_at.is_(None), life.expected_wake_at < now
    )
    runs = select(_hours(now - run.expected_wake_at)).where(
        run.state.in_(GOING_ON), run.expected_wake_at < now
    )
    case = CaseRow
    cases = select(_hours(now - case.expected_wake_at)).where(
        case.state != CaseState.ENDED, case.expected_wake_at < now
    )
    waiting = _hours(clock.wall_now() - func.greatest(OutboxRow.created_at, clock.running_since)) * clock.rate
    unheard = select(waiting - PATIENCE_HOURS).where(
        OutboxRow.consumed_at.is_(None), waiting > PATIENCE_HOURS, is_pressing()
    )
    late = union_all(woken, lives, runs, cases, unheard).subquery()
    shares = (func.percentile_cont(share).within_group(late.c.hours) for share in (0.5, 0.95, 0.99))
    wakes, *values = (await session.execute(select(func.count(), *shares).select_from(late))).one()
    return Lateness(wakes, *(round(float(value or 0.0), 3) for value in values))


def _hours(interval: ColumnElement[Any]) -> ColumnElement[float]:
    return cast(func.extract("epoch", interval) / SECONDS_PER_HOUR, Float)


async def count_facts(session: AsyncSession, source_id: str) -> int:
    """Return how many facts of a source are stored."""
    counts = [
        select(func.count()).where(table.source_id == source_id).scalar_subquery() for table in FACT_TABLES
    ]
    told = (TouchpointRow.source_id == source_id, TouchpointRow.effect_key.is_(None))
    counts.append(select(func.count()).where(*told).scalar_subquery())
    return sum((await session.execute(select(*counts))).one())


async def count_interventions(session: AsyncSession) -> dict[str, dict[str, int]]:
    """Return runs by playbook and outcome; one that has not ended counts as open."""
    outcome = case(
        (InterventionRow.state == InterventionState.ENDED, cast(InterventionRow.outcome, Text)),
        else_=OPEN,
    )
    query = select(InterventionRow.playbook_key, outcome, func.count()).group_by(
        InterventionRow.playbook_key, outcome
    )
    found: dict[str, dict[str, int]] = {}
    for playbook, ended, number in await session.execute(query.order_by(InterventionRow.playbook_key)):
        found.setdefault(playbook, {})[ended or "none"] = number
    return found


async def count_refusals(session: AsyncSession) -> dict[str, int]:
    """Return the refusals of the ledger by reason."""
    query = select(DecisionRow.reason, func.count()).where(DecisionRow.kind == DecisionKind.REFUSAL)
    rows = await session.execute(query.group_by(DecisionRow.reason))
    return dict(iter(rows))


async def count_recalibrations(session: AsyncSession) -> int:
    """Return runs that changed course: down, since what opened them reversed, or up, into an escalation."""
    steered = InterventionRow.outcome.in_((Outcome.SAVED, Outcome.REPLACED))
    query = select(func.count()).where(InterventionRow.state == InterventionState.ENDED, steered)
    return int(await session.scalar(query) or 0)


async def most_emails_per_customer_day(session: AsyncSession) -> int:
    """Return the most non-transactional e-mails that one customer got on one business day."""
    day = func.date_trunc("day", TouchpointRow.occurred_at, "UTC")
    sent = (EffectRow.key == TouchpointRow.effect_key) & EffectRow.state.in_(SENT)
    counts = (
        select(func.count().label("mails"))
        .select_from(TouchpointRow)
        .join(EffectRow, sent)
        .where(*OUR_MAIL, TouchpointRow.purpose != Purpose.TRANSACTIONAL)
        .group_by(TouchpointRow.customer_id, day)
        .subquery()
    )
    return int(await session.scalar(select(func.coalesce(func.max(counts.c.mails), 0))) or 0)


async def count_emails(session: AsyncSession) -> int:
    """Return how many e-mails the provider has taken."""
    query = (
        select(func.count())
        .select_from(TouchpointRow)
        .join(EffectRow, EffectRow.key == TouchpointRow.effect_key)
    )
    return int(await session.scalar(query.where(*OUR_MAIL, EffectRow.state.in_(SENT))) or 0)


async def count_internal_emails(session: AsyncSession) -> int:
    """Return how many e-mails to our own people the provider has taken."""
    query = select(func.count()).where(EffectRow.kind == INTERNAL, EffectRow.state.in_(SENT))
    return int(await session.scalar(query) or 0)


async def count_rows(session: AsyncSession) -> dict[str, int]:
    """Return the plain counts of the summary."""
    columns = {
        "customers": select(func.count()).select_from(CustomerRow),
        "signals": select(func.count()).select_from(SignalRow),
        "tasks": select(func.count()).select_from(TaskRow),
        "decisions": select(func.coalesce(func.sum(LifecycleRow.decide_seq), 0)),
        "advances": select(func.coalesce(func.sum(InterventionRow.advance_seq), 0)),
        "nights_scored": select(func.count(ScoreRow.as_of.distinct())),
    }
    row = (await session.execute(select(*(query.scalar_subquery() for query in columns.values())))).one()
    return dict(zip(columns, map(int, row), strict=True))


ACTIVE_AFTER_RISK = text("""
WITH risky AS (
    SELECT customer_id FROM scores
    WHERE churn_risk_tier IN ('high', 'critical') AND as_of BETWEEN :start AND :until
    GROUP BY customer_id
), normal AS (
    SELECT customer_id, sum(quantity) / 8 AS week FROM usage_daily
    WHERE day >= CAST(:start AS date) - 84 AND day < CAST(:start AS date) - 28 GROUP BY customer_id
), recent AS (
    SELECT customer_id, sum(quantity) AS week FROM usage_daily
    WHERE day > CAST(:end AS date) - 7 AND day <= :end GROUP BY customer_id
)
SELECT c.holdout, count(*) AS customers,
       avg((c.status <> 'churned' AND coalesce(recent.week, 0) >= normal.week / 2)::int) AS share
FROM risky JOIN customers c ON c.id = risky.customer_id JOIN normal ON normal.customer_id = c.id
LEFT JOIN recent ON recent.customer_id = c.id GROUP BY c.holdout
""")


async def active_after_risk(
    session: AsyncSession, start: dt.date, end: dt.date, settled_days: int = 14
) -> dict[str, dict[str, float | None]]:
    """Compare treated and held-out customers that reached high risk at least `settled_days` before the end.

    Active means at least half of the customer's own usual week in the last seven days, and still a customer.
    """
    values = {"start": start, "end": end, "until": end - dt.timedelta(days=settled_days)}
    rows = (await session.execute(ACTIVE_AFTER_RISK, values)).all()
    shares = {row.holdout: (round(float(row.share), 3), float(row.customers)) for row in rows}
    treated, holdout = shares.get(False, (None, 0.0)), shares.get(True, (None, 0.0))
    return {
        "share_active_after_risk": {"treated": treated[0], "holdout": holdout[0]},
        "customers_that_reached_high_risk": {"treated": treated[1], "holdout": holdout[1]},
    }
